"""A person's own page: what they sent, how far it has come, the answer, and the way out."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.csrf import OwnForm
from api.deps import Fields, LibraryDep
from api.errors import not_found
from api.library import Library
from api.pages.render import render
from ontology.errors import BadInput
from recruitment.interest import Status, find_interest, read_own_interest, withdraw
from recruitment.link import Holder, follow

router = APIRouter(prefix="/interesse/{token}", include_in_schema=False, dependencies=[OwnForm])


@router.get("")
def own_page(request: Request, token: str, library: LibraryDep) -> Response:
    """The interest that the link opens."""
    interest_id = _interest_id(library, token)
    engine = library.store.engine
    interest = find_interest(engine, interest_id)
    gone = interest.status in {Status.WITHDRAWN, Status.EXPIRED}
    opened = None if gone else read_own_interest(engine, library.vault, interest_id, datetime.now(UTC))
    study = library.store.get_many([interest.study_id]).get(interest.study_id)
    return render(
        request, "own.html", private=True, token=token, interest=interest, opened=opened, study=study
    )


@router.post("/trekk")
def take_back(token: str, fields: Fields, library: LibraryDep) -> Response:
    """Deletes what the person sent, if they have ticked that they mean it."""
    interest_id = _interest_id(library, token)
    if fields.get("sure") == "yes":
        withdraw(library.store.engine, library.vault, interest_id, datetime.now(UTC))
    return RedirectResponse(f"/interesse/{token}", 303)


def _interest_id(library: Library, token: str) -> str:
    try:
        return follow(library.store.engine, token, Holder.PERSON, datetime.now(UTC)).interest_id
    except BadInput as error:
        raise not_found(error) from error
