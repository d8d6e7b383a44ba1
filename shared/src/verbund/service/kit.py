"""What every part of the service kit knows of the service it serves; kept as `app.state.kit`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from starlette.types import Scope

from verbund.events.offices import Office, Process
from verbund.service.pages import Pages
from verbund.service.tokens import TokenVerifier
from verbund.settings import ServiceSettings, read_secret


@dataclass(frozen=True)
class Kit:
    """One running service."""

    office: Office
    process: Process
    settings: ServiceSettings
    verifier: TokenVerifier
    pages: Pages | None = None
    upload_limits: Mapping[str, int] = field(default_factory=dict)
    """Bytes, by path prefix, where more than the usual body is taken."""

    @property
    def session_cookie(self) -> str:
        """Cookies do not know ports: on one machine every office needs a name of its own."""
        return f"verbund_session_{self.office.name}"

    @cached_property
    def fingerprint_key(self) -> bytes:
        """Secret for fingerprints of requests; read at the first need."""
        return read_secret(self.settings.hash_key_file).encode()


def kit_of(scope: Scope) -> Kit:
    """The kit of the service that this request is for."""
    kit = scope["app"].state.kit
    assert isinstance(kit, Kit)
    return kit
