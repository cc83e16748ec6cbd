"""Showing interest on a page, without scripts: see and change what goes, read what it means, say yes, send.

Nothing is kept between the steps: what was written travels in the form, and never in an address. What a
pre-screening in chat or form has found out is read from the browser's sealed conversation.
"""

import secrets
from datetime import UTC, date, datetime

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api import cookies
from api.chat import open_desk
from api.csrf import OwnForm
from api.deps import Fields, Language, LibraryDep, SettingsDep, named_study
from api.draft import Draft, fields_of, read_draft
from api.library import Library
from api.pages.render import private_page
from chatbot.conversation import take_up
from chatbot.prompts import takes_interest
from ontology.errors import StudieveiError, Unavailable
from ontology.wording import say
from recruitment.consent import Consent, consent_text, retention_days
from recruitment.interest import NOTE_LIMIT, register_interest
from recruitment.person import Sender
from recruitment.screening import Screening

router = APIRouter(prefix="/studier/{study_id}/interesse", include_in_schema=False, dependencies=[OwnForm])


@router.get("")
def start(
    request: Request, study_id: str, library: LibraryDep, settings: SettingsDep, language: Language
) -> Response:
    """The form, with what this browser's pre-screening of the study knows filled in."""
    study = named_study(library, study_id)
    token = cookies.read(request, cookies.CONVERSATION)
    conversation = take_up(library.store.engine, token, datetime.now(UTC))
    desk = open_desk(library, settings)
    fields = fields_of(conversation.state, study, desk, language) if conversation else {}
    return _edit(request, read_draft(library, study, fields, language, desk.today()), checked=False)


@router.post("")
def go_on(
    request: Request,
    study_id: str,
    *,
    fields: Fields,
    library: LibraryDep,
    settings: SettingsDep,
    language: Language,
) -> Response:
    """`step` says what is wanted: `edit`, `show` or `send`."""
    draft = read_draft(library, named_study(library, study_id), fields, language, date.today())
    step = fields.get("step", "edit")
    if step not in {"show", "send"} or not takes_interest(draft.study):
        return _edit(request, draft, checked=False)
    if draft.wrong:
        return _edit(request, draft)
    screening = draft.screening(library, settings)
    if step == "show":
        return _show(request, draft, screening, library)
    if fields.get("consent") != "yes":
        wrong = say("send.no_consent", language)
        return _show(request, draft, screening, library, wrong=wrong)
    try:
        token = _send(draft, screening, library, settings.outbox_maximum)
    except StudieveiError as problem:
        status = 503 if isinstance(problem, Unavailable) else None
        return _show(request, draft, screening, library, status=status, wrong=str(problem))
    return RedirectResponse(f"/interesse/{token}", 303)


def _send(draft: Draft, screening: Screening, library: Library, outbox_limit: int) -> str:
    now = datetime.now(UTC)
    consent = Consent(draft.fields.get("version", ""), draft.language, now)
    submission = draft.fields.get("submission", "")
    return register_interest(
        library.store.engine,
        library.vault,
        draft.study,
        person=draft.person,
        screening=screening,
        consent=consent,
        submission=submission,
        now=now,
        outbox_limit=outbox_limit,
    ).person_token


def _edit(request: Request, draft: Draft, *, checked: bool = True) -> Response:
    return private_page(
        request,
        "send.html",
        study=draft.study,
        open=takes_interest(draft.study),
        given=[each for each in draft.questions if each.given],
        others=[each for each in draft.questions if not each.given],
        fields=draft.fields,
        wrong=draft.wrong if checked else {},
        senders=list(Sender),
        limit=NOTE_LIMIT,
    )


def _show(
    request: Request,
    draft: Draft,
    screening: Screening,
    library: Library,
    *,
    wrong: str = "",
    status: int | None = None,
) -> Response:
    days = retention_days(library.store.engine, draft.study.id)
    return private_page(
        request,
        "consent.html",
        status=status,
        study=draft.study,
        person=draft.person,
        screening=screening,
        text=consent_text(draft.study, draft.language, days),
        carried=draft.carried,
        submission=draft.fields.get("submission") or secrets.token_urlsafe(24),
        wrong=wrong,
    )
