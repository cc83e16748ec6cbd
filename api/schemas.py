"""What goes over the wire: JSON answers out, forms in. Nothing inside the house is made of these."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.library import Found, Library
from api.linking import Linked
from chatbot.desk import Desk
from chatbot.reply import Reply
from chatbot.screening import unknown_in, verdicts
from chatbot.state import State
from nlp.eligibility.criteria import Criterion
from nlp.embeddings.search import Hit
from nlp.query import LONGEST, Choice, Query, Sort, StatusFilter
from ontology.concept import Ontology
from ontology.linker import Mention
from recruitment.inbox import Counts
from recruitment.interest import Status
from registry.study import Study

Words = Annotated[str, Field(max_length=LONGEST)]


class FromValue(BaseModel):
    """Read from the fields of a dataclass."""

    model_config = ConfigDict(from_attributes=True)


class ConceptRead(BaseModel):
    """One concept that the query was understood to name."""

    id: str
    label: str
    icd10: tuple[str, ...]
    hrcs: tuple[str, ...]
    matched: str
    how: str

    @classmethod
    def of(cls, mention: Mention, ontology: Ontology, language: str) -> "ConceptRead":
        """The concept of a mention, labelled in `language`."""
        concept = ontology.get(mention.concept)
        return cls(
            id=concept.id,
            label=concept.label(language),
            icd10=ontology.codes(concept.id),
            hrcs=ontology.categories(concept.id),
            matched=mention.matched,
            how=mention.how,
        )


class PlaceRead(FromValue):
    """A place that the query names, in WGS 84 degrees."""

    name: str
    latitude: float
    longitude: float


class FiltersRead(FromValue):
    """What the words tell of and what was chosen. Healthy volunteer and asker are understood only.

    `within` is km from `place`; `only` holds chosen facets with their values.
    """

    status: StatusFilter
    age: float | None
    sex: str | None
    place: PlaceRead | None
    healthy_volunteer: bool
    asker: str | None
    within: float | None
    only: dict[str, list[str]]
    sort: Sort

    @classmethod
    def of(cls, query: Query) -> "FiltersRead":
        """The filters of a query, and what else it says about the person."""
        return cls(
            status=query.filters.status,
            age=query.filters.age,
            sex=query.filters.sex,
            place=PlaceRead.model_validate(query.place) if query.place else None,
            healthy_volunteer=query.healthy_volunteer,
            asker=query.asker,
            within=query.filters.within,
            only=_grouped(query.filters.only),
            sort=query.sort,
        )


class QueryRead(BaseModel):
    """How the words were understood."""

    text: str
    language: str
    concepts: list[ConceptRead]
    filters: FiltersRead


class MentionRead(ConceptRead):
    """A concept that a text mentions: `span` are characters of the text, `score` is the belief, 0 to 1."""

    span: tuple[int, int]
    score: float
    negated: bool
    family: bool

    @classmethod
    def of(cls, mention: Mention, ontology: Ontology, language: str) -> "MentionRead":
        """A mention, labelled in `language`."""
        return cls(
            **ConceptRead.of(mention, ontology, language).model_dump(),
            span=(mention.start, mention.end),
            score=round(mention.score, 3),
            negated=mention.negated,
            family=mention.family,
        )


class LinkAnswer(BaseModel):
    """What a text was understood as; concepts in order of belief."""

    text: str
    language: str
    intent: str
    help: tuple[str, ...]
    concepts: list[MentionRead]

    @classmethod
    def of(cls, linked: Linked, ontology: Ontology) -> "LinkAnswer":
        """The answer of `studievei link`."""
        query = linked.query
        return cls(
            text=query.text,
            language=query.language,
            intent=linked.intent,
            help=linked.help,
            concepts=[MentionRead.of(each, ontology, query.language) for each in query.mentions],
        )


class ReasonRead(FromValue):
    """Why a study is a hit: a concept, words of the study, or a passage of one of its fields."""

    kind: str
    text: str
    field: str


class NearestRead(FromValue):
    """The site of a study nearest to the place of the query, in km; one that recruits goes first."""

    name: str
    km: float
    recruits: bool


class HitRead(BaseModel):
    """A study that was found. `sure`: it names what was asked for, and is not only like it.

    `unstated` are the filters of which the study does not say whether it fits.
    """

    id: str
    title: str
    status: str
    score: float
    why: list[ReasonRead]
    sure: bool
    unstated: tuple[str, ...]
    nearest: NearestRead | None

    @classmethod
    def of(cls, hit: Hit) -> "HitRead":
        """A hit, with its score and distance rounded to what means something."""
        near = hit.nearest
        return cls(
            id=hit.study_id,
            title=hit.title,
            status=hit.status,
            score=round(hit.score, 4),
            why=[ReasonRead.model_validate(reason) for reason in hit.why],
            sure=hit.sure,
            unstated=hit.unstated,
            nearest=NearestRead(name=near.name, km=round(near.km, 1), recruits=near.recruits)
            if near
            else None,
        )


class CountRead(FromValue):
    """How many studies one value of a facet leaves."""

    value: str
    count: int
    chosen: bool


class CountsRead(FromValue):
    """A facet; studies that do not state it are let through by every value."""

    facet: str
    values: list[CountRead]
    unstated: int


class SearchAnswer(BaseModel):
    """The answer to a search, the same from the API and from `studievei search --json`."""

    query: QueryRead
    meant: str
    """The question as it may have been meant, where words are misspelt or unknown; "" else."""
    hits: list[HitRead]
    total: int
    """Studies that name what was asked for and pass the filters, on this page or not."""
    facets: list[CountsRead]
    """Empty unless they were asked for."""
    took_ms: float

    @classmethod
    def of(cls, found: Found, library: Library, took_ms: float) -> "SearchAnswer":
        """What was found, with concepts labelled in the language of the query."""
        query, ontology = found.query, library.ontology
        return cls(
            meant=library.meant(query),
            query=QueryRead(
                text=query.text,
                language=query.language,
                concepts=[ConceptRead.of(each, ontology, query.language) for each in query.mentions],
                filters=FiltersRead.of(query),
            ),
            hits=[HitRead.of(hit) for hit in found.hits],
            total=found.total,
            facets=[CountsRead.model_validate(each) for each in found.counts],
            took_ms=round(took_ms, 2),
        )


class CompletionRead(FromValue):
    """What a question may become. `label` is what the concept is called, or the status of the study."""

    text: str
    kind: str
    id: str
    language: str
    label: str


class CompletionAnswer(BaseModel):
    """Suggestions, the best first."""

    completions: list[CompletionRead]


class SimilarRead(BaseModel):
    """A study that is about the same things."""

    id: str
    title: str
    status: str


class SiteRead(FromValue):
    """A place where the study runs."""

    facility: str
    city: str
    country: str


class CriterionRead(FromValue):
    """One criterion with its place in the study's criteria text."""

    id: str
    text: str
    start: int
    end: int
    section: str
    parsed: str
    answerable_by: str


class StudyRead(FromValue):
    """A study as others may show it. The addresses of single persons are left out."""

    id: str
    source: str
    url: str
    title: str
    language: str
    status: str
    summary: str
    conditions: tuple[str, ...]
    keywords: tuple[str, ...]
    icd10: tuple[str, ...]
    hrcs: tuple[str, ...]
    criteria: str
    sex: str | None
    minimum_age: float | None
    maximum_age: float | None
    healthy_volunteers: bool | None
    sites: tuple[SiteRead, ...]
    institutions: tuple[str, ...]
    sponsor: str
    mailbox: str
    start: str
    end: str
    last_confirmed: str
    is_sample: bool


class StudyAnswer(BaseModel):
    """A study, and each criterion that was read from its criteria text."""

    study: StudyRead
    criteria: list[CriterionRead]

    @classmethod
    def of(cls, study: Study, criteria: Iterable[Criterion]) -> "StudyAnswer":
        """The answer about a study."""
        return cls(
            study=StudyRead.model_validate(study),
            criteria=[CriterionRead.model_validate(each) for each in criteria],
        )


class Problem(BaseModel):
    """Why a request was not answered as it was meant, and what mends it."""

    detail: str


class StudyCounts(BaseModel):
    """How many interests a study has had, by where they stand, and how many of them wait too long."""

    study: str
    total: int
    late: int
    by_status: dict[str, int]

    @classmethod
    def of(cls, counts: Counts) -> "StudyCounts":
        """The counts of one study; every status is named."""
        by_status = {str(status): counts.by_status.get(status, 0) for status in Status}
        return cls(study=counts.study_id, total=counts.total, late=counts.late, by_status=by_status)


def _grouped(only: Iterable[Choice]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for facet, value in sorted(only):
        grouped.setdefault(facet, []).append(value)
    return grouped


def _blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


class Patient(BaseModel):
    """What a doctor writes in the form; an empty field is "not stated"."""

    age: Annotated[int | None, BeforeValidator(_blank), Field(ge=0, le=120)] = None
    sex: Annotated[Literal["female", "male"] | None, BeforeValidator(_blank)] = None
    diagnoses: Annotated[str, Field(min_length=1, max_length=LONGEST)]

    model_config = ConfigDict(str_strip_whitespace=True)


class ConditionSaid(BaseModel):
    """A condition that somebody told of."""

    icd10: tuple[str, ...]
    text: str
    status: str
    since_years: float | None


class DrugSaid(BaseModel):
    """A drug that somebody told of; `name` is the id of the substance or class."""

    name: str
    status: str


class MeasurementSaid(FromValue):
    """A measurement that somebody told of; the unit is null while it is in doubt."""

    name: str
    value: float
    unit: str | None


class FactsSaid(BaseModel):
    """What has been understood of a person so far.

    `answers` are by variable; a variable that asks when has an ISO 8601 date that may lack day or month,
    two of them with a slash between, `../` before the last, or "never".
    """

    subject: str | None
    age: float | None
    sex: str | None
    conditions: tuple[ConditionSaid, ...]
    drugs: tuple[DrugSaid, ...]
    measurements: tuple[MeasurementSaid, ...]
    answers: dict[str, bool | float | str | None]

    @classmethod
    def of(cls, state: State, ontology: Ontology) -> "FactsSaid":
        """The facts of a conversation."""
        told, answers = state.told, dict(state.answers)
        age, sex = answers.get("age"), answers.get("sex")
        return cls(
            subject=state.subject.value if state.subject_told or state.given else None,
            age=age if isinstance(age, float | int) else None,
            sex=sex if isinstance(sex, str) else None,
            conditions=tuple(
                ConditionSaid(
                    icd10=ontology.codes(each.concept),
                    text=each.text,
                    status=each.when.value,
                    since_years=each.since_years,
                )
                for each in told.conditions
            ),
            drugs=tuple(DrugSaid(name=each.concept, status=each.use.value) for each in told.drugs),
            measurements=tuple(
                MeasurementSaid(name=each.name, value=each.value, unit=each.unit or None)
                for each in told.measurements
            ),
            answers=answers,
        )


class StudyWeighed(BaseModel):
    """What the answers say about one study; `unknown` criteria are neither met nor not met."""

    id: str
    verdict: str
    unknown: int


class ScreenAnswer(BaseModel):
    """One turn of the pre-screening. `asks` is the variable that the next message answers."""

    reply: str
    asks: str | None
    facts: FactsSaid
    studies: tuple[StudyWeighed, ...]
    safety: tuple[str, ...]
    help: tuple[str, ...]

    @classmethod
    def of(cls, state: State, answer: Reply, desk: Desk) -> "ScreenAnswer":
        """A reply, and where it leaves the conversation."""
        return cls(
            reply=answer.text,
            asks=answer.asks,
            facts=FactsSaid.of(state, desk.ontology),
            studies=tuple(
                StudyWeighed(id=each.study_id, verdict=each.outcome.value, unknown=unknown_in(each))
                for each in verdicts(state, desk)
            ),
            safety=tuple(label.value for label in answer.safety),
            help=answer.help,
        )
