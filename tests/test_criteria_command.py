import json

from typer.testing import CliRunner

from api.cli import app

LINES = (
    {"id": "a", "section": "exclusion", "text": "Kreatinin > 150 µmol/L eller trombocytter < 50.000/mm3"},
    {"id": "b", "section": "inclusion", "text": "Type 2 diabetes, HbA1c 53-75 mmol/mol"},
)


def _lines(result: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.splitlines()]


def test_one_criterion_a_line_becomes_relations_as_stated() -> None:
    result = CliRunner().invoke(app, ["criteria", "--jsonl"], input="\n".join(map(json.dumps, LINES)))
    first, second = (row["relations"] for row in _lines(result.output))
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert [(r["kind"], r["concept"], r["operator"], r["unit"]) for r in first] == [
        ("lab", "creatinine", ">", "umol/l"),
        ("lab", "platelets", "<", "/ul"),
    ]
    assert first[1]["upper"] == {"value": 50000.0, "incl": False}
    assert [(r["concept"], r["icd10"]) for r in second] == [("diabetes-type-2", "E11"), ("hba1c", None)]


def test_a_line_that_is_no_criterion_names_the_remedy() -> None:
    result = CliRunner().invoke(app, ["criteria", "--jsonl"], input="[]\n")
    assert result.exit_code != 0
    assert '"section"' in str(result.exception)
