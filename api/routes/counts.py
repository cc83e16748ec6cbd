"""Counts of interests per study and status (R50, R57), as a page and as JSON. No person is in them."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.deps import Counting, LibraryDep
from api.library import Library
from api.pages.render import private_page
from api.schemas import StudyCounts
from recruitment.account import Account, Role
from recruitment.inbox import Counts, count_interests
from recruitment.interest import Status

router = APIRouter()

_SEES_ALL = (Role.COORDINATOR, Role.ADMINISTRATOR, Role.EDITOR)


@router.get("/api/counts")
def counts(account: Counting, library: LibraryDep) -> list[StudyCounts]:
    """How many interests each study has, by where they stand: a PI's own studies, a coordinator's all."""
    return [StudyCounts.of(each) for each in _counts(account, library)]


@router.get("/tall", include_in_schema=False)
def counts_page(request: Request, account: Counting, library: LibraryDep) -> Response:
    """The same as a table."""
    found = _counts(account, library)
    return private_page(
        request,
        "counts.html",
        account=account,
        counts=found,
        statuses=tuple(Status),
        studies=library.store.get_many(each.study_id for each in found),
    )


def _counts(account: Account, library: Library) -> tuple[Counts, ...]:
    everything = any(account.is_a(role) for role in _SEES_ALL)
    studies = None if everything else account.studies(Role.PI)
    return count_interests(library.store.engine, datetime.now(UTC), studies)
