"""What the tests of accounts share: people with accounts, and the pages as they see them."""

from datetime import UTC, datetime

from httpx import Response
from served import send
from starlette.testclient import TestClient

from api.library import Library
from recruitment.account import Account, add_account, read_grant
from recruitment.invitation import choose_password, invite

PASSWORD = "korrekt hest batteri"


def library_of(client: TestClient) -> Library:
    """The library behind the pages."""
    library: Library = client.app.state.library  # type: ignore[attr-defined]  # Starlette types `app` as any ASGI
    return library


def account(client: TestClient, email: str, *roles: str, password: str = PASSWORD) -> Account:
    """An account with a password."""
    engine, now = library_of(client).store.engine, datetime.now(UTC)
    made = add_account(engine, email, f"Navn {email}", [read_grant(role) for role in roles], now)
    return choose_password(engine, invite(engine, made.id, now), password, now, "nb")


def enter(client: TestClient, email: str, password: str = PASSWORD, **fields: str) -> Response:
    """Signs in through the form; the client is the browser of this account from then on."""
    leave(client)
    return send(client, "/logg-inn", "/logg-inn", email=email, password=password, **fields)


def leave(client: TestClient) -> None:
    """Forgets all cookies."""
    client.cookies.clear()
