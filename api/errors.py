"""What somebody sees when it does not work: a page in plain language, or JSON under /api."""

from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.headers import security_headers
from api.pages.render import render
from ontology.errors import BadInput, StudieveiError
from ontology.wording import LANGUAGES

_KINDS = {403: "refused", 404: "not_found", 410: "not_found", 422: "bad_input", 503: "unavailable"}


def not_found(error: BadInput) -> HTTPException:
    """The 404 for something that an address names but that does not exist."""
    return HTTPException(404, str(error))


def answer(request: Request, status: int, detail: str) -> Response:
    """The answer for a request that failed; pages never show `detail`, which is for programs."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"detail": detail}, status)
    kind = _KINDS.get(status, "bad_input" if status < 500 else "broken")
    return render(request, "trouble.html", status=status, private=True, kind=kind)


def add_error_pages(app: FastAPI) -> None:
    """Registers an answer for every error that can reach the edge."""
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(StudieveiError, _own)
    app.add_exception_handler(Exception, _unforeseen)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)  # noqa: S101 - Starlette calls by type
    if error.status_code == 401 and not request.url.path.startswith("/api/"):
        return _to_sign_in(request)
    if error.status_code == 303:
        return RedirectResponse((error.headers or {})["Location"], 303)
    return answer(request, error.status_code, str(error.detail))


def _to_sign_in(request: Request) -> Response:
    """Asks who it is, in the language that was asked for, and comes back to the page."""
    asked = {"videre": request.url.path if request.method == "GET" else ""}
    if (language := request.query_params.get("lang")) in LANGUAGES:
        asked["lang"] = language
    return RedirectResponse(f"/logg-inn?{urlencode(asked)}", 303)


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - Starlette calls by type
    wrong = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
    return answer(request, 422, wrong)


def _own(request: Request, error: Exception) -> Response:
    return answer(request, 422 if isinstance(error, BadInput) else 503, str(error))


def _unforeseen(request: Request, error: Exception) -> Response:
    """Outside every middleware, so it brings its own headers. The server logs the error itself."""
    response = answer(request, 500, "Something went wrong on our side. Try again in a while.")
    response.headers.update(security_headers(request.url.path))
    return response
