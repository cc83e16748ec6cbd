"""The pre-screening as a form: one question a page, back and summary, without JavaScript (R29).

The engine is the chat's: a page shows its reply, and what is chosen or written is the next message.
"""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api import cookies
from api.chat import open_desk, sending_path
from api.csrf import OwnForm
from api.deps import Fields, Language, LibraryDep, SettingsDep
from api.errors import not_found
from api.pages.render import private_page
from chatbot.conversation import Conversation, forget, keep, new_token, take_up
from chatbot.desk import Desk
from chatbot.dialogue import begin, remove, reply, speak
from chatbot.state import Stage, State
from chatbot.summary import known
from nlp.eligibility.variables import variable
from ontology.errors import BadInput
from ontology.wording import LANGUAGES, say

router = APIRouter(include_in_schema=False, dependencies=[OwnForm])

PATH = "/sjekk"


@router.get(PATH)
def question(
    request: Request, library: LibraryDep, settings: SettingsDep, language: Language, studie: str = ""
) -> Response:
    """Where the conversation of this browser stands; with `studie`, the first question of that study."""
    token = cookies.read(request, cookies.CONVERSATION) or new_token()
    desk, now = open_desk(library, settings), datetime.now(UTC)
    conversation = take_up(library.store.engine, token, now)
    if conversation is None or (studie and conversation.state.study != studie):
        conversation = _begun(studie, language, desk)
    elif request.query_params.get("lang") in LANGUAGES and language != conversation.state.language:
        conversation = Conversation(*speak(conversation.state, language, desk))
    keep(library.store.engine, token, conversation, now)
    there = f"{PATH}?lang={language}" if "lang" in request.query_params else PATH
    page = RedirectResponse(there, 303) if studie else _page(request, conversation)
    cookies.give(request, page, cookies.CONVERSATION, token)
    return page


@router.post(PATH)
def answer(
    request: Request, fields: Fields, library: LibraryDep, settings: SettingsDep, language: Language
) -> Response:
    """One message of the conversation: a choice, a number or words."""
    token = cookies.read(request, cookies.CONVERSATION) or new_token()
    engine, desk, now = library.store.engine, open_desk(library, settings), datetime.now(UTC)
    conversation = take_up(engine, token, now)
    if conversation is None:
        conversation = _begun("", language, desk)
    elif not (message := fields.get("message", "").strip() or fields.get("words", "").strip()):
        return _page(request, conversation, wrong=say("screen.choose_one", conversation.state.language))
    else:
        conversation = Conversation(*reply(conversation.state, message, desk))
    keep(engine, token, conversation, now)
    state = conversation.state
    sends = state.stage is Stage.SEND
    page = RedirectResponse(sending_path(state.study, state.language) if sends else PATH, 303)
    cookies.give(request, page, cookies.CONVERSATION, token)
    return page


@router.get(f"{PATH}/svar")
def summary(request: Request, library: LibraryDep, settings: SettingsDep) -> Response:
    """What has been understood so far, each thing with a button that takes it away."""
    desk = open_desk(library, settings)
    token = cookies.read(request, cookies.CONVERSATION)
    conversation = take_up(library.store.engine, token, datetime.now(UTC))
    facts = list(known(conversation.state, desk)) if conversation else []
    return private_page(request, "answers.html", facts=facts)


@router.post(f"{PATH}/svar")
def take_away(request: Request, fields: Fields, library: LibraryDep, settings: SettingsDep) -> Response:
    """Takes one thing away, or everything, and goes on from there."""
    token, engine = cookies.read(request, cookies.CONVERSATION), library.store.engine
    if fields.get("remove") == "all":
        forget(engine, token)
        page = private_page(request, "answers.html", facts=None)
        cookies.take_back(request, page, cookies.CONVERSATION)
        return page
    now = datetime.now(UTC)
    conversation = take_up(engine, token, now)
    if conversation is not None:
        desk = open_desk(library, settings)
        changed = remove(conversation.state, fields.get("remove", ""), desk)
        keep(engine, token, Conversation(*changed), now)
    return RedirectResponse(f"{PATH}/svar", 303)


def _begun(study: str, language: str, desk: Desk) -> Conversation:
    state = State(language=language, language_chosen=True)
    try:
        return Conversation(*begin(state, desk, study))
    except BadInput as error:
        raise not_found(error) from error


def _page(request: Request, conversation: Conversation, wrong: str = "") -> Response:
    """A question as a page. Numbers, dates and words are written, everything else is chosen."""
    answer = conversation.answer
    kind = variable(answer.asks).kind if answer.asks and not answer.asks.startswith("unit:") else None
    return private_page(
        request,
        "screening.html",
        conversation=conversation,
        asks=kind,
        wrong=wrong,
    )
