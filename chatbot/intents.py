"""What a message wants, by the rows of listen.tsv: yes, back, forget, explain, search..."""

import re
from enum import StrEnum
from functools import cache

from chatbot.phrases import phrase, plain, rows


class Said(StrEnum):
    """An answer to a yes-no question. UNKNOWN is an answer: the person does not know, or will not say."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def intents(message: str) -> frozenset[str]:
    """The intents that `message` shows, each by its name in listen.tsv."""
    text = plain(message)
    return frozenset(intent for intent, words in _listen() if words.search(text))


def shows(intent: str, message: str) -> bool:
    """Whether `message` shows this one intent."""
    text = plain(message)
    return any(words.search(text) for words in _phrases(intent))


def words_after(intent: str, message: str) -> str:
    """The words that follow an intent: «kols» of «søk kols»; "" when the intent is not there."""
    text = plain(message)
    ends = [found.end() for found in _found(intent, text)]
    return text[min(ends) :].strip(" .,") if ends else ""


def read_answer(message: str) -> Said | None:
    """yes, no or unknown; of «nei, eller jo litt» the last. None when it is no answer at all."""
    text = plain(message)
    if _found(Said.UNKNOWN, text):
        return Said.UNKNOWN
    places = [
        (found.end(), -found.start(), said) for said in (Said.YES, Said.NO) for found in _found(said, text)
    ]
    return max(places)[2] if places else None


def _found(intent: str, text: str) -> list[re.Match[str]]:
    return [found for words in _phrases(intent) for found in words.finditer(text)]


@cache
def _phrases(intent: str) -> tuple[re.Pattern[str], ...]:
    return tuple(words for name, words in _listen() if name == intent)


@cache
def _listen() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row["intent"], phrase(row["phrase"])) for row in rows("listen.tsv"))
