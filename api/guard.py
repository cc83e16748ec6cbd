"""What every request must satisfy and every answer carries, whatever route it goes to."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import answer
from api.headers import security_headers

BODY_LIMIT = 1_000_000
"""Bytes."""
_REASONS = {
    404: "No address has such a character in it.",
    403: "This was sent from another site. Send it from a page here.",
    411: "Send the body with a Content-Length.",
    413: f"Send at most {BODY_LIMIT} bytes.",
}


class Guard:
    """Adds the security headers, and refuses forms that another site sent and bodies that are too large.

    An address with NUL in it names nothing; PostgreSQL would fail on looking it up.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: only HTTP is looked at."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in security_headers(scope["path"]).items():
                    headers.setdefault(name, value)
            await send(message)

        status = 404 if "\0" in scope["path"] else _refusal(scope["method"], Headers(scope=scope))
        if status:
            request = Request(scope)
            await answer(request, status, _REASONS[status])(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive, send_with_headers)


def _refusal(method: str, headers: Headers) -> int | None:
    """The status to refuse a request with, None for one that may pass."""
    if method in {"GET", "HEAD", "OPTIONS"}:
        return None
    if from_elsewhere(headers):
        return 403
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return 411
    return 413 if int(length) > BODY_LIMIT else None


def from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that another site made it send this request.

    The algorithm of Go's http.CrossOriginProtection: Sec-Fetch-Site where the browser sends it, else
    Origin against Host. A client that sends neither is no browser, and carries nobody's rights.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
