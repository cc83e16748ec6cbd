"""Following a study or a search by e-mail: ask, confirm, see what is new, stop. No account (R36-R38)."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.csrf import OwnForm
from api.deps import Fields, Language, LibraryDep, SettingsDep, named_study
from api.errors import not_found
from api.library import Library
from api.pages.render import private_page
from ontology.errors import BadInput
from recruitment.alerts import Follower, confirm, follow, leave, read_follower, stop
from recruitment.mail import UNSUBSCRIBE

router = APIRouter(prefix="/varsler", include_in_schema=False)


@router.get("")
def ask(request: Request, library: LibraryDep, studie: str = "", sok: str = "") -> Response:
    """The form for a study or the words of a search, and what it means to fill it in."""
    return _form(request, library, studie, sok)


@router.post("", dependencies=[OwnForm])
def begin(
    request: Request, *, fields: Fields, library: LibraryDep, settings: SettingsDep, language: Language
) -> Response:
    """Sends a link to confirm. The answer is the same whether the address was known or not."""
    study_id, words = fields.get("study", ""), fields.get("words", "")
    if study_id:
        named_study(library, study_id)
    try:
        follow(
            library.store.engine,
            library.vault,
            fields.get("email", ""),
            study_id=study_id,
            words=words,
            language=language,
            revision=library.store.revision(),
            now=datetime.now(UTC),
            outbox_limit=settings.outbox_maximum,
        )
    except BadInput as problem:
        return _form(request, library, study_id, words, email=fields.get("email", ""), wrong=str(problem))
    return private_page(request, "follow.html", sent=True)


@router.get("/{token}")
def own_page(request: Request, token: str, library: LibraryDep) -> Response:
    """What is followed, and what is new there."""
    return _page(request, library, token, _follower(library, token))


@router.post("/{token}/bekreft", dependencies=[OwnForm])
def say_yes(token: str, library: LibraryDep) -> Response:
    """Confirms what was asked for, or keeps it for another year."""
    _follower(library, token)
    confirm(library.store.engine, token, datetime.now(UTC))
    return RedirectResponse(f"/varsler/{token}", 303)


@router.post("/{token}/slutt", dependencies=[OwnForm])
def end_one(request: Request, token: str, fields: Fields, library: LibraryDep) -> Response:
    """Stops following one thing; with the last one everything is deleted."""
    before = _follower(library, token)
    stop(library.store.engine, token, fields.get("follow", ""), datetime.now(UTC))
    if {each.id for each in before.follows} == {fields.get("follow", "")}:
        return private_page(request, "followed.html", follower=None, ended=True)
    return RedirectResponse(f"/varsler/{token}", 303)


@router.get("/{token}" + UNSUBSCRIBE)
def end_all_page(request: Request, token: str) -> Response:
    """A button, for people who open the address themselves; programs that fetch it change nothing."""
    return private_page(request, "followed.html", follower=None, token=token, ended=False)


@router.post("/{token}" + UNSUBSCRIBE)
def end_all(request: Request, token: str, library: LibraryDep) -> Response:
    """Deletes the address and all that it follows (RFC 8058: one POST, from anywhere, without a cookie).

    Somebody who has the secret link may do so; another site does not know it.
    """
    leave(library.store.engine, token, datetime.now(UTC))
    return private_page(request, "followed.html", follower=None, ended=True)


def _form(
    request: Request, library: Library, study_id: str, words: str, *, email: str = "", wrong: str = ""
) -> Response:
    study = named_study(library, study_id) if study_id else None
    return private_page(
        request, "follow.html", wrong=wrong, study=study, words=words, email=email, sent=False
    )


def _page(request: Request, library: Library, token: str, follower: Follower) -> Response:
    named = [each.study_id for each in follower.follows]
    named += [piece.study_id for each in follower.follows for piece in each.news]
    studies = library.store.get_many(filter(None, named))
    return private_page(
        request, "followed.html", token=token, follower=follower, studies=studies, ended=False
    )


def _follower(library: Library, token: str) -> Follower:
    try:
        return read_follower(library.store.engine, library.vault, token, datetime.now(UTC))
    except BadInput as error:
        raise not_found(error) from error
