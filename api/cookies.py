"""The cookies that hold a secret, and the one way they are set. The language's stands in pages/render.py."""

from starlette.requests import Request
from starlette.responses import Response

FORM = "form"
"""Lives as long as the browser's session: forms of ours carry what is made from it (api/csrf.py)."""
SESSION = "session"
"""Who is signed in (recruitment/session.py)."""
OPENID = "openid"
"""What was sent along to an OpenID provider, until the browser comes back from it (api/openid.py)."""

CONVERSATION = "conversation"
"""The secret of a pre-screening, shared by chat and form (chatbot/conversation.py)."""


def read(request: Request, cookie: str) -> str:
    """What the browser sent, "" for nothing."""
    return request.cookies.get(_name(request, cookie), "")


def give(
    request: Request, response: Response, cookie: str, value: str, *, max_age: int | None = None
) -> None:
    """Sets it for this host alone, out of reach of scripts and other sites; `max_age` is in seconds."""
    response.set_cookie(
        _name(request, cookie),
        value,
        max_age=max_age,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="lax",
    )


def take_back(request: Request, response: Response, cookie: str) -> None:
    """Tells the browser to forget it."""
    give(request, response, cookie, "", max_age=0)


def name(base: str, cookie: str) -> str:
    """What the cookie is called by a server that the world reaches at `base`.

    The prefix makes browsers refuse a cookie that another host of the domain sets (RFC 6265bis, 4.1.3).
    """
    return f"__Host-{cookie}" if base.startswith("https://") else cookie


def _name(request: Request, cookie: str) -> str:
    return name(request.app.state.settings.base, cookie)


def _is_secure(request: Request) -> bool:
    return bool(request.app.state.settings.base.startswith("https://"))
