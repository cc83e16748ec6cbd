"""How a condition or a drug stands to a person: the words of its clause in, typed values out."""

import re
from enum import StrEnum

from chatbot.clauses import Clause
from chatbot.durations import goes_on
from chatbot.intents import intents, shows

_EARLIER = re.compile(
    r"\b(?:tidligere|tidlegare|tidl|previous|prior|former|gjennomgått|gjennomgådd)\s+(?!i\b|in\b|som\b|as\b)(?=\w)",
    re.IGNORECASE,
)
"""What follows it is past; what stands before it need not be: «kols og tidligere hjerteinfarkt»."""


class When(StrEnum):
    """How a condition stands to the person. MENTIONED: it is only named («studier om kols»)."""

    PRESENT = "present"
    PAST = "past"
    ABSENT = "absent"
    SUSPECTED = "suspected"
    FAMILY = "family"
    MENTIONED = "mentioned"


class Use(StrEnum):
    """How a drug stands to the person."""

    CURRENT = "current"
    PAST = "past"
    ABSENT = "absent"
    MENTIONED = "mentioned"


def when(clause: Clause, start: int, end: int) -> When | None:
    """What the clause says of the condition that stands at `start` to `end` of the message; None: nothing."""
    before, after = _around(clause, start, end)
    after = _EARLIER.split(after)[0]
    named = clause.text[max(start - clause.start, 0) : max(end - clause.start, 0)]
    all_of_it, ahead = intents(f"{before} {after}"), intents(before)
    if "topic" in ahead:
        return When.MENTIONED
    if "suspect" in ahead or shows("suspect", named) or "suspect_after" in intents(after):
        return When.SUSPECTED
    with_its_verb = shows("past", f"{before} {named}")  # «har hatt hjerneslag»
    past = "past" in all_of_it or with_its_verb
    if "ended" in all_of_it or (past and not lasts(f"{before} {after}")):
        return When.PAST
    claimed = "claim" in ahead or shows("claim", named)
    return When.PRESENT if claimed or "current" in ahead or "lasting" in all_of_it else None


def use(clause: Clause, start: int, end: int) -> Use | None:
    """What the clause says of the drug that stands at `start` to `end` of the message; None: nothing."""
    before, after = _around(clause, start, end)
    if {"topic", "allergy"} & intents(before):
        return Use.MENTIONED
    if "topic_after" in intents(after):
        return Use.MENTIONED
    both = intents(f"{before} {after}")
    if both & {"not_used"}:
        return Use.ABSENT
    if both & {"stopped", "past"} and not lasts(f"{before} {after}"):
        return Use.PAST
    return Use.CURRENT if both & {"current", "claim"} else None


def lasts(text: str) -> bool:
    """Whether something has gone on until now: «har hatt det i 20 år», «siden 2010»."""
    return (goes_on(text) or shows("lasting", text)) and not re.search(r"\bhadde\b", text.casefold())


def _around(clause: Clause, start: int, end: int) -> tuple[str, str]:
    first, last = start - clause.start, end - clause.start
    return clause.text[: max(first, 0)], clause.text[max(last, 0) :]
