"""What has been understood of a person, in words, so that it can be corrected."""

from collections.abc import Iterator

from chatbot.desk import Desk
from chatbot.facts import Condition, Drug, Measurement, When
from chatbot.reply import Passage
from chatbot.state import State
from nlp.eligibility.questions import time_back
from nlp.eligibility.variables import Answer, QuestionKind, Subject, subject, variable
from ontology.wording import period, say


def understood(before: State, now: State, desk: Desk) -> tuple[Passage, ...]:
    """What a message taught, in one passage; none when it taught nothing."""
    old = set(facts(before, desk))
    new = [each for each in facts(now, desk) if each not in old]
    if before.subject is not now.subject:
        new.insert(0, say(f"chat.about_{now.subject}", now.language))
    return (Passage(say("chat.understood", now.language, facts="; ".join(new))),) if new else ()


def facts(state: State, desk: Desk) -> tuple[str, ...]:
    """Everything that is known of the person, each fact in words."""
    return tuple(text for _, text in known(state, desk))


def known(state: State, desk: Desk) -> Iterator[tuple[str, str]]:
    """Everything that is known, as (variable, words): age and sex, what was told, then the answers."""
    language = state.language
    answers = dict(state.answers)
    for name in ("age", "sex"):
        if name in answers:
            yield name, f"{say(f'chat.fact_{name}', language)}: {shown_answer(name, answers[name], language)}"
    told = state.told
    for condition in told.conditions:
        yield f"condition:{condition.concept}", _condition(condition, desk, language)
    for drug in told.drugs:
        yield f"drug:{drug.concept}", _drug(drug, desk, language)
    for measurement in told.measurements:
        yield measurement.name, _measurement(measurement, language)
    for name, answer in answers.items():
        if name not in ("age", "sex"):
            yield name, named_answer(name, answer, desk, language)


def shown_answer(name: str, answer: Answer, language: str) -> str:
    """An answer in words: «ja», «64», «kvinne», «vet ikke»."""
    if answer is None:
        return say("chat.unknown", language)
    if isinstance(answer, bool):
        return say("chat.yes" if answer else "chat.no", language)
    if isinstance(answer, str) and variable(name).kind is QuestionKind.DATE:
        return period(answer, language)
    if isinstance(answer, float | int):
        return f"{answer:g}".replace(".", "." if language == "en" else ",")
    return say(f"chat.choice_{name}_{answer}", language)


def named_answer(name: str, answer: Answer, desk: Desk, language: str) -> str:
    """An answer with what it is about: «hjertesvikt: ja»."""
    about = subject(name)
    shown = shown_answer(about.row, answer, language)
    if about.concept:
        label = desk.ontology.get(about.concept).label(language)
        return f"{label}{_time_of(about, language)}: {shown}"
    label = variable(name).label(language)
    return f"{label}: {shown}"


def _time_of(about: Subject, language: str) -> str:
    """What an answer is about beside its concept: « siste gang», « de siste 6 månedene», « noen gang»."""
    if about.days is not None:
        return say("chat.within", language, time=time_back(about.days, language))
    if about.row.startswith("last_"):
        return say("chat.last", language)
    return say("chat.ever", language) if about.row == "history" else ""


def _condition(condition: Condition, desk: Desk, language: str) -> str:
    label = desk.ontology.get(condition.concept).label(language)
    text = f"{label}: {say(f'chat.when_{condition.when}', language)}"
    if condition.last:
        return f"{text} ({period(condition.last, language)})"
    if condition.since_years is None or condition.when not in (When.PRESENT, When.PAST):
        return text
    years = f"{condition.since_years:g}".replace(".", "." if language == "en" else ",")
    return f"{text} ({say('chat.since_years', language, years=years)})"


def _drug(drug: Drug, desk: Desk, language: str) -> str:
    return f"{desk.ontology.get(drug.concept).label(language)}: {say(f'chat.use_{drug.use}', language)}"


def _measurement(measurement: Measurement, language: str) -> str:
    value = f"{measurement.value:g}".replace(".", "." if language == "en" else ",")
    return f"{say(f'measurement.{measurement.name}', language)}: {value} {measurement.unit}".rstrip()
