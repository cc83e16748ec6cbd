"""A form is taken only from a page that this browser got from us: its token must fit the browser's cookie.

The second of two locks. The first, api/guard.py, refuses what a browser says that another site sent.
"""

import hashlib
import hmac
import secrets

from fastapi import Depends, HTTPException, Request
from markupsafe import Markup
from starlette.responses import Response

from api import cookies

FIELD = "csrf"
FIELDS_AT_MOST = 60
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class FormKey:
    """The secret that the forms of one page are tied to; made only when the page has a form that asks."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._key = cookies.read(request, cookies.FORM)
        self._new = False

    def field(self) -> Markup:
        """The hidden field for a form; templates write it as csrf()."""
        if not self._key:
            self._key, self._new = secrets.token_urlsafe(24), True
        token = _token(self._request, self._key)
        return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)

    def keep(self, response: Response) -> None:
        """Lets the browser keep a secret that was made for this page."""
        if self._new:
            cookies.give(self._request, response, cookies.FORM, self._key)


async def own_form(request: Request) -> None:
    """Refuses a form without the token, or with that of another browser or another sign-in.

    Raises:
        HTTPException: 403.
    """
    if request.method in _SAFE:
        return
    key = cookies.read(request, cookies.FORM)
    given = (await request.form(max_fields=FIELDS_AT_MOST, max_files=0)).get(FIELD)
    fits = isinstance(given, str) and hmac.compare_digest(given.encode(), _token(request, key).encode())
    if not (key and fits):
        raise HTTPException(403, "The form is old or not ours. Open the page again, and send it from there.")


OwnForm = Depends(own_form)
"""For a router whose forms change something: APIRouter(dependencies=[OwnForm])."""


def _token(request: Request, key: str) -> str:
    signed_in = cookies.read(request, cookies.SESSION)
    return hmac.new(key.encode(), f"form {signed_in}".encode(), hashlib.sha256).hexdigest()
