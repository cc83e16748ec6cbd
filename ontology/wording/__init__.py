"""The one catalogue of what people read: TOML files here, one per surface, every key in nb, nn and en."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import cast

from ontology.errors import BadInput

LANGUAGES = ("nb", "nn", "en")


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
