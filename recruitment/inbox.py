"""What may be known of interests without opening one: a team's list, who answers each, its status, counts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Engine, Select, and_, case, func, or_, select, update

from ontology.errors import BadInput
from recruitment.account import Account, Role, colleagues
from recruitment.audit import Action, record
from recruitment.interest import UNANSWERED, Status
from recruitment.tables import interests
from registry.database import reading, writing

ANSWER_WITHIN = timedelta(days=7)
PAGE = 25
"""Interests on one page of a list."""
SETTABLE = (Status.CONTACTED, Status.SCREENED, Status.INCLUDED, Status.NOT_SUITABLE)
"""What a study team may say of an interest; the other statuses come of themselves."""
_LONGEST_NUMBER = 8
_GONE = (Status.WITHDRAWN, Status.EXPIRED)


class View(StrEnum):
    """Which interests a list holds."""

    UNANSWERED = "unanswered"
    MINE = "mine"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list."""

    id: str
    study_id: str
    status: Status
    created_at: datetime
    assigned_to: str

    @property
    def number(self) -> str:
        """What a team calls it: enough of the id to tell it from others."""
        return self.id[:8]

    @property
    def due_at(self) -> datetime:
        """When the person should have an answer."""
        return self.created_at + ANSWER_WITHIN

    def days(self, now: datetime) -> int:
        """How many whole days it is old."""
        return (now - self.created_at).days

    def is_late(self, now: datetime) -> bool:
        """Whether it should have been answered before today."""
        return self.status in UNANSWERED and self.created_at < _late_before(now)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, `number` counted from 1; `total` is of all pages."""

    lines: tuple[Listed, ...]
    number: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many interests a study has, by status, and how many of the unanswered are late."""

    study_id: str
    by_status: dict[Status, int]
    late: int

    @property
    def total(self) -> int:
        """All that were ever sent."""
        return sum(self.by_status.values())


def read_page(text: str) -> int:
    """The page that an address asks for; the first where that is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER else 1


def list_inbox(engine: Engine, account: Account, view: View, page: int) -> Page:
    """The interests that this account answers: the unanswered oldest first, the others newest first."""
    wanted = _seen_by(account)
    if view is View.UNANSWERED:
        wanted &= interests.c.status.in_(UNANSWERED)
    if view is View.MINE:
        wanted &= and_(interests.c.assigned_to == account.id, interests.c.status.not_in(_GONE))
    return _page(engine, wanted, page, newest_first=view is not View.UNANSWERED)


def list_waiting(engine: Engine, page: int) -> Page:
    """Every interest that nobody has answered, in whichever study, oldest first."""
    wanted = and_(interests.c.status.in_(UNANSWERED), ~interests.c.held)
    return _page(engine, wanted, page, newest_first=False)


def find_in_inbox(engine: Engine, account: Account, interest_id: str) -> Listed:
    """The interest, if this account answers it. Every page and form about one interest asks here first.

    Raises:
        BadInput: there is no such interest, or it is not this account's; nobody learns which.
    """
    asked = _columns().where(_seen_by(account), interests.c.id == interest_id)
    with reading(engine) as connection:
        row = connection.execute(asked).one_or_none()
    if row is None:
        raise BadInput("There is no such message among those that you answer.")
    return _listed(row)


def may_assign(account: Account, study_id: str) -> bool:
    """Whether this account decides who answers for the study."""
    return study_id in account.studies(Role.PI)


def assign(engine: Engine, interest: Listed, to: str, now: datetime, by: Account) -> None:
    """Lets a colleague answer an interest; `to` is the id of an account, or "" for nobody in particular.

    Raises:
        BadInput: `by` does not decide that, or `to` does not answer for this study.
    """
    team = {each.id for each in colleagues(engine, interest.study_id)}
    if not may_assign(by, interest.study_id) or to not in team | {""}:
        raise BadInput("A principal investigator assigns to somebody with a role in the same study.")
    with writing(engine) as connection:
        mine = update(interests).where(interests.c.id == interest.id)
        connection.execute(mine.values(assigned_to=to or None))
        about = {"study_id": interest.study_id, "interest_id": interest.id}
        record(connection, now, by.id, Action.ASSIGNED, detail=to, **about)


def mark(engine: Engine, interest: Listed, status: Status, now: datetime, by: Account) -> None:
    """Says where an interest stands; the person sees it.

    Raises:
        BadInput: not a status that a team may set, or the interest is gone or was never opened.
    """
    alive = and_(interests.c.sealed.is_not(None), interests.c.opened_at.is_not(None))
    if status not in SETTABLE:
        raise BadInput(f"A study team sets one of {', '.join(SETTABLE)}.")
    with writing(engine) as connection:
        mine = update(interests).where(interests.c.id == interest.id, alive, interests.c.expires_at > now)
        if not connection.execute(mine.values(status=status)).rowcount:
            raise BadInput("Only an interest that was opened, and is still here, has a status to set.")
        about = {"study_id": interest.study_id, "interest_id": interest.id}
        record(connection, now, by.id, Action.STATUS, detail=status, **about)


def count_interests(
    engine: Engine, now: datetime, studies: Collection[str] | None = None
) -> tuple[Counts, ...]:
    """The counts of each study that ever had an interest, by study; only of `studies` when they are named."""
    row = interests.c
    late = case((and_(row.status.in_(UNANSWERED), row.created_at < _late_before(now)), 1), else_=0)
    asked = select(row.study_id, row.status, func.count(), func.sum(late)).where(~row.held)
    if studies is not None:
        asked = asked.where(row.study_id.in_(studies))
    asked = asked.group_by(row.study_id, row.status).order_by(row.study_id, row.status)
    with reading(engine) as connection:
        return tuple(_counts(connection.execute(asked)))


def _late_before(now: datetime) -> datetime:
    """What came before this has had its last day to be answered (in UTC)."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - ANSWER_WITHIN


def _counts(rows: Iterable[tuple[str, str, int, int]]) -> list[Counts]:
    counts: dict[str, Counts] = {}
    for study_id, status, number, late in rows:
        so_far = counts.get(study_id, Counts(study_id, {}, 0))
        by_status = {**so_far.by_status, Status(status): number}
        counts[study_id] = Counts(study_id, by_status, so_far.late + int(late))
    return list(counts.values())


def _seen_by(account: Account) -> ColumnElement[bool]:
    """What an account may see: a PI all of the own studies, a delegate what is assigned in them."""
    row = interests.c
    led, helped = account.studies(Role.PI), account.studies(Role.DELEGATE)
    seen: ColumnElement[bool] = row.study_id.in_(led)
    if helped:  # without it the condition stays one that an index answers
        seen = or_(seen, and_(row.study_id.in_(helped), row.assigned_to == account.id))
    return and_(seen, ~row.held)


def _page(engine: Engine, wanted: ColumnElement[bool], page: int, *, newest_first: bool) -> Page:
    row = interests.c
    order = (row.created_at.desc(), row.id.desc()) if newest_first else (row.created_at, row.id)
    with reading(engine) as connection:
        total = connection.execute(select(func.count()).select_from(interests).where(wanted)).scalar_one()
        number = min(max(page, 1), max(1, -(-total // PAGE)))
        asked = _columns().where(wanted).order_by(*order).limit(PAGE).offset((number - 1) * PAGE)
        lines = tuple(_listed(found) for found in connection.execute(asked))
    return Page(lines, number, total)


def _columns() -> Select[tuple[str, str, str, datetime, str | None]]:
    row = interests.c
    return select(row.id, row.study_id, row.status, row.created_at, row.assigned_to)


def _listed(row: Iterable[object]) -> Listed:
    interest_id, study_id, status, created_at, assigned_to = row
    assert isinstance(created_at, datetime)  # noqa: S101 - the column's type
    return Listed(str(interest_id), str(study_id), Status(str(status)), created_at, str(assigned_to or ""))
