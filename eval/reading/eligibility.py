"""How well criteria are read: lines with what they state in, precision and recall by kind out."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from eval.reading.relations import Fact, alike, facts, joined, same, same_ends
from eval.rows import read_jsonl
from eval.score import Score

Reader = Callable[[str, str], Mapping[str, Any]]
"""(section, text of one criterion) -> the line that `studievei criteria --jsonl` writes."""

CODED = frozenset({"condition", "drug", "procedure"})
"""Kinds whose concepts are those of the ontology."""

Same = Callable[[Fact, Fact], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One line and what it states. `loose` are statements without an agreed name: reading one is no error.

    `variables` are the agreed names that it uses, with their kinds.
    """

    id: str
    language: str
    section: str
    text: str
    gold: tuple[Fact, ...]
    loose: tuple[Fact, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file and the variables they use, with their kinds: a reading of another is not judged.

    Conditions, drugs and procedures always are, but not in `shared` rows, which hold numbers and scores only.
    """

    rows: tuple[Row, ...]
    variables: Mapping[str, str]
    shared: bool


@dataclass(slots=True)
class Report:
    """Scores by group: `all`, `lang nb`, `kind lab` ...

    `lines_right` counts lines where all was found and nothing else. `wrong_but_confident` counts relations
    that are not even leniently right, on lines said to be wholly read. `joints_right` counts pairs of right
    relations of one line that are rightly held to be alternatives (or), or not; `joints` all such pairs.
    `missed` says of each line that is not wholly right what was missed and what was wrong.
    """

    lines: int = 0
    lines_right: int = 0
    given: int = 0
    wrong_but_confident: int = 0
    joints: int = 0
    joints_right: int = 0
    seconds: float = 0.0
    strict: defaultdict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    lenient: defaultdict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    missed: list[str] = field(default_factory=list)

    @property
    def wrong_but_confident_share(self) -> float:
        """Of all relations given."""
        return self.wrong_but_confident / self.given if self.given else 0.0


def read_rows(file: Path, split: str = "") -> Rows:
    """Our own rows or the shared lct rows; with `split` only those of that half.

    Raises:
        BadInput: the file is missing, a line is not JSON, or a field is missing.
    """
    rows = [row for row in read_jsonl(file, _row, split) if row is not None]
    variables = {name: kind for row in rows for name, kind in row.variables.items()}
    return Rows(tuple(rows), variables, shared=any(row.shared for row in rows))


def evaluate(rows: Rows, read: Reader) -> Report:
    """Read every line and compare what is read with the gold."""
    report = Report()
    started = time.perf_counter()
    answers = [read(row.section, row.text) for row in rows.rows]
    report.seconds = time.perf_counter() - started
    for row, answer in zip(rows.rows, answers, strict=True):
        given = joined(_judged(facts(answer["relations"]), rows))
        _count(report, row, given, confident=answer.get("parsed") == "full")
    return report


def _row(row: Mapping[str, Any]) -> Row | None:
    """A row of either form; None for a shared row whose gold is in doubt."""
    if "constraints" in row:
        return _shared(row) if row["clean"] else None
    gold = tuple(joined(facts(row["relations"])))
    variables = {name: each.kind for each in gold for name in each.names if each.kind not in CODED}
    return Row(row["id"], row["lang"], row["section"], row["text"], gold, (), variables)


def _shared(row: Mapping[str, Any]) -> Row:
    agreed = [each for each in row["constraints"] if each["scorable"]]
    gold = joined(facts(each for each in agreed if not each.get("alt_of_previous")))
    loose = [each for each in row["constraints"] if not each["scorable"] or each.get("alt_of_previous")]
    variables = {each["canon"]: each["kind"] for each in agreed}
    return Row(
        row["id"],
        "en",
        row["section"],
        row["text"],
        tuple(gold),
        tuple(facts(loose)),
        variables,
        shared=True,
    )


def _judged(given: Iterator[Fact], rows: Rows) -> Iterator[Fact]:
    for each in given:
        known = each.name in rows.variables
        if rows.shared and known and (each.lower or each.upper or each.values):
            yield replace(each, kind=rows.variables[each.name])
        elif not rows.shared and (known or each.kind in CODED):
            yield each


def _count(report: Report, row: Row, given: Sequence[Fact], *, confident: bool) -> None:
    strict, missing = _paired(given, row.gold, same)
    lenient, unseen = _paired(given, row.gold, alike)
    _score(report.strict, row, strict, missing)
    _score(report.lenient, row, lenient, unseen)
    if not row.shared:
        _count_joints(report, [(each, found) for each, found in strict if found and not found.optional])
    wrong = [each for each, found in strict if not found and not _harmless(each, row)]
    astray = [each for each, found in lenient if not found and not _harmless(each, row)]
    report.lines += 1
    report.lines_right += not wrong and not missing
    report.given += len(given)
    report.wrong_but_confident += len(astray) if confident else 0
    if wrong or missing:
        report.missed.append(_told(row, missing, wrong, confident=confident))


def _count_joints(report: Report, right: Sequence[tuple[Fact, Fact]]) -> None:
    for (one, gold), (other, gold_too) in combinations(right, 2):
        report.joints += 1
        report.joints_right += _alternatives(one, other) == _alternatives(gold, gold_too)


def _alternatives(one: Fact, other: Fact) -> bool:
    return one.group is not None and one.group == other.group


def _paired(
    given: Sequence[Fact], gold: Sequence[Fact], match: Same
) -> tuple[list[tuple[Fact, Fact | None]], list[Fact]]:
    """Each given fact with the gold fact it states, and the required ones that nobody states.

    Required ones are taken first, each once.
    """
    left = sorted(gold, key=lambda each: each.optional)
    pairs: list[tuple[Fact, Fact | None]] = []
    for each in given:
        found = next((other for other in left if match(each, other)), None)
        pairs.append((each, found))
        if found:
            left.remove(found)
    return pairs, [each for each in left if not each.optional]


def _harmless(given: Fact, row: Row) -> bool:
    """Whether an unmatched fact is no error: something optional, or a measure without an agreed name."""
    extra = any(each.optional and alike(given, each) for each in row.gold)
    return extra or any(same_ends(given, each) for each in row.loose)


def _score(
    scores: defaultdict[str, Score],
    row: Row,
    pairs: Sequence[tuple[Fact, Fact | None]],
    missing: Sequence[Fact],
) -> None:
    for given, found in pairs:
        if not (found.optional if found else _harmless(given, row)):
            for group in _groups(row, found or given):
                scores[group].given += 1
                scores[group].right += found is not None
    for each in (*missing, *(found for _, found in pairs if found and not found.optional)):
        for group in _groups(row, each):
            scores[group].gold += 1


def _groups(row: Row, each: Fact) -> tuple[str, ...]:
    return ("all", f"lang {row.language}", f"kind {each.kind}")


def _told(row: Row, missing: Sequence[Fact], wrong: Sequence[Fact], *, confident: bool) -> str:
    parts = (("missed", missing), ("wrong, and sure of it" if confident else "wrong", wrong))
    said = "; ".join(f"{word}: {', '.join(map(str, facts))}" for word, facts in parts if facts)
    return f"{row.id}\t{row.text}\t{said}"
