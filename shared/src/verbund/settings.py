"""Settings from environment variables (`VERBUND_...`) and secret files; nothing has a password as its default."""

from pathlib import Path

from psycopg.conninfo import make_conninfo
from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL


class DatabaseSettings(BaseModel):
    """How one process reaches one PostgreSQL database, under its own role."""

    model_config = ConfigDict(frozen=True)

    host: str = "127.0.0.1"
    port: int = 5432
    name: str
    user: str
    password_file: Path
    """File that holds the role's password and nothing else."""

    def url(self) -> URL:
        """For SQLAlchemy with psycopg; the password never shows when it is printed."""
        return URL.create(
            "postgresql+psycopg",
            username=self.user,
            password=read_secret(self.password_file),
            host=self.host,
            port=self.port,
            database=self.name,
        )

    def conninfo(self) -> str:
        """For psycopg itself (`connect(settings.conninfo())`); holds the password: never log it."""
        return make_conninfo(
            host=self.host,
            port=self.port,
            dbname=self.name,
            user=self.user,
            password=read_secret(self.password_file),
            connect_timeout=5,
        )


class IssuerSettings(BaseModel):
    """Whose access tokens are believed (RFC 9068)."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    """Value of the claim `iss`."""
    jwks_file: Path
    """The issuer's public keys (RFC 7517)."""
    algorithms: tuple[str, ...] = ("Ed25519",)


class ServiceSettings(BaseSettings):
    """What every process of every office needs to know; offices extend it."""

    model_config = SettingsConfigDict(env_prefix="VERBUND_", env_nested_delimiter="__", frozen=True)

    municipality: str = Field(default="05913000", pattern=r"^\d{8}$")
    """Amtlicher Gemeindeschlüssel, eight digits."""
    host: str = "127.0.0.1"
    port: int
    database: DatabaseSettings
    tokens: IssuerSettings
    hash_key_file: Path
    """Secret of this office for keyed hashes (idempotency fingerprints, record keys)."""
    tickets: Path | None = None
    """Folder of one-time sign-in tickets; embedded mode only."""
    log_level: str = "INFO"


def read_secret(file: Path) -> str:
    """The content of a secret file without its line end; raises `FileNotFoundError` that names the file."""
    return file.read_text(encoding="utf-8").strip()
