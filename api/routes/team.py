"""What a study team sees when it has signed in: its interests, each with criteria, answers and a reply."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from api.csrf import OwnForm
from api.deps import Answering, Fields, Language, LibraryDep, SettingsDep
from api.errors import not_found
from api.library import Library
from api.pages.render import LANGUAGE_NAMES, private_page
from ontology.errors import BadInput
from ontology.wording import say
from recruitment.account import Account, colleagues
from recruitment.audit import Action, read_log
from recruitment.inbox import (
    SETTABLE,
    Listed,
    View,
    assign,
    find_in_inbox,
    list_inbox,
    mark,
    may_assign,
    read_page,
)
from recruitment.interest import (
    REPLY_LIMIT,
    OpenedInterest,
    Status,
    answer_interest,
    open_interest,
    read_interest,
)

router = APIRouter(prefix="/henvendelser", include_in_schema=False, dependencies=[OwnForm])

_GONE = frozenset({Status.WITHDRAWN, Status.EXPIRED})


@dataclass(frozen=True, slots=True)
class Template:
    """A reply to begin with, and where the interest stands after it."""

    name: str
    status: Status


TEMPLATES = (
    Template("welcome", Status.CONTACTED),
    Template("questions", Status.CONTACTED),
    Template("not_suitable", Status.NOT_SUITABLE),
    Template("closed", Status.NOT_SUITABLE),
)


BLANK = "[…]"
"""Stands in a template where the team has to write something of its own."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the reply form, and what is wrong with it."""

    text: str = ""
    status: Status = Status.CONTACTED
    wrong: str = ""


@router.get("")
def inbox(
    request: Request, account: Answering, library: LibraryDep, vis: str = "", side: str = ""
) -> Response:
    """The list. What is odd in the address is ignored."""
    view = View(vis) if vis in set(View) else View.UNANSWERED
    page = list_inbox(library.store.engine, account, view, read_page(side))
    return private_page(
        request,
        "team.html",
        account=account,
        view=view,
        views=tuple(View),
        page=page,
        now=datetime.now(UTC),
        studies=library.store.get_many(line.study_id for line in page.lines),
        names=_names(library, {line.study_id for line in page.lines}),
    )


def _mine(interest_id: str, account: Answering, library: LibraryDep) -> Listed:
    """The interest of the address, if the account answers it; for anybody else it does not exist."""
    try:
        return find_in_inbox(library.store.engine, account, interest_id)
    except BadInput as error:
        raise not_found(error) from error


Mine = Annotated[Listed, Depends(_mine)]


@router.get("/{interest_id}")
def case(request: Request, account: Answering, about: Mine, library: LibraryDep, mal: str = "") -> Response:
    """One interest: a cover as long as it is new, then what was answered, without the contact details."""
    if about.status in _GONE:
        return private_page(request, "inbox_gone.html", status=410, state=about.status)
    if about.status is Status.NEW:
        return _page(request, account, about, library)
    opened = read_interest(library.store.engine, library.vault, about.id, datetime.now(UTC), account.id)
    return _page(request, account, about, library, opened, draft=_from_template(mal, opened))


@router.post("/{interest_id}/apne")
def open_it(account: Answering, about: Mine, library: LibraryDep) -> Response:
    """Opens the answers; from now on the person can see that they have been read."""
    open_interest(library.store.engine, library.vault, about.id, datetime.now(UTC), account.id)
    return _back_to(about)


@router.post("/{interest_id}/kontakt")
def contact(request: Request, account: Answering, about: Mine, library: LibraryDep) -> Response:
    """The same page with name, e-mail and phone; the log says who asked for them."""
    opened = read_interest(
        library.store.engine, library.vault, about.id, datetime.now(UTC), account.id, action=Action.CONTACT
    )
    return _page(request, account, about, library, opened, contact=True)


@router.post("/{interest_id}/svar")
def reply(
    request: Request,
    account: Answering,
    about: Mine,
    *,
    fields: Fields,
    library: LibraryDep,
    settings: SettingsDep,
    language: Language,
) -> Response:
    """Keeps the reply, says where the interest stands after it, and lets the person know."""
    engine, vault, now = library.store.engine, library.vault, datetime.now(UTC)
    text = fields.get("reply", "").replace("\r\n", "\n").strip()
    status = _status(fields.get("status", "")) or Status.CONTACTED
    if wrong := _wrong(text, language):
        draft = Draft(text, status, wrong)
        opened = read_interest(engine, vault, about.id, now, account.id)
        return _page(request, account, about, library, opened, draft=draft)
    limit = settings.outbox_maximum
    answer_interest(engine, vault, about.id, text, now, by=account.id, status=status, outbox_limit=limit)
    return _back_to(about)


@router.post("/{interest_id}/status")
def set_status(account: Answering, about: Mine, fields: Fields, library: LibraryDep) -> Response:
    """Says where the interest stands."""
    status = _status(fields.get("status", ""))
    if status is None:
        raise BadInput(f"A status is one of {', '.join(SETTABLE)}.")
    mark(library.store.engine, about, status, datetime.now(UTC), account)
    return _back_to(about)


@router.post("/{interest_id}/tildel")
def give_to(account: Answering, about: Mine, fields: Fields, library: LibraryDep) -> Response:
    """Lets a colleague answer."""
    assign(library.store.engine, about, fields.get("to", ""), datetime.now(UTC), account)
    return _back_to(about)


def _page(
    request: Request,
    account: Account,
    about: Listed,
    library: Library,
    opened: OpenedInterest | None = None,
    *,
    contact: bool = False,
    draft: Draft | None = None,
) -> Response:
    engine = library.store.engine
    team = colleagues(engine, about.study_id)
    values: dict[str, Any] = {
        "account": account,
        "about": about,
        "now": datetime.now(UTC),
        "study": library.store.get_many([about.study_id]).get(about.study_id),
        "opened": opened,
        "contact": contact,
        "draft": draft or Draft(status=about.status if about.status in SETTABLE else Status.CONTACTED),
        "templates": TEMPLATES,
        "settable": SETTABLE,
        "maximum": REPLY_LIMIT,
        "team": team if may_assign(account, about.study_id) else (),
        "names": {each.id: _name(each) for each in team},
        "log": read_log(engine, interest_id=about.id),
        "language_name": dict(LANGUAGE_NAMES).get(opened.interest.consent.language, "") if opened else "",
    }
    return private_page(request, "case.html", wrong=draft.wrong if draft else "", **values)


def _from_template(name: str, opened: OpenedInterest) -> Draft:
    """The reply to begin with, in the language that the person chose."""
    for template in TEMPLATES:
        if template.name == name:
            text = say(f"template.{name}_text", opened.interest.consent.language)
            return Draft(text, template.status)
    return Draft()


def _wrong(reply: str, language: str) -> str:
    """What keeps a reply from being sent; "" for nothing."""
    if not 0 < len(reply) <= REPLY_LIMIT:
        return say("inbox.wrong_reply", language, maximum=REPLY_LIMIT)
    return say("team.fill_in", language) if BLANK in reply else ""


def _names(library: Library, studies: set[str]) -> dict[str, str]:
    """What to call each account that answers for one of the studies."""
    engine = library.store.engine
    return {each.id: _name(each) for study_id in studies for each in colleagues(engine, study_id)}


def _name(account: Account) -> str:
    return account.name or account.email


def _status(text: str) -> Status | None:
    return Status(text) if text in set(SETTABLE) else None


def _back_to(about: Listed) -> Response:
    return RedirectResponse(f"/henvendelser/{about.id}", 303)
