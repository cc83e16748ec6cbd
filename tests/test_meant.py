from importlib.resources import files

import pytest

from nlp.eligibility.criteria import read_line
from nlp.eligibility.meant import methods
from nlp.eligibility.sections import Section
from ontology.concept import Kind, Ontology, load_ontology
from ontology.linker import Linker
from ontology.table import read_table


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture(scope="module")
def linker(ontology: Ontology) -> Linker:
    return Linker(ontology)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Foot ulcer", []),
        ("Class I pacing indication", []),
        ("Seizures in the last year", ["convulsion"]),
        ("Epilepsy", ["epilepsy"]),
        ("Prior lung transplantation", ["lung-transplantation"]),
        ("Received antibiotic treatment", ["antibiotics"]),
        ("Left ventricular hypertrophy", []),
    ],
)
def test_what_is_near_in_a_search_is_not_what_a_criterion_asks(
    text: str, expected: list[str], linker: Linker, ontology: Ontology
) -> None:
    line = read_line(text, Section.EXCLUSION, linker, ontology)
    assert [each.relation.concept for each in line.stated] == expected


def test_every_row_is_of_a_name_that_the_linker_finds(linker: Linker, ontology: Ontology) -> None:
    for row in read_table(files("nlp.eligibility") / "meant.tsv", "found meant forms"):
        ontology.get(row.cells["found"])
        for other in row.words("meant"):
            ontology.get(other)
        for form in row.texts("forms"):
            assert row.cells["found"] in {each.concept for each in linker.link(form, "en", forgiving=False)}


def test_methods_are_procedures(ontology: Ontology) -> None:
    assert {ontology.get(name).kind for name in methods()} == {Kind.PROCEDURE}
