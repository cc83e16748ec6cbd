import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from httpx import Response
from joserfc.jwk import RSAKey
from served import DIABETES, served
from signed_in import account, enter, leave, library_of
from starlette.testclient import TestClient

from api.openid import WITHIN, Journey, Provider, read_journey, way_back, way_out
from nlp.embeddings.encoder import Encoder
from ontology.errors import BadInput, Unavailable
from ontology.wording import say
from recruitment.invitation import identity_of, invite
from recruitment.vault import Vault

PROVIDER = Path(__file__).with_name("openid_provider.py")
HIGH, LOW = "idporten-loa-high", "idporten-loa-low"
PEOPLE = {"lege": {"acr": HIGH}, "ukjent": {"acr": HIGH}, "svak": {"acr": LOW}, "uten": {}}
COMES_BACK = "https://studievei.example/logg-inn/openid/svar"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@contextmanager
def provider(*options: str) -> Iterator[str]:
    """A running provider; yields its issuer."""
    command = [sys.executable, str(PROVIDER), json.dumps(PEOPLE), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://localhost:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider() as address:
        yield address


@pytest.fixture(scope="module")
def client(
    issuer: str, tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder
) -> Iterator[TestClient]:
    settings = {
        "oidc_issuer": issuer, "oidc_client": "studievei", "oidc_secret": "hemmelig",
        "oidc_acr": f"idporten-loa-substantial {HIGH}", "oidc_name": "HelseID",
    }  # fmt: skip
    with served(tmp_path_factory.mktemp("openid"), toy_encoder, [DIABETES], **settings) as client:
        yield client


def at_the_provider(address: str, sub: str, **choice: str) -> str:
    """What somebody does there: says who they are; the address that the browser is sent back to."""
    assert httpx.get(address).status_code == 200
    return httpx.post(address, data={"sub": sub} | choice).headers["location"]


def go(client: TestClient, start: str, sub: str) -> Response:
    """The whole way, to the provider and back."""
    leave(client)
    out = client.get(start, follow_redirects=False)
    assert out.status_code == 303
    return client.get(at_the_provider(out.headers["location"], sub))


def link(client: TestClient, email: str, role: str = "gp") -> str:
    """A one-time link to a new account."""
    engine, now = library_of(client).store.engine, datetime.now(UTC)
    return f"/tilgang/{invite(engine, account(client, email, role).id, now)}/openid"


def test_somebody_who_was_invited_signs_in_there_from_then_on(client: TestClient) -> None:
    assert say("account.with", "nb", provider="HelseID") in client.get("/logg-inn").text
    first = link(client, "lege@kontor.example")
    assert go(client, first, "lege").url.path == "/lege"
    assert "lege@kontor.example" in client.get("/konto").text
    assert go(client, "/logg-inn/openid?videre=/konto", "lege").url.path == "/konto"
    assert client.get(first, follow_redirects=False).status_code == 404  # it was used
    assert enter(client, "lege@kontor.example").status_code == 422  # no password any more


def test_what_is_asked_for_is_what_the_standard_wants(client: TestClient) -> None:
    leave(client)
    out = client.get("/logg-inn/openid", follow_redirects=False)
    asked = {name: value[0] for name, value in parse_qs(urlsplit(out.headers["location"]).query).items()}
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["acr_values"].split()[-1] == HIGH
    assert asked["redirect_uri"] == COMES_BACK
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    cookie = out.headers["set-cookie"].lower()
    assert all(flag in cookie for flag in ("__host-openid=", "httponly", "secure", "samesite=lax"))
    assert asked["state"] not in cookie


def test_an_identity_without_an_account_is_told_so(client: TestClient) -> None:
    answer = go(client, "/logg-inn/openid", "ukjent")
    assert answer.status_code == 422
    assert say("account.not_known", "nb", provider="HelseID") in answer.text


@pytest.mark.parametrize("sub", ["svak", "uten"])
def test_a_level_that_is_too_low_or_not_stated_is_refused(client: TestClient, sub: str) -> None:
    answer = go(client, link(client, f"{sub}@kontor.example"), sub)
    assert answer.status_code == 422
    assert say("account.openid_failed", "nb", provider="HelseID") in answer.text
    assert client.get("/konto").url.path == "/logg-inn"


def test_an_answer_that_another_browser_asked_for_is_refused(client: TestClient) -> None:
    leave(client)
    out = client.get("/logg-inn/openid", follow_redirects=False).headers["location"]
    back = at_the_provider(out, "lege")
    leave(client)  # the victim's browser never started
    assert client.get(back).status_code == 422
    client.get("/logg-inn/openid", follow_redirects=False)  # or started another journey
    assert client.get(back).status_code == 422
    assert client.get("/konto").url.path == "/logg-inn"


def test_an_answer_counts_once(client: TestClient) -> None:
    leave(client)
    out = client.get("/logg-inn/openid", follow_redirects=False)
    sealed = client.cookies["__Host-openid"]
    back = at_the_provider(out.headers["location"], "lege")
    assert client.get(back).status_code == 200
    assert "__Host-openid" not in client.cookies
    leave(client)
    client.cookies.set("__Host-openid", sealed, domain="studievei.example")
    assert client.get(back).status_code == 422


def test_somebody_who_says_no_at_the_provider_is_back_at_the_door(client: TestClient) -> None:
    leave(client)
    out = client.get("/logg-inn/openid", follow_redirects=False).headers["location"]
    assert client.get(at_the_provider(out, "lege", action="deny")).status_code == 422


def test_without_a_provider_there_is_no_way_to_one(toy_encoder: Encoder, tmp_path: Path) -> None:
    with served(tmp_path, toy_encoder, [DIABETES]) as client:
        assert "/logg-inn/openid" not in client.get("/logg-inn").text
        assert client.get("/logg-inn/openid").status_code == 404
        assert client.get("/logg-inn/openid/svar").status_code == 422


def test_helseid_takes_a_pushed_request_from_a_client_that_signs() -> None:
    key = RSAKey.generate_key(2048, {"alg": "RS256", "kid": "1"})
    with provider("par", f"key={json.dumps(key.as_dict(private=False))}") as issuer:
        mine = our_client(issuer, secret=json.dumps(key.as_dict(private=True)))
        journey = Journey.start(NOW)
        out = way_out(mine, journey)
        assert set(parse_qs(urlsplit(out).query)) == {"client_id", "request_uri"}
        back = answer_of(at_the_provider(out, "lege"))
        assert way_back(mine, journey, back) == identity_of(issuer, "lege")
        other = RSAKey.generate_key(2048, {"alg": "RS256"})
        with pytest.raises(BadInput):
            way_out(our_client(issuer, secret=json.dumps(other.as_dict(private=True))), journey)


def test_each_thing_that_could_be_forged_is_checked(issuer: str) -> None:
    mine, journey = our_client(issuer), Journey.start(NOW)

    def back() -> dict[str, str]:
        return answer_of(at_the_provider(way_out(mine, journey), "lege"))

    assert way_back(mine, journey, back()) == identity_of(issuer, "lege")
    other = Journey.start(NOW)
    forged = [
        (mine, journey, back() | {"state": other.state}),
        (mine, journey, back() | {"iss": "https://evil.example"}),
        (mine, journey, {"state": journey.state}),
        (mine, Journey(journey.state, other.nonce, journey.verifier, journey.until), back()),
        (mine, Journey(journey.state, journey.nonce, other.verifier, journey.until), back()),
        (our_client(issuer, acr=("idporten-loa-none",)), journey, back()),
        (our_client(issuer, client="another"), journey, back()),
    ]
    for case in forged:
        with pytest.raises(BadInput):
            way_back(*case)


def test_a_provider_that_does_not_answer_or_is_another_is_named(issuer: str) -> None:
    with pytest.raises(Unavailable, match="localhost:9"):
        way_out(our_client("http://localhost:9"), Journey.start(NOW))
    with pytest.raises(Unavailable, match="says it is"):
        way_out(our_client(issuer.replace("localhost", "127.0.0.1")), Journey.start(NOW))


def test_a_journey_is_read_by_us_alone_and_for_a_while() -> None:
    vault, journey = Vault(bytes(32)), Journey.start(NOW, next_page="/konto")
    sealed = journey.sealed(vault)
    assert read_journey(sealed, vault, NOW + WITHIN - timedelta(seconds=1)) == journey
    for text, reader, now in (
        (sealed, vault, NOW + WITHIN),
        (sealed, Vault(b"1" * 32), NOW),
        ("", vault, NOW),
        ("zz", vault, NOW),
        (sealed[:-2] + "00", vault, NOW),
    ):
        with pytest.raises(BadInput):
            read_journey(text, reader, now)


def our_client(issuer: str, **changes: object) -> Provider:
    usual: dict[str, object] = {
        "issuer": issuer, "client": "studievei", "secret": "hemmelig", "scope": "openid profile",
        "acr": (HIGH,), "comes_back_to": COMES_BACK,
    }  # fmt: skip
    return Provider(**(usual | changes))  # type: ignore[arg-type]


def answer_of(address: str) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
