"""Any PostgreSQL, here or elsewhere: the roles, databases and schemas of the offices, brought to this release."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from verbund.database import migrate
from verbund.events.offices import Office
from verbund.settings import DatabaseSettings, read_secret

SUPERUSER = "postgres"
OLDEST_VERSION = 15

_DEFAULT_PORT = 5432
_EMPTY = "template0"

Statements = Mapping[str, str]
"""Run-time settings of a role, such as `{"lock_timeout": "3s"}`."""
Tell = Callable[[str], None]
"""Told in one sentence what happens."""

_DESK: Statements = {"statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "10s"}
_WEB: Statements = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "30s"}
# A paused reader holds the locks of its positions: the server must let go of it before a second one gives up.
_READER: Statements = {"lock_timeout": "5s", "idle_in_transaction_session_timeout": "5s"}
_FEED: Statements = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "10s"}
_RELAY: Statements = {"statement_timeout": "30s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "10s"}
_LIMITS: Mapping[str, Statements] = {"desk": _DESK, "web": _WEB, "reader": _READER, "relay": _RELAY, "owner": {}}


class ServerUnfit(Exception):
    """A PostgreSQL that cannot be used as it is; the message says why and what to do."""


class Server:
    """A PostgreSQL whose superuser we are. Passwords lie in `secrets`, one file for each role: `<role>.password`.

    How the connection is encrypted is libpq's to know (PGSSLMODE, PGSSLROOTCERT).
    """

    def __init__(self, host: str, port: int, secrets: Path) -> None:
        self.host = host
        self.port = port
        self._secrets = secrets

    def check(self) -> None:
        """Sign in once; raises `ServerUnfit` where that cannot be done, or where the server is too old."""
        try:
            with self._connect("postgres") as connection:
                version = connection.info.server_version // 10_000
        except (psycopg.OperationalError, OSError, ValueError) as error:
            message = str(error).strip().splitlines()[0]
            raise ServerUnfit(f"PostgreSQL at {self.host}:{self.port} cannot be used: {message}") from error
        if version < OLDEST_VERSION:
            raise ServerUnfit(
                f"PostgreSQL at {self.host}:{self.port} is version {version}. Verbund needs {OLDEST_VERSION} or newer:"
                " upgrade it (pg_upgrade, or dump and restore), or name another one."
            )

    def settings(self, role: str, database: str) -> DatabaseSettings:
        """How to reach a database under a role of this server."""
        return DatabaseSettings(
            host=self.host, port=self.port, name=database, user=role, password_file=self.password_file(role)
        )

    def superuser(self, database: str = "postgres") -> DatabaseSettings:
        """For whoever runs the server: may do everything, everywhere in it."""
        return self.settings(SUPERUSER, database)

    def password_file(self, role: str) -> Path:
        return self._secrets / password_name(role)

    def ensure_role(self, name: str, password_file: Path, statement_settings: Statements) -> None:
        """A role that may log in with the password of that file and nothing more."""
        password = self._password(password_file)
        role = sql.Identifier(name)
        with self._connect("postgres") as connection:
            known = connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone()
            if known is None:
                connection.execute(sql.SQL("create role {}").format(role))
            # Hashed here, so that the password itself reaches neither the server nor its log.
            verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
            connection.execute(
                sql.SQL("alter role {} with login nosuperuser nocreatedb nocreaterole password {}").format(
                    role, verifier.decode()
                )
            )
            connection.execute(sql.SQL("alter role {} reset all").format(role))
            for setting, value in statement_settings.items():
                connection.execute(sql.SQL("alter role {} set {} = {}").format(role, sql.Identifier(setting), value))

    def ensure_roles(self, office: Office) -> None:
        """The roles of an office: its owner, one for each of its processes, one for each reader of its ledgers."""
        for role, limits in roles_of(office).items():
            self.ensure_role(role, self.password_file(role), limits)

    def ensure_database(self, office: Office, name: str | None = None, template: str = _EMPTY) -> str:
        """A database that the office's owner owns and that nobody but the office's roles may enter; returns its name.

        `name` differs from the office's package in tests only, as does `template`.
        """
        name = name or office.package
        database, owner = sql.Identifier(name), sql.Identifier(f"{office.package}_owner")
        roles = sql.SQL(", ").join(map(sql.Identifier, roles_of(office)))
        with self._connect("postgres") as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
            if known is None:
                # Texts sort by their code points on every server, whatever it sorts by otherwise.
                how = sql.SQL("encoding 'UTF8' locale 'C'") if template == _EMPTY else sql.SQL("")
                origin = sql.Identifier(template)
                connection.execute(
                    sql.SQL("create database {} owner {} template {} {}").format(database, owner, origin, how)
                )
        self.close(name)
        with self._connect("postgres") as connection:
            connection.execute(sql.SQL("grant connect on database {} to {}").format(database, roles))
        return name

    def close(self, database: str) -> None:
        """Let nobody enter a database who was not let in by name."""
        with self._connect("postgres") as connection:
            connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))

    def drop_database(self, name: str) -> None:
        """Remove a database with everything in it, ending the sessions that are open there."""
        with self._connect("postgres") as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _password(self, file: Path) -> str:
        """What stands in the file; raises `ServerUnfit` where nothing does."""
        try:
            password = read_secret(file)
        except FileNotFoundError:
            raise ServerUnfit(f"The password {file} is missing. `verbund secrets` makes what is missing.") from None
        if not password:
            raise ServerUnfit(f"The password {file} is empty. Remove it; `verbund secrets` makes a new one.")
        return password

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.superuser(database).conninfo(), autocommit=True)


def server_at(address: str, secrets: Path) -> Server:
    """The server at `host` or `host:port`."""
    host, _, port = address.partition(":")
    return Server(host, int(port or _DEFAULT_PORT), secrets)


def prepare_databases(server: Server, offices: Sequence[Office], tell: Tell) -> None:
    """Roles, databases and schemas of every office, brought to this release; repeatable."""
    for office in offices:
        server.ensure_roles(office)
    for office in offices:
        server.ensure_database(office)
        tell(f"migrating the database of {office.name}")
        migrate(server.settings(f"{office.package}_owner", office.package), office)


def roles_of(office: Office) -> dict[str, Statements]:
    """The roles that an office needs, with their limits."""
    of_processes = (role for each in office.processes for role in (each.database_role, each.books_role) if role)
    roles = {f"{office.package}_{suffix}": _LIMITS[suffix] for suffix in ("owner", *of_processes)}
    roles |= {f"{office.package}_feed_{reader.replace('-', '_')}": _FEED for reader in office.readers}
    return roles


def password_name(user: str) -> str:
    """The name of the secret file of a role."""
    return f"{user}.password"
