"""Access tokens (RFC 9068): verified in one way, issued by the city's provider or, embedded, by `LocalIssuer`."""

import json
import os
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from logging import getLogger
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile
from time import monotonic, time
from typing import Annotated, Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, OKPKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from verbund.errors import Unauthenticated, Unavailable
from verbund.service.principals import ROLES, Principal
from verbund.settings import IssuerSettings

_log = getLogger(__name__)

_TYPES = ("at+jwt", "application/at+jwt")  # RFC 9068, 2.1; an ID token must never pass for an access token
_LEEWAY_SECONDS = 30  # clocks of issuer and service a little apart
_LOOK_AGAIN_SECONDS = 30  # a flood of unknown keys must not become a flood of reading
_REMEMBERED = 4_096
_LONGEST = 8_192  # characters; a longer token is no token of ours and is not worth decoding
_MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)

_Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
_Moment = Annotated[float, Field(allow_inf_nan=False)]


class _Claims(BaseModel):
    """What a token has to say; a wrong type in any of it makes it no token."""

    model_config = ConfigDict(strict=True, extra="ignore")

    iss: str
    aud: str | list[str]
    exp: _Moment
    iat: _Moment
    nbf: _Moment | None = None
    sub: _Word
    client_id: _Word
    jti: _Word
    roles: list[str]
    municipality: str
    office: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that was found good, and how long it stays so (Unix time)."""

    principal: Principal
    expires: float


class _PublicKeys:
    """The issuer's keys, read again when their file has changed, at most every half minute."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._keys: dict[str, Key] = {}
        self._seen: tuple[int, int, int] | None = None
        self._next_look = 0.0

    def look_again(self) -> bool:
        """Read the file if it is time to and it has changed; True where the keys are others now."""
        if monotonic() < self._next_look:
            return False
        try:
            status = self._file.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen != self._seen:
                found = KeySet.import_key_set(json.loads(self._file.read_bytes()))
                self._keys = {key.kid: key for key in found if key.kid is not None}
                self._seen = seen
                return True
        except (OSError, ValueError, TypeError, KeyError, JoseError) as error:
            _log.error("the issuer's keys cannot be read", extra={"error": type(error).__name__})
        finally:
            # Without any key nobody can come in, so the file is looked for eagerly until it is there.
            self._next_look = monotonic() + (_LOOK_AGAIN_SECONDS if self._keys else 1)
        return False

    def find(self, kid: object) -> Key | None:
        return self._keys.get(kid) if isinstance(kid, str) else None

    def __bool__(self) -> bool:
        return bool(self._keys)


class TokenVerifier:
    """Says who a token stands for, or that it stands for nobody: one answer for whatever is wrong with it."""

    def __init__(self, settings: IssuerSettings, audience: str, municipality: str) -> None:
        unfit = [name for name in settings.algorithms if name == "none" or name.startswith("HS")]
        if unfit or not settings.algorithms:
            raise ValueError(f"tokens are signed with a private key: {unfit} will not do")
        self._issuer = settings.issuer
        self._algorithms = settings.algorithms
        self._audience = audience
        self._municipality = municipality
        self._keys = _PublicKeys(settings.jwks_file)
        self._good: OrderedDict[bytes, Verified] = OrderedDict()

    def verify(self, token: str) -> Principal:
        """The principal of a good token; raises `Unauthenticated` (`token_invalid`, `token_expired`)."""
        return self.examine(token).principal

    def examine(self, token: str) -> Verified:
        """As `verify`, with the moment at which the token ends."""
        if self._keys.look_again():
            self._good.clear()  # a key that was taken away takes its tokens with it
        name = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._good.get(name)
        if known is None:
            known = self._examine(token)
            self._good[name] = known
            if len(self._good) > _REMEMBERED:
                self._good.popitem(last=False)
        else:
            self._good.move_to_end(name)
        if time() >= known.expires:
            del self._good[name]
            raise _expired()
        return known

    async def trouble(self) -> str | None:
        """Why no token can be verified, or None: for `/readyz`."""
        self._keys.look_again()
        return None if self._keys else "the issuer's keys are missing"

    def _examine(self, token: str) -> Verified:
        if not self._keys:
            raise Unavailable(
                "keys_missing", "Access cannot be checked right now. Try again in a moment.", retry_after_seconds=5
            )
        claims = self._claims(token)
        now = time()
        audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if (
            claims.iss != self._issuer
            or self._audience not in audience
            or claims.municipality != self._municipality
            or claims.iat > now + _LEEWAY_SECONDS
            or (claims.nbf is not None and claims.nbf > now + _LEEWAY_SECONDS)
        ):
            raise _invalid()
        principal = Principal(claims.sub, frozenset(claims.roles), claims.office, claims.municipality)
        return Verified(principal, claims.exp + _LEEWAY_SECONDS)

    def _claims(self, token: str) -> _Claims:
        """The claims under a good signature by one of the issuer's keys, of the right type."""
        if len(token) > _LONGEST:
            raise _invalid()
        try:
            header = jws.extract_compact(token.encode("ascii")).headers()
            key = self._keys.find(header.get("kid"))
            if key is None or str(header.get("typ", "")).lower() not in _TYPES:
                raise _invalid()
            signed = jwt.decode(token, key, algorithms=self._algorithms)
            return _Claims.model_validate(signed.claims)
        except (*_MALFORMED, ValidationError) as error:
            raise _invalid() from error


class LocalIssuer:
    """Issues tokens of the embedded default with a key of its own, made at the first start (mode 0600)."""

    def __init__(self, key_file: Path, jwks_file: Path, issuer: str) -> None:
        self._issuer = issuer
        self._key = _get_or_make_key(key_file)
        self._kid = self._key.thumbprint()
        public = {**self._key.as_dict(private=False), "kid": self._kid, "use": "sig", "alg": "Ed25519"}
        _write_whole(jwks_file, json.dumps({"keys": [public]}, indent=1, sort_keys=True).encode())

    def issue(
        self,
        office: str,
        roles: frozenset[str] | list[str] | tuple[str, ...],
        municipality: str,
        lifetime: timedelta,
        *,
        subject: str | None = None,
        body: str | None = None,
    ) -> str:
        """A token for the doors of `office`; raises `ValueError` for a role that does not exist.

        `subject`: a pseudonym that stays the same for one person; a fresh one where nobody gives it. `body`: whose
        clerk this is, where that is not the office whose doors the token opens.
        """
        unknown = set(roles) - ROLES
        if unknown:
            raise ValueError(f"no such role: {', '.join(sorted(unknown))}; there are: {', '.join(sorted(ROLES))}")
        now = int(time())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": office,
            "exp": now + int(lifetime.total_seconds()),
            "iat": now,
            "sub": subject or token_hex(8),
            "client_id": "verbund",
            "jti": token_hex(16),
            "roles": sorted(roles),
            "municipality": municipality,
            "office": body or office,
        }
        header = {"alg": "Ed25519", "typ": "at+jwt", "kid": self._kid}
        return jwt.encode(header, claims, self._key, algorithms=["Ed25519"])


def _invalid() -> Unauthenticated:
    return Unauthenticated("token_invalid", "The access token is not valid here. Sign in again.")


def _expired() -> Unauthenticated:
    return Unauthenticated("token_expired", "The access token has expired. Sign in again.")


def _get_or_make_key(file: Path) -> OKPKey:
    """The private key in `file`; of two processes that make it at the same time, one wins and both use its key."""
    if not file.exists():
        made = OKPKey.generate_key("Ed25519").as_dict(private=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.") as whole:  # mode 0600 from the start
            whole.write(json.dumps(made).encode())
            whole.flush()
            os.fsync(whole.fileno())
            try:
                os.link(whole.name, file)
            except FileExistsError:
                _log.debug("another process made the key first")
    return OKPKey.import_key(json.loads(file.read_bytes()))


def _write_whole(file: Path, content: bytes) -> None:
    """Replace `file` in one step, so that nobody ever reads half of it; leave it alone where nothing changes."""
    if file.exists() and file.read_bytes() == content:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as whole:
        whole.write(content)
        whole.flush()
        os.fsync(whole.fileno())
    Path(whole.name).chmod(0o644)
    Path(whole.name).replace(file)
