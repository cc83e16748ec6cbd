"""Gradio wiring and nothing else: a tab holds a State, the dialogue hears a message, its Reply is shown.

Importing gradio takes seconds, so whoever serves the chat imports this module late.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from secrets import token_urlsafe
from typing import Any, TypeAlias

import gradio as gr
from fastapi import FastAPI

from chatbot.desk import Desk
from chatbot.dialogue import LONGEST_MESSAGE, begin, reply, speak
from chatbot.reply import Kind, Passage, Reply, Suggestion
from chatbot.state import State
from ontology.errors import StudieveiError
from ontology.wording import LANGUAGES, say

MOST_SUGGESTIONS = 6
SESSION_SECONDS = 3_600
"""How long a conversation that nobody goes on with is remembered."""

_LANGUAGE_NAMES = [("Bokmål", "nb"), ("Nynorsk", "nn"), ("English", "en")]
_HEAD = '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">'
_ON_LOAD = "() => { document.documentElement.lang = 'nb'; }"
_SHOW_LATEST = """() => setTimeout(() => {
  const log = document.querySelector('#chat-log [role=log]');
  const latest = [...log.querySelectorAll('.bot')].pop();
  if (latest) log.scrollTop += latest.getBoundingClientRect().top - log.getBoundingClientRect().top - 40;
}, 100)"""
_SET_LANGUAGE = (
    "(language, ...rest) => { document.documentElement.lang = language; return [language, ...rest] }"
)

Log: TypeAlias = list[Any]
"""The conversation as the browser shows it."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser tab: where its conversation stands, and the last reply, which its buttons answer."""

    state: State
    answer: Reply

    @property
    def suggestions(self) -> tuple[Suggestion, ...]:
        """What the buttons say."""
        return self.answer.suggestions


@dataclass(frozen=True, slots=True)
class Room:
    """The controls of the page, in the order in which they stand."""

    session: gr.State
    title: gr.HTML
    language: gr.Radio
    log: gr.Chatbot
    suggestions: tuple[gr.Button, ...]
    message: gr.Textbox
    send: gr.Button
    forget: gr.Button
    footer: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        """The controls that a turn may change, in the order of `_view`."""
        return [
            self.session,
            self.title,
            self.language,
            self.log,
            self.message,
            self.send,
            self.forget,
            self.footer,
            *self.suggestions,
        ]


def mount_chat(app: FastAPI, desk: Desk, path: str) -> FastAPI:
    """Mounts the chat at `path`, without analytics, without a run history and without any outside request."""
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        chat_app(desk),
        path,
        theme=_theme(),
        css=_css(),
        js=_ON_LOAD,
        head=_HEAD,
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
    )
    return mounted


def chat_app(desk: Desk) -> gr.Blocks:
    """The chat over one desk. Opened with ?study=ID it starts with that study."""
    app = gr.Blocks(title=say("chat.title", "nb"), analytics_enabled=False, fill_height=True)
    with app:
        _wire(app, _room(), desk)
    return app


def html(passages: tuple[Passage, ...]) -> str:
    """Passages as one line of HTML, every text escaped, so that Markdown leaves it alone."""
    return f"<div>{''.join(map(_passage_html, passages))}</div>"


def _room() -> Room:
    session = gr.State(Session(State(), Reply(())), time_to_live=SESSION_SECONDS)
    title = gr.HTML(_title("nb"), elem_id="chat-title")
    language = gr.Radio(
        _LANGUAGE_NAMES, value="nb", label=say("chat.label_language", "nb"), elem_id="chat-language"
    )
    log = gr.Chatbot(
        label=say("chat.label_chat", "nb"),
        elem_id="chat-log",
        height="50vh",
        min_height="16rem",
        buttons=[],
        feedback_options=None,
        latex_delimiters=[],
        allow_file_downloads=False,
        group_consecutive_messages=False,
        layout="bubble",
        autoscroll=False,
    )
    with gr.Row(elem_id="chat-suggestions"):
        suggestions = tuple(gr.Button("", visible=False, size="md") for _ in range(MOST_SUGGESTIONS))
    with gr.Row(elem_id="chat-writing"):
        message = gr.Textbox(
            label=say("chat.label_message", "nb"),
            placeholder=say("chat.placeholder", "nb"),
            max_length=LONGEST_MESSAGE,
            lines=1,
            max_lines=4,
            scale=1,
        )
        send = gr.Button(say("chat.send", "nb"), variant="primary", scale=0)
    forget = gr.Button(say("chat.delete_all", "nb"), size="sm", elem_id="chat-forget")
    footer = gr.HTML(_footer("nb"), elem_id="chat-footer")
    return Room(session, title, language, log, suggestions, message, send, forget, footer)


def _wire(app: gr.Blocks, room: Room, desk: Desk) -> None:
    """Every event runs one turn of the dialogue and shows what it gives."""

    def open_page(request: gr.Request) -> list[Any]:
        return _opened(desk, request.query_params.get("study", ""), _language(request))

    def hear(message: str, session: Session, log: Log) -> list[Any]:
        return _heard(desk, session, log, message)

    def choose(number: int) -> Callable[[Session, Log], list[Any]]:
        return lambda session, log: _heard(desk, session, log, session.suggestions[number].message, number)

    def forget(session: Session) -> list[Any]:
        return _heard(desk, session, [], say("chat.delete_all", session.state.language))

    def change_language(language: str, session: Session, log: Log) -> list[Any]:
        state, answer = speak(session.state, language, desk)
        return _view(state, [*log, _ours(answer.passages)], answer)

    turn: dict[str, Any] = {
        "outputs": room.outputs,
        "queue": False,
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    app.load(open_page, **turn)
    gr.on([room.message.submit, room.send.click], hear, [room.message, room.session, room.log], **turn)
    for number, button in enumerate(room.suggestions):
        button.click(choose(number), [room.session, room.log], **turn)
    room.log.change(None, js=_SHOW_LATEST, queue=False, api_visibility="private")
    gr.on([room.forget.click, room.log.clear], forget, [room.session], **turn)
    room.language.input(change_language, [room.language, room.session, room.log], js=_SET_LANGUAGE, **turn)


def _language(request: gr.Request) -> str:
    """The language asked for in the address, or chosen on the pages before; "" if neither."""
    asked = request.query_params.get("lang") or request.cookies.get("language")
    return asked if asked in LANGUAGES else ""


def _opened(desk: Desk, study_id: str, language: str) -> list[Any]:
    state = State(key=token_urlsafe(24), language=language or "nb", language_chosen=bool(language))
    try:
        state, answer = begin(state, desk, study_id)
    except StudieveiError as problem:
        state, answer = begin(state, desk)
        return _view(state, [_ours((Passage(str(problem), Kind.ALERT), *answer.passages))], answer)
    return _view(state, [_ours(answer.passages)], answer)


def _heard(desk: Desk, session: Session, log: Log, message: str, button: int | None = None) -> list[Any]:
    """One turn. The person's own words are shown masked; a button's with the question it answers."""
    if not message.strip():
        return _view(session.state, log, session.answer)
    try:
        state, answer = reply(session.state, message, desk)
    except StudieveiError as problem:
        trouble = _ours((Passage(str(problem), Kind.ALERT),))
        return _view(session.state, [*log, trouble], session.answer)
    chosen = "" if button is None else _label(session.suggestions[button], session.answer.question)
    said = chosen or answer.heard
    kept = [] if not state.query and not state.answers and not state.study and not state.halted else log
    return _view(state, [*kept, _theirs(said), _ours(answer.passages)], answer)


def _view(state: State, log: Log, answer: Reply) -> list[Any]:
    """The new values of `Room.outputs`."""
    language = state.language
    shown = answer.suggestions[:MOST_SUGGESTIONS]
    buttons = [gr.Button(_label(each, answer.question), visible=True) for each in shown]
    return [
        Session(state, answer),
        _title(language),
        gr.Radio(value=language, label=say("chat.label_language", language)),
        gr.Chatbot(value=log, label=say("chat.label_chat", language)),
        gr.Textbox(
            value="",
            label=say("chat.label_message", language),
            placeholder=say("chat.placeholder", language),
        ),
        gr.Button(say("chat.send", language)),
        gr.Button(say("chat.delete_all", language)),
        _footer(language),
        *buttons,
        *(gr.Button(visible=False) for _ in range(MOST_SUGGESTIONS - len(shown))),
    ]


def _label(suggestion: Suggestion, question: str) -> str:
    """A button says what it answers, for those who hear the page one control at a time."""
    return f"{suggestion.label} – {question}" if question.endswith("?") else suggestion.label


def _ours(passages: tuple[Passage, ...]) -> dict[str, str]:
    return {"role": "assistant", "content": html(passages)}


def _theirs(text: str) -> dict[str, str]:
    return {"role": "user", "content": f"<div><p>{_text(text)}</p></div>"}


def _passage_html(passage: Passage) -> str:
    text, note = _text(passage.text), _note(passage)
    if passage.link:
        text = f'<a href="{escape(passage.link)}" target="_blank" rel="noopener">{text}</a>'
    match passage.kind:
        case Kind.HEADING:
            return f"<h3>{text}</h3>{note}"
        case Kind.ALERT:
            return f'<p class="alert" role="alert">{text}</p>'
        case Kind.STUDY:
            return f'<div class="study"><p>{text}</p>{note}</div>'
        case Kind.CRITERION:
            return f"<blockquote>{text}{note}</blockquote>"
        case Kind.TEXT | Kind.LINK:
            return f"<p>{text}</p>{note}"


def _note(passage: Passage) -> str:
    return f'<p class="note">{_text(passage.note)}</p>' if passage.note else ""


def _text(text: str) -> str:
    """Escaped, on one line: Markdown leaves a line of HTML alone."""
    return "<br>".join(escape(line) for line in text.splitlines())


def _title(language: str) -> str:
    home = f'<a href="/">{escape(say("site.name", language))}</a>'
    return f"<h1>{escape(say('chat.title', language))}</h1><p>{home}</p>"


def _footer(language: str) -> str:
    return f"<p>{_text(say('chat.footer', language))}</p>"


def _theme() -> gr.themes.Base:
    """System fonts only: no font is fetched from anywhere."""
    return gr.themes.Base(
        primary_hue="teal", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace")
    )


def _css() -> str:
    return files("chatbot").joinpath("chat.css").read_text("utf-8")
