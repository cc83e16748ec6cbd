"""What a study team opens from its e-mail: one interest, its criteria and answers, and a reply."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from api.csrf import OwnForm
from api.deps import Fields, Language, LibraryDep, SettingsDep
from api.errors import not_found
from api.library import Library
from api.pages.render import private_page
from ontology.errors import BadInput
from ontology.wording import say
from recruitment.account import has_pi
from recruitment.audit import Actor
from recruitment.interest import (
    REPLY_LIMIT,
    OpenedInterest,
    Status,
    answer_interest,
    find_interest,
    open_interest,
    read_interest,
    renew_link,
)
from recruitment.link import Access, Holder, find

router = APIRouter(prefix="/innboks/{token}", include_in_schema=False, dependencies=[OwnForm])

_GONE = frozenset({Status.WITHDRAWN, Status.EXPIRED})


def _access(token: str, library: LibraryDep) -> Access:
    """What the link is for, also when it has expired; a link nobody knows is a page that does not exist.

    Where a PI of the study can sign in, the link leads there and opens nothing by itself.
    """
    try:
        access = find(library.store.engine, token, Holder.STUDY)
    except BadInput as error:
        raise not_found(error) from error
    if has_pi(library.store.engine, access.study_id):
        raise HTTPException(303, "Sign in.", {"Location": f"/henvendelser/{access.interest_id}"})
    return access


AnyAccess = Annotated[Access, Depends(_access)]


def _live(access: AnyAccess, library: LibraryDep) -> Access:
    """What a link is for that still opens something."""
    interest = find_interest(library.store.engine, access.interest_id)
    if access.expired(datetime.now(UTC)) or interest.status in _GONE:
        raise HTTPException(410, "This is no longer here. Open the page of the link to see why.")
    return access


LiveAccess = Annotated[Access, Depends(_live)]


@router.get("")
def inbox(request: Request, token: str, access: AnyAccess, library: LibraryDep) -> Response:
    """A cover with a button first: programs that check mail follow its links, and must not open anything."""
    now = datetime.now(UTC)
    interest = find_interest(library.store.engine, access.interest_id)
    if interest.status in _GONE:
        return private_page(request, "inbox_gone.html", status=410, state=interest.status)
    if access.expired(now):
        return private_page(request, "inbox_expired.html", status=410, token=token, renewed=False)
    if interest.status is Status.NEW:
        return _page(request, library, access, None)
    opened = read_interest(library.store.engine, library.vault, access.interest_id, now, Actor.STUDY)
    return _page(request, library, access, opened)


@router.post("/apne")
def open_it(token: str, access: LiveAccess, library: LibraryDep) -> Response:
    """Opens the interest; from now on the person can see that it has been read."""
    open_interest(library.store.engine, library.vault, access.interest_id, datetime.now(UTC))
    return RedirectResponse(f"/innboks/{token}", 303)


@router.post("/svar")
def reply(
    request: Request,
    token: str,
    *,
    access: LiveAccess,
    fields: Fields,
    library: LibraryDep,
    settings: SettingsDep,
    language: Language,
) -> Response:
    """Keeps the reply and lets the person know."""
    engine, vault, now = library.store.engine, library.vault, datetime.now(UTC)
    text = fields.get("reply", "").replace("\r\n", "\n").strip()
    if not 0 < len(text) <= REPLY_LIMIT:
        wrong = say("inbox.wrong_reply", language, maximum=REPLY_LIMIT)
        opened = read_interest(engine, vault, access.interest_id, now, Actor.STUDY)
        return _page(request, library, access, opened, draft=text, wrong=wrong)
    answer_interest(engine, vault, access.interest_id, text, now, outbox_limit=settings.outbox_maximum)
    return RedirectResponse(f"/innboks/{token}", 303)


@router.post("/ny-lenke")
def renew(request: Request, token: str, access: AnyAccess, library: LibraryDep) -> Response:
    """Sends a new link to the study's mailbox, whoever asks."""
    renew_link(library.store.engine, library.vault, token, datetime.now(UTC))
    return private_page(request, "inbox_expired.html", token=token, renewed=True)


def _page(
    request: Request,
    library: Library,
    access: Access,
    opened: OpenedInterest | None,
    *,
    draft: str = "",
    wrong: str = "",
) -> Response:
    return private_page(
        request,
        "inbox.html",
        token=request.path_params["token"],
        study=library.store.get_many([access.study_id]).get(access.study_id),
        access=access,
        opened=opened,
        draft=draft,
        wrong=wrong,
        maximum=REPLY_LIMIT,
    )
