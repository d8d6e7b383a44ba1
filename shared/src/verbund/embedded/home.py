"""Where the embedded default keeps everything, and the few things that can be set about it."""

from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path, user_data_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from verbund.embedded.ports import LOOPBACK
from verbund.embedded.secret_files import ensure_secret
from verbund.events.offices import Feed, Office
from verbund.settings import IssuerSettings

ISSUER = "urn:verbund:embedded"


class EmbeddedSettings(BaseSettings):
    """Environment variables of `verbund up` and the commands beside it."""

    model_config = SettingsConfigDict(env_prefix="VERBUND_", frozen=True)

    home: Path = Field(default_factory=lambda: user_data_path("verbund", appauthor=False))
    """VERBUND_HOME: data, secrets and logs; default: the platform's folder for a user's data."""
    municipality: str = Field(default="05913000", pattern=r"^\d{8}$")
    """VERBUND_MUNICIPALITY: amtlicher Gemeindeschlüssel, eight digits."""
    postgres_port: int = Field(default=8109, ge=1, le=65535)
    """VERBUND_POSTGRES_PORT."""
    cache: Path = Field(default_factory=lambda: user_cache_path("verbund", appauthor=False))
    """VERBUND_CACHE: what was fetched and can be fetched again; default: the platform's folder for that."""
    kafka_port: int = Field(default=8108, ge=3, le=65535)
    """VERBUND_KAFKA_PORT: for Kafka's clients; its other ports stand just below it."""
    postgres_server: str | None = Field(default=None, pattern=r"^[^:/@\s]+(:\d{1,5})?$")
    """VERBUND_POSTGRES_SERVER: `host` or `host:port` of a PostgreSQL elsewhere, whose passwords are among the secrets;
    commands then work on it instead of on the embedded one."""
    port_offset: int = Field(default=0, ge=-7000, le=57000)
    """VERBUND_PORT_OFFSET: added to every port, for a second municipality beside the first one."""
    feed: Feed = "ledger"
    """VERBUND_FEED: how offices read each other's ledgers; `kafka` starts a broker of their own for them."""
    checkpoint_minutes: float = Field(default=15, gt=0)
    """VERBUND_CHECKPOINT_MINUTES: how often `verbund up` signs where the ledgers end."""

    @property
    def kafka_broker(self) -> str:
        """Where the broker of the embedded default serves."""
        return f"{LOOPBACK}:{self.kafka_port + self.port_offset}"

    @property
    def layout(self) -> "Home":
        return Home(self.home.expanduser().absolute())


@dataclass(frozen=True, slots=True)
class Home:
    """The folders and files below $VERBUND_HOME."""

    folder: Path

    @property
    def secrets(self) -> Path:
        """Passwords and keys; for nobody but the user who runs the embedded default."""
        return self.folder / "secrets"

    @property
    def issuer_key(self) -> Path:
        return self.secrets / "issuer.key"

    @property
    def jwks_file(self) -> Path:
        return self.folder / "public" / "jwks.json"

    @property
    def checkpoint_key(self) -> Path:
        """Signs checkpoints of ledgers (Ed25519)."""
        return self.secrets / "checkpoint.key"

    @property
    def checkpoint_public_key(self) -> Path:
        """With it everybody can tell whether a checkpoint was signed here."""
        return self.jwks_file.with_name("checkpoint.pem")

    def checkpoints_file(self, office: Office) -> Path:
        """Signed heads of the office's ledgers; copy it elsewhere now and then, it holds nothing personal."""
        return self.folder / "checkpoints" / f"{office.name}.ndjson"

    @property
    def tickets(self) -> Path:
        """One-time sign-in tickets that nobody has used yet."""
        return self.folder / "tickets"

    @property
    def run(self) -> Path:
        """What belongs to a running supervisor: its lock, and its record of processes."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def has_data(self) -> bool:
        """Whether `up` has been here before."""
        return (self.folder / "postgres").is_dir()

    @property
    def issuer(self) -> IssuerSettings:
        return IssuerSettings(issuer=ISSUER, jwks_file=self.jwks_file)

    def hash_key_file(self, office: Office) -> Path:
        """The office's secret for keyed hashes; made where it is missing."""
        file = self.secrets / f"{office.name}.hash-key"
        ensure_secret(file)
        return file

    def prepare(self) -> None:
        """Make the folders that are missing, closed to other users; folders that are there stay as they are."""
        for folder in (self.folder, self.secrets, self.jwks_file.parent, self.tickets, self.run, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
