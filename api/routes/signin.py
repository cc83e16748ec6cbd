"""Signing in and out, the first opening of an account, and its own page."""

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from api import cookies
from api.csrf import OwnForm
from api.deps import Fields, Language, LibraryDep, MaybeAccount, SettingsDep, SignedIn
from api.errors import not_found
from api.library import Library
from api.pages.render import render
from ontology.errors import BadInput, Mismatch
from ontology.wording import say
from recruitment.account import Account, Role
from recruitment.invitation import choose_password, invited
from recruitment.one_time_code import address, new_secret
from recruitment.password import LONGEST, SHORTEST
from recruitment.session import Credentials, sign_in, sign_out, turn_off_code, turn_on_code
from recruitment.throttle import count, too_often

router = APIRouter(include_in_schema=False, dependencies=[OwnForm])

FAILURES_OF_AN_ADDRESS = 30
WITHIN = timedelta(minutes=15)
_INSIDE = re.compile(r"/(?:[\w.~%!$&'()*+,;=:@-][\w.~%!$&'()*+,;=:@/?-]{0,500})?", re.ASCII)
_HOMES = ((Role.PI, "/henvendelser"), (Role.DELEGATE, "/henvendelser"), (Role.COORDINATOR, "/koordinator"),
          (Role.GP, "/lege"))  # fmt: skip


@router.get("/logg-inn")
def sign_in_page(
    request: Request, account: MaybeAccount, settings: SettingsDep, videre: str = ""
) -> Response:
    """The form; somebody who is signed in already goes on."""
    if account is not None:
        return RedirectResponse(inside(videre) or home(account), 303)
    return _form(request, settings.openid, next_page=inside(videre))


@router.post("/logg-inn")
def enter(
    request: Request, fields: Fields, library: LibraryDep, settings: SettingsDep, language: Language
) -> Response:
    """A session for the right credentials. What was wrong is told to nobody."""
    now, engine, vault = datetime.now(UTC), library.store.engine, library.vault
    typed = Credentials(fields.get("email", ""), fields.get("password", ""), fields.get("code", ""))
    next_page = inside(fields.get("videre", ""))
    caller = f"sign in from {request.client.host if request.client else ''}"
    if too_often(engine, vault, caller, now, limit=FAILURES_OF_AN_ADDRESS, within=WITHIN):
        wrong = say("account.too_often", language)
        return _form(request, settings.openid, status=429, next_page=next_page, wrong=wrong)
    token = sign_in(engine, vault, typed, now)
    if token is None:
        count(engine, vault, caller, now)
        wrong = say("account.wrong", language)
        return _form(
            request, settings.openid, status=422, next_page=next_page, wrong=wrong, email=typed.email[:254]
        )
    return start_session(request, library, token, next_page or "/logg-inn")


@router.post("/logg-ut")
def leave(request: Request, library: LibraryDep) -> Response:
    """Ends the session, here and in the database."""
    sign_out(library.store.engine, cookies.read(request, cookies.SESSION), datetime.now(UTC))
    response = RedirectResponse("/logg-inn", 303)
    cookies.take_back(request, response, cookies.SESSION)
    return response


def _invited(token: str, library: LibraryDep) -> Account:
    try:
        return invited(library.store.engine, token, datetime.now(UTC))
    except BadInput as error:
        raise not_found(error) from error


Invited = Annotated[Account, Depends(_invited)]


@router.get("/tilgang/{token}")
def first_page(request: Request, token: str, account: Invited, settings: SettingsDep) -> Response:
    """Where somebody who was invited chooses how to sign in."""
    return _first(request, token, account, settings.openid)


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
        return _first(request, token, account, settings.openid, wrong=str(error), status=422)
    return RedirectResponse("/logg-inn", 303)


@router.get("/konto")
def own_account(request: Request, account: SignedIn, library: LibraryDep) -> Response:
    """Name, roles and the one-time code of the account."""
    return _account_page(request, account, library)


@router.post("/konto/kode")
def code_on(
    request: Request, account: SignedIn, fields: Fields, library: LibraryDep, language: Language
) -> Response:
    """From now on the app's code is asked for too, once it has shown that it has the secret."""
    now, engine = datetime.now(UTC), library.store.engine
    secret = _unsealed(library, account, fields.get("secret", ""))
    try:
        turn_on_code(
            engine,
            library.vault,
            account,
            secret=secret,
            code=fields.get("code", ""),
            now=now,
            language=language,
        )
    except BadInput as error:
        return _account_page(request, account, library, secret, wrong=str(error), status=422)
    return RedirectResponse("/konto", 303)


@router.post("/konto/uten-kode")
def code_off(
    request: Request, account: SignedIn, fields: Fields, library: LibraryDep, language: Language
) -> Response:
    """The password alone is enough again; whoever asks must still have the app."""
    typed = Credentials(account.email, fields.get("password", ""), fields.get("code", ""))
    token = sign_in(library.store.engine, library.vault, typed, datetime.now(UTC))
    if token is None:
        wrong = say("account.wrong", language)
        return _account_page(request, account, library, wrong=wrong, status=422)
    turn_off_code(library.store.engine, account, datetime.now(UTC), account.id)
    return start_session(request, library, token, "/konto")


def start_session(request: Request, library: Library, token: str, next_page: str) -> Response:
    """Goes on with a new session; the one that the browser had before, whoever made it, is over."""
    sign_out(library.store.engine, cookies.read(request, cookies.SESSION), datetime.now(UTC))
    response = RedirectResponse(next_page, 303)
    cookies.give(request, response, cookies.SESSION, token)
    return response


def inside(page: str) -> str:
    """The page if it is surely a page of ours, "" for anything that could lead to another site."""
    return page if _INSIDE.fullmatch(page) else ""


def home(account: Account) -> str:
    """The page that an account starts at."""
    return next((page for role, page in _HOMES if account.is_a(role)), "/konto")


def _form(
    request: Request,
    openid: str,
    *,
    status: int = 200,
    next_page: str = "",
    wrong: str = "",
    email: str = "",
) -> Response:
    return render(
        request,
        "signin.html",
        status=status,
        private=True,
        openid=openid,
        next_page=next_page,
        wrong=wrong,
        email=email,
    )


def _first(
    request: Request, token: str, account: Account, openid: str, *, wrong: str = "", status: int = 200
) -> Response:
    return render(
        request,
        "invitation.html",
        status=status,
        private=True,
        token=token,
        account=account,
        openid=openid,
        wrong=wrong,
        shortest=SHORTEST,
        longest=LONGEST,
    )


def _account_page(
    request: Request,
    account: Account,
    library: Library,
    secret: str = "",
    *,
    wrong: str = "",
    status: int = 200,
) -> Response:
    secret = secret or new_secret()
    sealed = library.vault.seal(secret.encode(), _bound_to(account))
    return render(
        request,
        "account.html",
        status=status,
        private=True,
        account=account,
        secret=secret,
        sealed=base64.urlsafe_b64encode(sealed).decode(),
        app_address=address(secret, account.email),
        wrong=wrong,
    )


def _unsealed(library: Library, account: Account, sealed: str) -> str:
    """The secret that the page was shown with, so that nobody else can choose it."""
    try:
        return library.vault.open(base64.urlsafe_b64decode(sealed), _bound_to(account)).decode()
    except (ValueError, Mismatch):
        raise HTTPException(
            403, "The form is not ours. Open the page again, and send it from there."
        ) from None


def _bound_to(account: Account) -> str:
    return f"new code:{account.id}"
