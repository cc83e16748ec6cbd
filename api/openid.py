"""Signing in at an OpenID provider such as HelseID or ID-porten: a journey out, a proven identity back.

OpenID Connect Core 1.0, authorization code flow, with PKCE S256 (RFC 7636), state, nonce and acr; pushed
requests (RFC 9126), private_key_jwt (RFC 7523) and the issuer in the answer (RFC 9207) where the provider
has them. Authlib knows the protocol, httpx carries it.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.settings import Settings
from ontology.errors import BadInput, Mismatch, Unavailable
from recruitment.invitation import identity_of
from recruitment.vault import Vault

WITHIN = timedelta(minutes=15)
"""How long somebody may take at the provider."""
_ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "PS384", "ES384", "RS512", "PS512", "ES512")
"""Signatures with a private key only: never "none", never a shared secret."""
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 60
_TIMEOUT_SECONDS = 10.0
_CLOCK_SECONDS = 60
_BOUND_TO = "openid journey"


@dataclass(frozen=True, slots=True)
class Provider:
    """Where people sign in, and who we are there. `acr`: levels of assurance that are enough; empty: any."""

    issuer: str
    client: str
    secret: str = field(repr=False)
    scope: str
    acr: tuple[str, ...]
    comes_back_to: str

    @classmethod
    def of(cls, settings: Settings) -> "Provider":
        """The provider of the settings.

        Raises:
            BadInput: there is none.
        """
        if not (settings.oidc_issuer and settings.oidc_client):
            raise BadInput("Set STUDIEVEI_OIDC_ISSUER and STUDIEVEI_OIDC_CLIENT to sign in with OpenID.")
        return cls(
            issuer=settings.oidc_issuer,
            client=settings.oidc_client,
            secret=settings.oidc_secret.get_secret_value(),
            scope=settings.oidc_scope,
            acr=tuple(settings.oidc_acr.split()),
            comes_back_to=f"{settings.base}/logg-inn/openid/svar",
        )


@dataclass(frozen=True, slots=True, repr=False)
class Journey:
    """What one browser must bring back from the provider. It travels sealed, in a cookie of that browser."""

    state: str
    nonce: str
    verifier: str
    until: str
    next_page: str = ""
    invitation: str = ""

    @classmethod
    def start(cls, now: datetime, *, next_page: str = "", invitation: str = "") -> "Journey":
        """A journey with secrets of its own."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, (now + WITHIN).isoformat(), next_page, invitation)

    def sealed(self, vault: Vault) -> str:
        """For the cookie."""
        return vault.seal(json.dumps(asdict(self)).encode(), _BOUND_TO).hex()


def read_journey(sealed: str, vault: Vault, now: datetime) -> Journey:
    """The journey in a cookie.

    Raises:
        BadInput: there is none, it is not ours, or it took too long.
    """
    try:
        journey = Journey(**json.loads(vault.open(bytes.fromhex(sealed), _BOUND_TO)))
    except (ValueError, Mismatch):
        raise BadInput("This browser did not start signing in here. Start again.") from None
    if now >= datetime.fromisoformat(journey.until):
        raise BadInput("Signing in took too long. Start again.")
    return journey


def way_out(provider: Provider, journey: Journey) -> str:
    """The provider's address to send the browser to.

    Raises:
        Unavailable: the provider does not answer, or is not the one of the settings.
    """
    asked = {
        "response_type": "code",
        "client_id": provider.client,
        "redirect_uri": provider.comes_back_to,
        "scope": provider.scope,
        "state": journey.state,
        "nonce": journey.nonce,
        "code_challenge": create_s256_code_challenge(journey.verifier),
        "code_challenge_method": "S256",
    }
    if provider.acr:
        asked["acr_values"] = " ".join(provider.acr)
    with _client() as client:
        about = _metadata(client, provider)
        pushed = about.get("pushed_authorization_request_endpoint")
        if pushed:
            answer = _post(client, pushed, asked, provider, about)
            asked = {"client_id": provider.client, "request_uri": str(answer.get("request_uri"))}
    return f"{about['authorization_endpoint']}?{urlencode(asked)}"


def way_back(provider: Provider, journey: Journey, answer: Mapping[str, str]) -> str:
    """The identity that the provider vouches for, as recruitment/invitation.py keeps it.

    `answer` is the query that the browser came back with.

    Raises:
        BadInput: the answer belongs to another browser or provider, the person was refused or not proven well
            enough, or the token does not hold.
        Unavailable: the provider does not answer.
    """
    if not secrets.compare_digest(answer.get("state", "").encode(), journey.state.encode()):
        raise BadInput("The answer belongs to another browser. Start again.")
    if "code" not in answer:
        raise BadInput("The provider did not let you in. Start again.")
    with _client() as client:
        about = _metadata(client, provider)
        says_issuer = about.get("authorization_response_iss_parameter_supported", False)
        if answer.get("iss", "" if says_issuer else provider.issuer) != about["issuer"]:
            raise BadInput("The answer is from another provider. Start again.")
        exchange = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": provider.comes_back_to,
            "code_verifier": journey.verifier,
        }
        token = _post(client, about["token_endpoint"], exchange, provider, about)
        keys = _json(client.get(about["jwks_uri"]), provider)
    claims = _claims(token, keys, provider, about, journey)
    return identity_of(str(claims["iss"]), str(claims["sub"]))


def _claims(
    token: dict[str, Any],
    keys: dict[str, Any],
    provider: Provider,
    about: dict[str, Any],
    journey: Journey,
) -> Mapping[str, object]:
    """The claims of the ID token, each checked (OpenID Connect Core 1.0, 3.1.3.7)."""
    wanted: dict[str, Any] = {
        "iss": {"essential": True, "value": about["issuer"]},
        "aud": {"essential": True, "value": provider.client},
        "sub": {"essential": True},
    }
    if provider.acr:
        wanted["acr"] = {"essential": True, "values": list(provider.acr)}
    known = {
        "nonce": journey.nonce,
        "client_id": provider.client,
        "access_token": token.get("access_token"),
    }
    try:
        read = jwt.decode(str(token.get("id_token")), KeySet.import_key_set(keys), list(_ALGORITHMS))  # type: ignore[arg-type]  # plain JSON
        claims = CodeIDToken(read.claims, read.header, wanted, known)
        claims.validate(leeway=_CLOCK_SECONDS)
    except (JoseError, ValueError) as error:
        raise BadInput(
            f"The provider's token does not hold ({type(error).__name__}). Start again."
        ) from error
    return read.claims


def _post(
    client: httpx.Client, address: str, fields: dict[str, str], provider: Provider, about: dict[str, Any]
) -> dict[str, Any]:
    """Sends a form as this client and returns the JSON of the answer."""
    mine, basic = _credentials(provider, about)
    auth = httpx.BasicAuth(provider.client, provider.secret) if basic else None
    try:
        return _json(
            client.post(address, data=fields | mine, auth=auth or httpx.USE_CLIENT_DEFAULT), provider
        )
    except httpx.HTTPError as error:
        raise _silent(provider, error) from error


def _credentials(provider: Provider, about: dict[str, Any]) -> tuple[dict[str, str], bool]:
    """The fields that prove who we are, and whether the secret goes in the header instead."""
    if provider.secret.lstrip().startswith("{"):
        key = json.loads(provider.secret)
        signed = private_key_jwt_sign(
            key,
            provider.client,
            about["issuer"],
            alg=key.get("alg", "RS256"),
            header={"kid": key["kid"]} if "kid" in key else None,
            expires_in=_ASSERTION_SECONDS,
        )
        assertion = {"client_assertion_type": _ASSERTION, "client_assertion": signed}
        return {"client_id": provider.client, **assertion}, False
    return ({}, True) if provider.secret else ({"client_id": provider.client}, False)


def _metadata(client: httpx.Client, provider: Provider) -> dict[str, Any]:
    """What the provider says of itself (OpenID Connect Discovery 1.0)."""
    try:
        answer = client.get(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    except httpx.HTTPError as error:
        raise _silent(provider, error) from error
    about = _json(answer, provider)
    if str(about.get("issuer")).rstrip("/") != provider.issuer.rstrip("/"):
        raise Unavailable(
            f"{provider.issuer} says it is {about.get('issuer')}. Correct STUDIEVEI_OIDC_ISSUER."
        )
    return about


def _json(answer: httpx.Response, provider: Provider) -> dict[str, Any]:
    if answer.status_code in {400, 401}:
        raise BadInput("The provider does not accept this sign-in. Start again.")
    try:
        read = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise _silent(provider, error) from error
    if not isinstance(read, dict):
        raise _silent(provider, TypeError())
    return read


def _client() -> httpx.Client:
    return httpx.Client(timeout=_TIMEOUT_SECONDS)


def _silent(provider: Provider, error: Exception) -> Unavailable:
    return Unavailable(
        f"{provider.issuer} does not answer as it should ({type(error).__name__}). Try again later."
    )
