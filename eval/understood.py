"""What the pre-screening has understood of a person against what was told: facts in, scores by kind out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eval.people import Person
from eval.relations import canonical_unit
from eval.score import Score

Row = Mapping[str, Any]

ANSWERS = {"true": "yes", "false": "no", "none": "unknown", "ja": "yes", "nei": "no"}


def count(
    scores: defaultdict[str, Score], person: Person, given: Row, asked: frozenset[str], year: int
) -> None:
    """Add one person's facts to the scores: `all`, each kind, and two that say why a condition was wrong.

    `given` are the facts of the last line of `studievei screen --json`, `asked` the variables that were
    asked, `year` this year. `condition named` leaves its status out, `since` compares the years.
    """
    gold = person.facts
    if gold.get("subject"):
        _one(scores, "subject", given.get("subject"), {gold["subject"]})
    _one(scores, "age", given.get("age"), _ages(gold, year))
    _one(scores, "sex", given.get("sex"), {gold["sex"]} if gold.get("sex") else set())
    _conditions(scores, person, given["conditions"], year)
    _listed(scores, "drug", given["drugs"], gold["drugs"], _same_drug)
    _listed(scores, "measurement", given["measurements"], gold["measurements"], _same_measurement)
    answers = given.get("answers") or {}
    for name, answer in gold["answers"].items():
        if name in answers or name in asked:
            said = {_answer(answers[name])} if name in answers else set()
            _add(scores, "answer", right=said == {answer}, given=len(said), gold=1)


def empty(facts: Row) -> bool:
    """Whether nothing about a person has been understood."""
    lists = ("conditions", "drugs", "measurements")
    return not (facts.get("age") or facts.get("sex") or any(facts.get(name) for name in lists))


def _one(scores: defaultdict[str, Score], kind: str, given: Any, gold: set[Any]) -> None:
    _add(scores, kind, right=given in gold, given=given is not None, gold=bool(gold))


def _ages(gold: Row, year: int) -> set[Any]:
    if "born" in gold:
        return {year - gold["born"], year - gold["born"] - 1}
    return {gold["age"]} if gold.get("age") else set()


def _conditions(scores: defaultdict[str, Score], person: Person, given: Sequence[Row], year: int) -> None:
    gold = list(person.facts["conditions"])
    counted = [each for each in given if any(map(_same_code(each), gold)) or not _harmless(each, person)]
    _listed(
        scores, "condition", counted, gold, lambda one, other: _named(one, other) and _same_status(one, other)
    )
    _listed(scores, "condition named", counted, gold, _named, total=False)
    for each in gold:
        years = each.get("since_years") or ("since_year" in each and year - each["since_year"])
        found = next((one for one in counted if _named(one, each)), None)
        if years and found:
            said = found.get("since_years")
            right = said is not None and abs(said - years) <= 1
            _add(scores, "since", right=right, given=said is not None, gold=1, total=False)


def _same_code(given: Row) -> Any:
    return lambda gold: _named(given, gold)


def _harmless(given: Row, person: Person) -> bool:
    """Whether a condition beside the gold is no error: a symptom, a factor, a relative's, or declared so."""
    codes = _categories(given)
    return (
        given["status"] == "family"
        or all(code[0] in "RZ" for code in codes)
        or bool(codes & person.acceptable)
    )


def _categories(row: Row) -> set[str]:
    return {code[:3] for code in row["icd10"] or ()}


def _named(given: Row, gold: Row) -> bool:
    return bool(_categories(given) & _categories(gold))


def _same_status(given: Row, gold: Row) -> bool:
    return bool(given["status"] == gold["status"])


def _same_drug(given: Row, gold: Row) -> bool:
    return given["name"].casefold() in gold["names"] and given["status"] == gold["status"]


def _same_measurement(given: Row, gold: Row) -> bool:
    near = abs(given["value"] - gold["value"]) <= 5e-3 * abs(gold["value"])
    unit = not gold["unit"] or canonical_unit(given["unit"]) == canonical_unit(gold["unit"])
    return bool(given["name"] == gold["name"] and near and unit)


def _answer(value: Any) -> str:
    said = str(value).casefold()
    return ANSWERS.get(said, said)


def _listed(
    scores: defaultdict[str, Score],
    kind: str,
    given: Iterable[Row],
    gold: Iterable[Row],
    same: Any,
    *,
    total: bool = True,
) -> None:
    left = list(gold)
    counted = list(given)
    _add(scores, kind, given=len(counted), gold=len(left), total=total)
    for each in counted:
        found = next((other for other in left if same(each, other)), None)
        if found is not None:
            left.remove(found)
            _add(scores, kind, right=True, total=total)


def _add(
    scores: defaultdict[str, Score],
    kind: str,
    *,
    right: bool = False,
    given: int = 0,
    gold: int = 0,
    total: bool = True,
) -> None:
    for name in ("all", kind) if total else (kind,):
        scores[name].right += right
        scores[name].given += given
        scores[name].gold += gold
