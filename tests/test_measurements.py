"""One sentence, the relations that it states."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.eligibility.criteria import read_line
from nlp.eligibility.logic import Truth, Unread, outcomes, written
from nlp.eligibility.relations import Bound, Kind, Relation
from nlp.eligibility.sections import Section
from nlp.eligibility.units import accepts, canonical, units
from nlp.eligibility.variables import variable, variables
from nlp.eligibility.verdict import Person
from ontology.concept import Concept, Form, FormKind, Ontology
from ontology.concept import Kind as ConceptKind
from ontology.linker import Linker

TODAY = date(2026, 11, 28)


def concept(name: str, kind: ConceptKind, icd10: tuple[str, ...] = ()) -> Concept:
    return Concept(name, kind, name, name, name, (Form(name, "en", FormKind.NAME),), icd10=icd10)


ONTOLOGY = Ontology(
    [
        concept("stroke", ConceptKind.CONDITION, ("I64",)),
        concept("asthma", ConceptKind.CONDITION, ("J45",)),
        concept("warfarin", ConceptKind.DRUG),
        concept("prednisolone", ConceptKind.DRUG),
        concept("dialysis", ConceptKind.PROCEDURE),
        concept("mri", ConceptKind.PROCEDURE),
    ],
    {},
)
LINKER = Linker(ONTOLOGY)


def stated(text: str) -> list[str]:
    return [
        f"{'not ' if each.negated else ''}{shown(each.relation)}"
        for each in read_line(text, Section.INCLUSION, LINKER, ONTOLOGY).stated
    ]


def shown(relation: Relation) -> str:
    ends = "".join(
        f"{sign}{'=' if bound.inclusive else ''}{bound.value:g}"
        for sign, bound in ((">", relation.lower), ("<", relation.upper))
        if bound is not None
    )
    values = "=" + "/".join(relation.values) if relation.values else ""
    return " ".join(filter(None, (f"{relation.variable}{ends}{values}", relation.unit)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18 years of age or older", ["age>=18 year"]),
        ("platelets < 50.000/mm3", ["platelets<50000 /ul"]),
        ("Platelets ≥ 100 x 109/L", ["platelets>=100 10^9/l"]),
        ("ALT and AST < 2.5 x ULN", ["alt<2.5 xULN", "ast<2.5 xULN"]),
        ("Weight loss > 5 kg", ["weight_loss>5 kg"]),
        ("Change in weight > 5 kg", []),
        ("WBC > 12,000 or < 4,000 /mm3", ["wbc>12000 /ul", "wbc<4000 /ul"]),
        ("BMI 18.5–30 kg/m²", ["bmi>=18.5<=30 kg/m2"]),
        ("BMI <18.5 or ≥ 30", ["bmi<18.5", "bmi>=30"]),
        ("Blodtrykk over 160/100 mmHg", ["sbp>160 mmHg", "dbp>100 mmHg"]),
        ("HbA1c mellom 53 og 75 mmol/mol", ["hba1c>=53<=75 mmol/mol"]),
        ("Minimum hemoglobin of 9 g/dl", ["hemoglobin>=9 g/dl"]),
        ("Kreatinin over 150 µmol/L", ["creatinine>150 umol/l"]),
        ("Pain ≥ 4 on a numeric rating scale (0-10)", ["pain_nrs>=4"]),
        ("MMSE between 4 and 26 / 30", ["mmse>=4<=26"]),
        ("NYHA class II-IV", ["nyha>=2<=4"]),
        ("ECOG 0, 1 or 2", ["ecog=0/1/2"]),
        ("Child-Pugh A or B", ["child_pugh=A/B"]),
        ("CKD stage 3a-4", ["ckd_stage>=3<=4"]),
        ("Hamilton Depression Rating Scale ≥ 17", ["hamd>=17"]),
        ("Gestational age 24+0 to 33+6 weeks", ["gestational_age>=24<=33.86 week"]),
        ("Temperature > 38 °C", ["temperature>38 C"]),
        ("At least 5 years since surgery", []),
    ],
)
def test_numbers_find_their_variable_and_unit(text: str, expected: list[str]) -> None:
    assert stated(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Stroke or asthma within 6 months prior to screening", ["history:stroke@182", "history:asthma@182"]),
        ("Asthma, warfarin siste 4 uker", ["condition:asthma", "drug:warfarin@28"]),
        ("No stroke in the last year", ["not history:stroke@365"]),
        ("Drugs that raise the risk, e.g. warfarin", []),
        ("Family history of stroke", []),
        ("Hypersensitivity to warfarin", []),
        ("HER2-negative", ["not her2"]),
        ("Asthma, except stroke", ["condition:asthma", "not history:stroke"]),
    ],
)
def test_windows_denials_examples_and_relatives(text: str, expected: list[str]) -> None:
    assert stated(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Dialysis (without warfarin), stroke",
            ["procedure:dialysis", "not drug:warfarin", "history:stroke"],
        ),
        (
            "Asthma not treated with warfarin, stroke",
            ["condition:asthma", "not drug:warfarin", "history:stroke"],
        ),
        ("Not pregnant, BMI below 30 and informed consent", ["not pregnancy", "bmi<30", "informed_consent"]),
        ("Unable to read or write Norwegian, stroke", ["not language_nb", "history:stroke"]),
        ("Insufficient command of the Norwegian language", ["not language_nb"]),
        ("No dialysis for stroke", ["not procedure:dialysis", "history:stroke"]),
        ("Non-warfarin dialysis", ["procedure:dialysis"]),
        (
            "No asthma, except after dialysis without stroke",
            ["not condition:asthma", "not procedure:dialysis"],
        ),
    ],
)
def test_a_denial_ends_where_its_words_do(text: str, expected: list[str]) -> None:
    assert stated(text)[: len(expected)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Stroke documented by MRI", ["history:stroke"]),
        ("MRI evidence of stroke", ["history:stroke"]),
        ("Asthma clinic", []),
        ("Asthma Severity Index", []),
        ("At high risk of stroke", []),
        ("Stroke within 30 days of informed consent", ["history:stroke@30"]),
        ("Female sexual partner", []),
        ("With or without warfarin", []),
        ("Warfarin level", []),
        ("Warfarin is permitted", []),
        ("Contraception for 30 days after the last dose of warfarin", ["contraception"]),
        ("Hypersensitivity or allergy to warfarin", []),
    ],
)
def test_words_about_something_else_state_nothing(text: str, expected: list[str]) -> None:
    assert stated(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Asthma, stroke, or dialysis within one month", ["asthma@30", "stroke@30", "dialysis@30"]),
        ("Asthma, or stroke within one year", ["asthma", "stroke@365"]),
        ("Warfarin, including prednisolone, within 4 weeks", ["warfarin@28"]),
        ("Dialysis requiring prednisolone within 3 months", ["dialysis@91", "prednisolone"]),
    ],
)
def test_a_window_narrows_its_whole_list(text: str, expected: list[str]) -> None:
    assert [each.split(":")[-1] for each in stated(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Never smoker", ["not smoking"]),
        ("No longer smokes", ["former_smoker"]),
        ("Røyker ikke lenger", ["former_smoker"]),
        ("Must not smoke", ["not smoking"]),
        ("Literate in German", ["language_de"]),
    ],
)
def test_facts_in_other_words(text: str, expected: list[str]) -> None:
    assert stated(text) == expected


def test_alternatives_share_a_group() -> None:
    line = read_line("Stroke, asthma or warfarin, and BMI > 30", Section.EXCLUSION, LINKER, ONTOLOGY)
    *drugs, bmi = (each.group for each in line.stated)
    assert len(set(drugs)) == 1
    assert drugs[0] is not None
    assert bmi is None


NUMBERS = [
    row for row in variables().values() if row.unit and row.lower is not None and row.upper is not None
]
OTHER_UNITS = [
    (row.name, unit)
    for row in NUMBERS
    for unit in units()
    if accepts(row, unit) and canonical(row, 1.0, unit) is not None
]


@given(st.sampled_from(OTHER_UNITS), st.floats(0.5, 500), st.floats(0.5, 500), st.booleans())
def test_a_verdict_does_not_depend_on_the_unit(
    row: tuple[str, str], bound: float, answer: float, below: bool
) -> None:
    name, unit = row
    about = variable(name)
    own = canonical(about, bound, unit)
    assert own is not None
    end = {"upper" if below else "lower": Bound(bound)}
    stated_in_unit = Relation(about.about, name, unit=unit, **end)  # type: ignore[arg-type]
    in_own = replace(stated_in_unit, unit=about.unit, **{next(iter(end)): Bound(own)})
    person = Person({name: answer}, ONTOLOGY, TODAY)
    assert person.fits(stated_in_unit) is person.fits(in_own)


def test_a_multiple_of_the_normal_limit_stays_unknown() -> None:
    relation = Relation(Kind.LAB, "alt", upper=Bound(2.5), unit="xULN")
    assert Person({"alt": 20.0}, ONTOLOGY, TODAY).fits(relation) is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("answers", "needed", "expected"),
    [
        ({"history:stroke": False}, "history:stroke@182", Truth.NOT_MET),
        ({"history:stroke@90": True}, "history:stroke@182", Truth.MET),
        ({"history:stroke@182": False}, "history:stroke@90", Truth.NOT_MET),
        ({"history:stroke": True}, "history:stroke@182", Truth.UNKNOWN),
        ({"drug:warfarin": True}, "drug:warfarin@28", Truth.MET),
        ({"drug:warfarin@28": False}, "drug:warfarin", Truth.NOT_MET),
        ({"drug:warfarin": False}, "drug:warfarin@28", Truth.UNKNOWN),
    ],
)
def test_what_is_said_of_one_stretch_of_time_bears_on_others(
    answers: dict[str, bool], needed: str, expected: Truth
) -> None:
    kind = Kind.DRUG if needed.startswith("drug") else Kind.CONDITION
    relation = Relation(kind, needed, concept=needed.partition(":")[2].partition("@")[0])
    assert Person(answers, ONTOLOGY, TODAY).fits(relation) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Uncontrolled asthma", [("uncontrolled",)]),
        ("Moderate to severe asthma", [("moderate", "severe")]),
        ("Stage III-IV asthma", [("stage 3", "stage 4")]),
        ("Asthma stage 2", [("stage 2",)]),
        ("Warfarin > 5 mg", [("> 5 mg",)]),
        ("Warfarin ≥ 5 mg per day", [("≥ 5 mg/day",)]),
        ("Warfarin within 5 half-lives", [("≤ 5 half-life",)]),
    ],
)
def test_severity_stage_and_dose_are_carried_and_decide_nothing(
    text: str, expected: list[tuple[str, ...]]
) -> None:
    read = read_line(text, Section.EXCLUSION, LINKER, ONTOLOGY)
    assert [each.relation.qualifiers for each in read.stated] == expected
    assert all(each.relation.window_days is None for each in read.stated)
    assert Truth.NOT_MET not in outcomes(read.rule or Unread(0, 0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Asthma lasting more than 3 months", ["condition:asthma", "symptom_duration > 3 month"]),
        ("Asthma > 3 months ago", ["condition:asthma"]),
        ("Warfarin for at least 4 weeks", ["drug:warfarin"]),
        (
            "Hemoglobin ≥ 13 g/dl for men and 12 g/dl for women",
            ["hemoglobin >= 13 g/dl", "hemoglobin >= 12 g/dl"],
        ),
        ("Pregnant in the last 6 months", ["pregnancy within 182 days"]),
    ],
)
def test_how_long_for_whom_and_when(text: str, expected: list[str]) -> None:
    read = read_line(text, Section.INCLUSION, LINKER, ONTOLOGY)
    assert [written(each.relation) for each in read.stated if each.relation.kind is not Kind.SEX] == expected
