"""English puts an article before what is counted (counted.tsv): a stroke, but asthma and heart failure."""

import re
from functools import cache
from importlib.resources import files

_AFTER_HEAD = re.compile(r" (?:of|with|in|due|after|from|to|on|by|for|during|at) ")
_VOWEL = re.compile(r"(?!eu|uni|ure|uri|ute|use)[aeiou]", re.IGNORECASE)
_SPELT = re.compile(r"[A-Z](?![a-z])")
_SPELT_VOWELS = "AEFHILMNORSX"


def with_article(name: str) -> str:
    """An English name as it stands after "have" and "take": a stroke, an antibiotic, asthma."""
    if not _counted().search(_AFTER_HEAD.split(name)[0]):
        return name
    vowel = name[0] in _SPELT_VOWELS if _SPELT.match(name) else _VOWEL.match(name)
    return f"{'an' if vowel else 'a'} {name}"


@cache
def _counted() -> re.Pattern[str]:
    words = (files("nlp.eligibility") / "counted.tsv").read_text("utf-8").split()[1:]
    heads = "|".join(words).replace("*", r"\w+")
    return re.compile(rf"(?:^|[ -])(?:{heads})$", re.IGNORECASE)
