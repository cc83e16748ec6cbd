"""The page on which an evaluator grades, one query and one study at a time."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Form, Request
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from eval.ranking.judging import GRADES, Session
from eval.ranking.report import templates

HOST = "127.0.0.1"
MEANING = {0: "Not relevant", 1: "Worth a look", 2: "What was asked for"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def create_app(session: Session) -> FastAPI:
    """The pages of one session; only this machine is answered, and forms of other sites are refused."""
    app = FastAPI(title="Studievei: grading", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    app.mount("/static", StaticFiles(packages=[("eval.ranking", "pages")]))

    @app.middleware("http")
    async def guard(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        origin = request.headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
        if request.method == "POST" and foreign:
            return PlainTextResponse("This form was sent from another site.", 403)
        response = await call(request)
        response.headers.update(_HEADERS)
        return response

    @app.get("/")
    def start() -> Response:
        following = session.next_after(0)
        return _to(following) if following else _page("judged.html", session)

    @app.get("/pair/{number}")
    def pair(number: int) -> Response:
        if not 1 <= number <= len(session.pairs):
            return PlainTextResponse("There is no such pair. Go to / to see what is next.", 404)
        shown = session.pairs[number - 1]
        return _page(
            "judge.html", session, number=number, pair=shown, given=session.grade_of(shown), meaning=MEANING
        )

    @app.post("/pair/{number}")
    def give(number: int, grade: Annotated[int, Form()]) -> Response:
        if grade not in GRADES or not 1 <= number <= len(session.pairs):
            return PlainTextResponse("There is no such pair or grade.", 422)
        session.grade(session.pairs[number - 1], grade)
        following = session.next_after(number)
        return _to(following) if following else RedirectResponse("/", 303)

    @app.get("/qrels.txt")
    def qrels() -> Response:
        lines = (f"{each.topic} 0 {each.document} {each.grade}\n" for each in session.qrels())
        return PlainTextResponse("".join(lines))

    return app


def serve(session: Session, port: int) -> None:
    """Serve on this machine until interrupted."""
    uvicorn.run(create_app(session), host=HOST, port=port, access_log=False, log_level="warning")


def _to(number: int) -> Response:
    return RedirectResponse(f"/pair/{number}", 303)


def _page(template: str, session: Session, **values: object) -> Response:
    html = templates().get_template(template).render(session=session, total=len(session.pairs), **values)
    return HTMLResponse(html)
