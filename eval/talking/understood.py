"""What the pre-screening has understood of a person against what was told: facts in, outcomes out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eval.reading.relations import canonical_unit
from eval.talking.people import Person

Row = Mapping[str, Any]
Same = Callable[[Row, Row], bool]

ANSWERS = {"true": "yes", "false": "no", "none": "unknown"}
DETAILS = frozenset({"condition named", "since"})
"""Kinds that say why a condition was wrong (a name without its status, and years): no facts of their own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A fact that was given, one that should have been, or (both) one that is right."""

    kind: str
    given: Any = None
    gold: Any = None

    @property
    def right(self) -> bool:
        """Whether the fact was told and understood."""
        return self.given is not None and self.gold is not None


def compare(person: Person, given: Row, asked: frozenset[str], year: int) -> Iterator[Outcome]:
    """Every fact that was understood or should have been.

    `given` are the facts of the last line of `studievei screen --json`, `asked` the variables that were
    asked, `year` this year.
    """
    gold = person.facts
    if gold["subject"]:
        yield from _one("subject", given["subject"], {gold["subject"]})
    yield from _one("age", given["age"], _ages(gold, year))
    if given["sex"] or "sex" not in gold.get("optional", ()):
        yield from _one("sex", given["sex"], {gold["sex"]} - {None})
    yield from _conditions(person, given["conditions"], year)
    yield from _listed("drug", given["drugs"], gold["drugs"], _same_drug)
    yield from _listed("measurement", given["measurements"], gold["measurements"], _same_measurement)
    answers = {name: _answer(value) for name, value in given["answers"].items()}
    for name, answer in gold["answers"].items():
        if name in answers or name in asked:
            yield from _one("answer", answers.get(name), {answer})


def empty(facts: Row) -> bool:
    """Whether nothing about a person has been understood."""
    names = ("age", "sex", "conditions", "drugs", "measurements")
    return not any(facts.get(name) for name in names)


def _one(kind: str, given: Any, gold: set[Any]) -> Iterator[Outcome]:
    if any(_near(given, each) for each in gold):
        yield Outcome(kind, given, given)
        return
    if given is not None:
        yield Outcome(kind, given)
    if gold:
        yield Outcome(kind, gold=" or ".join(map(str, gold)))


def _near(given: Any, gold: Any) -> bool:
    """The same, or the same age but for a month."""
    numbers = isinstance(given, float | int) and isinstance(gold, float | int)
    return abs(given - gold) < 1 / 12 if numbers else bool(given == gold)


def _listed(kind: str, given: Iterable[Row], gold: Iterable[Row], same: Same) -> Iterator[Outcome]:
    left = list(gold)
    for each in given:
        found = next((other for other in left if same(each, other)), None)
        if found is not None:
            left.remove(found)
        yield Outcome(kind, each, found)
    yield from (Outcome(kind, gold=each) for each in left)


def _ages(gold: Row, year: int) -> set[Any]:
    if "born" in gold:
        return {year - gold["born"], year - gold["born"] - 1}
    return {gold["age"]} if gold.get("age") else set()


def _conditions(person: Person, given: Iterable[Row], year: int) -> Iterator[Outcome]:
    gold = person.facts["conditions"]
    counted = [
        each for each in given if any(_named(each, one) for one in gold) or not _harmless(each, person)
    ]
    for kind, same in (("condition", _same_condition), ("condition named", _named)):
        for outcome in _listed(kind, counted, gold, same):
            repeats = outcome.gold is None and any(same(outcome.given, one) for one in gold)
            if not repeats:
                yield outcome
    for each in gold:
        years = year - each["since_year"] if "since_year" in each else each.get("since_years")
        found = next((one for one in counted if _named(one, each)), None)
        if years is not None and found:
            yield from _one("since", found.get("since_years"), {years - 1, years, years + 1})


def _harmless(given: Row, person: Person) -> bool:
    """Whether a condition beside the gold is no error: a symptom, a factor, a relative's, or declared so."""
    codes = _categories(given)
    declared = bool(codes & person.acceptable) or all(code[0] in "RZ" for code in codes)
    return declared or bool(given["status"] == "family")


def _categories(row: Row) -> set[str]:
    return {code[:3] for code in row["icd10"] or ()}


def _named(given: Row, gold: Row) -> bool:
    return bool(_categories(given) & _categories(gold))


def _same_status(given: Row, gold: Row) -> bool:
    return bool(given["status"] == gold["status"])


def _same_condition(given: Row, gold: Row) -> bool:
    return _named(given, gold) and _same_status(given, gold)


def _same_drug(given: Row, gold: Row) -> bool:
    return given["name"].casefold() in gold["names"] and _same_status(given, gold)


def _same_measurement(given: Row, gold: Row) -> bool:
    near = abs(given["value"] - gold["value"]) <= 5e-3 * abs(gold["value"])
    unit = not gold["unit"] or canonical_unit(given["unit"]) == canonical_unit(gold["unit"])
    return bool(given["name"] == gold["name"] and near and unit)


def _answer(value: Any) -> str:
    said = str(value).casefold()
    return ANSWERS.get(said, said)
