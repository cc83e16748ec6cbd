from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest
from interested import consent, register
from served import DIABETES, Page, send, served
from starlette.testclient import TestClient

import api.routes
from api.csrf import own_form
from nlp.embeddings.encoder import Encoder

WITHOUT_A_TOKEN = {
    "/lege": "changes nothing",
    "/varsler/{token}/av": "a mail program unsubscribes with one click and has no cookie (RFC 8058)",
}
"""Every other form has dependencies=[OwnForm], its own or its router's."""
FOR_PROGRAMS = ("/api/", "/cds-services", "/fhir/")
"""Posted to by programs, never by a form of ours."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("csrf"), toy_encoder, [DIABETES]) as client:
        yield client


@pytest.fixture
def client(server: TestClient) -> TestClient:
    """A browser that has not been here before."""
    server.cookies.clear()
    return server


@pytest.fixture
def own(client: TestClient) -> str:
    library = client.app.state.library  # type: ignore[attr-defined]  # Starlette types `app` as any ASGI
    receipt = register(library.store.engine, library.vault, study=DIABETES, consent=consent())
    return f"/interesse/{receipt.person_token}"


def test_every_form_that_changes_something_wants_the_token() -> None:
    rooms = [import_module(f"api.routes.{each.name}") for each in iter_modules(api.routes.__path__)]
    asked = {
        route.path: own_form in {each.dependency for each in route.dependencies}
        for room in rooms
        for route in room.router.routes
        if "POST" in route.methods and not route.path.startswith(FOR_PROGRAMS)
    }
    assert {path for path, wants in asked.items() if not wants} == set(WITHOUT_A_TOKEN)


def test_a_form_without_a_token_or_with_that_of_another_browser_is_refused(
    client: TestClient, own: str
) -> None:
    assert client.post(f"{own}/trekk", data={"sure": "yes"}).status_code == 403
    foreign = str(Page(client.get(own).text).all("input", name="csrf")[0]["value"])
    client.cookies.clear()
    client.get(own)
    for token in (foreign, "", "ø" * 64):
        answer = client.post(f"{own}/trekk", data={"sure": "yes", "csrf": token})
        assert answer.status_code == 403
    assert 'name="sure"' in client.get(own).text
    assert 'name="sure"' not in send(client, f"{own}/trekk", sure="yes").text


def test_the_cookie_is_out_of_reach_and_not_set_where_it_is_not_needed(client: TestClient, own: str) -> None:
    cookie = client.get(own).headers["set-cookie"].lower()
    assert cookie.startswith("__host-form=")
    for flag in ("secure", "httponly", "samesite=lax", "path=/"):
        assert flag in cookie
    assert "domain" not in cookie
    assert "set-cookie" not in client.get(own).headers
    client.cookies.clear()
    assert all("set-cookie" not in client.get(path).headers for path in ("/", "/lege", "/sok?q=kols"))
