"""News by e-mail, without an account: who follows which study or search, and what has happened there.

Nobody is written to before they have confirmed from their own mailbox. The mails say that there is news and
nothing of what it is about: whose mailbox holds «HIV» is told by its subject line alone. What it is stands
on the page behind the link.
"""

import json
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from ontology.errors import BadInput, Unavailable
from ontology.wording import LANGUAGES, say
from recruitment.link import follower_of
from recruitment.mail import Kind
from recruitment.outbox import PENDING_LIMIT, enqueue, is_full
from recruitment.person import checked_email
from recruitment.tables import followers, follows, links, messages, news
from recruitment.throttle import count, tries
from recruitment.vault import Vault
from registry.database import reading, scrub, writing
from registry.store import Store, study_versions
from registry.study import Study

KEPT = timedelta(days=365)
"""How long a follower is kept after they last said that they want to be."""

UNCONFIRMED_KEPT = timedelta(days=2)
BETWEEN_DIGESTS = timedelta(days=1)
NEWS_KEPT = timedelta(days=60)
CONFIRMATIONS_A_DAY = 5
MOST_FOLLOWED = 50
WORDS_LIMIT = 200

Matching: TypeAlias = Callable[[str], Collection[str] | None]
"""The ids of the studies that a search finds; None when it cannot say yet: the index is behind the store."""


class What(StrEnum):
    """What has happened."""

    STATUS = "status"
    RESULTS = "results"
    REMOVED = "removed"
    MATCH = "match"


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to a study."""

    study_id: str
    what: What
    noticed_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Follow:
    """One study, or the words of a search, and its news, newest first. Confirmed once it has a date."""

    id: str
    study_id: str
    words: str
    revision: int
    confirmed_at: datetime | None
    news: tuple[News, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Follower:
    """Somebody with an address; confirmed once there is a date."""

    id: str
    email: str
    language: str
    confirmed_at: datetime | None
    expires_at: datetime
    follows: tuple[Follow, ...]


def follow(
    engine: Engine,
    vault: Vault,
    email: str,
    *,
    study_id: str = "",
    words: str = "",
    language: str,
    revision: int,
    now: datetime,
    outbox_limit: int = PENDING_LIMIT,
) -> None:
    """Notes that an address wants news of a study or of a search, and sends it a link to confirm.

    Does the same to see whether the address was known or not, and nothing from the sixth time a day on:
    nobody learns who follows what, and nobody's mailbox can be filled. `revision` is the store's now.

    Raises:
        BadInput: no address, or not exactly one of study and words, or too many words; in `language`.
        Unavailable: the outbox is full.
    """
    address = checked_email(email, language)
    words = " ".join(words.split())
    if bool(study_id) == bool(words) or len(words) > WORDS_LIMIT:
        raise BadInput(say("alerts.bad_words", language, limit=WORDS_LIMIT))
    wanted = Follow(uuid.uuid4().hex, study_id, words, revision, None)
    with writing(engine) as connection:
        if is_full(connection, outbox_limit):
            raise Unavailable(say("interest.busy", language))
        if not _may_be_written_to(connection, vault, address, now):
            return
        follower = _find(connection, vault, address) or _add(connection, vault, address, language, now)
        if _is_new(follower, wanted):
            _add_follow(connection, vault, follower, wanted, now)
        to = {"recipient": address, "language": follower.language, "follower_id": follower.id}
        enqueue(connection, vault, Kind.CONFIRMATION, **to, now=now)


def read_follower(engine: Engine, vault: Vault, token: str, now: datetime) -> Follower:
    """Who has this link, and all they follow.

    Raises:
        BadInput: the link is not known or has expired.
    """
    with reading(engine) as connection:
        return _read(connection, vault, follower_of(connection, token, now))


def confirm(engine: Engine, token: str, now: datetime) -> None:
    """From now on there is news, for a year; said again, for a year from then.

    Raises:
        BadInput: the link is not known or has expired.
    """
    with writing(engine) as connection:
        follower_id = follower_of(connection, token, now)
        for table, key in ((followers, followers.c.id), (follows, follows.c.follower_id)):
            new = update(table).where(key == follower_id, table.c.confirmed_at.is_(None))
            connection.execute(new.values(confirmed_at=now))
        for table, key in ((followers, followers.c.id), (links, links.c.follower_id)):
            connection.execute(update(table).where(key == follower_id).values(expires_at=now + KEPT))


def stop(engine: Engine, token: str, follow_id: str, now: datetime) -> None:
    """Ends one of the things followed; with the last one the follower is forgotten.

    Raises:
        BadInput: the link is not known or has expired.
    """
    with writing(engine) as connection:
        follower_id = follower_of(connection, token, now)
        mine = select(follows.c.id).where(follows.c.id == follow_id, follows.c.follower_id == follower_id)
        connection.execute(delete(news).where(news.c.follow_id.in_(mine)))
        connection.execute(delete(follows).where(follows.c.id.in_(mine)))
        left = select(func.count()).where(follows.c.follower_id == follower_id)
        if not connection.execute(left).scalar_one():
            _forget(connection, follower_id)


def leave(engine: Engine, token: str, now: datetime) -> None:
    """Forgets the follower and all they follow. A link that is not known any more is as good."""
    with writing(engine) as connection:
        try:
            _forget(connection, follower_of(connection, token, now))
        except BadInput:
            return
    scrub(engine)


def forget_expired(engine: Engine, now: datetime) -> int:
    """Forgets followers who did not confirm in time, or whose year is over; returns how many those were."""
    late = select(followers.c.id).where(followers.c.expires_at <= now)
    unconfirmed = select(follows.c.id).where(
        follows.c.confirmed_at.is_(None), follows.c.created_at <= now - UNCONFIRMED_KEPT
    )
    with writing(engine) as connection:
        gone = connection.execute(late).scalars().all()
        for follower_id in gone:
            _forget(connection, follower_id)
        connection.execute(delete(news).where(news.c.noticed_at <= now - NEWS_KEPT))
        connection.execute(delete(follows).where(follows.c.id.in_(unconfirmed)))
        return len(gone)


def tell_news(store: Store, vault: Vault, matching: Matching, now: datetime) -> int:
    """Notes what has happened in all that is followed, and writes a digest to each follower it concerns.

    A follower gets at most one a day; what happens meanwhile is in the next. Returns how many digests were
    written.
    """
    revision, row = store.revision(), followers.c
    ready = (row.told_at.is_(None)) | (row.told_at <= now - BETWEEN_DIGESTS)
    behind = select(follows.c.follower_id).where(
        follows.c.confirmed_at.is_not(None), follows.c.revision < revision
    )
    asked = select(row.id).where(row.confirmed_at.is_not(None), row.expires_at > now, ready)
    with reading(store.engine) as connection:
        waiting = connection.execute(asked.where(row.id.in_(behind))).scalars().all()
    return sum(_tell(store, vault, each, matching=matching, revision=revision, now=now) for each in waiting)


def _tell(
    store: Store, vault: Vault, follower_id: str, *, matching: Matching, revision: int, now: datetime
) -> bool:
    """One follower's digest. What happened and that it was told are written together."""
    with reading(store.engine) as connection:
        follower = _read(connection, vault, follower_id)
    current = [each for each in follower.follows if each.confirmed_at and each.revision < revision]
    found = {each: _happened(store, each, matching, now) for each in current}
    told = False
    with writing(store.engine) as connection:
        for each, happened in found.items():
            if happened is None:
                continue
            same = (follows.c.id == each.id, follows.c.revision == each.revision)
            if connection.execute(update(follows).where(*same).values(revision=revision)).rowcount:
                _note(connection, each.id, happened)
                told = told or bool(happened)
        if told:
            mine = update(followers).where(followers.c.id == follower_id)
            connection.execute(mine.values(told_at=now))
            to = {"recipient": follower.email, "language": follower.language, "follower_id": follower_id}
            enqueue(connection, vault, Kind.DIGEST, **to, now=now)
    return told


def _happened(store: Store, followed: Follow, matching: Matching, now: datetime) -> tuple[News, ...] | None:
    """What is new since the revision that was read before; None when it cannot be said yet."""
    if followed.study_id:
        before, after = _versions(store, followed)
        return tuple(News(followed.study_id, what, now) for what in changes(before, after))
    ids = matching(followed.words)
    if ids is None:
        return None
    version = study_versions.c
    first = select(version.study_id).where(version.study_id.in_(list(ids))).group_by(version.study_id)
    with reading(store.engine) as connection:
        new = connection.execute(first.having(func.min(version.revision) > followed.revision)).scalars()
        return tuple(News(study_id, What.MATCH, now) for study_id in new)


def changes(before: Study | None, after: Study | None) -> tuple[What, ...]:
    """What a follower is told of two versions of a study; None is a study that is not there."""
    if after is None:
        return (What.REMOVED,) if before else ()
    if before is None:
        return ()
    status = (What.STATUS,) if before.status is not after.status else ()
    return (*status, What.RESULTS) if after.has_results and not before.has_results else status


def _versions(store: Store, followed: Follow) -> tuple[Study | None, Study | None]:
    """The study as it was when it was last looked at, and as it is."""
    versions = store.versions(followed.study_id)
    before = [version for version in versions if version.revision <= followed.revision]
    return (before[-1].study if before else None), versions[-1].study


def _note(connection: Connection, follow_id: str, happened: Collection[News]) -> None:
    for each in happened:
        values = {"study_id": each.study_id, "what": each.what, "noticed_at": each.noticed_at}
        connection.execute(insert(news).values(id=uuid.uuid4().hex, follow_id=follow_id, **values))


def _may_be_written_to(connection: Connection, vault: Vault, address: str, now: datetime) -> bool:
    """Counts one confirmation to this address. False when it had enough today."""
    what = f"alert to {address.lower()}"
    if tries(connection, vault, what, now) >= CONFIRMATIONS_A_DAY:
        return False
    count(connection, vault, what, now)
    return True


def _find(connection: Connection, vault: Vault, address: str) -> Follower | None:
    """The follower of this address. All are opened to find it: addresses are nowhere to be looked up."""
    row = followers.c
    for follower_id, sealed in connection.execute(select(row.id, row.sealed)):
        if vault.open(sealed, f"follower:{follower_id}").decode().lower() == address.lower():
            return _read(connection, vault, follower_id)
    return None


def _add(connection: Connection, vault: Vault, address: str, language: str, now: datetime) -> Follower:
    follower_id, expires_at = uuid.uuid4().hex, now + UNCONFIRMED_KEPT
    spoken = language if language in LANGUAGES else "nb"
    sealed = vault.seal(address.encode(), f"follower:{follower_id}")
    values = {"id": follower_id, "language": spoken, "sealed": sealed, "created_at": now}
    connection.execute(insert(followers).values(values | {"expires_at": expires_at}))
    return Follower(follower_id, address, spoken, None, expires_at, ())


def _is_new(follower: Follower, wanted: Follow) -> bool:
    known = {(each.study_id, each.words) for each in follower.follows}
    return (wanted.study_id, wanted.words) not in known and len(known) < MOST_FOLLOWED


def _add_follow(
    connection: Connection, vault: Vault, follower: Follower, wanted: Follow, now: datetime
) -> None:
    sealed = vault.seal(json.dumps(wanted.words).encode(), f"follow:{wanted.id}") if wanted.words else None
    values = {"study_id": wanted.study_id or None, "sealed": sealed, "revision": wanted.revision}
    own = {"id": wanted.id, "follower_id": follower.id, "created_at": now}
    connection.execute(insert(follows).values(values | own))


def _read(connection: Connection, vault: Vault, follower_id: str) -> Follower:
    row = connection.execute(select(followers).where(followers.c.id == follower_id)).one()
    mine = (
        select(follows)
        .where(follows.c.follower_id == follower_id)
        .order_by(follows.c.created_at, follows.c.id)
    )
    read = [
        Follow(
            id=each.id,
            study_id=each.study_id or "",
            words=json.loads(vault.open(each.sealed, f"follow:{each.id}")) if each.sealed else "",
            revision=each.revision,
            confirmed_at=each.confirmed_at,
        )
        for each in connection.execute(mine)
    ]
    return Follower(
        id=follower_id,
        email=vault.open(row.sealed, f"follower:{follower_id}").decode(),
        language=row.language,
        confirmed_at=row.confirmed_at,
        expires_at=row.expires_at,
        follows=tuple(replace(each, news=_news(connection, each.id)) for each in read),
    )


def _news(connection: Connection, follow_id: str) -> tuple[News, ...]:
    row = news.c
    asked = select(row.study_id, row.what, row.noticed_at).where(row.follow_id == follow_id)
    found = connection.execute(asked.order_by(row.noticed_at.desc(), row.id))
    return tuple(News(study_id, What(what), noticed_at) for study_id, what, noticed_at in found)


def _forget(connection: Connection, follower_id: str) -> None:
    mine = select(follows.c.id).where(follows.c.follower_id == follower_id)
    connection.execute(delete(news).where(news.c.follow_id.in_(mine)))
    for table in (follows, links, messages):
        connection.execute(delete(table).where(table.c.follower_id == follower_id))
    connection.execute(delete(followers).where(followers.c.id == follower_id))
