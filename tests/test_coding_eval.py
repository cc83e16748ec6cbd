"""Coding is measured against the labels of hospitals, label by label."""

import json
from pathlib import Path

import pytest

from eval.reading.coding import evaluate
from ontology.errors import BadInput


def listing(title: str, *labels: str, summary: str | None = None) -> str:
    return json.dumps({"id": title, "tittel": title, "kategorier": labels, "sammendrag": summary})


def test_labels_are_counted_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "listings.jsonl"
    file.write_text(
        "\n".join(
            [
                listing("Ny behandling av astma", "Lunger og luftveier", "Kreft"),
                listing("Mestring i hverdagen", "Mental helse"),
                listing("PUST-studien", "Lunger og luftveier", summary="For deg med KOLS."),
            ]
        ),
        "utf-8",
    )
    report = evaluate(file)
    assert (report.studies, report.gold, report.uncoded) == (3, 4, 1)
    assert report.right == 2
    assert report.recall == 2 / 4
    assert report.precision == report.right / report.given


def test_the_shared_listings_are_coded_better_than_by_chance(shared_data: Path) -> None:
    report = evaluate(shared_data / "norwegian" / "fnsp_studies.jsonl")
    assert report.studies == 46
    assert report.precision > 0.5


@pytest.mark.parametrize("line", ["{", '{"id": "1"}'])
def test_a_broken_listing_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "listings.jsonl"
    file.write_text(line, "utf-8")
    with pytest.raises(BadInput, match="line 1"):
        evaluate(file)
