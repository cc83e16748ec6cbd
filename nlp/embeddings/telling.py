"""A question in, those of its words out that tell one study from another."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from ontology.table import read_roles

LONG = 12
"""From so many words on a question tells a case: then the words for a person and for telling say nothing.

In «heart failure in women» the women count; in a case of sixty words they are one thing more to match by
chance, and age and sex have been read already.
"""

_WORD = re.compile(r"\w+")


def telling(text: str) -> str:
    """The telling words of a text, in order; all of its words when none tells anything."""
    words = _WORD.findall(text)
    silent = _silent()["any"] | (_silent()["case"] if is_case(text) else frozenset())
    kept = [word for word in words if word.lower() not in silent or _abbreviated(word)]
    return " ".join(kept or words)


def is_case(text: str) -> bool:
    """Whether a text is so long that it tells a case."""
    return len(_WORD.findall(text)) >= LONG


def coverage(text: str, matched: Iterable[str]) -> float:
    """The share of the telling words of `text` that stand in what was `matched`, 0 to 1."""
    words = telling(text).lower().split()
    named = {word for each in matched for word in _WORD.findall(each.lower())}
    return sum(word in named for word in words) / len(words) if words else 0.0


def _abbreviated(word: str) -> bool:
    """«ME» is an illness, «me» is not."""
    return len(word) > 1 and word.isupper()


@cache
def _silent() -> Mapping[str, frozenset[str]]:
    filler = read_roles(files("ontology") / "cues.tsv")["filler"]
    own = read_roles(files("nlp.embeddings") / "telling.tsv")
    return {**own, "any": own["any"] | filler}
