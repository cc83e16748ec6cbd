from dataclasses import replace

import pytest

from nlp.eligibility.criteria import Criterion, Parsed
from nlp.eligibility.logic import And, Not, Or, Rule, Unread
from nlp.eligibility.questions import Question, ask, questions_for, wording
from nlp.eligibility.relations import Bound, Kind, Relation
from nlp.eligibility.sections import Section
from nlp.eligibility.variables import Answerer, QuestionKind, variable, variables
from ontology.concept import Concept, Form, FormKind, Ontology
from ontology.concept import Kind as ConceptKind
from ontology.errors import BadInput
from ontology.wording import LANGUAGES

ADULT = Relation(Kind.AGE, "age", lower=Bound(18.0))
ANY_SEX = Relation(Kind.SEX, "sex", values=("female", "male"))
DIABETES = Relation(Kind.CONDITION, "condition:diabetes", concept="diabetes")
STROKE = Relation(Kind.CONDITION, "history:stroke", concept="stroke")
PREGNANT = Relation(Kind.PREGNANCY, "pregnancy")
CONSENT = Relation(Kind.CONSENT, "informed_consent")

ONTOLOGY = Ontology(
    [
        Concept(
            "diabetes",
            ConceptKind.CONDITION,
            "diabetes",
            "diabetes",
            "diabetes",
            (
                Form("diabetes", "nb", FormKind.NAME),
                Form("sukkersyke", "nb", FormKind.SYNONYM),
                Form("sukkersjuke", "nn", FormKind.SYNONYM),
                Form("tisser mye", "nb", FormKind.PHRASE),
            ),
        ),
        Concept("stroke", ConceptKind.CONDITION, "hjerneslag", "hjerneslag", "stroke", ()),
    ],
    {},
)


def criterion(number: int, rule: Rule | None, section: Section = Section.INCLUSION) -> Criterion:
    return Criterion(f"c{number}", "", 0, 0, section, rule, Parsed.FULL, Answerer.PATIENT)


CRITERIA = (
    criterion(1, Not(Or((PREGNANT, STROKE))), Section.EXCLUSION),
    criterion(2, And((DIABETES, ADULT, Unread(0, 1)))),
    criterion(3, ADULT, Section.RECORD),
    criterion(4, ANY_SEX, Section.RECORD),
    criterion(5, CONSENT),
    criterion(6, None),
)


def test_one_question_serves_every_criterion_that_needs_the_fact() -> None:
    assert {q.variable: q.criteria for q in questions_for(CRITERIA)} == {
        "age": ("c2", "c3"),
        "sex": ("c4",),
        "condition:diabetes": ("c2",),
        "history:stroke": ("c1",),
        "pregnancy": ("c1",),
    }


def test_age_and_sex_come_first_then_what_inclusion_needs_and_the_sensitive_last() -> None:
    assert [q.id for q in questions_for(CRITERIA)] == [
        "age",
        "sex",
        "condition:diabetes",
        "history:stroke",
        "pregnancy",
    ]


def test_what_only_the_study_team_can_tell_is_asked_of_them() -> None:
    assert [q.id for q in questions_for(CRITERIA, Answerer.STUDY_TEAM)] == ["informed_consent"]


def test_a_question_tells_what_an_answer_looks_like() -> None:
    age, sex, diabetes, *_ = questions_for(CRITERIA)
    assert (age.kind, age.unit, age.lower, age.upper) == (QuestionKind.NUMBER, "year", 0.0, 120.0)
    assert (sex.kind, sex.choices) == (QuestionKind.CHOICE, ("female", "male"))
    assert diabetes.kind is QuestionKind.YES_NO


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, "pregnancy"),
        ({"sex": "female", "age": 30}, "pregnancy"),
        ({"sex": "female", "age": 55.9}, "pregnancy"),
        ({"sex": None, "age": None}, "pregnancy"),
        ({"sex": "male"}, None),
        ({"sex": "female", "age": 56}, None),
        ({"sex": "female", "age": 11}, None),
        ({"pregnancy": None}, None),
    ],
)
def test_nobody_is_asked_what_cannot_concern_them_or_is_answered(
    answers: dict[str, float | str | None], expected: str | None
) -> None:
    question = ask(questions_for(CRITERIA[:1])[1:], answers)
    assert (question and question.id) == expected


def test_wording_is_plain_in_three_languages_and_explains_hard_words() -> None:
    question = questions_for(CRITERIA)[2]
    assert wording(question, "nb", ONTOLOGY) == ("Har du diabetes?", "Kalles også: sukkersyke.")
    assert wording(question, "nn", ONTOLOGY) == ("Har du diabetes?", "Blir også kalla: sukkersjuke.")
    assert wording(question, "en", ONTOLOGY) == ("Do you have diabetes?", "")
    history = replace(question, variable="history:stroke")
    assert wording(history, "nb", ONTOLOGY) == ("Har du, eller har du hatt, hjerneslag?", "")


def test_a_concept_or_a_variable_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(BadInput, match="gout"):
        wording(Question("condition:gout", QuestionKind.YES_NO, ()), "nb", ONTOLOGY)
    with pytest.raises(BadInput, match="Known: "):
        variable("shoe_size")


CONCEPT_ROWS = {
    "condition",
    "history",
    "drug",
    "procedure",
    "allergy",
    "last_condition",
    "last_drug",
    "last_procedure",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_variable_is_asked_and_explained_in_every_language(language: str) -> None:
    for name in variables().keys() - CONCEPT_ROWS:
        asked, explained = wording(Question(name, variables()[name].kind, ()), language)
        assert asked.endswith("?")
        assert explained
        assert not {"{", "}"} & {*asked, *explained}
    assert all(row.nb and row.nn and row.en for name, row in variables().items() if name not in CONCEPT_ROWS)
