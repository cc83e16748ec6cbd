"""Gradio wiring and nothing else: a tab holds a State, the dialogue hears a message, its Reply is shown.

Importing gradio takes seconds, so whoever serves the chat imports this module late.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any, TypeAlias

import gradio as gr
from fastapi import FastAPI

from chatbot.conversation import LASTS, Conversation, Memory
from chatbot.desk import Desk
from chatbot.dialogue import LONGEST_MESSAGE, begin, reply, speak
from chatbot.reply import Kind, Passage, Reply, Suggestion
from chatbot.state import State
from ontology.errors import StudieveiError
from ontology.wording import LANGUAGES, say

MOST_SUGGESTIONS = 6

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


def mount_chat(app: FastAPI, desk: Desk, path: str, memory: Memory | None = None) -> FastAPI:
    """Mounts the chat at `path`, without analytics, without a run history and without any outside request.

    `memory` keeps conversations over a refresh and a restart; without it they live as long as their tab.
    """
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        chat_app(desk, memory),
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


def chat_app(desk: Desk, memory: Memory | None = None) -> gr.Blocks:
    """The chat over one desk. Opened with ?study=ID it starts with that study."""
    app = gr.Blocks(title=say("chat.title", "nb"), analytics_enabled=False, fill_height=True)
    with app:
        _wire(app, _room(), desk, memory)
    return app


def html(passages: tuple[Passage, ...]) -> str:
    """Passages as one line of HTML, every text escaped, so that Markdown leaves it alone."""
    return f"<div>{''.join(map(_passage_html, passages))}</div>"


def _room() -> Room:
    session = gr.State(Conversation(State(), Reply(())), time_to_live=LASTS.total_seconds())
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


@dataclass(frozen=True, slots=True)
class _Turns:
    """What each event does: one turn of the dialogue, shown, and kept where there is a memory."""

    desk: Desk
    memory: Memory | None

    def open_page(self, request: gr.Request) -> list[Any]:
        study = request.query_params.get("study", "")
        going_on = self.memory and self.memory.take_up(request.cookies)
        if going_on and (not study or going_on.state.study == study):
            return _resumed(going_on)
        return self._kept(_opened(self.desk, study, _language(request)), request)

    def hear(self, message: str, session: Conversation, log: Log, request: gr.Request) -> list[Any]:
        return self._kept(_heard(self.desk, self._now(session, request), log, message), request)

    def choose(self, number: int) -> Callable[..., list[Any]]:
        def chosen(session: Conversation, log: Log, request: gr.Request) -> list[Any]:
            now = self._now(session, request)
            if number >= len(now.answer.suggestions):
                return _view(now.state, log, now.answer)
            message = now.answer.suggestions[number].message
            return self._kept(_heard(self.desk, now, log, message, number), request)

        return chosen

    def forget(self, session: Conversation, request: gr.Request) -> list[Any]:
        now = self._now(session, request)
        return self._kept(_heard(self.desk, now, [], say("chat.delete_all", now.state.language)), request)

    def change_language(
        self, language: str, session: Conversation, log: Log, request: gr.Request
    ) -> list[Any]:
        state, answer = speak(self._now(session, request).state, language, self.desk)
        return self._kept(_view(state, [*log, _ours(answer.passages)], answer), request)

    def _now(self, session: Conversation, request: gr.Request) -> Conversation:
        """Where the browser's conversation stands: our store outlives this tab and this server."""
        return (self.memory and self.memory.take_up(request.cookies)) or session

    def _kept(self, view: list[Any], request: gr.Request) -> list[Any]:
        if self.memory:
            self.memory.keep(request.cookies, view[0])
        return view


def _wire(app: gr.Blocks, room: Room, desk: Desk, memory: Memory | None) -> None:
    turns = _Turns(desk, memory)
    turn: dict[str, Any] = {
        "outputs": room.outputs,
        "queue": False,
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    app.load(turns.open_page, **turn)
    spoken = [room.message, room.session, room.log]
    gr.on([room.message.submit, room.send.click], turns.hear, spoken, **turn)
    for number, button in enumerate(room.suggestions):
        button.click(turns.choose(number), [room.session, room.log], **turn)
    room.log.change(None, js=_SHOW_LATEST, queue=False, api_visibility="private")
    gr.on([room.forget.click, room.log.clear], turns.forget, [room.session], **turn)
    chosen = [room.language, room.session, room.log]
    room.language.input(turns.change_language, chosen, js=_SET_LANGUAGE, **turn)


def _language(request: gr.Request) -> str:
    """The language asked for in the address, or chosen on the pages before; "" if neither."""
    asked = request.query_params.get("lang") or request.cookies.get("language")
    return asked if asked in LANGUAGES else ""


def _opened(desk: Desk, study_id: str, language: str) -> list[Any]:
    state = State(language=language or "nb", language_chosen=bool(language))
    try:
        state, answer = begin(state, desk, study_id)
    except StudieveiError as problem:
        state, answer = begin(state, desk)
        return _view(state, [_ours((Passage(str(problem), Kind.ALERT), *answer.passages))], answer)
    return _view(state, [_ours(answer.passages)], answer)


def _resumed(conversation: Conversation) -> list[Any]:
    """After a refresh: the last turn again."""
    language = conversation.state.language
    again = Passage(say("chat.resumed", language))
    return _view(conversation.state, [_ours((again, *conversation.answer.passages))], conversation.answer)


def _heard(desk: Desk, session: Conversation, log: Log, message: str, button: int | None = None) -> list[Any]:
    """One turn. The person's own words are shown masked; a button's with the question it answers."""
    if not message.strip():
        return _view(session.state, log, session.answer)
    try:
        state, answer = reply(session.state, message, desk)
    except StudieveiError as problem:
        trouble = _ours((Passage(str(problem), Kind.ALERT),))
        return _view(session.state, [*log, trouble], session.answer)
    chosen = "" if button is None else _label(session.answer.suggestions[button], session.answer.question)
    said = chosen or answer.heard
    before = [] if state.is_blank else log
    return _view(state, [*before, _theirs(said), _ours(answer.passages)], answer)


def _view(state: State, log: Log, answer: Reply) -> list[Any]:
    """The new values of `Room.outputs`."""
    language = state.language
    shown = answer.suggestions[:MOST_SUGGESTIONS]
    buttons = [gr.Button(_label(each, answer.question), visible=True) for each in shown]
    return [
        Conversation(state, answer),
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
    """The heading, and the ways to the other pages and to the same conversation as a form."""
    home = f'<a href="/">{escape(say("site.name", language))}</a>'
    form = f'<a href="/sjekk?lang={language}">{escape(say("screen.in_form", language))}</a>'
    return f"<h1>{escape(say('chat.title', language))}</h1><p>{home} · {form}</p>"


def _footer(language: str) -> str:
    return f"<p>{_text(say('chat.footer', language))}</p>"


def _theme() -> gr.themes.Base:
    """System fonts only: no font is fetched from anywhere."""
    return gr.themes.Base(
        primary_hue="teal", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace")
    )


def _css() -> str:
    return files("chatbot").joinpath("chat.css").read_text("utf-8")
