"""Signing in and out with a password; OpenID is in openid.py."""

import re
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api import cookies
from api.csrf import OwnForm
from api.deps import Caller, Fields, Language, LibraryDep, MaybeAccount, SettingsDep
from api.library import Library
from api.pages.render import private_page
from ontology.wording import say
from recruitment.account import Account, Role
from recruitment.session import Credentials, is_shut_to, sign_in, sign_out

router = APIRouter(include_in_schema=False, dependencies=[OwnForm])

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
    return sign_in_form(request, settings.openid, next_page=inside(videre))


@router.post("/logg-inn")
def enter(
    request: Request,
    *,
    fields: Fields,
    library: LibraryDep,
    settings: SettingsDep,
    language: Language,
    caller: Caller,
) -> Response:
    """A session for the right credentials. What was wrong is told to nobody."""
    now, engine, vault = datetime.now(UTC), library.store.engine, library.vault
    email, next_page = fields.get("email", ""), inside(fields.get("videre", ""))
    typed = Credentials(email, fields.get("password", ""), fields.get("code", ""), caller)
    token = sign_in(engine, vault, typed, now)
    if token:
        return start_session(request, library, token, next_page or "/logg-inn")
    shut = is_shut_to(engine, vault, caller, now)
    return sign_in_form(
        request,
        settings.openid,
        next_page=next_page,
        email=email[:254],
        wrong=say("account.too_often" if shut else "account.wrong", language),
        status=429 if shut else None,
    )


@router.post("/logg-ut")
def leave(request: Request, library: LibraryDep) -> Response:
    """Ends the session, here and in the database."""
    sign_out(library.store.engine, cookies.read(request, cookies.SESSION), datetime.now(UTC))
    response = RedirectResponse("/logg-inn", 303)
    cookies.take_back(request, response, cookies.SESSION)
    return response


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


def sign_in_form(
    request: Request,
    openid: str,
    *,
    next_page: str = "",
    email: str = "",
    wrong: str = "",
    status: int | None = None,
) -> Response:
    """The form; `openid` is what the button to the provider says, `wrong` why it is shown again."""
    return private_page(
        request,
        "signin.html",
        wrong=wrong,
        status=status,
        openid=openid,
        next_page=next_page,
        email=email,
    )
