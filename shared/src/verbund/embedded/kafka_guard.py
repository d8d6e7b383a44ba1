"""A Kafka that lets in only whom it knows: TLS, names and passwords (SCRAM), and rights; nothing without a right."""

import base64
import hashlib
import os
import secrets
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from verbund.embedded.kafka_config import Properties, Security
from verbund.embedded.ports import LOOPBACK
from verbund.embedded.secret_files import ensure_secret
from verbund.kafka.settings import SCRAM, KafkaSettings

ADMIN = "admin"
"""The user who may do everything: gives rights to the others."""

_BROKER = "verbund-broker"
_ITERATIONS = 8192  # as kafka-configs does it
_VALID = timedelta(days=365)
_SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)

_JAAS = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_SETTINGS: Properties = {
    "listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL",
    "sasl.enabled.mechanisms": SCRAM,
    f"listener.name.client.{SCRAM.lower()}.sasl.jaas.config": _JAAS,
    # Brokers and controllers show each other the one certificate that this cluster's authority has signed.
    "listener.name.internal.ssl.client.auth": "required",
    "listener.name.controller.ssl.client.auth": "required",
    "ssl.keystore.type": "PEM",
    "ssl.truststore.type": "PEM",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "false",
    "super.users": f"User:{ADMIN};User:CN={_BROKER}",
}


class Guard:
    """Certificates and users for a cluster, made in `folder` when they are not there; the first format takes them.

    `users`: passwords by name; `ADMIN` is added. They are known from the first start of the cluster on, and may do
    nothing until somebody gives them rights.
    """

    def __init__(self, folder: Path, users: Mapping[str, str]) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self._certificate = folder / "broker.pem"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._certificate.exists():
            authority, certificate = _make_certificates()
            _write_secret(self.ca_file, authority)
            _write_secret(self._certificate, certificate)
        for user, password in users.items():
            _write_secret(self.password_file(user), password)
        everybody = {ADMIN: ensure_secret(self.password_file(ADMIN)), **users}
        self._words = folder / "format-words"
        _write_secret(self._words, "".join(f"--add-scram\n{_scram(*each)}\n" for each in everybody.items()))

    def password_file(self, user: str) -> Path:
        return self.folder / f"{user}.password"

    @property
    def security(self) -> Security:
        """What a cluster is started with."""
        tls = ssl.create_default_context(cafile=str(self.ca_file))
        tls.load_cert_chain(self._certificate)
        files = {"ssl.keystore.location": str(self._certificate), "ssl.truststore.location": str(self.ca_file)}
        # In a file: words on a command line are seen by everybody on the machine.
        return Security({**_SETTINGS, **files}, tls, (f"@{self._words}",))

    def settings(self, bootstrap: Sequence[str], user: str) -> KafkaSettings:
        """How a client reaches the cluster as one of its users."""
        return KafkaSettings(
            brokers=tuple(bootstrap),
            security_protocol="SASL_SSL",
            ca_file=self.ca_file,
            user=user,
            password_file=self.password_file(user),
        )


def _scram(user: str, password: str) -> str:
    """A user as Kafka's own program takes him when it makes the data: salted here, so that any character may be in
    the password (RFC 5802, section 3)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    words = {"salt": salt, "saltedpassword": salted}
    coded = ",".join(f'{name}="{base64.b64encode(value).decode()}"' for name, value in words.items())
    return f"{SCRAM}=[name={user},iterations={_ITERATIONS},{coded}]"


def _make_certificates() -> tuple[str, str]:
    """An authority's certificate, and a broker's key and certificate; the authority's key is thrown away."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name("verbund-broker-authority")
    authority = (
        _begin(issuer, authority_key.public_key())
        .issuer_name(issuer)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .add_extension(_SIGNS_CERTIFICATES, critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _begin(_name(_BROKER), key.public_key())
        .issuer_name(issuer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return authority.public_bytes(Encoding.PEM).decode(), (secret + certificate.public_bytes(Encoding.PEM)).decode()


def _begin(subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A little earlier: a clock may be set.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _VALID)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write_secret(file: Path, content: str) -> None:
    """Anew, for nobody but this user."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as written:
        written.write(content)
