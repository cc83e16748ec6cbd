"""Secret links. The token is in the link and nowhere else: the database keeps only its SHA-256."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Engine, insert, select

from ontology.errors import BadInput
from recruitment.tables import interests, links
from registry.database import reading

_TOKEN_BYTES = 32


class Holder(StrEnum):
    """Who a link was given to."""

    STUDY = "study"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Access:
    """What a link opens: one interest in one study."""

    interest_id: str
    study_id: str
    expires_at: datetime

    def expired(self, now: datetime) -> bool:
        """Whether the link no longer opens anything."""
        return now >= self.expires_at


def mint(connection: Connection, interest_id: str, holder: Holder, expires_at: datetime) -> str:
    """A new token of 256 random bits, URL-safe. Earlier links to the same interest keep working."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    connection.execute(
        insert(links).values(
            token_sha256=_digest(token), interest_id=interest_id, holder=holder, expires_at=expires_at
        )
    )
    return token


def follow(engine: Engine, token: str, holder: Holder, now: datetime) -> Access:
    """What the token opens for this kind of holder.

    Raises:
        BadInput: no such link for this holder, or it has expired.
    """
    access = find(engine, token, holder)
    if access.expired(now):
        raise BadInput("This link has expired. Ask for a new one; it goes to the same mailbox.")
    return access


def find(engine: Engine, token: str, holder: Holder) -> Access:
    """Like `follow`, but also for a link that has expired.

    Raises:
        BadInput: no such link for this holder.
    """
    asked = (
        select(interests.c.id, interests.c.study_id, links.c.expires_at)
        .join_from(links, interests)
        .where(links.c.token_sha256 == _digest(token), links.c.holder == holder)
    )
    with reading(engine) as connection:
        row = connection.execute(asked).one_or_none()
    if row is None:
        raise BadInput("This link is not known here. Open the whole link from the newest message.")
    return Access(*row)


def lifetime(holder: Holder, now: datetime, interest_expires_at: datetime) -> datetime:
    """When a link made now expires: the study's after 30 days at most, both with the interest."""
    if holder is Holder.PERSON:
        return interest_expires_at
    return min(now + timedelta(days=30), interest_expires_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
