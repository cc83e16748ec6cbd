"""What routes ask for, as types."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request

from api import cookies
from api.csrf import FIELDS_AT_MOST
from api.errors import not_found
from api.library import Library
from api.pages.render import language_of
from api.settings import Settings
from ontology.errors import BadInput
from recruitment.account import Account, Role
from recruitment.session import signed_in
from registry.study import Study


def _library(request: Request) -> Library:
    library: Library = request.app.state.library
    return library


def named_study(library: Library, study_id: str) -> Study:
    """The study that an address names.

    Raises:
        HTTPException: 404, there is none.
    """
    try:
        return library.study(study_id)
    except BadInput as error:
        raise not_found(error) from error


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _fields(request: Request) -> dict[str, str]:
    """The text fields of a form, without NUL, which databases refuse; files are not asked for anywhere."""
    form = await request.form(max_fields=FIELDS_AT_MOST, max_files=0)
    return {name: value.replace("\0", "") for name, value in form.items() if isinstance(value, str)}


def _account(request: Request, library: Annotated[Library, Depends(_library)]) -> Account | None:
    token = cookies.read(request, cookies.SESSION)
    return signed_in(library.store.engine, token, datetime.now(UTC)) if token else None


MaybeAccount = Annotated[Account | None, Depends(_account)]


def _caller(request: Request) -> str:
    return request.client.host if request.client else ""


Caller = Annotated[str, Depends(_caller)]
"""The IP address that a request comes from; it is only counted, and kept nowhere."""


def _signed_in(account: MaybeAccount) -> Account:
    if account is None:
        raise HTTPException(401, "Sign in first.")
    return account


SignedIn = Annotated[Account, Depends(_signed_in)]
"""Who asks. Somebody who has not signed in is asked to; a program gets a 401."""


def _only(*roles: Role) -> Any:
    """An account with one of the roles. For anybody else the page does not exist."""

    def check(account: SignedIn) -> Account:
        if not any(account.is_a(role) for role in roles):
            raise HTTPException(404, "There is nothing here for your account.")
        return account

    return Depends(check)


Answering = Annotated[Account, _only(Role.PI, Role.DELEGATE)]
"""Somebody who answers people for a study."""
Coordinating = Annotated[Account, _only(Role.COORDINATOR)]
Counting = Annotated[Account, _only(Role.PI, Role.COORDINATOR, Role.ADMINISTRATOR, Role.EDITOR)]
"""Somebody who may see counts: a PI those of the own studies, the others all."""
LibraryDep = Annotated[Library, Depends(_library)]
SettingsDep = Annotated[Settings, Depends(_settings)]
Fields = Annotated[dict[str, str], Depends(_fields)]
Language = Annotated[str, Depends(language_of)]
