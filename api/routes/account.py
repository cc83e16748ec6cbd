"""The page of one's own account: name, roles, and the one-time code."""

import base64
from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from api.csrf import OwnForm
from api.deps import Caller, Fields, Language, LibraryDep, SignedIn
from api.library import Library
from api.pages.render import private_page
from api.routes.signin import start_session
from ontology.errors import BadInput, Mismatch
from ontology.wording import say
from recruitment.account import Account
from recruitment.one_time_code import address, new_secret
from recruitment.session import Credentials, sign_in, turn_off_code, turn_on_code

router = APIRouter(include_in_schema=False, dependencies=[OwnForm])


@router.get("/konto")
def own_account(request: Request, account: SignedIn, library: LibraryDep) -> Response:
    """Name, roles and the one-time code of the account."""
    return _page(request, account, library)


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
        return _page(request, account, library, secret, wrong=str(error))
    return RedirectResponse("/konto", 303)


@router.post("/konto/uten-kode")
def code_off(
    request: Request,
    *,
    account: SignedIn,
    fields: Fields,
    library: LibraryDep,
    language: Language,
    caller: Caller,
) -> Response:
    """The password alone is enough again; whoever asks must still have the app."""
    typed = Credentials(account.email, fields.get("password", ""), fields.get("code", ""), caller)
    token = sign_in(library.store.engine, library.vault, typed, datetime.now(UTC))
    if token is None:
        wrong = say("account.wrong", language)
        return _page(request, account, library, wrong=wrong)
    turn_off_code(library.store.engine, account, datetime.now(UTC), account.id)
    return start_session(request, library, token, "/konto")


def _page(
    request: Request, account: Account, library: Library, secret: str = "", *, wrong: str = ""
) -> Response:
    secret = secret or new_secret()
    sealed = library.vault.seal(secret.encode(), _bound_to(account))
    return private_page(
        request,
        "account.html",
        wrong=wrong,
        account=account,
        secret=secret,
        sealed=base64.urlsafe_b64encode(sealed).decode(),
        app_address=address(secret, account.email),
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
