"""`verbund token` and `verbund open`: ways in for people and programs of the embedded default."""

from datetime import timedelta
from typing import Annotated

import typer

from verbund.cli.output import AsJson, Output
from verbund.embedded import record
from verbund.embedded.home import ISSUER, EmbeddedSettings
from verbund.embedded.supervisor import url_of
from verbund.events.offices import Office, get_office
from verbund.service.tickets import write_ticket
from verbund.service.tokens import LocalIssuer

_WORKING_DAY = timedelta(hours=12)

OfficeName = Annotated[str, typer.Option("--office", help="Whose door the way in is for, such as registration.")]
Body = Annotated[
    str | None, typer.Option("--body", help="Whose clerk this is, such as health_office, for who delivers figures.")
]
Roles = Annotated[list[str], typer.Option("--role", help="A role, such as clerk; may be given more than once.")]


class Issuing:
    """Makes tokens of this home's own issuer; the first use makes its key."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        running = record.find_running(settings.layout)
        # What runs says best which municipality and ports it runs with.
        said = {"municipality": running.municipality, "port_offset": running.port_offset} if running else {}
        self.settings = settings.model_copy(update=said)
        self._home = settings.layout
        self._home.prepare()
        self._issuer = LocalIssuer(self._home.issuer_key, self._home.jwks_file, ISSUER)

    def issue(
        self,
        office: str,
        roles: tuple[str, ...],
        lifetime: timedelta = _WORKING_DAY,
        subject: str | None = None,
        body: str | None = None,
    ) -> str:
        """An access token for the doors of an office; raises `ValueError` for a role that does not exist.

        `subject`: a pseudonym that stays the same from one token to the next; a fresh one where none is given.
        `body`: whose clerk this is, where that is another office or a carrier.
        """
        return self._issuer.issue(office, roles, self.settings.municipality, lifetime, subject=subject, body=body)

    def link(self, office: Office, roles: tuple[str, ...], body: str | None = None) -> str:
        """A sign-in link that works once, within ten minutes."""
        code = write_ticket(self._home.tickets, self.issue(office.name, roles, body=body))
        return f"{url_of(office.door, self.settings)}/sign-in?ticket={code}"


def token(
    *,
    office: OfficeName,
    role: Roles,
    body: Body = None,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 30, help="How long it is good for.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Print an access token for an office's door."""
    output = Output(as_json=as_json)
    try:
        issuing = Issuing(EmbeddedSettings())
        issued = issuing.issue(get_office(office).name, tuple(role), timedelta(hours=hours), body=body)
    except (LookupError, ValueError) as error:
        output.fail(str(error))
    output.answer(issued, {"token": issued, "office": office, "roles": role, "expires_in": int(hours * 3600)})


def open_page(
    *,
    office: OfficeName = "reporting",
    role: Roles = ["coordination"],  # noqa: B006 - typer takes lists alone, and copies them
    body: Body = None,
    as_json: AsJson = False,
) -> None:
    """Print a link that signs a browser in: it works once, within ten minutes."""
    output = Output(as_json=as_json)
    try:
        link = Issuing(EmbeddedSettings()).link(get_office(office), tuple(role), body)
    except (LookupError, ValueError) as error:
        output.fail(str(error))
    output.answer(link, {"link": link, "office": office, "roles": role})
