"""The form for doctors (R31): age, sex and diagnoses in; open studies with each criterion weighed out."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from api.deps import Fields, Language, LibraryDep
from api.library import Library
from api.pages.render import render
from api.schemas import Patient
from chatbot.safety import MASK, mask
from nlp.eligibility.logic import Truth
from nlp.eligibility.sections import Section
from nlp.eligibility.variables import Answer, subject
from nlp.eligibility.verdict import Finding, Outcome, Verdict
from nlp.query import LONGEST, Chosen, Filters, Query
from ontology.concept import Kind
from ontology.wording import say
from registry.study import Study

router = APIRouter()

STUDIES = 10
_FIELDS = ("age", "sex", "diagnoses")
_ORDER = tuple(Outcome(each) for each in ("may_fit", "unclear", "probably_not"))
_FIRST = tuple(Truth(each) for each in ("not_met", "met"))


@dataclass(frozen=True, slots=True)
class Row:
    """One criterion as a line of the table."""

    text: str
    language: str
    exclusion: bool
    truth: Truth


@dataclass(frozen=True, slots=True)
class Screened:
    """One study weighed: the criteria that could be judged, and those that could not."""

    study: Study
    verdict: Verdict
    judged: list[Row]
    unknown: list[Row]
    tally: Counter[str]


@dataclass(frozen=True, slots=True)
class Weighed:
    """All that was found for a patient; `named` says whether the studies name what was understood."""

    answers: dict[str, Answer]
    studies: list[Screened]
    named: bool

    @property
    def recognised(self) -> bool:
        """Whether any condition was read."""
        return any(name.startswith("condition:") for name in self.answers)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: the findings, and in words what they rest on."""

    weighed: Weighed
    known: list[str]


@router.get("/lege", include_in_schema=False)
def form(request: Request) -> Response:
    """The empty form."""
    return render(request, "gp.html", **_form({}))


@router.post("/lege", include_in_schema=False)
def weigh(request: Request, fields: Fields, library: LibraryDep, language: Language) -> Response:
    """The answer to a filled-in form. Nothing of it is kept, and nothing is in the address."""
    try:
        patient = Patient.model_validate(fields)
    except ValidationError as error:
        wrong = {str(each["loc"][0]) for each in error.errors()}
        return _again(request, fields, {name: _wrong(name, language) for name in wrong})
    if MASK in mask(patient.diagnoses, keep_contact=True):
        return _again(request, fields, {"diagnoses": say("gp.identity_number", language)})
    weighed = weigh_patient(patient, library)
    shown = Shown(weighed, known(weighed.answers, library, language))
    return render(request, "gp.html", private=True, **_form(fields, shown=shown))


def weigh_patient(patient: Patient, library: Library) -> Weighed:
    """The patient against open studies, those that may fit first.

    Studies that name what was understood come alone; where there are none, the most similar ones do.
    """
    found = library.find(patient.diagnoses, Chosen(Filters(status="open")), STUDIES)
    answers = answers_of(patient, found.query, library)
    named = [hit for hit in found.hits if any(reason.kind == "concept" for reason in hit.why)]
    studies = [screened(study, answers, library) for _, study in library.studies(named or found.hits)]
    studies.sort(key=lambda each: _ORDER.index(each.verdict.outcome))
    return Weighed(answers, studies, bool(named))


def answers_of(patient: Patient, query: Query, library: Library) -> dict[str, Answer]:
    """What the form says about the patient, by variable; of words with several readings the likeliest."""
    answers: dict[str, Answer] = {}
    if patient.age is not None:
        answers["age"] = float(patient.age)
    if patient.sex is not None:
        answers["sex"] = patient.sex
    seen: set[tuple[int, int]] = set()
    for mention in query.mentions:
        condition = library.ontology.get(mention.concept).kind is Kind.CONDITION
        if condition and not mention.family and (mention.start, mention.end) not in seen:
            answers.setdefault(f"condition:{mention.concept}", not mention.negated)
        seen.add((mention.start, mention.end))
    return answers


def screened(study: Study, answers: dict[str, Answer], library: Library) -> Screened:
    """One study weighed, what speaks against first."""
    verdict = library.screen(study, answers, date.today())
    rows = [_row(finding, study) for finding in verdict.findings]
    return Screened(
        study,
        verdict,
        [row for truth in _FIRST for row in rows if row.truth is truth],
        [row for row in rows if row.truth is Truth.UNKNOWN],
        Counter(row.truth.value for row in rows),
    )


def known(answers: dict[str, Answer], library: Library, language: str) -> list[str]:
    """The answers that were used, in words, so that a misreading is seen at once."""
    said = []
    for name, answer in answers.items():
        variable, concept = subject(name).row, subject(name).concept
        if variable == "age":
            said.append(say("gp.age_is", language, age=f"{answer:g}"))
        elif variable == "sex":
            said.append(say(f"gp.{answer}", language).lower())
        else:
            label = library.ontology.get(concept).label(language)
            said.append(say("gp.has" if answer else "gp.has_not", language, label=label))
    return said


def _row(finding: Finding, study: Study) -> Row:
    criterion = finding.criterion
    return Row(criterion.text, study.language, criterion.section is Section.EXCLUSION, finding.truth)


def _wrong(name: str, language: str) -> str:
    return say(f"gp.wrong_{name}", language, maximum=LONGEST)


def _again(request: Request, fields: dict[str, str], wrong: dict[str, str]) -> Response:
    """The form with what was written and what is wrong with it, each beside its field."""
    return render(request, "gp.html", status=422, private=True, **_form(fields, wrong))


def _form(
    fields: dict[str, str], wrong: dict[str, str] | None = None, shown: Shown | None = None
) -> dict[str, Any]:
    return {
        "fields": {name: fields.get(name, "") for name in _FIELDS},
        "wrong": {name: (wrong or {}).get(name, "") for name in _FIELDS},
        "shown": shown,
    }
