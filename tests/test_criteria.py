from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.eligibility.criteria import Criterion, Parsed, read_criteria
from nlp.eligibility.logic import And, AtLeast, Not, Or, Rule, Truth, Unread, outcomes, relations
from nlp.eligibility.relations import Relation
from nlp.eligibility.sections import Section
from nlp.eligibility.variables import Answerer
from nlp.eligibility.vocabulary import entries
from ontology.concept import Concept, Form, FormKind, Kind, Ontology
from ontology.linker import Linker
from registry.ctgov import read_study
from registry.study import Sex, Status, Study

NAMES = {
    "diabetes": ("diabetes", "E14"),
    "diabetes-type-2": ("type 2 diabetes", "E11"),
    "asthma": ("asthma", "J45"),
    "astma": ("astma", "J45"),
    "copd": ("COPD", "J44"),
    "stroke": ("stroke", "I64"),
    "cancer": ("cancer", "C80"),
    "hypertension": ("hypertension", "I10"),
    "screening": ("screening", "Z13"),
}


def _forms(name: str) -> tuple[Form, ...]:
    more = (
        Form("HT", "any", FormKind.ABBREVIATION),
        Form("uncontrolled hypertension", "en", FormKind.SYNONYM),
    )
    return (Form(name, "en", FormKind.NAME), *(more if name == "hypertension" else ()))


ONTOLOGY = Ontology(
    [
        Concept(key, Kind.CONDITION, name, name, name, _forms(name), icd10=(code,))
        for key, (name, code) in NAMES.items()
    ],
    {},
)
LINKER = Linker(ONTOLOGY)
STUDY = Study("S1", "form", "A study", Status.OPEN)


def shown(rule: Rule | None) -> str:
    """A rule in one line: ? is unread, & and | join."""
    if rule is None or isinstance(rule, Unread):
        return "-" if rule is None else "?"
    match rule:
        case Relation():
            return _shown_relation(rule)
        case Not(part):
            return f"not {shown(part)}"
        case And(parts):
            return f"({' & '.join(map(shown, parts))})"
        case Or(parts):
            return f"({' | '.join(map(shown, parts))})"
        case AtLeast(count, parts):
            return f"{count} of ({', '.join(map(shown, parts))})"


def _shown_relation(relation: Relation) -> str:
    name = relation.variable.removeprefix("condition:")
    lower, upper = relation.lower, relation.upper
    low = "" if lower is None else f"{'>=' if lower.inclusive else '>'}{lower.value:g}"
    high = "" if upper is None else f"{'<=' if upper.inclusive else '<'}{upper.value:g}"
    return f"{name}{low}{high}" + (f"={'/'.join(relation.values)}" if relation.values else "")


def read(text: str, study: Study = STUDY) -> list[Criterion]:
    found = read_criteria(replace(study, criteria=text), LINKER, ONTOLOGY)
    return [criterion for criterion in found if criterion.section is not Section.RECORD]


def rules(text: str, study: Study = STUDY) -> list[str]:
    return [shown(criterion.rule) for criterion in read(text, study)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Age ≥ 18 years", "age>=18"),
        ("18 years of age or older", "age>=18"),
        ("Aged 18 to 75 (inclusive)", "age>=18<=75"),
        ("between the ages of 2 and 65 years", "age>=2<=65"),
        ("mellom 18 og 75 år", "age>=18<=75"),
        ("Du har fylt 18 år", "age>=18"),
        ("Over 18 år", "age>18"),
        ("under 75 år", "age<75"),
        ("I alderen 18–80 år", "age>=18<=80"),
        ("Age > 18 and < 70", "age>18<70"),
        ("at least 18 years of age, and less than 75", "age>=18<75"),
        ("6 months to 17 years of age", "age>=0.5<=17"),
        ("Age <18 or >75", "(age<18 | age>75)"),
        ("Age older than 6 years or younger than 4", "(age>6 | age<4)"),
        ("Age ≥18, ≥ 2 seizures per week", "(age>=18 & ?)"),
        ("Age: 18+", "age>=18"),
        ("18-year-old or older", "age>=18"),
        ("At least 5 years since surgery", "-"),
        ("Age of onset before 40 years", "-"),
        ("≥ 18 years at diagnosis", "-"),
        ("50 mg or more", "-"),
        ("Age 200 or older", "-"),
    ],
)
def test_ages(text: str, expected: str) -> None:
    assert rules(f"Inclusion Criteria:\n* {text}") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Male or female", "sex=female/male"),
        ("Kvinner mellom 50 og 69 år", "(sex=female & age>=50<=69)"),
        ("Patients of either sex", "sex=female/male"),
        ("Diagnosis of type 2 diabetes", "diabetes-type-2"),
        ("Asthma or COPD", "(asthma | copd)"),
        ("Asthma and COPD", "(asthma & copd)"),
        ("Adults over 40 years with asthma or COPD", "(age>40 & (asthma | copd))"),
        ("Age ≥ 18, diagnosed with asthma", "(age>=18 & asthma)"),
        ("History of stroke or cancer", "(history:stroke | history:cancer)"),
        ("Stroke within 6 months", "history:stroke@182"),
        ("Cancer within 14 days of the first symptoms", "(cancer & ?)"),
        ("Severe asthma", "(asthma & ?)"),
        ("Asthma treated with steroids", "(asthma & ?)"),
        ("Asthma (e.g. COPD)", "(asthma & ?)"),
        ("Lung disease, e.g. asthma", "-"),
        ("No history of stroke or cancer", "not (history:stroke | history:cancer)"),
        ("No cancer except basal cell carcinoma or COPD", "not (cancer & ?)"),
        ("Not pregnant or breastfeeding", "not (pregnancy | breastfeeding)"),
        ("Negative pregnancy test", "not pregnancy"),
        (
            "Women of childbearing potential must use effective contraception",
            "(not (sex=female & ?) | (contraception | ?))",
        ),
        ("Kvinner må ha negativ graviditetstest", "(not sex=female | not pregnancy)"),
        (
            "If female, must not be pregnant or breastfeeding",
            "(not sex=female | not (pregnancy | breastfeeding))",
        ),
        ("Dersom du har diabetes, må HbA1c være under 70 mmol/mol", "(not diabetes | hba1c<70)"),
        ("HbA1c < 9 % if diabetes", "(not diabetes | hba1c<9)"),
        ("No cancer, other than COPD", "not (cancer & (not (history:copd) | ?))"),
        ("Able to give written informed consent", "informed_consent"),
        ("Speaks fluent Norwegian", "language_nb"),
        ("Snakker norsk eller engelsk", "(language_nb | language_en)"),
        ("Family history of cancer", "-"),
        ("At risk of diabetes", "-"),
        ("Partners of patients with cancer", "-"),
        ("Patients with asthma must have FEV1 > 70 %", "(not asthma | fev1>70)"),
        ("Treatment for cancer", "-"),
        ("Asthma nurse", "-"),
        ("Asthma of unknown cause", "-"),
        ("Known or suspected cancer", "-"),
        ("Asthma, unless it is mild", "-"),
        ("Adults aged 18 or over must sign informed consent", "-"),
        ("Patients with or without diabetes", "-"),
        ("Not using hormonal contraception", "-"),
    ],
)
def test_what_an_inclusion_demands(text: str, expected: str) -> None:
    assert rules(f"Inclusion Criteria:\n* {text}") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Diabetes", "not diabetes"),
        ("Asthma, COPD, cancer", "not (asthma | copd | cancer)"),
        ("Asthma and COPD", "not ((asthma & copd) | ((asthma | copd) & ?))"),
        ("Asthma, COPD or a heart that worries us", "-"),
        ("Uncontrolled hypertension", "not (hypertension & ?)"),
        ("Hypertension or stroke within 6 months", "not (history:hypertension@182 | history:stroke@182)"),
        ("Cancer, except asthma or COPD", "not (cancer & (not (history:asthma | history:copd) | ?))"),
        ("Cancer, except asthma that is well controlled", "not (cancer & ?)"),
        ("Cancer, except asthma within 6 months", "not (cancer & ?)"),
        ("If female, pregnant or breastfeeding", "not (sex=female & (pregnancy | breastfeeding))"),
        ("Gravide og ammende", "not (pregnancy | breastfeeding)"),
        ("Pregnant or planning to become pregnant", "not (pregnancy | planned_pregnancy)"),
        ("Under 18 år", "not age<18"),
        ("Male and female, aged 17 years or younger", "not (? & age<=17)"),
        ("Women not using contraception", "(contraception | ?)"),
        ("Unable to give informed consent", "informed_consent"),
        ("No diabetes", "-"),
        ("Must have diabetes", "-"),
        ("Use of contraceptives", "-"),
        ("Cancer. Basal cell carcinoma is allowed.", "-"),
    ],
)
def test_what_an_exclusion_demands(text: str, expected: str) -> None:
    assert rules(f"Exclusion Criteria:\n* {text}") == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "Be cancer-free at the time of enrollment",
        "Willing to comply with laboratory tests and other procedures",
        "Alcohol and/or substance abuse",
        "Hemoglobin ≥ 13 g/dl for men and ≥ 12 g/dl for women",
        "Change in weight > 5 kg",
    ],
)
def test_what_would_turn_the_wrong_people_away_decides_nothing(text: str) -> None:
    for heading in ("Inclusion", "Exclusion"):
        (criterion,) = read(f"{heading} Criteria:\n* {text}")
        assert criterion.rule is None or Truth.NOT_MET not in outcomes(criterion.rule)


def test_a_qualifier_within_a_synonym_is_not_lost() -> None:
    (criterion,) = read("Exclusion Criteria:\n- History of uncontrolled hypertension")
    assert criterion.parsed is Parsed.PARTIAL


def test_what_nobody_can_have_is_no_condition() -> None:
    (criterion,) = read("Inclusion Criteria:\n- At screening")
    assert criterion.parsed is Parsed.NONE


def test_nested_items_are_joined_as_their_lead_in_says() -> None:
    text = "Inclusion Criteria:\n\n* {}:\n\n  * Asthma\n  * COPD\n  * Diabetes"
    assert rules(text.format("At least one of the following")) == ["(asthma | copd | diabetes)"]
    assert rules(text.format("At least 2 of the following")) == ["2 of (asthma, copd, diabetes)"]
    assert rules(text.format("All of the following")) == ["(asthma & copd & diabetes)"]
    assert rules(text.format("Surgery in the case of")) == ["-"]


def test_a_list_nested_beyond_reason_is_read_without_harm() -> None:
    text = "Inclusion Criteria:\n" + "\n".join(f"{' ' * depth}* All of:" for depth in range(2000))
    (criterion,) = read(text)
    assert criterion.parsed is Parsed.NONE
    assert criterion.end == len(text)


def test_conditions_after_a_flat_lead_in_demand_nothing() -> None:
    assert rules("Inclusion Criteria:\n* One of the following:\n* Diagnosis of asthma\n* Age ≥ 18") == [
        "-",
        "-",
        "age>=18",
    ]


def test_bare_names_in_one_list_may_be_alternatives() -> None:
    assert rules("Inclusion Criteria:\n* Asthma\n* COPD") == ["-", "-"]


def test_criteria_for_some_participants_bind_nobody_else() -> None:
    assert rules(
        "Inclusion Criteria:\n* Diagnosis of asthma\n\nInclusion criteria for controls:\n* Age ≥ 18"
    ) == [
        "asthma",
        "-",
    ]
    assert rules("Inclusion Criteria:\n\nCohort B:\n\n* Diagnosis of asthma") == ["-"]


def test_a_subheading_can_say_what_a_number_is() -> None:
    assert rules("PATIENT CHARACTERISTICS:\n\nAge:\n\n- 19 and over") == ["age>=19"]


def test_outside_all_sections_only_age_and_sex_are_read() -> None:
    assert rules("Women aged 18 to 40\nAsthma") == ["(sex=female & age>=18<=40)", "-"]


def test_a_short_abbreviation_counts_when_it_is_spelt_out() -> None:
    assert rules("Exclusion Criteria:\n* HT") == ["-"]
    assert rules("Exclusion Criteria:\n* Hypertension (HT)\n* Current HT") == ["not hypertension"] * 2


def test_what_contradicts_the_register_is_not_believed() -> None:
    adults = replace(STUDY, minimum_age=18.0, maximum_age=99.0, sex=Sex.ALL, conditions=("Asthma",))
    assert rules("Inclusion Criteria:\n* Age 40-50", adults) == ["-"]
    assert rules("Exclusion Criteria:\n* Age > 60", adults) == ["-"]
    assert rules("Inclusion Criteria:\n* Women", adults) == ["-"]
    assert rules("Exclusion Criteria:\n* Asthma\n* COPD", adults) == ["-", "not copd"]


def test_fields_of_the_register_are_criteria_in_words() -> None:
    study = replace(STUDY, language="nb", minimum_age=18.0, maximum_age=75.0, sex=Sex.FEMALE)
    age, sex = read_criteria(study, LINKER, ONTOLOGY)
    assert (age.section, age.text, shown(age.rule)) == (
        Section.RECORD,
        "Alder: fra 18 til og med 75 år",
        "age>=18<=75",
    )
    assert (sex.text, shown(sex.rule)) == ("Kjønn: kvinner", "sex=female")


def test_who_can_answer_and_how_much_was_read() -> None:
    found = read(
        "Inclusion Criteria:\n* Severe asthma\n* HbA1c > 7 %\n* Willing to wear a hat\n* Informed consent"
    )
    assert [(c.parsed, c.answerable_by) for c in found] == [
        (Parsed.PARTIAL, Answerer.PATIENT),
        (Parsed.FULL, Answerer.CLINICIAN),
        (Parsed.NONE, Answerer.STUDY_TEAM),
        (Parsed.FULL, Answerer.STUDY_TEAM),
    ]


def slices_back(study: Study, found: list[Criterion]) -> None:
    assert len({criterion.id for criterion in found}) == len(found)
    for criterion in found:
        assert study.criteria[criterion.start : criterion.end] == criterion.text
        for relation in relations(criterion.rule):
            assert criterion.start <= relation.start <= relation.end <= criterion.end


SCRAPS = (
    "asthma|stroke|or|and|,|(|)|no|18|years|≥|age|women|must|history of|except|e.g.|;|.|:|*|\n|\n*|\n\n  *|³"
    "|7,5|pregnant|any of the following:|Exclusion criteria:|Inclusion criteria:|in|with|note"
)
WORDS = st.sampled_from(SCRAPS.split("|"))


@settings(deadline=None)
@given(st.lists(WORDS | st.text(max_size=8), max_size=40).map(" ".join))
def test_spans_slice_back_whatever_is_written(text: str) -> None:
    slices_back(replace(STUDY, criteria=text), read(text))


def test_spans_slice_back_on_real_records(ctgov_records: Callable[[str], Iterator[dict[str, Any]]]) -> None:
    parsed: Counter[Parsed] = Counter()
    for stem in ("norway", "norway_reshaped"):
        for study in map(read_study, ctgov_records(stem)):
            found = read(study.criteria, study)
            slices_back(study, found)
            parsed.update(criterion.parsed for criterion in found)
    assert parsed[Parsed.FULL] > 100


def test_no_phrase_means_two_things() -> None:
    meanings: dict[str, set[tuple[str, str]]] = {}
    for symbol, name, phrase in entries():
        assert phrase == phrase.strip().casefold()
        assert phrase
        meanings.setdefault(phrase, set()).add((symbol, name))
    assert {phrase: meant for phrase, meant in meanings.items() if len(meant) > 1} == {}
