"""Criteria -> the distinct questions that a person can be asked, in plain words."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from nlp.eligibility.articles import with_article
from nlp.eligibility.criteria import Criterion
from nlp.eligibility.logic import relations
from nlp.eligibility.sections import Section
from nlp.eligibility.units import units
from nlp.eligibility.variables import Answerer, Answers, QuestionKind, concerns, subject, variable
from ontology.concept import Concept, FormKind, Ontology, load_ontology
from ontology.wording import LANGUAGES, catalogue, say

_NAMED_UNITS = frozenset(each for each in units() if each not in {"year", "month", "week", "day"})
DAYS = {"years": 365.0, "months": 365 / 12, "weeks": 7.0}


@dataclass(frozen=True, slots=True)
class Question:
    """One fact, asked once. The answer is filed under `variable`; `criteria` are the ids that need it.

    `lower` and `upper` bound a plausible number in `unit`.
    """

    variable: str
    kind: QuestionKind
    criteria: tuple[str, ...]
    choices: tuple[str, ...] = ()
    unit: str = ""
    lower: float | None = None
    upper: float | None = None

    @property
    def id(self) -> str:
        """The variable: no two questions ask for the same fact."""
        return self.variable


def questions_for(
    criteria: Iterable[Criterion], answerable_by: Answerer = Answerer.PATIENT
) -> tuple[Question, ...]:
    """One question for each fact that the criteria need and `answerable_by` can tell; `asked_as` says which.

    Order: age and sex, then conditions (those that inclusion asks for first), the sensitive ones last.
    """
    needed = facts_in(criteria, (answerable_by,))
    asked: dict[str, list[Criterion]] = {}
    for name, question in asked_as(needed).items():
        asked.setdefault(question, []).extend(needed[name])

    def order(name: str) -> tuple[int, bool]:
        return variable(name).rank, all(each.section is Section.EXCLUSION for each in asked[name])

    return tuple(
        question_of(name, tuple(dict.fromkeys(each.id for each in asked[name])))
        for name in sorted(asked, key=order)
    )


def facts_in(
    criteria: Iterable[Criterion], answerers: Collection[Answerer]
) -> Mapping[str, tuple[Criterion, ...]]:
    """Each variable that the criteria need and `answerers` can tell, with the criteria that need it."""
    needed: dict[str, dict[str, Criterion]] = {}
    for criterion in criteria:
        for relation in relations(criterion.rule):
            if variable(relation.variable).answerable_by in answerers:
                needed.setdefault(relation.variable, {})[criterion.id] = criterion
    return {name: tuple(those.values()) for name, those in needed.items()}


def asked_as(names: Iterable[str]) -> Mapping[str, str]:
    """For each variable that is needed, the one that is asked for.

    Facts that differ only in how far back they look are asked for at once, by when it last was so. One
    alone stays a question of yes or no, which is easier to answer.
    """
    last = {name: subject(name).last for name in names}
    times = Counter(last.values())
    return {name: when if when and times[when] > 1 else name for name, when in last.items()}


def ask(questions: Iterable[Question], answers: Answers) -> Question | None:
    """The next question: the first that is not answered (None is an answer) and can concern the person."""
    return next((q for q in questions if q.variable not in answers and concerns(q.variable, answers)), None)


def wording(question: Question, language: str, ontology: Ontology | None = None) -> tuple[str, str]:
    """The question in nb, nn or en, and a help text ("" where the question needs none).

    Raises:
        BadInput: its concept is not in the ontology (by default the one that is shipped).
    """
    about = subject(question.variable)
    if not about.concept:
        return _ask(about.row, language), _help(about.row, language)
    concept = (ontology or load_ontology()).get(about.concept)
    label = concept.label(language)
    name = with_article(label) if language == "en" else label
    names = ", ".join(_other_names(concept, language))
    within = {} if about.days is None else {"time": time_back(about.days, language)}
    helps = (
        say("eligibility.help_names", language, names=names) if names else "",
        _how(about.row, language),
    )
    return (
        say(f"eligibility.ask_{about.row}{'_within' if within else ''}", language, name=name, **within),
        " ".join(filter(None, helps)),
    )


def time_back(days: int, language: str) -> str:
    """«3 månedene»: a length of time that ends now, in the largest unit that divides it."""
    years, months, weeks = days / 365, days * 12 / 365, days / 7
    for unit, count, least in (("years", years, 2), ("months", months, 2), ("weeks", weeks, 2)):
        if count >= least and abs(count - round(count)) * DAYS[unit] < 1:
            return say(f"eligibility.last_{unit}", language, count=round(count))
    return say("eligibility.last_days", language, count=days)


def _ask(name: str, language: str) -> str:
    """The row's own question, or the one that all rows of its kind share."""
    own = f"eligibility.ask_{name}"
    if own in catalogue():
        return say(own, language)
    row = variable(name)
    return say(f"eligibility.ask_any_{row.about}", language, name=row.label(language))


def _help(name: str, language: str) -> str:
    """What a hard word means, and how to answer."""
    own = f"eligibility.help_{name}"
    meaning = say(own, language) if own in catalogue() else ""
    return f"{meaning} {_how(name, language)}".strip()


def _how(name: str, language: str) -> str:
    """The unit to answer in, or how exact a date need be."""
    row = variable(name)
    if row.kind is QuestionKind.DATE:
        return say("eligibility.help_date", language)
    return say("eligibility.help_unit", language, unit=row.unit) if row.unit in _NAMED_UNITS else ""


def _other_names(concept: Concept, language: str, most: int = 2) -> tuple[str, ...]:
    spoken = language if language in LANGUAGES else "nb"
    synonyms = (
        form.text for form in concept.forms if form.kind is FormKind.SYNONYM and form.language == spoken
    )
    label = concept.label(language).casefold()
    return tuple(text for text in dict.fromkeys(synonyms) if label not in text.casefold())[:most]


def question_of(name: str, criteria: tuple[str, ...] = ()) -> Question:
    """The question that a variable is asked with.

    Raises:
        BadInput: no row of variables.tsv has this name.
    """
    row = variable(name)
    return Question(
        variable=name,
        kind=row.kind,
        criteria=criteria,
        choices=row.choices,
        unit=row.unit,
        lower=row.lower,
        upper=row.upper,
    )
