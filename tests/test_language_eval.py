"""How everyday words are understood is measured as the rows say, and the rows themselves are sound."""

import json
from collections import Counter
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from api.linking import Intent, link
from eval.reading.language import evaluate, read_rows
from ontology.concept import load_ontology
from ontology.errors import BadInput
from ontology.hrcs import canonical
from ontology.icd10 import exists
from ontology.linker import Linker

OWN = files("eval") / "data" / "lay_queries.jsonl"
ROW = {"id": "1", "query": "sukkersyke", "lang": "nb", "type": "lay_synonym", "icd10": ["E11"]}
REST = {"hrcs": "Stoffskifte og hormoner", "help": [], "split": "dev"}


def written(folder: Path, *changes: dict[str, object]) -> Path:
    file = folder / "rows.jsonl"
    file.write_text("\n".join(json.dumps({**ROW, **REST, **each}) for each in changes), "utf-8")
    return file


def test_shares_are_counted_over_the_rows_that_ask_for_them(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        {},
        {"query": "astma", "icd10": ["E11"]},
        {"query": "hvordan går det", "type": "none", "icd10": []},
        {"query": "diabetes", "type": "none", "icd10": []},
        {"query": "han puster ikke", "type": "emergency", "icd10": [], "help": ["113"]},
    )
    report = evaluate(read_rows(file))
    assert report.overall["hit1"] == report.overall["hit3"] == report.overall["hrcs"] == 1 / 2
    assert report.overall["false_concept"] == 1 / 2
    assert report.overall["emergency_found"] == 1
    assert report.overall["false_alarm"] == 0
    assert report.by_type["lay_synonym"]["rows"] == 2
    assert len(report.missed) == 2


def test_a_half_is_measured_alone(tmp_path: Path) -> None:
    file = written(tmp_path, {}, {"split": "test"})
    assert len(read_rows(file, "test")) == 1
    assert len(read_rows(file)) == 2


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "1"}'])
def test_a_broken_row_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f"{json.dumps(ROW | REST)}\n{line}\n", "utf-8")
    with pytest.raises(BadInput, match="line 2"):
        read_rows(file)


@pytest.mark.parametrize(
    ("text", "intent", "numbers"),
    [
        ("mor er blitt senil", Intent.CONDITION, ()),
        ("ikke diabetes", Intent.NONE, ()),
        ("svært vondt i brystet nå", Intent.EMERGENCY, ("113",)),
        ("hvordan går det", Intent.NONE, ()),
    ],
)
def test_a_text_says_what_it_wants(text: str, intent: Intent, numbers: tuple[str, ...]) -> None:
    ontology = load_ontology()
    linked = link(text, Linker(ontology), ontology)
    assert (linked.intent, linked.help) == (intent, numbers)


def test_our_own_rows_are_sound_and_halved_by_type() -> None:
    with as_file(OWN) as file:
        rows = read_rows(file)
    assert len(rows) >= 600
    assert len({row.query.casefold() for row in rows}) == len({row.id for row in rows}) == len(rows)
    assert all(exists(code) for row in rows for code in row.icd10)
    raw = [json.loads(line) for line in OWN.read_text("utf-8").splitlines()]
    assert all(canonical(row["hrcs"]) for row in raw)
    halves = Counter((row.type, row.split) for row in rows)
    assert all(abs(halves[kind, "dev"] - halves[kind, "test"]) <= 1 for kind, _ in halves)


def test_our_own_rows_are_not_those_of_the_shared_set(shared_data: Path) -> None:
    theirs = {row.query.casefold() for row in read_rows(shared_data / "lay_queries_dev.jsonl")}
    with as_file(OWN) as file:
        ours = {row.query.casefold() for row in read_rows(file)}
    assert not theirs & ours
