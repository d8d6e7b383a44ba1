"""`verbund secrets`: every password and key that production needs, made once."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from verbund.cli.homes import home_in_words
from verbund.cli.output import AsJson, Output
from verbund.embedded.home import ISSUER, EmbeddedSettings, Home
from verbund.embedded.secret_files import ensure_secret
from verbund.events.offices import Office, find_offices
from verbund.kafka.topics import rights_of, topics_of
from verbund.ledger.checkpoints import public_pem, signing_key
from verbund.postgres import SUPERUSER, password_name, roles_of
from verbund.service.tokens import LocalIssuer

KAFKA_ADMIN = "admin"
"""The principal that makes topics and gives rights to the others."""


def secrets(*, as_json: AsJson = False) -> None:
    """Make the passwords and keys that are missing in VERBUND_HOME, each for nobody but this user; never a new one
    in place of one that is there."""
    output = Output(as_json=as_json)
    home = EmbeddedSettings().layout
    try:
        home.prepare()
        made = list(_make_missing(home, find_offices()))
    except OSError as error:
        output.fail(home_in_words(home, error))
    except ValueError as error:
        output.fail(str(error))
    for file in made:
        output.say(f"made {file}", file=str(file))
    output.say(f"every secret is in {home.secrets}", made=len(made))


def secret_names(offices: Sequence[Office]) -> list[str]:
    """The random secrets, by the name of their file: passwords of roles and principals, and keys for hashes."""
    principals = {right.principal for right in rights_of(topics_of(offices))} | {KAFKA_ADMIN}
    return [
        *(password_name(role) for office in offices for role in roles_of(office)),
        password_name(SUPERUSER),
        *(f"{office.name}.hash-key" for office in offices),
        *(password_name(f"kafka-{principal}") for principal in sorted(principals)),
        password_name("grafana"),
    ]


def _make_missing(home: Home, offices: Sequence[Office]) -> Iterator[Path]:
    files = [home.secrets / name for name in secret_names(offices)]
    for file in [*files, home.checkpoint_key]:
        was_there = file.exists()
        ensure_secret(file)
        if not was_there:
            yield file
    home.checkpoint_public_key.write_bytes(public_pem(signing_key(ensure_secret(home.checkpoint_key)).public_key()))
    was_there = home.issuer_key.exists()
    LocalIssuer(home.issuer_key, home.jwks_file, ISSUER)
    if not was_there:
        yield home.issuer_key
