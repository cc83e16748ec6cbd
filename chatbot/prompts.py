"""What the chat says when it waits: a state in, the whole turn out. Repeating the turn is asking again."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from chatbot.desk import Desk
from chatbot.facts import Subject
from chatbot.measurements import Measurement, units
from chatbot.reply import Kind, Passage, Reply, Suggestion
from chatbot.safety import Label
from chatbot.screening import (
    MOST_QUESTIONS,
    is_sensitive,
    open_questions,
    unknown_in,
    verdicts,
    weigh,
)
from chatbot.state import Stage, State
from chatbot.summary import named_answer, shown_answer
from nlp.eligibility.criteria import Criterion
from nlp.eligibility.logic import Truth, relations
from nlp.eligibility.questions import Question, wording
from nlp.eligibility.sections import Section
from nlp.eligibility.variables import Answerer, QuestionKind, subject, tells
from nlp.eligibility.verdict import Finding, Outcome, Verdict
from nlp.embeddings.search import Hit, Reason
from ontology.wording import say
from registry.study import Status, Study

PAGE = 5
"""Hits shown at a time."""

MOST_STUDIES = 10
"""Studies that are screened together."""

_MOST_OF_A_GROUP = 6
_MOST_REASONS = 3
_LONGEST_QUOTE = 400


def prompt(state: State, desk: Desk) -> Reply:
    """The turn that this state waits in."""
    if state.halted:
        return _halted(state, state.halted)
    return _PROMPTS[state.stage](state, desk)


def hits_shown(state: State, hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """The hits of the page that the state is on; () after the last page."""
    pages = _pages(tuple(hits))
    return pages[state.page] if state.page < len(pages) else ()


def to_screen(hits: Sequence[Hit]) -> tuple[str, ...]:
    """The ids of the hits worth questions: that name what was asked for, and are open where some are."""
    named = [hit for hit in hits if hit.sure]
    open_ones = [hit for hit in named if hit.status in _TAKING] or named
    return tuple(hit.study_id for hit in open_ones[:MOST_STUDIES])


def listed(state: State, hits: Sequence[Hit], desk: Desk) -> tuple[Passage, ...]:
    """The studies of this page of the list, each with why it was found."""
    heading = Passage(say("chat.found", state.language, query=_short(state.query, 80)))
    shown = hits_shown(state, hits)
    marks = desk.marks(shown, state.query, state.language)
    numbered = enumerate(zip(shown, marks, strict=True), start=1)
    return (heading, *(_hit(number, hit, marked, desk, state.language) for number, (hit, marked) in numbered))


def _pages(hits: Sequence[Hit]) -> tuple[tuple[Hit, ...], ...]:
    """What names the question comes before what is merely like it, and never on one page with it."""
    kinds = ([hit for hit in hits if hit.sure is sure] for sure in (True, False))
    return tuple(tuple(kind[at : at + PAGE]) for kind in kinds for at in range(0, len(kind), PAGE))


def reasons(name: str, state: State, desk: Desk) -> tuple[Passage, ...]:
    """Why a question is asked: the criteria that need its answer, in the studies' own words."""
    quotes = [
        Passage(_quote(criterion), Kind.CRITERION, study.title if not state.study else "")
        for study in map(desk.study, state.screened)
        for criterion in desk.criteria_of(study)
        if any(tells(name, relation.variable) for relation in relations(criterion.rule))
    ]
    because = Passage(say("chat.question_because", state.language))
    return (because, *quotes[:_MOST_REASONS]) if quotes else ()


def introduction(state: State, desk: Desk) -> tuple[Passage, ...]:
    """Before the first question about a study: which it is, what to expect, and whom it is about."""
    language = state.language
    study = desk.study(state.study)
    return (
        *_title(study, desk, language),
        Passage(say("chat.before_questions", language)),
        *for_another(state),
    )


def for_another(state: State) -> tuple[Passage, ...]:
    """Whom «du» means, when somebody asks for somebody else."""
    return () if state.subject is Subject.SELF else (Passage(say("chat.for_another", state.language)),)


def takes_interest(study: Study) -> bool:
    """Whether an interest can be sent to this study."""
    return study.status in _TAKING and bool(study.mailbox)


def alert(label: Label, language: str) -> Passage:
    """The words for a danger, with its numbers."""
    return Passage(say(f"safety.{label}", language), Kind.ALERT)


def _halted(state: State, label: Label) -> Reply:
    language = state.language
    after = Passage(say(f"safety.after_{label}", language))
    go_on = () if label is Label.SUICIDE else (_suggest("continue", language),)
    return Reply((alert(label, language), after), go_on)


def _search(state: State, _desk: Desk) -> Reply:
    language = state.language
    examples = tuple(_suggest(f"example_{number}", language) for number in (1, 2, 3))
    return Reply((Passage(say("chat.ask_search", language)),), examples)


def _choose(state: State, desk: Desk) -> Reply:
    language = state.language
    hits = tuple(desk.find(state.query, language))
    pick = tuple(
        Suggestion(say("chat.pick", language, number=number, title=_short(hit.title, 70)), str(number))
        for number, hit in enumerate(hits_shown(state, hits), start=1)
    )
    more = (_suggest("others", language),) if state.page + 1 < len(_pages(hits)) else ()
    return Reply((*listed(state, hits, desk), Passage(say("chat.ask_choose", language))), (*pick, *more))


def _hit(number: int, hit: Hit, marks: Sequence[str], desk: Desk, language: str) -> Passage:
    """A study of the list: its status and what it does not state, why it was found, and where it says so."""
    status = say(f"status.{hit.status}", language)
    sample = say("site.sample", language) if desk.study(hit.study_id).is_sample else ""
    alike = "" if hit.sure else say("hits.alike", language)
    state_of_it = ". ".join(filter(None, (status, sample, alike, *marks)))
    paths = " ".join(each.text.casefold() for each in hit.why if each.kind == "concept")
    found = [each for each in hit.why if each.kind == "concept" or each.text.casefold() not in paths]
    why = "; ".join(dict.fromkeys(_short(each.text, 120) for each in found if each.kind != "passage"))
    because = say("chat.why", language, why=why) if why else ""
    passage = next((f"«{_short(each.text, 160)}»" for each in hit.why if _tells_more(each, hit)), "")
    note = "\n".join(filter(None, (state_of_it, because, passage)))
    return Passage(f"{number}. {hit.title}", Kind.STUDY, note, desk.page(hit.study_id))


def _tells_more(reason: Reason, hit: Hit) -> bool:
    """Whether it is a passage that does not only repeat the title."""
    return reason.kind == "passage" and reason.text.strip(" .") != hit.title.strip(" .")


def _ask(state: State, desk: Desk) -> Reply:
    if doubtful := state.told.doubtful:
        return _ask_unit(doubtful, state.language)
    language = state.language
    questions = open_questions(state, desk)
    question = questions[0]
    text, help_text = wording(question, language, desk.ontology)
    text = desk.rephrase(text) if desk.rephrase else text
    number, left = len(state.asked) + 1, len(questions) - 1
    place = Passage(say("chat.left" if left else "chat.last_question", language, number=number, left=left))
    personal: tuple[Passage, ...] = ()
    if is_sensitive(question.variable, desk):
        personal = (Passage(say("chat.sensitive", language)), *reasons(question.variable, state, desk))
    heading = Passage(text, Kind.HEADING, help_text)
    return Reply((place, *personal, heading), _answers(question, language), text, question.variable)


def _ask_unit(measurement: Measurement, language: str) -> Reply:
    """HbA1c 58 and 7.5 are different numbers in different units: which was meant?"""
    name = say(f"measurement.{measurement.name}", language)
    value = f"{measurement.value:g}".replace(".", "." if language == "en" else ",")
    text = say("chat.ask_unit", language, name=name, value=value)
    choices = tuple(Suggestion(unit.name, unit.name) for unit in units(measurement.name))
    suggestions = (*choices, _suggest("unknown", language))
    return Reply((Passage(text, Kind.HEADING),), suggestions, text, f"unit:{measurement.name}")


def _title(study: Study, desk: Desk, language: str) -> tuple[Passage, ...]:
    status = say(f"status_full.{study.status}", language)
    title = Passage(study.title, Kind.STUDY, status, desk.page(study.id))
    return (title, Passage(say("site.sample_note", language))) if study.is_sample else (title,)


def _answers(question: Question, language: str) -> tuple[Suggestion, ...]:
    unknown = _suggest("unknown", language)
    match question.kind:
        case QuestionKind.YES_NO:
            return (_suggest("yes", language), _suggest("no", language), unknown)
        case QuestionKind.CHOICE:
            labels = (shown_answer(question.variable, choice, language) for choice in question.choices)
            return (*(Suggestion(label, label) for label in labels), unknown)
        case QuestionKind.NUMBER:
            return (unknown,)
        case QuestionKind.DATE:
            keys = _WITHOUT_A_DATE.get(subject(question.variable).row, ())
            return (*(_suggest(key, language) for key in keys), unknown)


def _result(state: State, desk: Desk) -> Reply:
    """All studies that were screened: those that may fit first, each with what stands behind it."""
    language = state.language
    weighed = list(zip(state.screened, verdicts(state, desk), strict=True))
    numbers = {each: number for number, each in enumerate(state.screened, start=1)}
    groups = []
    for outcome in _ORDER:
        members = [(each, verdict) for each, verdict in weighed if verdict.outcome is outcome]
        if members:
            groups.append(Passage(say(f"chat.outcomes_{outcome}", language), Kind.HEADING))
            groups += [_weighed(numbers[each], each, verdict, desk, language) for each, verdict in members]
    pick = tuple(
        Suggestion(say("chat.look_at", language, number=numbers[each]), str(numbers[each]))
        for outcome in _ORDER[:2]
        for each, verdict in weighed
        if verdict.outcome is outcome
    )
    further = open_questions(replace(state, most=len(state.asked) + MOST_QUESTIONS), desk)
    more = (_suggest("more_questions", language),) if further else ()
    return Reply(
        (
            *groups,
            Passage(say("chat.study_decides", language)),
            Passage(say("chat.what_taking_part_means", language)),
            Passage(say("chat.ask_result", language)),
        ),
        (*more, *pick[:3], _suggest("new_search", language)),
    )


def _weighed(number: int, study_id: str, verdict: Verdict, desk: Desk, language: str) -> Passage:
    """One line of the result: the study, and the criteria behind its verdict."""
    study = desk.study(study_id)
    against = [f for f in verdict.findings if f.truth is Truth.NOT_MET]
    if against:
        quotes = "; ".join(f"«{_short(f.criterion.text, 120)}»" for f in against[:2])
        note = say("chat.because_not_met", language, criteria=quotes)
    else:
        met = sum(f.truth is Truth.MET for f in verdict.findings)
        note = say("chat.because_counts", language, met=met, unknown=unknown_in(verdict))
    status = say(f"status.{study.status}", language)
    return Passage(f"{number}. {study.title}", Kind.STUDY, f"{status}. {note}", desk.page(study_id))


def _offer(state: State, desk: Desk) -> Reply:
    language = state.language
    study = desk.study(state.study)
    verdict = weigh(state, desk)
    offered = verdict.outcome is not Outcome.PROBABLY_NOT and takes_interest(study)
    passages = (
        *_title(study, desk, language),
        Passage(say(f"chat.outcome_{verdict.outcome}", language), Kind.HEADING),
        *_foreign(study, language),
        *_findings(verdict, state, desk),
        Passage(say("chat.study_decides", language)),
        *(Passage(say(f"chat.{key}", language)) for key in _next_step(verdict.outcome, study)),
    )
    if offered:
        question = say("chat.ask_offer", language)
        return Reply(
            (*passages, Passage(question, Kind.HEADING)),
            (_suggest("yes", language), _suggest("no", language), _suggest("back", language)),
            question,
        )
    return Reply(passages, tuple(_suggest(key, language) for key in _other_ways(state)))


def _next_step(outcome: Outcome, study: Study) -> tuple[str, ...]:
    if outcome is Outcome.PROBABLY_NOT:
        return ("next_probably_not",)
    if study.status not in (Status.OPEN, Status.AWAITING):
        return ("next_closed",)
    return ("what_taking_part_means",) if study.mailbox else ("what_taking_part_means", "next_no_mailbox")


def _other_ways(state: State) -> tuple[str, ...]:
    return tuple(
        key for key, fits in (("back", state.asked), ("list", state.found), ("new_search", True)) if fits
    )


def _foreign(study: Study, language: str) -> tuple[Passage, ...]:
    foreign = study.language == "en" and language != "en" and study.criteria
    return (Passage(say("chat.criteria_in_english", language)),) if foreign else ()


def _findings(verdict: Verdict, state: State, desk: Desk) -> tuple[Passage, ...]:
    """Against first, then what is not known, then what speaks for, then what others must answer."""
    groups: dict[str, list[Finding]] = {key: [] for key in ("not_met", "unknown", "met", "others")}
    for finding in verdict.findings:
        ours = finding.truth is not Truth.UNKNOWN or finding.criterion.answerable_by is Answerer.PATIENT
        groups[finding.truth.value if ours else "others"].append(finding)
    page = desk.page(state.study)
    shown = (
        _group(key, findings, desk, state.language, page) for key, findings in groups.items() if findings
    )
    return tuple(passage for group in shown for passage in group)


def _group(key: str, findings: list[Finding], desk: Desk, language: str, page: str) -> tuple[Passage, ...]:
    quotes = tuple(
        Passage(_quote(finding.criterion), Kind.CRITERION, _note(key, finding, desk, language))
        for finding in findings[:_MOST_OF_A_GROUP]
    )
    heading = Passage(say(f"chat.group_{key}", language), Kind.HEADING)
    hidden = len(findings) - len(quotes)
    if not hidden:
        return (heading, *quotes)
    return (
        heading,
        *quotes,
        Passage(say("chat.more_criteria", language, count=hidden), Kind.LINK, link=page),
    )


def _quote(criterion: Criterion) -> str:
    return _short(criterion.text, _LONGEST_QUOTE)


def _note(key: str, finding: Finding, desk: Desk, language: str) -> str:
    section = say(f"chat.section_{finding.criterion.section}", language)
    excludes = finding.criterion.section is Section.EXCLUSION and finding.truth is not Truth.UNKNOWN
    found = say(f"chat.excludes_{key}" if excludes else f"chat.finding_{key}", language)
    answers = _answers_to(finding, desk, language)
    yours = say("chat.your_answer", language, answer=answers) if answers else ""
    return " ".join(filter(None, (section, found, yours)))


def _answers_to(finding: Finding, desk: Desk, language: str) -> str:
    """The answers that a criterion was weighed with; several are named."""
    if len(finding.answers) == 1:
        name, answer = finding.answers[0]
        return shown_answer(name, answer, language)
    return "; ".join(named_answer(name, answer, desk, language) for name, answer in finding.answers)


def _send(state: State, desk: Desk) -> Reply:
    """Where it is sent from: there the person sees and changes what goes, and says yes or leaves it."""
    language = state.language
    address = desk.sending(state.study, language)
    return Reply(
        (
            Passage(say("chat.look_over", language), Kind.HEADING, say("chat.look_over_text", language)),
            Passage(say("chat.look_over_link", language), Kind.LINK, link=address),
        ),
        (_suggest("back", language), _suggest("new_search", language)),
    )


def _suggest(key: str, language: str) -> Suggestion:
    label = say(f"chat.{key}", language)
    return Suggestion(label, label)


def _short(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"


_WITHOUT_A_DATE = {
    "last_condition": ("never", "has_now"),
    "last_drug": ("never", "takes_now"),
    "last_procedure": ("never",),
}
"""What can be chosen beside a date that is written."""
_TAKING = (Status.OPEN, Status.AWAITING)
_ORDER = (Outcome.MAY_FIT, Outcome.UNCLEAR, Outcome.PROBABLY_NOT)
_PROMPTS: dict[Stage, Callable[[State, Desk], Reply]] = {
    Stage.SEARCH: _search,
    Stage.CHOOSE: _choose,
    Stage.ASK: _ask,
    Stage.RESULT: _result,
    Stage.OFFER: _offer,
    Stage.SEND: _send,
}
