"""A person's own page: what they sent, how far it has come, the answer, a copy of it all, and the way out."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from api.csrf import OwnForm
from api.deps import Fields, LibraryDep
from api.errors import not_found
from api.pages.render import private_page
from ontology.errors import BadInput
from recruitment.audit import Action
from recruitment.interest import Status, find_interest, prove_address, read_interest, withdraw
from recruitment.link import Access, Holder, follow
from recruitment.mail import Kind
from recruitment.outbox import State, written_about

router = APIRouter(prefix="/interesse/{token}", include_in_schema=False, dependencies=[OwnForm])

_GONE = frozenset({Status.WITHDRAWN, Status.EXPIRED})
_TO_COORDINATOR = (Kind.UNANSWERED, Kind.UNDELIVERED)


def _access(token: str, library: LibraryDep) -> Access:
    try:
        return follow(library.store.engine, token, Holder.PERSON, datetime.now(UTC))
    except BadInput as error:
        raise not_found(error) from error


OwnAccess = Annotated[Access, Depends(_access)]


@router.get("")
def own_page(request: Request, token: str, access: OwnAccess, library: LibraryDep) -> Response:
    """The interest that the link opens.

    A link that came by mail shows nothing of what was sent before its reader has said that it was them:
    an address is easily mistyped, and then somebody else reads that mail.
    """
    engine = library.store.engine
    interest = find_interest(engine, access.interest_id)
    stranger = access.mailed and not interest.proven_at
    opened = None
    if interest.status not in _GONE and not stranger:
        opened = read_interest(engine, library.vault, interest.id, datetime.now(UTC))
    written = written_about(engine, interest.id)
    return private_page(
        request,
        "own.html",
        token=token,
        interest=interest,
        gone=interest.status in _GONE,
        opened=opened,
        stranger=stranger,
        mailed=access.mailed,
        undelivered=any(each.kind is Kind.INTEREST and each.state is State.DEAD for each in written),
        coordinator_told=next((each.written_at for each in written if each.kind in _TO_COORDINATOR), None),
        reminded=[each.written_at for each in written if each.kind is Kind.REMINDER],
        study=library.store.get_many([interest.study_id]).get(interest.study_id),
    )


@router.post("/bekreft")
def confirm(token: str, access: OwnAccess, library: LibraryDep) -> Response:
    """The reader of the mail says that it was them."""
    prove_address(library.store.engine, library.vault, token, datetime.now(UTC))
    return RedirectResponse(f"/interesse/{token}", 303)


@router.get("/kopi")
def copy(access: OwnAccess, library: LibraryDep) -> Response:
    """All that is kept, as a file that people and programs can read."""
    engine, now = library.store.engine, datetime.now(UTC)
    interest = find_interest(engine, access.interest_id)
    if interest.status in _GONE or (access.mailed and not interest.proven_at):
        raise not_found(BadInput("There is nothing to copy here."))
    opened = read_interest(engine, library.vault, interest.id, now, action=Action.EXPORTED)
    kept = asdict(opened) | {"messages": [asdict(each) for each in written_about(engine, interest.id)]}
    document = json.dumps(kept, ensure_ascii=False, indent=2, default=str)
    headers = {
        "Content-Disposition": 'attachment; filename="studievei.json"',
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
    }
    return Response(document + "\n", media_type="application/json", headers=headers)


@router.post("/trekk")
def take_back(token: str, access: OwnAccess, fields: Fields, library: LibraryDep) -> Response:
    """Deletes what the person sent, if they have ticked that they mean it."""
    if fields.get("sure") == "yes":
        withdraw(library.store.engine, library.vault, access.interest_id, datetime.now(UTC))
    return RedirectResponse(f"/interesse/{token}", 303)
