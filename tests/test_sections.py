import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.eligibility.sections import PieceKind, read_sections

WHOLE_TEXTS = tomllib.loads((Path(__file__).parent / "data" / "criteria_texts.toml").read_text("utf-8"))[
    "text"
]
"""Invented texts in the ways that study pages are written, each with its items."""


def items(text: str) -> list[str]:
    """Items as "section: words"."""
    found = [piece for piece in read_sections(text) if piece.kind is PieceKind.ITEM]
    return [f"{piece.section}: {' '.join(text[piece.start : piece.end].split())}" for piece in found]


@pytest.mark.parametrize(
    ("text", "included", "excluded"),
    [
        ("Inclusion Criteria:\n\n* Asthma\n\nExclusion Criteria:\n\n* COPD", "Asthma", "COPD"),
        ("INCLUSION CRITERIA\n1. Asthma\nEXCLUSION CRITERIA\n1. COPD", "Asthma", "COPD"),
        ("Key Inclusion Criteria :\n- Asthma\nMain exclusion criteria:\n- COPD", "Asthma", "COPD"),
        ("Inclusion Criteria:\n* Adults\n\nNon-inclusion criteria:\n* Dementia", "Adults", "Dementia"),
        ("Hvem kan delta?\n- Astma\n\nDu kan ikke delta dersom du:\n- har kols", "Astma", "har kols"),
        ("Kven kan vere med?\n• Astma\nKven kan ikkje vere med?\n• Kols", "Astma", "Kols"),
        ("Inklusjonskriterier:\na) Astma\nEksklusjonskriterier:\nb) Kols", "Astma", "Kols"),
        ("Inclusion: adults. Exclusion: pregnancy.", "adults.", "pregnancy."),
        ("Inclusion Criteria: Males with ED Exclusion Criteria: Nitrate use", "Males with ED", "Nitrate use"),
        ("Du kan delta hvis du er voksen. Du kan ikke delta hvis du er gravid", "er voksen.", "er gravid"),
        ("Inclusion:\n* Adults\n\nPatients will be excluded if they have:\n* COPD", "Adults", "COPD"),
    ],
)
def test_headings_of_three_languages_split_a_text(text: str, included: str, excluded: str) -> None:
    assert items(text) == [f"inclusion: {included}", f"exclusion: {excluded}"]


def test_text_before_any_heading_is_in_no_section() -> None:
    assert items("Patients with asthma\nE. coli infection") == [
        "other: Patients with asthma",
        "other: E. coli infection",
    ]


def test_marks_inside_one_line_split_it() -> None:
    assert items("Inclusion Criteria:- Age: 18 years- Males with ED- Stable relationship") == [
        "inclusion: Age: 18 years",
        "inclusion: Males with ED",
        "inclusion: Stable relationship",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "* Failure to meet any of the inclusion criteria",
        "* Other protocol-defined exclusion criteria may apply",
        "* Inclusion in another trial",
        "* Eligible for (Note: see exclusion list) surgery",
    ],
)
def test_an_item_that_talks_of_criteria_is_no_heading(line: str) -> None:
    assert items(f"Inclusion Criteria:\n{line}\n* Asthma") == [
        f"inclusion: {line.removeprefix('* ')}",
        "inclusion: Asthma",
    ]


def test_wrapped_lines_are_one_item() -> None:
    lines = [
        "Inclusion Criteria:",
        "",
        "- Histologically proven untreated stage Ib or IIa cervical carcinoma, squamous or",
        "adenocarcinoma meeting 1 of the following criteria for",
        "surgery:",
        "",
        "- Adults",
    ]
    assert items("\r\n".join(lines)) == [
        f"inclusion: {' '.join(lines[2:5]).removeprefix('- ')}",
        "inclusion: Adults",
    ]


def test_nested_items_are_deeper_and_subheadings_are_known() -> None:
    text = "Inclusion Criteria:\n\n* One of:\n\n  * Asthma\n  * COPD\n\nCohort B:\n\n* Adults"
    found = [p for p in read_sections(text) if p.kind is PieceKind.ITEM]
    assert [p.depth for p in found] == [0, 2, 2, 0]
    assert [p.under for p in found] == [":", ":", ":", ": Cohort B:"]


def holds(text: str) -> None:
    pieces = read_sections(text)
    assert "".join(text[p.start : p.end] for p in pieces) == text
    assert all(p.start < p.end for p in pieces)
    for piece in pieces:
        assert text[piece.start : piece.end].isspace() == (piece.kind is PieceKind.GAP)


LINES = st.lists(
    st.sampled_from(
        [
            "Inclusion Criteria:",
            "Du kan ikke delta dersom du",
            "* Age ≥ 18",
            "  - nested",
            "1.",
            "",
            "(note: x)",
            "•",
            "a) b",
        ]
    )
    | st.text(max_size=30),
    max_size=12,
)


@given(LINES, st.sampled_from(["\n", "\r\n", "\n\n", " ", "\r"]))
def test_every_character_belongs_to_exactly_one_piece(lines: list[str], joint: str) -> None:
    holds(joint.join(lines))


def test_nothing_is_dropped_from_real_records(
    ctgov_records: Callable[[str], Iterator[dict[str, Any]]],
) -> None:
    texts = [
        record["protocolSection"].get("eligibilityModule", {}).get("eligibilityCriteria", "")
        for stem in ("norway", "norway_reshaped")
        for record in ctgov_records(stem)
    ]
    assert len(texts) == 219
    for text in texts:
        holds(text)


@pytest.mark.parametrize("whole", WHOLE_TEXTS, ids=lambda whole: whole["id"])
def test_whole_texts_fall_into_their_items(whole: dict[str, Any]) -> None:
    assert items(whole["criteria"]) == whole["items"]
    holds(whole["criteria"])
