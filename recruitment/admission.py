"""Whether one more interest is taken in, and whether its study is told before the address is proven.

One address may send a few interests a day. A study is told at once of the first unproven ones of a day, so
that nobody is lost in a full spam folder; of more, and of a second from the same address, only when the
owner of the address has confirmed. Nobody learns here whether an address has sent something before.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from ontology.errors import BadInput
from ontology.wording import say
from recruitment.person import Person
from recruitment.tables import interests
from recruitment.throttle import DAY, count, tries
from recruitment.vault import Vault


@dataclass(frozen=True, slots=True)
class Limits:
    """How many a day: from one address, from one address to one study, unproven to one study."""

    of_address: int = 3
    of_address_to_study: int = 1
    unproven_to_study: int = 10


LIMITS = Limits()


def admit(
    connection: Connection,
    vault: Vault,
    study_id: str,
    person: Person,
    *,
    language: str,
    now: datetime,
    limits: Limits,
) -> bool:
    """Counts one interest in the caller's transaction. Returns whether it waits for proof of the address.

    Raises:
        BadInput: too many today from this address, or, where only a phone number is given, to this study.
    """
    sender = f"interest from {(person.email or person.phone).lower()}"
    if tries(connection, vault, sender, now) >= limits.of_address:
        raise BadInput(say("interest.too_many", language))
    again = tries(connection, vault, f"{sender} to {study_id}", now) >= limits.of_address_to_study
    crowded = _unproven(connection, study_id, now) >= limits.unproven_to_study
    if crowded and not person.email:
        raise BadInput(say("interest.needs_email", language))
    for what in (sender, f"{sender} to {study_id}"):
        count(connection, vault, what, now)
    return bool(person.email) and (again or crowded)


def _unproven(connection: Connection, study_id: str, now: datetime) -> int:
    row = interests.c
    today = (row.study_id == study_id, row.created_at > now - DAY)
    told = select(func.count()).where(*today, row.proven_at.is_(None), ~row.held)
    return connection.execute(told).scalar_one()
