"""How to reach somebody: «Kari Nordmann, kari@eksempel.no» -> Person. Recruitment checks it."""

import re
from functools import cache

from chatbot.phrases import group
from chatbot.safety import EMAIL, MASK, PHONE
from recruitment.person import Person

_MOST_WORDS = 5


def read_contact(message: str) -> Person:
    """The first e-mail address and phone number of a message, and as the name what little is left of it."""
    email, phone = EMAIL.search(message), PHONE.search(message)
    return Person(
        email=re.sub(r"\s", "", email[0]) if email else "",
        phone=phone[0] if phone else "",
        name=_name(PHONE.sub(" ", EMAIL.sub(" ", message))),
    )


def _name(rest: str) -> str:
    """Whole sentences are no name: better none than a wrong one, since a name is never needed."""
    words = re.findall(r"[^\W\d_](?:[^\W\d_]|['’.\-])*", rest.replace(MASK, " "))
    name = [word.strip(".") for word in words if word.casefold().strip(".") not in _fillers()]
    return " ".join(name) if 1 <= len(name) <= _MOST_WORDS and any(word[0].isupper() for word in name) else ""


@cache
def _fillers() -> frozenset[str]:
    """Words that stand around a name and are no part of it."""
    return frozenset(group("around_name"))
