"""The chat's place in the application. Gradio takes seconds to import; the server answers before that."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import cookies
from api.labels import marks
from api.library import Library
from api.pages.render import render
from api.settings import Settings
from chatbot.conversation import Memory, new_token
from chatbot.desk import Desk
from nlp.embeddings.search import Hit
from nlp.query import understand
from ontology.errors import Unavailable

if TYPE_CHECKING:
    from chatbot.language_model import LanguageModel

PATH = "/chat"


class Chat:
    """An ASGI application that shows a waiting page until the chat has opened."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forwards with the whole path, because gradio is mounted under it once more.

        Raises what kept the chat from opening, so that the server logs it and the person is told.
        """
        if self._app is not None:
            inside = {**scope, "root_path": scope.get("app_root_path", "")}
            await self._app(inside, receive, _giving_cookie(scope, send))
        elif self._task is not None and self._task.done():
            self._task.result()
        elif scope["type"] == "http":
            page = render(Request(scope), "opening.html", status=503, private=True)
            page.headers["Retry-After"] = "2"
            await page(scope, receive, send)

    @asynccontextmanager
    async def opening(self, library: Library, settings: Settings) -> AsyncIterator[None]:
        """Opens the chat beside everything else, and closes it at the end."""
        self._task = asyncio.create_task(self._run(library, settings))
        try:
            yield
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, library: Library, settings: Settings) -> None:
        chatbot = await asyncio.to_thread(import_module, "chatbot.app")
        # Built here and not in the thread, where gradio would make an event loop and leave it open.
        memory = Memory(library.store.engine, cookies.name(settings.base, cookies.CONVERSATION))
        desk = open_desk(library, settings)
        app: FastAPI = chatbot.mount_chat(FastAPI(openapi_url=None), desk, PATH, memory)
        async with app.router.lifespan_context(app):
            self._app = app
            await asyncio.to_thread(desk.warm)
            await asyncio.Event().wait()


def _giving_cookie(scope: Scope, send: Send) -> Send:
    """Lets a browser that has none keep the secret of a conversation, when it opens the page."""
    opens = scope["type"] == "http" and scope["method"] == "GET" and scope["path"].rstrip("/") == PATH
    request = Request(scope) if opens else None
    if request is None or cookies.read(request, cookies.CONVERSATION):
        return send
    given = Response()
    cookies.give(request, given, cookies.CONVERSATION, new_token())

    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("set-cookie", given.headers["set-cookie"])
        await send(message)

    return send_with_cookie


def sending_path(study_id: str, language: str) -> str:
    """The page that an interest in a study is sent from."""
    return f"/studier/{quote(study_id)}/interesse?lang={language}"


def open_desk(library: Library, settings: Settings) -> Desk:
    """The functions that the dialogue works with, over this library."""

    def marks_of(hits: Sequence[Hit], words: str, language: str) -> list[list[str]]:
        asked = understand(words, library.linker)
        return [marks(hit, asked, language) for hit in hits]

    model = _language_model(settings.llm) if settings.llm else None
    return Desk(
        find=lambda words, _language: library.find(words).hits,
        marks=marks_of,
        linker=library.linker,
        ontology=library.ontology,
        study=library.study,
        criteria_of=library.criteria_of,
        page=lambda study_id: f"{settings.base}/studier/{quote(study_id)}",
        sending=lambda study_id, language: settings.base + sending_path(study_id, language),
        today=date.today,
        complete=model.complete if model else None,
        rephrase=model.rephrase if model else None,
    )


@cache
def _language_model(name: str) -> "LanguageModel":
    """Imported only when an operator has named one: langchain takes seconds."""
    try:
        from chatbot.language_model import open_language_model  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError as missing:
        raise Unavailable(f"{missing.name} is not installed. Run: pip install 'studievei[llm]'") from missing
    return open_language_model(name)
