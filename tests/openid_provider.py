"""A real OpenID provider in a process of its own: oidc-provider-mock, made as strict as HelseID.

It refuses an exchange without the PKCE verifier of the code's request (S256), takes the request pushed
(PAR) when started with "par", and the client's signed assertion (private_key_jwt) when given its key.
Prints its port. Run: python openid_provider.py CLAIMS_AS_JSON [par] [key=PUBLIC_JWK]
"""

import base64
import hashlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from oidc_provider_mock import User, app

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Strict:
    """In front of the mock: PKCE, and where asked for pushed requests and signed assertions."""

    def __init__(self, inner: Wsgi, *, par: bool, key: str) -> None:
        self.inner, self.par, self.key = inner, par, key
        self.pushed: dict[str, str] = {}
        self.challenges: dict[str, str] = {}

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/.well-known/openid-configuration":
            return self._discovery(environ, start)
        if path == "/par":
            return self._push(environ, start)
        if path == "/oauth2/authorize":
            return self._authorize(environ, start)
        if path == "/oauth2/token":
            return self._token(environ, start)
        return self.inner(environ, start)

    def _discovery(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        about = json.loads(b"".join(self.inner(environ, lambda *_: None)))
        about["issuer"] = f"http://localhost:{environ['SERVER_PORT']}"  # the mock is whoever it is asked as
        if self.par:
            about["pushed_authorization_request_endpoint"] = f"{about['issuer']}/par"
        return answer(start, "200 OK", about)

    def _push(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        fields = body(environ)
        if not self._is_client(fields):
            return answer(start, "401 Unauthorized", {"error": "invalid_client"})
        address = f"urn:ietf:params:oauth:request_uri:{len(self.pushed)}"
        kept = {name: value for name, value in fields.items() if not name.startswith("client_assertion")}
        self.pushed[address] = urlencode(kept)
        return answer(start, "201 Created", {"request_uri": address, "expires_in": 60})

    def _authorize(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked = query(environ["QUERY_STRING"])
        if self.par:
            environ["QUERY_STRING"] = self.pushed.get(asked.get("request_uri", ""), "")
            asked = query(environ["QUERY_STRING"])
        if asked.get("code_challenge_method") != "S256" or not asked.get("nonce"):
            return answer(start, "400 Bad Request", {"error": "invalid_request"})

        def remember(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            location = dict(headers).get("Location", "")
            code = query(location.partition("?")[2]).get("code", "")
            self.challenges[code] = asked["code_challenge"]
            return start(status, headers, *rest)

        return self.inner(environ, remember)

    def _token(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        fields = body(environ)
        digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if self.challenges.pop(fields.get("code", ""), None) != challenge or not self._is_client(fields):
            return answer(start, "400 Bad Request", {"error": "invalid_grant"})
        if self.key:  # the mock knows secrets only
            proven = {name: value for name, value in fields.items() if "assertion" not in name}
            rest = urlencode(proven | {"client_secret": "any"})
            environ |= {"wsgi.input": io.BytesIO(rest.encode()), "CONTENT_LENGTH": str(len(rest))}
        return self.inner(environ, start)

    def _is_client(self, fields: dict[str, str]) -> bool:
        if not self.key:
            return True
        try:
            read = jwt.decode(fields["client_assertion"], RSAKey.import_key(json.loads(self.key)), ["RS256"])
        except JoseError:
            return False
        return bool(read.claims["sub"] == fields["client_id"])


def body(environ: dict[str, Any]) -> dict[str, str]:
    """The form that was sent; it can be read again after this."""
    raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(raw)
    return query(raw.decode())


def query(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def answer(start: Callable[..., Any], status: str, value: object) -> Iterable[bytes]:
    start(status, [("Content-Type", "application/json")])
    return [json.dumps(value).encode()]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def main() -> None:
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    claims, options = json.loads(sys.argv[1]), sys.argv[2:]
    users = [User(sub=sub, claims=each) for sub, each in claims.items()]
    key = next((each.removeprefix("key=") for each in options if each.startswith("key=")), "")
    strict = Strict(app(user_claims=users), par="par" in options, key=key)
    with make_server("localhost", 0, strict, handler_class=Quiet) as server:
        print(server.server_port, flush=True)  # noqa: T201
        server.serve_forever()


if __name__ == "__main__":
    main()
