"""Secret links. The token is in the link and nowhere else: the database keeps only its SHA-256."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Engine, insert, select

from ontology.errors import BadInput
from recruitment.tables import interests, invitations, links
from registry.database import reading

ONE_TIME = timedelta(days=1)
"""How long the link works that is mailed to an account."""
_TOKEN_BYTES = 32


class Holder(StrEnum):
    """Who a link was given to."""

    STUDY = "study"
    PERSON = "person"
    FOLLOWER = "follower"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Access:
    """What a link opens: one interest in one study. `mailed`: whoever has it reads that mailbox."""

    interest_id: str
    study_id: str
    expires_at: datetime
    mailed: bool = False

    def expired(self, now: datetime) -> bool:
        """Whether the link no longer opens anything."""
        return now >= self.expires_at


def mint(
    connection: Connection, owner_id: str, holder: Holder, expires_at: datetime, *, mailed: bool = False
) -> str:
    """A new token of 256 random bits, URL-safe. Earlier links to the same thing keep working.

    `owner_id` is the id of a follower or an account for those holders, else of an interest. `mailed` says
    that the token leaves in an e-mail to the holder and in no other way. An account's works once.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    if holder is Holder.ACCOUNT:
        once = {"token_sha256": _digest(token), "account_id": owner_id, "expires_at": expires_at}
        connection.execute(insert(invitations).values(once))
        return token
    owner = "follower_id" if holder is Holder.FOLLOWER else "interest_id"
    values = {"token_sha256": _digest(token), "holder": holder, "expires_at": expires_at, "mailed": mailed}
    connection.execute(insert(links).values({**values, owner: owner_id}))
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
        select(interests.c.id, interests.c.study_id, links.c.expires_at, links.c.mailed)
        .join_from(links, interests)
        .where(links.c.token_sha256 == _digest(token), links.c.holder == holder)
    )
    with reading(engine) as connection:
        row = connection.execute(asked).one_or_none()
    if row is None:
        raise _unknown()
    return Access(*row)


def follower_of(connection: Connection, token: str, now: datetime) -> str:
    """The id of the follower whose link this is.

    Raises:
        BadInput: no such link, or it has expired.
    """
    row = links.c
    mine = (row.token_sha256 == _digest(token), row.holder == Holder.FOLLOWER, row.expires_at > now)
    found = connection.execute(select(row.follower_id).where(*mine)).scalar_one_or_none()
    if found is None:
        raise _unknown()
    return str(found)


def lifetime(holder: Holder, now: datetime, owner_expires_at: datetime) -> datetime:
    """When a link made now expires: with what it opens, the study's after 30 days at most."""
    if holder is Holder.STUDY:
        return min(now + timedelta(days=30), owner_expires_at)
    return owner_expires_at


def _unknown() -> BadInput:
    return BadInput("This link is not known here. Open the whole link from the newest message.")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
