"""Access tokens: whatever is wrong with one, it opens nothing."""

import hmac
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Annotated, Any

import pytest
from fastapi import APIRouter
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey
from stage.service_kit import ISSUER, MUNICIPALITY, OFFICE, ServiceKit, ask

from verbund.errors import Unauthenticated, Unavailable
from verbund.service import tokens
from verbund.service.permissions import Permission, permit
from verbund.service.principals import Principal
from verbund.service.tokens import LocalIssuer, TokenVerifier

READ = Permission("read", roles=frozenset({"clerk"}), purpose="test")


@pytest.fixture
def kit(tmp_path: Path) -> ServiceKit:
    return ServiceKit(tmp_path)


@dataclass
class Forger:
    """Makes tokens as the issuer would, with its very key, and then makes one thing wrong with them."""

    kit: ServiceKit

    @property
    def key(self) -> OKPKey:
        return OKPKey.import_key(json.loads((self.kit.folder / "issuer.key").read_bytes()))

    def header(self, **changes: Any) -> dict[str, Any]:
        return _without_none({"alg": "Ed25519", "typ": "at+jwt", "kid": self.key.thumbprint(), **changes})

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time())
        good = {
            "iss": ISSUER,
            "aud": OFFICE.name,
            "exp": now + 600,
            "iat": now,
            "sub": "5f1c",
            "client_id": "test",
            "jti": "1",
            "roles": ["clerk"],
            "municipality": MUNICIPALITY,
            "office": OFFICE.name,
        }
        return _without_none({**good, **changes})

    def sign(self, header: dict[str, Any], claims: dict[str, Any], key: Any = None) -> str:
        return jwt.encode(header, claims, key or self.key, algorithms=[header["alg"]], default_type=None)

    def good(self) -> str:
        return self.sign(self.header(), self.claims())

    def claiming(self, **changes: Any) -> str:
        return self.sign(self.header(), self.claims(**changes))

    def headed(self, **changes: Any) -> str:
        return self.sign(self.header(**changes), self.claims())

    def unsigned(self) -> str:
        return f"{_packed(self.header(alg='none'))}.{_packed(self.claims())}."

    def signed_with_the_public_key_as_a_secret(self) -> str:
        """The classic: a verifier that lets the token choose the algorithm takes the public key for a shared secret."""
        signed = f"{_packed(self.header(alg='HS256'))}.{_packed(self.claims())}"
        secret = self.key.as_pem(private=False)
        return f"{signed}.{_packed_bytes(hmac.digest(secret, signed.encode(), 'sha256'))}"

    def signed_by_a_stranger(self, **header: Any) -> str:
        return self.sign(self.header(**header), self.claims(), OKPKey.generate_key("Ed25519"))

    def signed_with_a_key_it_brings_itself(self) -> str:
        own = OKPKey.generate_key("Ed25519")
        return self.sign(self.header(jwk=own.as_dict(private=False)), self.claims(), own)

    def signed_with_another_algorithm(self) -> str:
        return self.sign(self.header(alg="ES256"), self.claims(), ECKey.generate_key("P-256"))

    def with_other_roles_than_were_signed(self) -> str:
        head, _, signature = self.good().split(".")
        return f"{head}.{_packed(self.claims(roles=['clerk', 'office_lead']))}.{signature}"


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _packed(value: object) -> str:
    return _packed_bytes(json.dumps(value).encode())


def _packed_bytes(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


BAD: dict[str, Callable[[Forger], str]] = {
    "alg none": Forger.unsigned,
    "HS256 with the public key": Forger.signed_with_the_public_key_as_a_secret,
    "another algorithm": Forger.signed_with_another_algorithm,
    "another key under the known kid": Forger.signed_by_a_stranger,
    "a key it brings itself": Forger.signed_with_a_key_it_brings_itself,
    "unknown kid": lambda forger: forger.headed(kid="unknown"),
    "no kid": lambda forger: forger.headed(kid=None),
    "an ID token": lambda forger: forger.headed(typ="JWT"),
    "no typ": lambda forger: forger.headed(typ=None),
    "another issuer": lambda forger: forger.claiming(iss="https://other.test"),
    "no issuer": lambda forger: forger.claiming(iss=None),
    "another audience": lambda forger: forger.claiming(aud="reporting"),
    "no audience": lambda forger: forger.claiming(aud=None),
    "expired": lambda forger: forger.claiming(iat=int(time()) - 600, exp=int(time()) - 60),
    "no end": lambda forger: forger.claiming(exp=None),
    "an end that is a word": lambda forger: forger.claiming(exp="never"),
    "an end that is text": lambda forger: forger.claiming(exp=str(int(time()) + 600)),
    "an end without end": lambda forger: forger.claiming(exp=float("inf")),
    "not yet valid": lambda forger: forger.claiming(nbf=int(time()) + 120),
    "issued in the future": lambda forger: forger.claiming(iat=int(time()) + 120),
    "another municipality": lambda forger: forger.claiming(municipality="05334002"),
    "several municipalities": lambda forger: forger.claiming(municipality=[MUNICIPALITY, "05334002"]),
    "no subject": lambda forger: forger.claiming(sub=None),
    "a subject with line breaks": lambda forger: forger.claiming(sub="a\nb"),
    "roles that are a word": lambda forger: forger.claiming(roles="clerk"),
    "roles that are numbers": lambda forger: forger.claiming(roles=[1]),
    "no roles": lambda forger: forger.claiming(roles=None),
    "no office": lambda forger: forger.claiming(office=None),
    "other roles than were signed": Forger.with_other_roles_than_were_signed,
    "cut off": lambda forger: forger.good()[:-20],
    "without its signature": lambda forger: forger.good().rpartition(".")[0] + ".",
    "two parts": lambda forger: forger.good().rpartition(".")[0],
    "claims that are a list": lambda forger: f"{_packed(forger.header())}.{_packed([])}.AAAA",
    "a header that is a number": lambda _: f"{_packed(1)}.{_packed({})}.AAAA",
    "nested without end": lambda _: f"{urlsafe_b64encode(b'[' * 300).decode()}.{_packed({})}.AAAA",
    "too long": lambda forger: forger.claiming(padding="x" * 9_000),
    "empty": lambda _: "",
    "words": lambda _: "let me in",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_stands_for_nobody(kit: ServiceKit, name: str) -> None:
    verifier = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY)
    with pytest.raises(Unauthenticated):
        verifier.verify(BAD[name](Forger(kit)))


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_token_opens_no_door_and_is_told_nothing(kit: ServiceKit, name: str) -> None:
    token = BAD[name](Forger(kit))
    answer = await ask(_service(kit), "GET", "/things", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert answer.json()["code"] in ("token_invalid", "token_expired")
    assert answer.json()["detail"] in (
        "The access token is not valid here. Sign in again.",
        "The access token has expired. Sign in again.",
    )


def test_letters_that_no_token_has_are_no_error_of_ours(kit: ServiceKit) -> None:
    verifier = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY)
    for token in (Forger(kit).good() + "ü", "\ud800", "\0"):
        with pytest.raises(Unauthenticated):
            verifier.verify(token)


def test_a_good_token_stands_for_its_principal(kit: ServiceKit) -> None:
    verifier = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY)
    principal = verifier.verify(Forger(kit).claiming(roles=["clerk", "office_lead"]))
    assert principal == Principal("5f1c", frozenset({"clerk", "office_lead"}), OFFICE.name, MUNICIPALITY)
    assert principal.actor == "clerk:5f1c"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_every_spelling_of_the_type_is_taken(kit: ServiceKit, typ: str) -> None:
    assert _opens(TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY), Forger(kit).headed(typ=typ))


def test_a_token_may_be_for_several_audiences(kit: ServiceKit) -> None:
    token = Forger(kit).claiming(aud=["reporting", OFFICE.name])
    assert _opens(TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY), token)


def test_clocks_may_differ_by_half_a_minute(kit: ServiceKit) -> None:
    verifier, now = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY), int(time())
    assert _opens(verifier, Forger(kit).claiming(iat=now + 20, nbf=now + 20, exp=now - 20))


# That each of the bad tokens is refused for what is wrong with it, and for nothing else: where only that one thing is
# put right on the other side, it opens.


def test_another_issuers_token_is_good_for_a_service_that_believes_this_issuer(kit: ServiceKit) -> None:
    settings = kit.settings.tokens.model_copy(update={"issuer": "https://other.test"})
    assert _opens(TokenVerifier(settings, OFFICE.name, MUNICIPALITY), BAD["another issuer"](Forger(kit)))


def test_another_audiences_token_is_good_there(kit: ServiceKit) -> None:
    verifier = TokenVerifier(kit.settings.tokens, "reporting", MUNICIPALITY)
    assert _opens(verifier, BAD["another audience"](Forger(kit)))


def test_another_municipalitys_token_is_good_there(kit: ServiceKit) -> None:
    verifier = TokenVerifier(kit.settings.tokens, OFFICE.name, "05334002")
    assert _opens(verifier, BAD["another municipality"](Forger(kit)))


@pytest.mark.parametrize(("name", "seconds"), [("expired", -90), ("not yet valid", 120), ("issued in the future", 120)])
def test_a_token_out_of_its_time_is_good_within_it(
    kit: ServiceKit, monkeypatch: pytest.MonkeyPatch, name: str, seconds: int
) -> None:
    token, then = BAD[name](Forger(kit)), time() + seconds
    monkeypatch.setattr(tokens, "time", lambda: then)
    assert _opens(TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY), token)


def test_a_strangers_token_is_good_where_the_strangers_key_is_known(kit: ServiceKit) -> None:
    stranger = OKPKey.generate_key("Ed25519")
    forger = Forger(kit)
    token = forger.sign(forger.header(kid="unknown"), forger.claims(), stranger)
    with pytest.raises(Unauthenticated):
        TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY).verify(token)
    _publish(kit, {**stranger.as_dict(private=False), "kid": "unknown"})
    assert _opens(TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY), token)


def test_an_id_token_would_pass_if_its_type_were_not_looked_at(
    kit: ServiceKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_TYPES", ("jwt", ""))
    verifier = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY)
    assert _opens(verifier, BAD["an ID token"](Forger(kit)))
    assert _opens(verifier, BAD["no typ"](Forger(kit)))


def test_a_long_token_would_pass_if_its_length_were_not_looked_at(
    kit: ServiceKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_LONGEST", 20_000)
    assert _opens(TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY), BAD["too long"](Forger(kit)))


@pytest.mark.parametrize("algorithms", [("none",), ("HS256",), ("Ed25519", "HS512"), ()])
def test_a_service_does_not_start_with_algorithms_that_prove_nothing(
    kit: ServiceKit, algorithms: tuple[str, ...]
) -> None:
    settings = kit.settings.tokens.model_copy(update={"algorithms": algorithms})
    with pytest.raises(ValueError, match="private key"):
        TokenVerifier(settings, OFFICE.name, MUNICIPALITY)


class Clock:
    """Both clocks of the verifier, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = time()
        monkeypatch.setattr(tokens, "time", lambda: self.seconds)
        monkeypatch.setattr(tokens, "monotonic", lambda: self.seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_token_that_was_good_ends_by_its_time(kit: ServiceKit, clock: Clock) -> None:
    verifier, token = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY), kit.token("clerk")
    verifier.verify(token)
    clock.seconds += 3600 + 31
    with pytest.raises(Unauthenticated) as refused:
        verifier.verify(token)
    assert refused.value.code == "token_expired"


def test_a_key_that_is_taken_away_takes_its_tokens_with_it(kit: ServiceKit, clock: Clock) -> None:
    verifier, token = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY), kit.token("clerk")
    verifier.verify(token)
    _publish(kit, OKPKey.generate_key("Ed25519").as_dict(private=False))
    assert _opens(verifier, token), "the file is not read for every request"
    clock.seconds += 31
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


def test_unknown_keys_do_not_make_the_file_be_read_again_and_again(
    kit: ServiceKit, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier, forger = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY), Forger(kit)
    looks = []
    stat = Path.stat

    def counted(file: Path, **more: Any) -> os.stat_result:
        looks.append(file)
        return stat(file, **more)

    monkeypatch.setattr(Path, "stat", counted)
    for number in range(50):
        with pytest.raises(Unauthenticated):
            verifier.verify(forger.headed(kid=f"unknown-{number}"))
    assert looks == [kit.jwks_file]


def test_keys_that_cannot_be_read_leave_those_that_are_known(kit: ServiceKit, clock: Clock) -> None:
    verifier, token = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY), kit.token("clerk")
    verifier.verify(token)
    for broken in ("", "[]", '{"keys": 1}', '{"keys": [{"kty": "OKP"}]}'):
        kit.jwks_file.write_text(broken)
        clock.seconds += 31
        assert _opens(verifier, token), broken
    kit.jwks_file.unlink()
    clock.seconds += 31
    assert _opens(verifier, token)


async def test_without_keys_nobody_comes_in_and_the_process_is_not_ready(kit: ServiceKit, clock: Clock) -> None:
    keys = kit.jwks_file.read_bytes()
    kit.jwks_file.unlink()
    verifier = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY)
    with pytest.raises(Unavailable):
        verifier.verify(kit.token("clerk"))
    assert await verifier.trouble() == "the issuer's keys are missing"
    kit.jwks_file.write_bytes(keys)
    clock.seconds += 2
    assert await verifier.trouble() is None
    assert _opens(verifier, kit.token("clerk"))


def test_only_so_many_tokens_are_remembered(kit: ServiceKit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_REMEMBERED", 3)
    verifier = TokenVerifier(kit.settings.tokens, OFFICE.name, MUNICIPALITY)
    for _ in range(10):
        verifier.verify(kit.token("clerk"))
    assert len(verifier._good) == 3


def test_the_issuers_key_is_its_owners_alone_and_stays_the_same(kit: ServiceKit) -> None:
    file = kit.folder / "issuer.key"
    assert file.stat().st_mode & 0o777 == 0o600
    before, published = file.read_bytes(), kit.jwks_file.read_bytes()
    LocalIssuer(file, kit.jwks_file, ISSUER)
    assert (file.read_bytes(), kit.jwks_file.read_bytes()) == (before, published)


def test_the_private_key_is_not_published_and_the_kid_is_its_thumbprint(kit: ServiceKit) -> None:
    published = json.loads(kit.jwks_file.read_bytes())["keys"]
    private = json.loads((kit.folder / "issuer.key").read_bytes())
    assert [set(key) for key in published] == [{"kty", "crv", "x", "kid", "use", "alg"}]
    assert private["d"] not in kit.jwks_file.read_text()
    assert published[0]["kid"] == OKPKey.import_key(private).thumbprint()  # RFC 7638


def test_the_issuer_knows_no_roles_that_do_not_exist(kit: ServiceKit) -> None:
    with pytest.raises(ValueError, match="no such role: mayor"):
        kit.token("mayor")


def test_an_issued_token_says_what_rfc_9068_asks_for(kit: ServiceKit) -> None:
    head, claims, _ = kit.issuer.issue("reporting", ["chair"], MUNICIPALITY, timedelta(minutes=5)).split(".")
    assert json.loads(urlsafe_b64decode(head + "=="))["typ"] == "at+jwt"
    said = json.loads(urlsafe_b64decode(claims + "=="))
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= set(said)
    assert said["exp"] - said["iat"] == 300


def test_two_processes_that_make_the_key_at_once_use_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "issuer.key"
    exists = Path.exists
    # As if the other process had not made it yet when this one looked.
    monkeypatch.setattr(Path, "exists", lambda file: file.suffix != ".key" and exists(file))
    first = LocalIssuer(key, tmp_path / "a.json", ISSUER)
    second = LocalIssuer(key, tmp_path / "b.json", ISSUER)
    assert first._kid == second._kid
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def _opens(verifier: TokenVerifier, token: str) -> bool:
    """True; where it does not open, `verify` raises."""
    return verifier.verify(token).municipality != ""


def _service(kit: ServiceKit) -> Any:
    router = APIRouter()

    @router.get("/things")
    async def read_things(principal: Annotated[Principal, permit(READ)]) -> str:
        return principal.subject

    return kit.service(router)


def _publish(kit: ServiceKit, key: dict[str, Any]) -> None:
    whole = kit.jwks_file.with_suffix(".new")
    whole.write_text(json.dumps({"keys": [key]}))
    whole.replace(kit.jwks_file)


async def test_the_door_lets_a_good_token_in(kit: ServiceKit) -> None:
    answer = await ask(_service(kit), "GET", "/things", headers={"Authorization": f"Bearer {Forger(kit).good()}"})
    assert (answer.status_code, answer.json()) == (200, "5f1c")
