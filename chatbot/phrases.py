"""A small notation for phrases, so that what the chat listens for stands in tables and not in code.

word        that word              word*    a word that begins so       a|b    either
term?       may be missing         ~3       up to three words between   #      a number
@group      the words of one row of words.tsv                           ^ $    start and end of text
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from ontology.errors import BadInput

_SENTENCE_END = re.compile(r"[.!?;:]+(?=\s|$)|[\n\r]+")
_DROPPED = re.compile(r"['’`´\"«»“”()\[\]*_]")
_WORD = r"[^ ,.]\S*"


def plain(text: str) -> str:
    """`text` as the phrases see it: lower case, one space around words, " , " and " . " as only marks."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    text = _DROPPED.sub("", text.casefold())
    text = _SENTENCE_END.sub(" . ", text)
    text = re.sub(r",(?!\d)|\s[-–—]+\s|/(?!\d)", " , ", text)
    return f" {' '.join(text.split())} "


@cache
def phrase(pattern: str) -> re.Pattern[str]:
    """The regular expression of a phrase, to be searched in `plain` text.

    Raises:
        BadInput: an unknown @group.
    """
    return re.compile("".join(_term(term) for term in pattern.split()))


def says(pattern: str, text: str) -> bool:
    """Whether `text` (as somebody wrote it) contains the phrase."""
    return phrase(pattern).search(plain(text)) is not None


def rows(table: str) -> Iterator[dict[str, str]]:
    """The rows of a tab-separated table of this folder, by column name.

    Raises:
        BadInput: a row has more or fewer cells than the heading.
    """
    with files("chatbot").joinpath(table).open(encoding="utf-8") as lines:
        for number, row in enumerate(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
            if None in row or None in row.values():
                raise BadInput(f"chatbot/{table}, line {number}: give every column exactly one value.")
            yield row


def _term(term: str) -> str:
    if term == "^":
        return r"\A(?: [.,])*(?= )"
    if term == "$":
        return r"(?=(?: [.,])* \Z)"
    if term.startswith("~"):
        return rf"(?:(?: ,)? {_WORD}){{0,{int(term[1:])}}}?"
    optional = "?" if term.endswith("?") else ""
    choices = "|".join(_word(word) for word in _words(term.rstrip("?")))
    return rf"(?:(?: ,)? (?:{choices})(?= )){optional}"


def _words(term: str) -> Iterator[str]:
    for word in term.split("|"):
        if word.startswith("@"):
            yield from group(word[1:])
        else:
            yield word


def _word(word: str) -> str:
    if word == "#":
        return r"\d+(?:[.,]\d+)?"
    return re.escape(word[:-1]) + r"\S*" if word.endswith("*") else re.escape(word)


@cache
def group(name: str) -> tuple[str, ...]:
    """The words of one row of words.tsv.

    Raises:
        BadInput: no such row.
    """
    groups = {row["group"]: tuple(row["words"].split()) for row in rows("words.tsv")}
    if name not in groups:
        raise BadInput(f"No group @{name}. Add it to chatbot/words.tsv or use one of {', '.join(groups)}.")
    return groups[name]
