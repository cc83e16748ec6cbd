"""What must be seen first in a message: danger, requests for advice, and private numbers to mask.

Enters: the words as written. Leaves: labels, help numbers, and the words with private numbers masked.
No model takes part: alarms.tsv says which phrases alarm and quiet.tsv what makes the same words harmless;
dangers.tsv says which senses (senses.tsv) are a danger together, in whatever words and order.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from chatbot.phrases import PhraseIndex, phrase, plain, rows
from chatbot.senses import SILENT, senses, told

MASK = "[skjult]"
HELP = {
    "suicide": ("113", "116 123"),
    "acute": ("113",),
    "violence": ("112", "113", "116 006", "116 111"),
    "poisoning": ("22 59 13 00",),
    "doctor_today": ("116 117",),
}

_TIED = {"before": "{} $", "after": "^ {}"}
_GAP = r"[ .\-/]{0,2}"
_IDENTITY = re.compile(rf"(?<![\w+])(?<!\d[ .\-/])\d(?:{_GAP}\d){{10}}(?![ .\-/]?\d)")
EMAIL = re.compile(r"[\w.+\-]+\s?@\s?[\w\-]+(?:\.[\w\-]+)+")
PHONE = re.compile(
    r"(?<![\w.,\-/+])(?:(?:\+|00)\d{1,3}(?:[ \-]?\d){6,12}"
    r"|[2-9]\d{7}|[2-9]\d(?: \d\d){3}|[2-9]\d\d \d\d \d{3})"
    r"(?![ \-]?\d|[.,]\d)"
)


class Label(StrEnum):
    """What a message may hold; in the order in which it is answered."""

    SUICIDE = "suicide"
    ACUTE = "acute"
    VIOLENCE = "violence"
    POISONING = "poisoning"
    DOCTOR_TODAY = "doctor_today"
    ADVICE = "advice"
    INSTRUCTION = "instruction"


@dataclass(frozen=True, slots=True)
class Safety:
    """What was seen in one message; `masked` is the message as it may be kept and shown."""

    labels: tuple[Label, ...]
    masked: str

    @property
    def help(self) -> tuple[str, ...]:
        """The numbers to call, the most urgent first, each once."""
        return tuple(dict.fromkeys(number for label in self.labels for number in HELP.get(label, ())))


@dataclass(frozen=True, slots=True)
class _Alarm:
    label: Label
    phrase: str
    quiet: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Danger:
    label: Label
    together: tuple[frozenset[str], ...]
    unless: frozenset[str]

    def is_in(self, today: frozenset[str], all_told: frozenset[str]) -> bool:
        return not self.unless & all_told and all(any_of & today for any_of in self.together)


@dataclass(frozen=True, slots=True)
class _Quiet:
    kinds: frozenset[str]
    side: str
    words: re.Pattern[str]


def check(message: str) -> Safety:
    """What `message` holds that comes before its answer.

    Help numbers: helsenorge.no (113, 116 117, Giftinformasjonen 22 59 13 00), the police (112), Vold- og
    overgrepslinjen (116 006), Alarmtelefonen for barn og unge (116 111) and Mental Helse (116 123).
    """
    text = plain(message)
    alarms, words = _alarms()
    possible = (alarms[i] for i in words.possible(text))
    seen = {alarm.label for alarm in possible if _sounds(alarm, text) and _sounds_today(alarm, text)}
    today, all_told = senses(text)
    seen.update(danger.label for danger in _dangers() if danger.is_in(today, all_told))
    return Safety(tuple(label for label in Label if label in seen), mask(message))


def warm() -> None:
    """Compile every phrase that alarms (1.3 s) and read the senses, before somebody waits for it."""
    senses(plain("nå"))
    _dangers()
    for alarm in _alarms()[0]:
        phrase(alarm.phrase)


def mask(message: str, *, keep_contact: bool = False) -> str:
    """`message` without national identity numbers, and without e-mail and phone unless `keep_contact`.

    Any eleven digits count as an identity number, with or without spaces, right or wrong control digits:
    a D-number, an H-number and a mistyped number are as private as a right one.
    """
    text = "".join(c for c in unicodedata.normalize("NFKC", message) if unicodedata.category(c) != "Cf")
    text = _IDENTITY.sub(MASK, text)
    return text if keep_contact else PHONE.sub(MASK, EMAIL.sub(MASK, text))


def _sounds(alarm: _Alarm, text: str) -> bool:
    return any(not _is_quiet(alarm, text, found) for found in phrase(alarm.phrase).finditer(text))


def _sounds_today(alarm: _Alarm, text: str) -> bool:
    """Whether it still sounds without the clauses that deny, or tell of what it is quiet about."""
    return _sounds(alarm, told(text, SILENT if "past" in alarm.quiet else frozenset({"denied"})))


def _is_quiet(alarm: _Alarm, text: str, found: re.Match[str]) -> bool:
    """Whether the rest of the sentence (before and after the alarming words) says that they are harmless."""
    before = text[: found.start()].rsplit(" . ", 1)[-1]
    after = text[found.end() :].split(" . ", 1)[0]
    sides = {"before": f" {before.strip()} ", "after": f" {after.strip()} "}
    return any(quiet.words.search(sides[quiet.side]) for quiet in _quiets() if quiet.kinds & alarm.quiet)


@cache
def _alarms() -> tuple[tuple[_Alarm, ...], PhraseIndex]:
    """The rows of alarms.tsv, and which of them a text may hold."""
    alarms = tuple(
        _Alarm(Label(row["label"]), row["phrase"], frozenset(row["quiet"].split(",")) - {"never"})
        for row in rows("alarms.tsv")
    )
    return alarms, PhraseIndex(alarm.phrase for alarm in alarms)


@cache
def _dangers() -> tuple[_Danger, ...]:
    """The senses that are a danger together, each place filled by any one of its senses."""
    return tuple(
        _Danger(
            Label(row["label"]),
            tuple(frozenset(place.split("|")) for place in row["senses"].split()),
            frozenset(row["unless"].split(",")),
        )
        for row in rows("dangers.tsv")
    )


@cache
def _quiets() -> tuple[_Quiet, ...]:
    """The harmless readings, each tied to the words it silences: up to them, or on from them."""
    return tuple(
        _Quiet(
            frozenset(row["kind"].split(",")), row["side"], phrase(_TIED[row["side"]].format(row["phrase"]))
        )
        for row in rows("quiet.tsv")
    )
