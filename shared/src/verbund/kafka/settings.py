"""How a process reaches Kafka: brokers, encryption, and the name and password of its own principal."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SCRAM = "SCRAM-SHA-512"


class KafkaSettings(BaseModel):
    """VERBUND_KAFKA__...: the brokers, and who this process is to them."""

    model_config = ConfigDict(frozen=True)

    brokers: tuple[str, ...] = Field(min_length=1)
    """VERBUND_KAFKA__BROKERS: a JSON list of `host:port`, from which all others are learned."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """`PLAINTEXT` is for the loopback interface only."""
    ca_file: Path | None = None
    """PEM file of the authority that signed the brokers' certificates; None trusts the system's authorities."""
    user: str | None = None
    """The principal, for SASL (SCRAM-SHA-512)."""
    password_file: Path | None = None
    """File that holds the principal's password and nothing else."""

    instance: str | None = None
    """Name of this process among those of its group (static membership): it may be away for a few seconds without its
    partitions being shared out anew. No two processes may have the same one."""

    @property
    def uses_tls(self) -> bool:
        return self.security_protocol.endswith("SSL")

    @property
    def uses_sasl(self) -> bool:
        return self.security_protocol.startswith("SASL")

    @model_validator(mode="after")
    def _knows_who_it_is(self) -> Self:
        if self.uses_sasl and (self.user is None or self.password_file is None):
            raise ValueError(f"{self.security_protocol} needs `user` and `password_file`")
        return self
