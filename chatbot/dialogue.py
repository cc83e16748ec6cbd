"""The engine: (state, message) -> (state, reply). Pure: what is sent, is sent from a page of its own."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from chatbot.dates import Heard, read_when
from chatbot.desk import Desk
from chatbot.explain import TOPICS, about, explanation
from chatbot.facts import Facts, Reader, Said, Subject, When
from chatbot.intents import intents, read_answer, words_after
from chatbot.measurements import Measurement, unit_in
from chatbot.phrases import group, plain
from chatbot.prompts import (
    alert,
    for_another,
    hits_shown,
    introduction,
    listed,
    prompt,
    reasons,
    takes_interest,
    to_screen,
)
from chatbot.reply import Passage, Reply
from chatbot.safety import HELP, Label, check
from chatbot.screening import MOST_QUESTIONS, open_questions, weigh
from chatbot.state import Stage, State, Told
from chatbot.summary import understood
from nlp.eligibility.dates import NEVER
from nlp.eligibility.questions import Question, question_of
from nlp.eligibility.variables import Answer, QuestionKind, subject, variable
from nlp.eligibility.verdict import Outcome
from nlp.language import detect
from nlp.query import clean, understand
from ontology.wording import LANGUAGES, period, say

LONGEST_READ = 20_000
"""Characters of a message that are searched for danger and private numbers."""

LONGEST_MESSAGE = 2_000
"""Characters of a message that are answered."""

Turn: TypeAlias = tuple[State, tuple[Passage, ...]]
"""Where a message leads, and what is said before the prompt of that place."""


def begin(state: State, desk: Desk, study_id: str = "") -> tuple[State, Reply]:
    """The first turn: a welcome, and the questions of `study_id` if somebody comes from its page.

    Raises:
        BadInput: no study has this id.
    """
    desk = desk.for_one_turn()
    welcome = Passage(say("chat.welcome", state.language))
    if not study_id:
        return _said(state, (welcome,), desk)
    state, notes = _choose(state, desk.study(study_id).id, desk)
    return _said(state, (welcome, *notes), desk)


def speak(state: State, language: str, desk: Desk) -> tuple[State, Reply]:
    """The same place in another language (nb, nn or en)."""
    return _said(replace(state, language=language, language_chosen=True), (), desk.for_one_turn())


def remove(state: State, name: str, desk: Desk) -> tuple[State, Reply]:
    """The same place without one thing that was known, by its variable; it is asked again if it matters."""
    state = state.without(name)
    if state.stage in _WEIGHED:
        state = replace(state, stage=Stage.ASK)
    return _said(state, (), desk.for_one_turn())


def reply(state: State, message: str, desk: Desk) -> tuple[State, Reply]:
    """Answers one message. Danger comes before everything else; private numbers are masked first.

    What the person wrote is kept only as answers
    and, masked, as the words that were searched for.
    """
    desk = desk.for_one_turn()
    safety = check(message[:LONGEST_READ])
    heard = safety.masked[:LONGEST_MESSAGE]
    danger = next((label for label in safety.labels if label in _HALTING), None)
    if danger or state.halted:
        after, notes = _in_danger(state, heard, danger)
    else:
        after, notes = _answered(state, heard, safety.labels, desk)
    state, answer = _said(after, notes, desk, again=after == state)
    labels = tuple(label for label in Label if label in safety.labels or label is state.halted)
    numbers = tuple(dict.fromkeys(number for label in labels for number in HELP.get(label, ())))
    return state, replace(answer, heard=heard, safety=labels, help=numbers)


def _said(
    state: State, notes: tuple[Passage, ...], desk: Desk, *, again: bool = False
) -> tuple[State, Reply]:
    """The reply of a state; when there is nothing left to ask, the verdict. `again`: only its question."""
    if state.stage is Stage.ASK and not state.told.doubtful and not open_questions(state, desk):
        state = _settled(state)
    waiting = prompt(state, desk)
    said = waiting.passages[-1:] if again and not state.halted else waiting.passages
    return state, replace(waiting, passages=(*notes, *said))


def _settled(state: State) -> State:
    """Where the answers lead: to the verdict of the only study, or to those of all."""
    if not state.study and len(state.found) == 1:
        state = replace(state, study=state.found[0])
    return replace(state, stage=Stage.OFFER if state.study else Stage.RESULT)


def _in_danger(state: State, heard: str, danger: Label | None) -> Turn:
    """The screening stands still. Thoughts of suicide are not taken back by saying that it was a joke."""
    wants = intents(heard)
    if danger and (state.halted is None or danger is Label.SUICIDE):
        return replace(state, halted=danger), ()
    if not danger and wants & {"forget", "restart"}:
        return state.forget(), (Passage(say("chat.forgotten", state.language)),)
    if not danger and "continue" in wants and state.halted is not Label.SUICIDE:
        return replace(state, halted=None), ()
    return state, ()


def _answered(state: State, heard: str, labels: tuple[Label, ...], desk: Desk) -> Turn:
    if Label.INSTRUCTION in labels:
        return state, (Passage(say("safety.instruction", state.language)),)
    if Label.ADVICE in labels:
        return _advised(state, heard, desk)
    warning = tuple(alert(label, state.language) for label in labels if label is Label.DOCTOR_TODAY)
    wants = intents(heard)
    for intent, command in _COMMANDS.items():
        if intent in wants and (turn := command(state, heard, desk)):
            return turn[0], (*warning, *turn[1])
    state, notes = _HEARERS[state.stage](state, heard, desk)
    return state, (*warning, *notes)


def _advised(state: State, heard: str, desk: Desk) -> Turn:
    """No advice, but what the question tells of the person is heard: «jeg er 54 og har høyt blodtrykk»."""
    no_advice = Passage(say("safety.advice", state.language))
    facts = _facts(heard, state, desk)
    if state.stage is Stage.SEARCH and any(each.when is When.PRESENT for each in facts.conditions):
        found, notes = _find(state, heard, desk)
        return found, (no_advice, *notes)
    learned = _learn(state, facts)
    return learned, (no_advice, *understood(state, learned, desk))


def _forget(state: State, _heard: str, _desk: Desk) -> Turn:
    return state.forget(), (Passage(say("chat.forgotten", state.language)),)


def _back(state: State, heard: str, desk: Desk) -> Turn | None:
    """To the question before. «Forrige uke» and «ett år siden» are answers to when something was."""
    if _asks_when(state, desk) and _when(state, heard, desk) != Heard():
        return None
    return _back_from(state)


def _back_from(state: State) -> Turn:
    if state.stage is Stage.SEND:
        return replace(state, stage=Stage.OFFER), ()
    if state.stage in (Stage.ASK, Stage.RESULT, Stage.OFFER) and state.asked:
        *asked, last = state.asked
        kept = tuple(pair for pair in state.answers if pair[0] != last)
        return replace(state, stage=Stage.ASK, asked=tuple(asked), answers=kept), ()
    before = Stage.CHOOSE if state.stage is not Stage.CHOOSE and state.shown else Stage.SEARCH
    return replace(state, stage=before), ()


def _list(state: State, _heard: str, _desk: Desk) -> Turn | None:
    """Back to all the studies that were found."""
    if not state.found:
        return None
    return replace(state, stage=Stage.RESULT, study=""), ()


def _more(state: State, _heard: str, desk: Desk) -> Turn | None:
    """More questions, when there are some left."""
    if state.stage not in _WEIGHED:
        return None
    more = replace(state, most=len(state.asked) + MOST_QUESTIONS)
    return (replace(more, stage=Stage.ASK), ()) if open_questions(more, desk) else None


def _others(state: State, _heard: str, desk: Desk) -> Turn | None:
    """More of the list, or the list again."""
    if not state.query:
        return None
    page = state.page + 1 if state.stage in (Stage.ASK, Stage.CHOOSE) else state.page
    turned = replace(state, stage=Stage.CHOOSE, page=page)
    shown = hits_shown(turned, desk.find(state.query, state.language))
    if not shown:
        return replace(state, stage=Stage.CHOOSE), (Passage(say("chat.no_more", state.language)),)
    return replace(turned, shown=tuple(hit.study_id for hit in shown)), ()


def _correct(state: State, heard: str, desk: Desk) -> Turn | None:
    """«Nei forresten, 64»: changes the last answer of that kind; without a new answer, asks it again."""
    if not state.given or state.stage not in (Stage.ASK, Stage.CHOOSE, *_WEIGHED):
        return None
    rest = words_after("correct", heard)
    facts = _facts(rest, state, desk)
    learned = _learn(state, facts)
    if learned == state:
        for name in reversed(state.asked):
            is_answer, answer = _answer(name, facts, rest, state, desk)
            if is_answer and _plausible(question_of(name), answer):
                learned = state.answer(name, answer)
                break
        else:
            number = facts.number
            if number is not None and "age" in state.given and _plausible(question_of("age"), number):
                learned = state.answer("age", number)
    if learned == state:
        return _back_from(state)
    return replace(learned, stage=Stage.ASK), understood(state, learned, desk)


def _summary(state: State, _heard: str, desk: Desk) -> Turn:
    blank = State(language=state.language)
    return state, understood(blank, state, desk) or (Passage(say("chat.nothing_known", state.language)),)


def _explain(state: State, heard: str, desk: Desk) -> Turn:
    """What a word means; without a word, what the question means and why it is asked."""
    word = words_after("explain_word", heard)
    if word in _POINTING:
        word = ""
    if found := explanation(word, state.language, desk):
        return state, (Passage(found),)
    unknown = (Passage(say("chat.cannot_explain", state.language)),)
    if state.stage is not Stage.ASK or state.told.doubtful:
        return state, unknown
    question = open_questions(state, desk)[0]
    because = reasons(question.variable, state, desk)
    return state, (*(unknown if word else ()), *because)


def _search_for(state: State, heard: str, desk: Desk) -> Turn:
    words = words_after("search", heard)
    if not words:
        return replace(state, stage=Stage.SEARCH), ()
    return _find(state, words, desk)


def _about(topic: str) -> Callable[[State, str, Desk], Turn]:
    return lambda state, _heard, _desk: (state, (Passage(about(topic, state.language)),))


def _greet(state: State, _heard: str, _desk: Desk) -> Turn:
    return state, (Passage(say("chat.hello", state.language)),)


def _find(state: State, heard: str, desk: Desk) -> Turn:
    """A search in the person's own words. What they say about themself on the way is remembered."""
    state = replace(state, language=_language(state, heard))
    facts = _facts(heard, state, desk)
    learned = _learn(_whose(state, facts), facts)
    notes = understood(state, learned, desk)
    if _names_nothing(heard, facts, desk):
        return replace(learned, stage=Stage.SEARCH), (*notes, Passage(say("chat.say_what", state.language)))
    learned = replace(learned, query=heard, page=0, study="", asked=(), most=MOST_QUESTIONS)
    hits = tuple(desk.find(heard, learned.language))
    shown = hits_shown(learned, hits)
    if not shown:
        nothing = Passage(say("chat.none_found", learned.language))
        return replace(learned, stage=Stage.SEARCH, query="", shown=(), found=()), (*notes, nothing)
    learned = replace(learned, shown=tuple(hit.study_id for hit in shown), found=to_screen(hits))
    if not learned.found:
        return replace(learned, stage=Stage.CHOOSE), notes
    return replace(learned, stage=Stage.ASK), (*notes, *listed(learned, hits, desk), *for_another(learned))


def _names_nothing(heard: str, facts: Facts, desk: Desk) -> bool:
    """«Jeg er 67 år», «???» and «ja» name nothing to look for."""
    about_person = facts.age is not None or facts.sex is not None or facts.subject is not None
    only_person = about_person and len(heard.split()) <= _SHORT + 2 and not desk.linker.link(heard)
    return only_person or not re.search(r"[^\W\d_]{2}", heard) or _is_only_an_answer(heard, desk)


def _is_only_an_answer(heard: str, desk: Desk) -> bool:
    """«Ja», «vet ikke helt» where nothing was asked."""
    return len(heard.split()) <= _SHORT and read_answer(heard) is not None and not desk.linker.link(heard)


def _pick(state: State, heard: str, desk: Desk) -> Turn:
    wants = intents(heard)
    if wants & {"none"} or (wants & {"no"} and not wants & {"yes"}):
        return replace(state, stage=Stage.SEARCH), ()
    number = _picked(state, heard, desk)
    if number is None:
        return _narrowed(state, heard, desk) or _find(state, heard, desk)
    if not 1 <= number <= len(state.shown):
        return state, (Passage(say("chat.pick_between", state.language, most=len(state.shown))),)
    return _choose(state, state.shown[number - 1], desk)


def _picked(state: State, heard: str, desk: Desk, *, plainly: bool = False) -> int | None:
    """The place in the list that a message points at: a number, «den første», an id or words of one title.

    `plainly`: a number alone is the answer to a question, and so are single words.
    """
    wants = intents(heard)
    for number in range(1, len(state.shown) + 1):
        if f"pick_{number}" in wants and not (plainly and heard.strip().isalnum()):
            return number
    if "pick_last" in wants or (len(state.shown) == 1 and "yes" in wants and not plainly):
        return len(state.shown)
    lead = (
        r"(?:nr|nummer|number|velg|vel|choose|sjekk|check|studie|study)\W{0,3}" if plainly else r"\D{0,20}?"
    )
    if digits := re.fullmatch(rf"{lead}(\d{{1,2}})\W{{0,3}}(?:takk)?", heard.strip().casefold()):
        return int(digits[1]) if not plainly or 1 <= int(digits[1]) <= len(state.shown) else None
    words = set(plain(heard).split()) - {",", "."}
    if len(words) == 1:
        by_id = {each.casefold(): number for number, each in enumerate(state.shown, start=1)}
        return by_id.get(heard.strip().casefold())
    names = [set(plain(f"{each} {desk.study(each).title}").split()) for each in state.shown]
    exact = [number for number, name in enumerate(names, start=1) if words and words <= name]
    return exact[0] if len(exact) == 1 else None


def _choose(state: State, study_id: str, desk: Desk) -> Turn:
    most = len(state.asked) + MOST_QUESTIONS
    chosen = replace(state, stage=Stage.ASK, study=study_id, most=most)
    return chosen, introduction(chosen, desk) if open_questions(chosen, desk) else ()


def _hear_answer(state: State, heard: str, desk: Desk) -> Turn:
    if doubtful := state.told.doubtful:
        return _hear_unit(state, doubtful, heard, desk)
    facts = _facts(heard, state, desk)
    if _is_about_another(facts, state):
        return _find(state, heard, desk)
    question = open_questions(state, desk)[0]
    if turn := _hear_date(state, facts, question, heard, desk) or _hear_pick(state, heard, desk):
        return turn
    is_answer, answer = _answer(question.variable, facts, heard, state, desk)
    if is_answer:
        return _answered_question(state, facts, question, answer)
    learned = _learn(state, facts)
    if learned != state:
        return learned, understood(state, learned, desk)
    not_understood = Passage(say(f"chat.not_understood_{question.kind}", state.language))
    return _narrowed(state, heard, desk) or (state, (not_understood,))


def _hear_date(state: State, facts: Facts, question: Question, heard: str, desk: Desk) -> Turn | None:
    """When something was, which is said back; what cannot be right is asked for again."""
    if question.kind is not QuestionKind.DATE:
        return None
    if trouble := _when(state, heard, desk).trouble:
        return state, (Passage(say(f"chat.date_{trouble}", state.language)),)
    _, when = _answer(question.variable, facts, heard, state, desk)
    if not isinstance(when, str):
        return None
    said = say("chat.understood_date", state.language, date=period(when, state.language))
    return _answered_question(state, facts, question, when)[0], (Passage(said),)


def _hear_pick(state: State, heard: str, desk: Desk) -> Turn | None:
    """«Nr 2» of the list, while questions are asked about all."""
    number = None if state.study else _picked(state, heard, desk, plainly=True)
    return _choose(state, state.shown[number - 1], desk) if number else None


def _answered_question(state: State, facts: Facts, question: Question, answer: Answer) -> Turn:
    if not _plausible(question, answer):
        bounds = {"lower": f"{question.lower:g}", "upper": f"{question.upper:g}"}
        return state, (Passage(say("chat.out_of_bounds", state.language, **bounds)),)
    learned = _learn(state, facts).answer(question.variable, answer)
    return replace(learned, asked=(*state.asked, question.variable)), ()


def _asks_when(state: State, desk: Desk) -> bool:
    if state.stage is not Stage.ASK or state.told.doubtful:
        return False
    return any(each.kind is QuestionKind.DATE for each in open_questions(state, desk)[:1])


def _when(state: State, heard: str, desk: Desk) -> Heard:
    age = state.given.get("age")
    return read_when(heard, desk.today(), state.language, age if isinstance(age, float | int) else None)


def _hear_unit(state: State, doubtful: Measurement, heard: str, desk: Desk) -> Turn:
    """The unit of a measurement, or another measurement, or neither: then it is left without one."""
    told = state.told
    unit = unit_in(doubtful.name, heard)
    if unit is None and read_answer(heard) is Said.YES:
        unit = doubtful.unit
    if unit is None and read_answer(heard) is None:
        learned = _learn(state, _facts(heard, state, desk))
        if learned != state:
            return learned, understood(state, learned, desk)
    settled = replace(doubtful, unit=unit or "", doubtful=False)
    kept = tuple(settled if each == doubtful else each for each in told.measurements)
    return replace(state, told=replace(told, measurements=kept)), ()


def _answer(name: str, facts: Facts, heard: str, state: State, desk: Desk) -> tuple[bool, Answer]:
    """Whether a message answers the question of this variable, and what."""
    match variable(name).kind:
        case QuestionKind.NUMBER:
            number = facts.age if name == "age" and facts.age is not None else facts.number
            if any(each.name != name for each in facts.measurements):
                return False, None
            if number is not None:
                return True, number
        case QuestionKind.CHOICE:
            if choice := _choice(name, facts, heard, state.language):
                return True, choice
        case QuestionKind.DATE:
            when = _when(state, heard, desk).when
            if when and (when != NEVER or subject(name).concept):
                return True, when
        case QuestionKind.YES_NO:
            said = facts.answer or _confirmed(name, facts, desk)
            if said in (Said.YES, Said.NO):
                return True, said is Said.YES
    return facts.answer is Said.UNKNOWN, None


def _choice(name: str, facts: Facts, heard: str, language: str) -> str | None:
    if name == "sex" and facts.sex:
        return facts.sex
    labels = {say(f"chat.choice_{name}_{each}", language).casefold(): each for each in variable(name).choices}
    return labels.get(heard.strip(" .!").casefold())


def _confirmed(name: str, facts: Facts, desk: Desk) -> Said | None:
    """«Diabetes» is a yes to «Har du diabetes?»; so is any narrower name for it."""
    about = subject(name)
    if about.days is not None:
        return None  # what somebody has had need not have been lately
    asked = about.concept
    for condition in facts.conditions:
        if asked == condition.concept or asked in desk.ontology.ancestors(condition.concept):
            return Said.NO if condition.when is When.ABSENT else Said.YES
    return None


def _plausible(question: Question, answer: Answer) -> bool:
    if answer is None or isinstance(answer, bool | str):
        return True
    return (question.lower is None or answer >= question.lower) and (
        question.upper is None or answer <= question.upper
    )


def _hear_result(state: State, heard: str, desk: Desk) -> Turn:
    """After the results of all: one of them, or something new."""
    wants = intents(heard)
    number = _picked(replace(state, shown=state.found), heard, desk)
    if number is not None and not 1 <= number <= len(state.found):
        return state, (Passage(say("chat.pick_between", state.language, most=len(state.found))),)
    if number is not None:
        return _choose(state, state.found[number - 1], desk)
    if wants & {"no", "none"} and len(heard.split()) <= _SHORT:
        return replace(state, stage=Stage.SEARCH), ()
    return _say_more(state, heard, desk)


def _say_more(state: State, heard: str, desk: Desk) -> Turn:
    """More about the person («jeg har også diabetes») is weighed; anything else is a new search."""
    learned = _learn(state, _facts(heard, state, desk))
    if learned != state and state.found and "search" not in intents(heard):
        return replace(learned, stage=Stage.ASK), understood(state, learned, desk)
    return _narrowed(state, heard, desk) or _find(state, heard, desk)


def _narrowed(state: State, heard: str, desk: Desk) -> Turn | None:
    """«Nær Tromsø» and «bare åpne» alone narrow what was searched for."""
    if not state.query or len(heard.split()) > _SHORT + 2 or not clean(heard):
        return None
    asked = understand(heard, desk.linker)
    if asked.mentions or not (asked.place or asked.open_stated):
        return None
    return _find(state, f"{state.query}, {heard}", desk)


def _hear_offer(state: State, heard: str, desk: Desk) -> Turn:
    """Also where the page to send from has been shown: yes shows it again."""
    said = read_answer(heard)
    study = desk.study(state.study)
    offered = weigh(state, desk).outcome is not Outcome.PROBABLY_NOT and takes_interest(study)
    if said is Said.YES and offered:
        return replace(state, stage=Stage.SEND), ()
    if said in (Said.NO, Said.UNKNOWN) or said is Said.YES:
        back = replace(state, stage=Stage.RESULT if state.found else Stage.SEARCH, study="")
        return back, (Passage(say("chat.not_sent", state.language)),)
    return _find(state, heard, desk)


def _facts(heard: str, state: State, desk: Desk) -> Facts:
    reader = Reader(desk.linker, desk.ontology, desk.today())
    facts = reader.read(heard, state.subject)
    return desk.complete(heard, facts, reader) if desk.complete else facts


def _language(state: State, heard: str) -> str:
    """The language to answer in: chosen, or that of the first whole sentence. Others are met in bokmål."""
    if state.language_chosen or len(heard.split()) < 3:
        return state.language
    spoken = detect(heard)
    return spoken if spoken in LANGUAGES else "nb"


def _is_about_another(facts: Facts, state: State) -> bool:
    """«Jenta mi på 9 har migrene», when the questions were about the one who writes."""
    another = facts.subject not in (None, Subject.SELF, state.subject)
    return another and facts.age is not None and any(each.when is When.PRESENT for each in facts.conditions)


def _whose(state: State, facts: Facts) -> State:
    """When a search is for somebody else than the last one, what was known is not about them."""
    if facts.subject in (None, state.subject):
        return replace(state, subject_told=state.subject_told or facts.subject is not None)
    tells = facts.age is not None or any(each.when is When.PRESENT for each in facts.conditions)
    if facts.subject is Subject.SELF and not tells:
        return state
    return replace(state, subject=facts.subject, subject_told=True, told=Told(), answers=())


def _learn(state: State, facts: Facts) -> State:
    """The state with what a message says about the person the screening is for."""
    if facts.subject in (None, state.subject):
        return state.learn(facts)
    if facts.subject is Subject.SELF:
        return state
    if not state.subject_told and not state.given:
        return replace(state.learn(facts), subject=facts.subject, subject_told=True)
    inherited = tuple(replace(each, when=When.FAMILY) for each in facts.conditions)
    return state.learn(Facts(conditions=inherited))


_SHORT = 4
_POINTING = frozenset(("", *group("pointing")))
"""Words that ask about what stands above, and name nothing."""
_WEIGHED = (Stage.RESULT, Stage.OFFER, Stage.SEND)
"""Where the answers have been weighed."""
_BY_NUMBER = r"(?:nr|nummer|number|velg|vel|choose|sjekk|check|studie|study)\W{0,3}"
_HALTING = (Label.SUICIDE, Label.ACUTE, Label.VIOLENCE, Label.POISONING)
_COMMANDS: dict[str, Callable[[State, str, Desk], Turn | None]] = {
    "forget": _forget,
    "restart": _forget,
    "stop": _forget,
    "list": _list,
    "more": _more,
    "others": _others,
    "back": _back,
    "correct": _correct,
    "summary": _summary,
    **{f"about_{topic}": _about(topic) for topic in TOPICS},
    "explain": _explain,
    "search": _search_for,
    "greeting": _greet,
}
_HEARERS: dict[Stage, Callable[[State, str, Desk], Turn]] = {
    Stage.SEARCH: _find,
    Stage.CHOOSE: _pick,
    Stage.ASK: _hear_answer,
    Stage.RESULT: _hear_result,
    Stage.OFFER: _hear_offer,
    Stage.SEND: _hear_offer,
}
