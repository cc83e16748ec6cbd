"""The one catalogue of what people read: TOML files here, one per surface, every key in nb, nn and en."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import cast

from ontology.errors import BadInput

LANGUAGES = ("nb", "nn", "en")
_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


def say(key: str, language: str, **values: object) -> str:
    """The text under `key` ("surface.name") in `language`, its {fields} filled from `values`.

    A language outside nb, nn and en is answered in bokmål, because the reader is in Norway.

    Raises:
        BadInput: no such key, or a field of the text has no value.
    """
    try:
        template = catalogue()[key][language if language in LANGUAGES else "nb"]
    except KeyError:
        raise BadInput(f"No text {key!r}. Add it, in {', '.join(LANGUAGES)}, to ontology/wording/.") from None
    try:
        return template.format(**values) if values else template
    except KeyError as missing:
        raise BadInput(f"The text {key!r} needs a value for {missing}.") from None


def day(date: str, language: str) -> str:
    """An ISO date, perhaps partial, as people write it: 3. mai 2026, mai 2026, 2026."""
    match = _DATE.match(date)
    if match is None:
        return date
    year, month, number = match.groups()
    if month is None or not 1 <= int(month) <= 12:
        return year
    name = say("site.months", language).split()[int(month) - 1]
    if number is None:
        return f"{name} {year}"
    return f"{int(number)} {name} {year}" if language == "en" else f"{int(number)}. {name} {year}"


def period(text: str, language: str) -> str:
    """One ISO date or two with a slash between, or "never", as people write it: juni 2024 til mai 2025."""
    if text == "never":
        return say("chat.never", language)
    first, slash, last = text.partition("/")
    if not slash:
        return day(text, language)
    key = "site.period_until" if first == ".." else "site.period"
    return say(key, language, first=day(first, language), last=day(last, language))


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every text by key: {"surface.name": {"nb": ..., "nn": ..., "en": ...}}."""
    texts: dict[str, dict[str, str]] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda item: item.name):
        if not file.name.endswith(".toml"):
            continue
        for section, entries in tomllib.loads(file.read_text("utf-8")).items():
            for name, wording in cast("dict[str, dict[str, str]]", entries).items():
                texts[f"{section}.{name}"] = wording
    return texts
