"""The way to an OpenID provider and back. A link, not a form: browsers let no form lead to another site."""

import logging
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api import cookies
from api.csrf import OwnForm
from api.deps import Language, LibraryDep, SettingsDep
from api.errors import not_found
from api.library import Library
from api.openid import WITHIN, Journey, Provider, read_journey, way_back, way_out
from api.routes.invitation import Invited
from api.routes.signin import inside, sign_in_form, start_session
from api.settings import Settings
from ontology.errors import BadInput
from ontology.wording import say
from recruitment.invitation import choose_identity
from recruitment.session import sign_in_as

router = APIRouter(include_in_schema=False, dependencies=[OwnForm])

_log = logging.getLogger(__name__)


@router.get("/logg-inn/openid")
def go(request: Request, library: LibraryDep, settings: SettingsDep, videre: str = "") -> Response:
    """To the provider, to sign in."""
    return _to_provider(
        request, library, settings, Journey.start(datetime.now(UTC), next_page=inside(videre))
    )


@router.get("/tilgang/{token}/openid")
def go_first(
    request: Request, token: str, _account: Invited, library: LibraryDep, settings: SettingsDep
) -> Response:
    """To the provider, so that whoever has the one-time link signs in there from now on."""
    return _to_provider(request, library, settings, Journey.start(datetime.now(UTC), invitation=token))


@router.get("/logg-inn/openid/svar")
def come_back(request: Request, library: LibraryDep, settings: SettingsDep, language: Language) -> Response:
    """A session for a proven identity that an account here has."""
    now = datetime.now(UTC)
    try:
        journey = read_journey(cookies.read(request, cookies.OPENID), library.vault, now)
        identity = way_back(_provider(settings), journey, request.query_params)
        if journey.invitation:
            choose_identity(library.store.engine, journey.invitation, identity, now)
        token = sign_in_as(library.store.engine, identity, now)
        wrong = say("account.not_known", language, provider=settings.oidc_name) if token is None else ""
    except BadInput as error:
        _log.info("signing in with OpenID failed: %s", error)
        token, wrong = None, say("account.openid_failed", language, provider=settings.oidc_name)
    if token is None:
        response: Response = sign_in_form(request, settings.openid, wrong=wrong)
    else:
        response = start_session(request, library, token, journey.next_page or "/logg-inn")
    cookies.take_back(request, response, cookies.OPENID)
    return response


def _to_provider(request: Request, library: Library, settings: Settings, journey: Journey) -> Response:
    response = RedirectResponse(way_out(_provider(settings), journey), 303)
    sealed = journey.sealed(library.vault)
    cookies.give(request, response, cookies.OPENID, sealed, max_age=int(WITHIN.total_seconds()))
    return response


def _provider(settings: Settings) -> Provider:
    try:
        return Provider.of(settings)
    except BadInput as error:
        raise not_found(error) from error
