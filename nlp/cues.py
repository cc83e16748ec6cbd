"""Words that say something beside a disease: who writes, what studies they want, that a place follows."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from ontology.table import read_roles


@cache
def cues() -> Mapping[str, frozenset[str]]:
    """Words and phrases in small letters by what they are a sign of (nlp/cues.tsv)."""
    return read_roles(files("nlp") / "cues.tsv")
