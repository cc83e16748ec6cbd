"""What a name that the linker found asks a person for, by meant.tsv.

The linker's names serve searching, where near is good enough: «foot ulcer» finds studies of leg ulcers. A
criterion is about the thing itself, and whoever has something near it must not be turned away.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from ontology.linker import Mention
from ontology.table import read_table
from ontology.words import stem, words

_ANYHOW = ""
"""However the concept is called."""


def meant(mention: Mention) -> str:
    """The id of the concept that a mention asks for; "" where its words are only near what was found."""
    forms = _table().get(mention.concept)
    if forms is None:
        return mention.concept
    return forms.get(_stems(mention.matched), forms.get(_ANYHOW, mention.concept))


@cache
def methods() -> frozenset[str]:
    """The procedures that find something out, by methods.tsv: a criterion may only say how it is known."""
    return frozenset(
        row.cells["procedure"] for row in read_table(files("nlp.eligibility") / "methods.tsv", "procedure")
    )


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    """Of each concept in meant.tsv what its forms mean, by their stems."""
    table: dict[str, dict[str, str]] = {}
    for row in read_table(files("nlp.eligibility") / "meant.tsv", "found meant forms"):
        instead = "".join(row.words("meant"))
        forms = [_stems(form) for form in row.texts("forms")] or [_ANYHOW]
        table.setdefault(row.cells["found"], {}).update(dict.fromkeys(forms, instead))
    return table


def _stems(form: str) -> str:
    return " ".join(stem(word.text) for word in words(form))
