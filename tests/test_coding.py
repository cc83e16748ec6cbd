from typing import Any

import pytest

from ontology.concept import Ontology, load_ontology
from ontology.linker import Linker
from registry.coding import Codes, Evidence, code_study
from registry.study import Status, Study


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture(scope="module")
def linker(ontology: Ontology) -> Linker:
    return Linker(ontology)


@pytest.fixture
def code(ontology: Ontology, linker: Linker) -> Any:
    def of(title: str, language: str = "en", **fields: Any) -> Codes:
        study = Study("S", "form", title, Status.OPEN, language, **fields)
        return code_study(study, ontology, linker)

    return of


@pytest.mark.parametrize(
    ("language", "condition", "icd10", "category"),
    [
        ("en", "Heart Failure", "I50", "Hjerte og kar"),
        ("nb", "hjertesvikt", "I50", "Hjerte og kar"),
        ("en", "Type 2 Diabetes Mellitus", "E11", "Stoffskifte og hormoner"),
        ("nn", "sukkersjuke", "E11", "Stoffskifte og hormoner"),
        ("en", "Breast Cancer", "C50", "Kreft"),
    ],
)
def test_a_condition_gives_its_codes(
    code: Any, language: str, condition: str, icd10: str, category: str
) -> None:
    codes = code("Exercise", language, conditions=(condition,))
    assert icd10 in codes.icd10
    assert category in codes.hrcs


def test_every_code_says_where_it_came_from(code: Any) -> None:
    codes = code("Trening ved astma", "nb", keywords=("hjertesvikt",), icd10=("M17",), hrcs=("Hud",))
    assert codes.icd10[0] == "M17"
    assert codes.hrcs[0] == "Hud"
    assert Evidence("M17", "icd10", "M17", None) in codes.evidence
    assert {each.code for each in codes.evidence} == {*codes.icd10, *codes.hrcs}
    words = {(each.field, each.words) for each in codes.evidence if each.concept}
    assert words == {("title", "astma"), ("keywords", "hjertesvikt")}


def test_a_broader_condition_beside_a_narrower_one_gives_no_code(code: Any) -> None:
    narrow = code("Exercise", conditions=("Breast Cancer",))
    assert code("Exercise in cancer", conditions=("Breast Cancer",)).icd10 == narrow.icd10


def test_what_is_denied_or_only_a_drug_gives_no_code(code: Any) -> None:
    assert code("Metformin").icd10 == ()
    assert code("People without asthma").icd10 == ()
