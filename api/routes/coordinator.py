"""What the coordinator sees (R53): interests that wait, mail that did not arrive, nothing about a person."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.csrf import OwnForm
from api.deps import Coordinating, LibraryDep
from api.pages.render import private_page
from recruitment.inbox import list_waiting, read_page
from recruitment.outbox import outbox_state, retry_dead

router = APIRouter(prefix="/koordinator", include_in_schema=False, dependencies=[OwnForm])


@router.get("")
def overview(request: Request, account: Coordinating, library: LibraryDep, side: str = "") -> Response:
    """Both lists."""
    page = list_waiting(library.store.engine, read_page(side))
    return private_page(
        request,
        "coordinator.html",
        account=account,
        page=page,
        now=datetime.now(UTC),
        studies=library.store.get_many(line.study_id for line in page.lines),
        outbox=outbox_state(library.store.engine),
    )


@router.post("/igjen")
def once_more(_account: Coordinating, library: LibraryDep) -> Response:
    """Gives every message that was given up a new start."""
    retry_dead(library.store.engine, datetime.now(UTC))
    return RedirectResponse("/koordinator", 303)
