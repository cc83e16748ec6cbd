"""What routes ask for, as types."""

from typing import Annotated

from fastapi import Depends, Request

from api.csrf import FIELDS_AT_MOST
from api.library import Library
from api.pages.render import language_of
from api.settings import Settings


def _library(request: Request) -> Library:
    library: Library = request.app.state.library
    return library


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _fields(request: Request) -> dict[str, str]:
    """The text fields of a form; files and repeated fields are not asked for anywhere."""
    form = await request.form(max_fields=FIELDS_AT_MOST, max_files=0)
    return {name: value for name, value in form.items() if isinstance(value, str)}


LibraryDep = Annotated[Library, Depends(_library)]
SettingsDep = Annotated[Settings, Depends(_settings)]
Fields = Annotated[dict[str, str], Depends(_fields)]
Language = Annotated[str, Depends(language_of)]
