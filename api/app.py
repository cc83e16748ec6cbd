"""Settings in, the web application out."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.chat import Chat
from api.errors import add_error_pages
from api.guard import Guard
from api.library import open_library
from api.routes import (
    account,
    alerts,
    coordinator,
    counts,
    gp,
    inbox,
    interests,
    invitation,
    openid,
    pages,
    screening,
    search,
    sending,
    signin,
    studies,
    team,
)
from api.schemas import Problem
from api.settings import Settings
from api.upkeep import Upkeep
from nlp.embeddings.encoder import Encoder


def create_app(settings: Settings | None = None, *, encoder: Encoder | None = None) -> FastAPI:
    """The pages, the API and the chat of one data folder, which opens when the server starts.

    `encoder` replaces the one that the settings name.

    Raises, at start:
        Unavailable, Mismatch, BadInput: as `open_library`.
    """
    settings = settings or Settings()
    chat = Chat()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Its lines hold addresses, and those hold search words and secret links.
        logging.getLogger("uvicorn.access").disabled = True
        async with AsyncExitStack() as stack:
            library = stack.enter_context(open_library(settings, encoder))
            upkeep = Upkeep(library, settings)
            app.state.library, app.state.upkeep = library, upkeep
            await stack.enter_async_context(upkeep.running())
            if settings.chat:
                await stack.enter_async_context(chat.opening(library, settings))
            yield

    app = FastAPI(
        title="Studievei",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses={status: {"model": Problem} for status in (401, 404, 422, 503)},
    )
    app.state.settings = settings
    app.add_middleware(Guard)
    add_error_pages(app)
    public = (pages, search, screening, studies, gp, sending, interests, alerts)
    for room in (*public, inbox, openid, signin, invitation, account, team, coordinator, counts):
        app.include_router(room.router)
    app.mount("/static", StaticFiles(packages=[("api.pages", "static")]))
    if settings.chat:
        app.mount("/chat", chat)
    return app


def serve(settings: Settings) -> None:
    """Serves until it is interrupted. No access log: its lines would hold search words and secret links."""
    app = create_app(settings)
    uvicorn.run(app, host=settings.host, port=settings.port, access_log=False, log_level="warning")
