"""What one message says about a person: words in, typed facts out. What is not said stays None."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from chatbot.clauses import Clause, clauses
from chatbot.course import Use, When, use, when
from chatbot.dates import read_when
from chatbot.durations import years_since
from chatbot.intents import Said, intents, read_answer, shows
from chatbot.measurements import Measurement, read_measurements
from chatbot.phrases import group, plain
from nlp.eligibility.dates import NEVER
from nlp.language import detect
from nlp.numbers import in_digits
from nlp.people import Person, Subject, person_in
from nlp.query import HEALTHY, clean, stated_age
from ontology.concept import Kind, Ontology
from ontology.linker import How, Linker, Mention

__all__ = ["Condition", "Drug", "Facts", "Measurement", "Reader", "Said", "Subject", "Use", "When"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A concept in the message, the words that named it, what was said of it, and for how many years.

    `last` is when something that happens and is over was, as nlp/eligibility/dates.py writes it.
    """

    concept: str
    text: str
    when: When
    since_years: float | None = None
    last: str = ""


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug or a class of drugs in the message, by brand or substance."""

    concept: str
    text: str
    use: Use


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message says. `age` is in years, `sex` is female or male, `number` is any other number."""

    subject: Subject | None = None
    age: float | None = None
    sex: str | None = None
    conditions: tuple[Condition, ...] = ()
    drugs: tuple[Drug, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    answer: Said | None = None
    number: float | None = None
    corrects: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads messages with the words of one ontology; what is told of years and days is told `today`."""

    linker: Linker
    ontology: Ontology
    today: date

    def read(self, message: str, about: Subject = Subject.SELF) -> Facts:
        """What `message` says; `about` is whom the conversation has been about so far."""
        message = _PATIENT.sub(r"\1,", _ABBREVIATED.sub(r"\1 ", message))
        parts = clauses(message)
        mentions = self._mentions(message)
        person = _person(message, parts, mentions)
        age = _age(message, parts, person, self.today.year)
        if age is None and (person.sex or mentions):
            age = _bare_age(parts)
        stated = bool(person.subject or age is not None or person.sex) or shows("tells", message)
        told = _Telling(self, parts, mentions, person.subject or about, age, stated)
        return Facts(
            subject=person.subject,
            age=age,
            sex=person.sex,
            conditions=tuple(told.conditions()),
            drugs=tuple(told.drugs()),
            measurements=read_measurements(message),
            answer=read_answer(message),
            number=read_number(message),
            corrects=shows("correct", message),
        )

    def _mentions(self, message: str) -> tuple[Mention, ...]:
        """The concepts in the order of the text: names before loose phrases where they overlap."""
        exact = self.linker.link(message, forgiving=False)
        first = {each.start: each for each in reversed(exact)}
        for each in self.linker.link(message):
            if not _overlaps(each, exact) and _is_one_thing(each):
                first.setdefault(each.start, each)
        return tuple(sorted(first.values(), key=lambda each: each.start))


@dataclass(frozen=True, slots=True)
class _Telling:
    """One message with whom it is about; `stated`: it tells of a person, and does not only name a topic."""

    reader: Reader
    parts: tuple[Clause, ...]
    mentions: tuple[Mention, ...]
    whose: Subject
    age: float | None
    stated: bool

    def conditions(self) -> Iterator[Condition]:
        before: tuple[int, When | None] = (-1, None)
        for mention, part in self._of_kind(Kind.CONDITION):
            status = self._when(mention, part)
            if status is None and before[0] == part.sentence and not part.turns:
                status = before[1]
            before = (part.sentence, status)
            status = status or (When.PRESENT if self.stated else When.MENTIONED)
            since = None if status is When.ABSENT else self._since(mention, part)
            is_event = self._is_event(mention.concept)
            if status is When.PRESENT and since and is_event:
                status = When.PAST
            last = self._last(mention, part) if status is When.PAST and is_event else ""
            yield Condition(mention.concept, mention.matched.strip(), status, since, last)

    def drugs(self) -> Iterator[Drug]:
        before: tuple[int, Use | None] = (-1, None)
        for mention, part in self._of_kind(Kind.DRUG):
            if self._is_family(mention, part):
                continue
            seen = Use.ABSENT if _is_denied(mention, part) else use(part, mention.start, mention.end)
            if seen is None and before[0] == part.sentence and not part.turns:
                seen = before[1]
            before = (part.sentence, seen)
            status = seen or (Use.CURRENT if self.stated else Use.MENTIONED)
            yield Drug(mention.concept, mention.matched.strip(), status)

    def _of_kind(self, kind: Kind) -> Iterator[tuple[Mention, Clause]]:
        for mention in self.mentions:
            if mention.concept != HEALTHY and self.reader.ontology.get(mention.concept).kind is kind:
                yield mention, _clause_of(mention, self.parts)

    def _when(self, mention: Mention, part: Clause) -> When | None:
        if self._is_family(mention, part):
            return When.FAMILY
        return When.ABSENT if _is_denied(mention, part) else when(part, mention.start, mention.end)

    def _is_family(self, mention: Mention, part: Clause) -> bool:
        """Whether a relative of the person has it: anybody but the one whom the screening is for."""
        if shows("inherited", part.text):
            return True
        if not mention.family:
            return False
        earlier = " ".join(
            each.text for each in self.parts if each.start < part.start and each.sentence == part.sentence
        )
        return _last_kin(f"{earlier} {part.text[: mention.start - part.start]}") is not self.whose

    def _since(self, mention: Mention, part: Clause) -> float | None:
        year = self.reader.today.year
        years = (years_since(text, year, self.age) for text in self._around(mention, part))
        return next((each for each in years if each is not None), None)

    def _last(self, mention: Mention, part: Clause) -> str:
        heard = (read_when(text, self.reader.today, age=self.age) for text in self._around(mention, part))
        return next((each.when for each in heard if each.when not in {"", NEVER}), "")

    def _around(self, mention: Mention, part: Clause) -> Iterator[str]:
        """The words between this concept and its neighbours, then a clause that follows and names nothing."""
        own = [each for each in self.mentions if part.start <= each.start < part.end]
        at = own.index(mention)
        start = part.start if at == 0 else own[at - 1].end
        end = part.end if at + 1 == len(own) else own[at + 1].start
        yield part.text[start - part.start : end - part.start]
        following = next((each for each in self.parts if each.start >= part.end), part)
        names_more = any(following.start <= each.start < following.end for each in self.mentions)
        if at + 1 == len(own) and not names_more and following.sentence == part.sentence:
            yield following.text

    def _is_event(self, concept: str) -> bool:
        """Whether it happens and is over: a stroke, an infarct, a fracture, an injury."""
        codes = self.reader.ontology.codes(concept)
        return bool(codes) and all(code[:3] in group("event_codes") or code[0] in "ST" for code in codes)


def read_number(message: str) -> float | None:
    """The only number of a message, in digits or in words; None when there is none or several («60-70»)."""
    text = re.sub(r"(\d+) komma (\d+)", r"\1.\2", in_digits(plain(message)))
    text = _OF_TEN.sub("", _GRADED.sub(r"\1", text))
    found = re.findall(r"(?<![\w.,-])\d+(?:[.,]\d+)?(?![\w-])", text)
    if len(found) != 1 or re.search(r"\d\s*[-–]\s*\d", message):
        return None
    return float(found[0].replace(",", "."))


_ABBREVIATED = re.compile(r"\b(tidl|beh|kron|mnd)\.(?=\s)", re.IGNORECASE)
_PATIENT = re.compile(r"\b(pas|pt|pat)\.(?=\s)", re.IGNORECASE)
"""Words whose full stop ends no sentence, and those that something is told of."""
_OF_TEN = re.compile(r"(?<=\d) ?(?:av|/|of|out of|på en skala til) ?10(?:0)?\b")
_GRADED = re.compile(r"\b(\d+)(?:-?er|-?ar|-?ern|-?eren|-?aren)\b")
"""«En 6-er»."""


def read_age(message: str, year: int) -> float | None:
    """An age in years that is stated as one. A lone number («tja 67») is not: see `read_number`."""
    return stated_age(clean(message), year)


_OLDEST = 110
_KIN = frozenset({Subject.CHILD, Subject.PARENT, Subject.PARTNER, Subject.OTHER})


def _person(message: str, parts: tuple[Clause, ...], mentions: tuple[Mention, ...]) -> Person:
    """Whom the facts are about. A relative who only comes up («mor hadde brystkreft») is not."""
    named = person_in(message, detect(message))
    if named.subject in (None, Subject.SELF) and shows("patient", message):
        return replace(named, subject=Subject.PATIENT)
    if named.subject in (None, Subject.SELF) and shows("own_child", message):
        return replace(named, subject=Subject.CHILD)
    if named.subject is None and shows("relative", message):
        return replace(named, subject=Subject.OTHER)
    if named.subject not in _KIN or not _speaks_of_self(parts, mentions):
        return named
    own = " . ".join(part.text for part in parts if _kin(part.text) is None)
    return Person(Subject.SELF, person_in(own, detect(message)).sex)


def _speaks_of_self(parts: tuple[Clause, ...], mentions: tuple[Mention, ...]) -> bool:
    own = [intents(part.text) for part in parts if _kin(part.text) is None]
    theirs = [intents(part.text) for part in parts if _kin(part.text) is not None]
    if any("own" in seen for seen in (*own, *theirs)):
        return True
    if any(not each.family and _is_own(_clause_of(each, parts)) for each in mentions):
        return True
    late = any("late" in seen for seen in theirs)
    bygone = all(seen & {"late", "past"} for seen in theirs)
    return bygone and (late or any("own_age" in seen for seen in own))


def _age(message: str, parts: tuple[Clause, ...], person: Person, year: int) -> float | None:
    """The age of the person that the message is about, not that of the one who writes."""
    kin = [_kin(part.text) for part in parts]
    if not any(kin):
        return read_age(message, year)
    if person.subject in _KIN:
        texts = [part.text for part in parts if "own_age" not in intents(part.text)]
        theirs = [part.text for part, of in zip(parts, kin, strict=True) if of is person.subject]
    else:
        texts = [part.text for part, of in zip(parts, kin, strict=True) if of is None]
        theirs = []
    ages = (read_age(each, year) for each in (" , ".join(texts), *theirs))
    return next((age for age in ages if age is not None), None)


def _bare_age(parts: tuple[Clause, ...]) -> float | None:
    """«kols, 67, mann»: a number that is all of its clause."""
    alone = [in_digits(part.text.casefold()).strip() for part in parts]
    ages = [float(text) for text in alone if re.fullmatch(r"\d{1,3}", text) and float(text) <= _OLDEST]
    return ages[0] if len(ages) == 1 else None


def _kin(text: str) -> Subject | None:
    subject = person_in(text, detect(text)).subject
    return subject if subject in _KIN else None


def _last_kin(text: str) -> Subject | None:
    return next(filter(None, map(_kin, reversed(text.split()))), None)


def _is_own(part: Clause) -> bool:
    """Whether the writer says it of himself."""
    return person_in(part.text, "nb").subject is Subject.SELF and shows("claim", part.text)


def _is_denied(mention: Mention, part: Clause) -> bool:
    """«Ikke kreft, men kols» denies nothing after its «men»."""
    return mention.negated and (not part.turns or shows("denies", part.text))


def _clause_of(mention: Mention, parts: tuple[Clause, ...]) -> Clause:
    return next((part for part in parts if part.start <= mention.start < part.end), parts[-1])


def _overlaps(mention: Mention, others: tuple[Mention, ...]) -> bool:
    return any(mention.start < each.end and each.start < mention.end for each in others)


def _is_one_thing(mention: Mention) -> bool:
    """A loose phrase that runs over a comma was put together from two things."""
    return mention.how is not How.PHRASE or not re.search(r"[,.;:]|\b(?:men|but|og|and)\b", mention.matched)
