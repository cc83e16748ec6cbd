"""A forgotten password: whoever reads the account's mail gets a one-time link to choose a new one."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, select

from ontology.errors import Unavailable
from ontology.wording import say
from recruitment.audit import Action, Actor, record
from recruitment.mail import Kind
from recruitment.outbox import PENDING_LIMIT, enqueue, is_full
from recruitment.tables import accounts, messages
from recruitment.throttle import count, tries
from recruitment.vault import Vault
from registry.database import writing

LINKS_A_DAY = 3
"""To one account."""
ASKED_FROM_ONE_PLACE = 20
"""In a day, for whichever accounts."""
_MESSAGES_KEPT = timedelta(days=1)


def send_link(
    engine: Engine,
    vault: Vault,
    email: str,
    now: datetime,
    *,
    language: str,
    caller: str,
    outbox_limit: int = PENDING_LIMIT,
) -> None:
    """Writes a mail with a one-time link to an open account that has a password; to nobody else.

    Does the same to see whichever address it is, also when it was asked too often, for this address or from
    this `caller`: nobody learns who has an account, and nobody's mailbox can be filled. The link itself is
    made when the mail leaves, and a code that the account has is asked for as before.

    Raises:
        Unavailable: the outbox is full or the database refuses.
    """
    address = email.strip().lower()
    place, asked = f"forgotten from {caller}", f"forgotten by {address}"
    may = (accounts.c.email == address, accounts.c.disabled_at.is_(None), accounts.c.password.is_not(None))
    with writing(engine) as connection:
        if is_full(connection, outbox_limit):
            raise Unavailable(say("interest.busy", language))
        often = tries(connection, vault, asked, now) >= LINKS_A_DAY
        if often or tries(connection, vault, place, now) >= ASKED_FROM_ONE_PLACE:
            return
        for what in (place, asked):
            count(connection, vault, what, now)
        account_id = connection.execute(select(accounts.c.id).where(*may)).scalar_one_or_none()
        if account_id:
            to = {"recipient": address, "language": language, "account_id": account_id}
            enqueue(connection, vault, Kind.PASSWORD, **to, now=now)
            record(connection, now, Actor.SYSTEM, Action.ACCOUNT, detail=f"forgotten {account_id}")


def delete_old_messages(engine: Engine, now: datetime) -> int:
    """Deletes the messages to accounts that are older than a day, sent or not; returns how many.

    A link that nobody could be sent in that time is not wanted any more.
    """
    row = messages.c
    old = delete(messages).where(row.account_id.is_not(None), row.created_at <= now - _MESSAGES_KEPT)
    with writing(engine) as connection:
        return connection.execute(old).rowcount
