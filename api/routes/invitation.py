"""One-time links to an account: its first opening, and a new password for one that was forgotten."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from api.csrf import OwnForm
from api.deps import Caller, Fields, Language, LibraryDep, SettingsDep
from api.errors import not_found
from api.pages.render import private_page
from ontology.errors import BadInput
from ontology.wording import say
from recruitment.account import Account
from recruitment.forgotten import send_link
from recruitment.invitation import choose_password, invited
from recruitment.password import LONGEST, SHORTEST

router = APIRouter(include_in_schema=False, dependencies=[OwnForm])


@router.get("/glemt-passord")
def forgotten(request: Request) -> Response:
    """Asks for the address."""
    return private_page(request, "forgotten.html", sent=False)


@router.post("/glemt-passord")
def ask_for_link(
    request: Request,
    *,
    fields: Fields,
    library: LibraryDep,
    settings: SettingsDep,
    language: Language,
    caller: Caller,
) -> Response:
    """The same answer for every address."""
    send_link(
        library.store.engine,
        library.vault,
        fields.get("email", ""),
        datetime.now(UTC),
        language=language,
        caller=caller,
        outbox_limit=settings.outbox_maximum,
    )
    return private_page(request, "forgotten.html", sent=True)


def _invited(token: str, library: LibraryDep) -> Account:
    try:
        return invited(library.store.engine, token, datetime.now(UTC))
    except BadInput as error:
        raise not_found(error) from error


Invited = Annotated[Account, Depends(_invited)]


@router.get("/tilgang/{token}")
def first_page(request: Request, token: str, account: Invited, settings: SettingsDep) -> Response:
    """Where somebody with a one-time link chooses how to sign in."""
    return _page(request, token, account, settings.openid)


@router.post("/tilgang/{token}")
def choose(
    request: Request,
    token: str,
    *,
    account: Invited,
    fields: Fields,
    library: LibraryDep,
    settings: SettingsDep,
    language: Language,
) -> Response:
    """Keeps the password, and uses the link up."""
    password = fields.get("password", "")
    try:
        if password != fields.get("again", ""):
            raise BadInput(say("account.not_the_same", language))
        choose_password(library.store.engine, token, password, datetime.now(UTC), language)
    except BadInput as error:
        return _page(request, token, account, settings.openid, wrong=str(error))
    return RedirectResponse("/logg-inn", 303)


def _page(request: Request, token: str, account: Account, openid: str, wrong: str = "") -> Response:
    return private_page(
        request,
        "invitation.html",
        wrong=wrong,
        token=token,
        account=account,
        openid=openid,
        shortest=SHORTEST,
        longest=LONGEST,
    )
