"""How well criteria are read is measured as the shared scorer does, and our own gold rows are sound."""

import json
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.reading.eligibility import Reader, Report, evaluate, read_rows
from eval.score import Score
from ontology.concept import load_ontology
from ontology.errors import BadInput

OWN, ENGLISH = (files("eval") / "data" / name for name in ("criteria.jsonl", "criteria_english.jsonl"))
AGE = {"kind": "age", "concept": "age", "lower": {"value": 18, "incl": True}, "unit": "year"}
ASTHMA = {"kind": "condition", "concept": "asthma", "icd10": ["J45"]}
LINE = {"id": "1", "lang": "nb", "section": "inclusion", "text": "x", "split": "dev", "relations": [AGE]}


def measured(
    folder: Path, gold: list[dict[str, Any]], given: list[dict[str, Any]], sure: bool = True
) -> Report:
    file = folder / "rows.jsonl"
    file.write_text(json.dumps({**LINE, "relations": gold}), "utf-8")
    return evaluate(read_rows(file), lambda *_: {"relations": given, "parsed": "full" if sure else "partial"})


@pytest.mark.parametrize(
    ("change", "strict", "lenient"),
    [
        ({}, 1, 1),
        ({"unit": "years"}, 1, 1),
        ({"unit": None}, 1, 1),
        ({"unit": "month"}, 0, 1),
        ({"lower": {"value": 18, "incl": False}}, 0, 1),
        ({"lower": {"value": 19, "incl": True}}, 0, 0),
        ({"upper": {"value": 75, "incl": True}}, 0, 0),
        ({"negated": True}, 0, 0),
        ({"window_days": 30}, 0, 1),
        ({"concept": "asthma", "kind": "condition"}, 0, 0),
    ],
)
def test_strict_wants_both_ends_and_unit_and_lenient_only_the_numbers(
    tmp_path: Path, change: dict[str, Any], strict: int, lenient: int
) -> None:
    report = measured(tmp_path, [AGE], [{**AGE, **change}])
    assert report.strict["all"] == Score(strict, 1, 1)
    assert report.lenient["all"] == Score(lenient, 1, 1)
    assert report.wrong_but_confident == 1 - lenient
    assert len(report.missed) == 1 - strict == 1 - report.lines_right


def test_a_window_may_be_five_percent_off(tmp_path: Path) -> None:
    def right(gold: dict[str, Any], days: float | None) -> int:
        return measured(tmp_path, [{**ASTHMA, **gold}], [{**ASTHMA, "window_days": days}]).strict["all"].right

    assert right({"window_days": 183}, 180) == 1
    assert right({"window_days": 183}, 150) == 0
    assert right({"window_days": 183}, None) == 0
    assert right({"window_days": 183, "window_free": True}, None) == 1


def test_what_is_optional_counts_neither_way(tmp_path: Path) -> None:
    example = {**ASTHMA, "optional": True}
    assert measured(tmp_path, [AGE, example], [AGE]).strict["all"] == Score(1, 1, 1)
    assert measured(tmp_path, [AGE, example], [AGE, ASTHMA]).strict["all"] == Score(1, 1, 1)
    denied = measured(tmp_path, [{**example, "negated": True}], [ASTHMA])
    assert denied.strict["all"] == Score(0, 1, 0), "an exception is never an exclusion"


def test_a_concept_with_the_same_codes_is_leniently_right(tmp_path: Path) -> None:
    other = {**ASTHMA, "concept": "asthma-severe"}
    report = measured(tmp_path, [ASTHMA], [other])
    assert (report.strict["all"].right, report.lenient["all"].right) == (0, 1)
    assert measured(tmp_path, [{**ASTHMA, "also": ["asthma-severe"]}], [other]).strict["all"].right == 1
    assert measured(tmp_path, [{**ASTHMA, "concept": None}], [other]).strict["all"].right == 1


def test_two_bounds_of_one_variable_are_a_range_but_an_or_range_is_not(tmp_path: Path) -> None:
    upper = {**AGE, "lower": None, "upper": {"value": 75, "incl": True}}
    whole = {**AGE, "upper": upper["upper"]}
    assert measured(tmp_path, [whole], [AGE, upper]).strict["all"] == Score(1, 1, 1)
    young = {**upper, "upper": {"value": 12, "incl": False}}
    assert measured(tmp_path, [young, AGE], [whole]).strict["all"] == Score(0, 1, 2)


def test_alternatives_are_told_from_demands_that_stand_together(tmp_path: Path) -> None:
    either = [{**ASTHMA, "group": 1}, {**AGE, "group": 1}]
    assert measured(tmp_path, either, [{**each, "group": 7} for each in either]).joints_right == 1
    both = measured(tmp_path, either, [ASTHMA, AGE])
    assert (both.joints, both.joints_right, both.strict["all"].right) == (1, 0, 2)


def test_what_is_said_in_two_ways_is_the_same(tmp_path: Path) -> None:
    def right(gold: dict[str, Any], *given: dict[str, Any]) -> Score:
        return measured(tmp_path, [gold], list(given)).strict["all"]

    languages = {"kind": "language", "concept": "language", "values": ["no", "en"]}
    spoken = [{"kind": "language", "concept": name} for name in ("language_nb", "language_en")]
    assert right(languages, *spoken) == right(languages, languages) == Score(2, 2, 2)
    negative = {"kind": "other", "concept": "her2", "values": ["negative"]}
    assert right(negative, {"kind": "other", "concept": "gene_her2", "negated": True}) == Score(1, 1, 1)
    assert right(negative, {"kind": "other", "concept": "her2"}) == Score(0, 1, 1)
    half = {"kind": "score", "concept": "cdr", "values": [0.5]}
    both = {"lower": {"value": 0.5, "incl": True}, "upper": {"value": 0.5, "incl": True}}
    assert right(half, {"kind": "score", "concept": "cdr", **both}) == Score(1, 1, 1)


def test_only_what_was_read_wholly_is_held_to_be_confident(tmp_path: Path) -> None:
    assert measured(tmp_path, [], [ASTHMA], sure=False).wrong_but_confident == 0
    assert measured(tmp_path, [], [ASTHMA]).wrong_but_confident_share == 1


def test_a_variable_that_the_rows_do_not_know_is_not_judged(tmp_path: Path) -> None:
    report = measured(tmp_path, [ASTHMA], [ASTHMA, {**AGE, "concept": "esr", "kind": "lab"}])
    assert report.strict["all"] == Score(1, 1, 1)


def test_the_same_relation_twice_is_right_once(tmp_path: Path) -> None:
    assert measured(tmp_path, [ASTHMA], [ASTHMA, ASTHMA]).strict["all"] == Score(1, 2, 1)


@pytest.mark.parametrize(
    "row", ["{", json.dumps({"id": "1"}), json.dumps({**LINE, "relations": [{"kind": "age"}]})]
)
def test_a_file_of_another_shape_is_refused_by_name(tmp_path: Path, row: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(row, "utf-8")
    with pytest.raises(BadInput):
        read_rows(file)


def _own_rows() -> list[dict[str, Any]]:
    return [json.loads(line) for file in (OWN, ENGLISH) for line in file.read_text("utf-8").splitlines()]


def test_our_rows_are_whole_and_halved_in_every_language() -> None:
    rows = _own_rows()
    assert len({row["id"] for row in rows}) == len({row["text"] for row in rows}) == len(rows)
    sizes = Counter(
        (row["lang"], row["split"]) for row in map(json.loads, OWN.read_text("utf-8").splitlines())
    )
    for language in ("nb", "nn", "en"):
        assert 0.7 < sizes[language, "dev"] / sizes[language, "test"] < 1.4


def test_our_rows_name_concepts_of_the_ontology() -> None:
    ontology = load_ontology()
    coded = [
        each
        for row in _own_rows()
        for each in row["relations"]
        if each["kind"] in {"condition", "drug", "procedure"}
    ]
    for each in coded:
        for name in (each["concept"], *each.get("also", ())):
            assert name in ontology.concepts or each["icd10"] or each["atc"], each


def test_what_is_read_without_fault_scores_one() -> None:
    with as_file(OWN) as file:
        rows = read_rows(file)
    gold = {(row["section"], row["text"]): row["relations"] for row in _own_rows()}
    report = evaluate(rows, lambda section, text: {"relations": gold[section, text], "parsed": "full"})
    assert report.strict["all"].f1 == report.lenient["all"].f1 == 1
    assert report.lines == report.lines_right
    assert not report.wrong_but_confident


def test_shared_lines_are_scored_as_the_shared_tool_does(shared_data: Path, tmp_path: Path) -> None:
    gold = shared_data / "eligibility" / "lct_dev.jsonl"
    tool = shared_data.parent / "tools" / "score_relations.py"
    rows = [json.loads(line) for line in gold.read_text("utf-8").splitlines()]
    given = {row["id"]: list(_spoilt(row["constraints"])) for row in rows}
    lines = (json.dumps({"id": name, "constraints": listed}) for name, listed in given.items())
    (tmp_path / "given.jsonl").write_text("\n".join(lines), "utf-8")
    theirs = subprocess.run(
        [sys.executable, tool, "lct", gold, tmp_path / "given.jsonl", "dev"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ours = evaluate(read_rows(gold, "dev"), _answers(rows, given))
    printed = {name: _printed(score) for name, score in _named(ours)}
    assert printed.items() <= dict(_scores(theirs)).items()
    assert len(printed) > 5
    assert ours.strict["all"].right != ours.lenient["all"].right


def _spoilt(constraints: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The gold of a line, some of it lost, wrong in unit, number or inclusion, or of another variable."""
    for each in constraints:
        given = {name: each[name] for name in ("canon", "lower", "upper", "unit", "kind")}
        given |= {"values": each.get("values")}
        fault = zlib.crc32(json.dumps(each).encode()) % 8
        if fault == 0:
            continue
        if fault == 1:
            given |= {"unit": "kg"}
        if fault == 2 and each["lower"]:
            given |= {"lower": {**each["lower"], "incl": not each["lower"].get("incl", True)}}
        if fault == 3 and each["upper"]:
            given |= {"upper": {**each["upper"], "value": each["upper"]["value"] + 1}}
        if fault == 4:
            given |= {"canon": "bmi"}
        if fault == 5 and each["lower"] and each["upper"]:
            yield {**given, "upper": None}
            given |= {"lower": None}
        yield given


def _answers(rows: list[dict[str, Any]], given: Mapping[str, list[dict[str, Any]]]) -> Reader:
    """A reader that says what was given, in the order of the rows."""
    turn = iter([given[row["id"]] for row in rows])
    return lambda *_: {
        "relations": [{**each, "concept": each["canon"]} for each in next(turn)],
        "parsed": "full",
    }


def _named(report: Report) -> Iterator[tuple[str, Score]]:
    yield "strict all", report.strict["all"]
    yield "no unit/incl all", report.lenient["all"]
    yield from (
        ("strict " + name.removeprefix("kind "), each)
        for name, each in report.strict.items()
        if "kind" in name
    )


def _printed(score: Score) -> tuple[int, int, int]:
    return score.right, score.given, score.gold


def _scores(printed: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    for line in printed.splitlines():
        name, found, rest = line.partition(" tp=")
        if found:
            yield (
                name.strip(),
                tuple(int(part.split()[0]) for part in ("=" + rest).replace("P=", "").split("=")[1:4]),
            )


def test_the_command_measures_what_programs_get(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({**LINE, "text": "Du må være fylt 18 år", "relations": [AGE]}), "utf-8")
    answer = CliRunner().invoke(app, ["eligibility", str(file), "--json"])
    assert answer.exit_code == 0, answer.output
    measured = json.loads(answer.stdout)
    assert measured["strict"]["all"] == {
        "right": 1, "given": 1, "gold": 1, "precision": 1, "recall": 1, "f1": 1
    }  # fmt: skip
    assert (measured["lines_right"], measured["wrong_but_confident_share"]) == (1, 0)
