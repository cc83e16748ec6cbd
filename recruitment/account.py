"""Who may sign in, and as what: accounts and their roles."""

import hashlib
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ontology.errors import BadInput
from recruitment.audit import Action, Actor, record
from recruitment.person import checked_email, checked_name
from recruitment.tables import accounts, invitations, roles, sessions
from registry.database import reading, writing


class Role(StrEnum):
    """What somebody is to Studievei (R52)."""

    PI = "pi"
    DELEGATE = "delegate"
    GP = "gp"
    EDITOR = "editor"
    COORDINATOR = "coordinator"
    ADMINISTRATOR = "administrator"


OF_A_STUDY = frozenset({Role.PI, Role.DELEGATE})
"""The roles that somebody has in one study and not in another."""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role, and the study that it is about ("" for the others).

    Raises:
        BadInput: a study where none belongs, or none where one does.
    """

    role: Role
    study_id: str = ""

    def __post_init__(self) -> None:
        if (self.role in OF_A_STUDY) != bool(self.study_id):
            raise BadInput(
                f"The roles {', '.join(sorted(OF_A_STUDY))} are about a study, for example pi:NCT01234567, "
                f"and the others ({', '.join(sorted(set(Role) - OF_A_STUDY))}) about none."
            )

    def __str__(self) -> str:
        return f"{self.role}:{self.study_id}" if self.study_id else str(self.role)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. `ready`: there is a password or an OpenID identity to sign in with."""

    id: str
    email: str
    name: str
    grants: frozenset[Grant]
    created_at: datetime
    disabled: bool = False
    ready: bool = False
    has_code: bool = False

    def is_a(self, role: Role) -> bool:
        """Whether the account has this role, in whichever study."""
        return any(grant.role is role for grant in self.grants)

    def studies(self, role: Role) -> frozenset[str]:
        """The studies it has this role in."""
        return frozenset(grant.study_id for grant in self.grants if grant.role is role)


def read_grant(text: str) -> Grant:
    """A grant as it is written on the command line: "gp", or "pi:NCT01234567".

    Raises:
        BadInput: no such role, or not with or without a study.
    """
    role, _, study_id = text.strip().partition(":")
    if role not in set(Role):
        raise BadInput(f"There is no role {role!r}. The roles are {', '.join(Role)}.")
    return Grant(Role(role), study_id)


def add_account(engine: Engine, email: str, name: str, grants: Iterable[Grant], now: datetime) -> Account:
    """A new account, which nobody can sign in to before its one-time link has been used (`invite`).

    Raises:
        BadInput: no e-mail address, a name that cannot be shown, or there is such an account already.
    """
    values = {
        "id": uuid.uuid4().hex,
        "email": checked_email(email, "en").lower(),
        "name": checked_name(name, "en"),
        "created_at": now,
        "failures": 0,
    }
    try:
        with writing(engine) as connection:
            connection.execute(insert(accounts).values(values))
            _grant(connection, str(values["id"]), grants)
            record(connection, now, Actor.OPERATOR, Action.ACCOUNT, detail=f"added {values['id']}")
            return one_account(connection, accounts.c.id == values["id"])
    except IntegrityError:
        raise BadInput(
            f"There is an account for {values['email']} already. See `studievei users list`."
        ) from None


def list_accounts(engine: Engine) -> tuple[Account, ...]:
    """Every account, by address."""
    with reading(engine) as connection:
        rows = connection.execute(select(accounts).order_by(accounts.c.email)).all()
        granted = _grants(connection, [row.id for row in rows])
        return tuple(_account(row, granted.get(row.id, frozenset())) for row in rows)


def find_account(engine: Engine, email: str) -> Account:
    """The account with this address.

    Raises:
        BadInput: there is none.
    """
    with reading(engine) as connection:
        return _by_email(connection, email)


def get_account(engine: Engine, account_id: str) -> Account:
    """The account with this id.

    Raises:
        BadInput: there is none.
    """
    with reading(engine) as connection:
        return one_account(connection, accounts.c.id == account_id)


def colleagues(engine: Engine, study_id: str) -> tuple[Account, ...]:
    """Who may answer for a study: its PIs and delegates that can sign in, by name."""
    answer = select(roles.c.account_id).where(roles.c.study_id == study_id, roles.c.role.in_(OF_A_STUDY))
    asked = select(accounts).where(accounts.c.id.in_(answer), accounts.c.disabled_at.is_(None))
    with reading(engine) as connection:
        rows = connection.execute(asked.order_by(accounts.c.name, accounts.c.email)).all()
        granted = _grants(connection, [row.id for row in rows])
    found = (_account(row, granted.get(row.id, frozenset())) for row in rows)
    return tuple(account for account in found if account.ready)


def has_pi(engine: Engine, study_id: str) -> bool:
    """Whether somebody signs in to answer for this study, so that mailed links no longer open its inbox."""
    return any(study_id in account.studies(Role.PI) for account in colleagues(engine, study_id))


def set_roles(
    engine: Engine,
    email: str,
    now: datetime,
    *,
    add: Collection[Grant] = (),
    remove: Collection[Grant] = (),
) -> Account:
    """Gives and takes roles; they hold from the next page that the account opens.

    Raises:
        BadInput: there is no such account, or it does not have a role that is to be taken.
    """
    with writing(engine) as connection:
        account = _by_email(connection, email)
        missing = set(remove) - account.grants
        if missing:
            raise BadInput(f"{account.email} does not have {', '.join(map(str, sorted(missing)))}.")
        for grant in remove:
            mine = (roles.c.account_id == account.id) & (roles.c.role == grant.role)
            connection.execute(delete(roles).where(mine, roles.c.study_id == grant.study_id))
        _grant(connection, account.id, set(add) - account.grants)
        record(connection, now, Actor.OPERATOR, Action.ACCOUNT, detail=f"roles {account.id}")
        return one_account(connection, accounts.c.id == account.id)


def disable(engine: Engine, email: str, now: datetime) -> Account:
    """Shuts an account at once: no sign-in, no session, no one-time link. What it did stays in the log.

    Raises:
        BadInput: there is no such account.
    """
    return _set_disabled(engine, email, now, now)


def enable(engine: Engine, email: str, now: datetime) -> Account:
    """Opens an account again that was shut.

    Raises:
        BadInput: there is no such account.
    """
    return _set_disabled(engine, email, None, now)


def digest(secret: str) -> str:
    """What the database keeps of a secret that is random enough not to be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def read_account(connection: Connection, account_id: str) -> Account | None:
    """The account with this id, if it may sign in."""
    may = (accounts.c.id == account_id) & accounts.c.disabled_at.is_(None)
    row = connection.execute(select(accounts).where(may)).one_or_none()
    return _account(row, _grants(connection, [account_id]).get(account_id, frozenset())) if row else None


def one_account(connection: Connection, condition: Any) -> Account:
    """The account that the condition is true of.

    Raises:
        BadInput: there is none.
    """
    row = connection.execute(select(accounts).where(condition)).one_or_none()
    if row is None:
        raise BadInput("There is no such account. See `studievei users list`.")
    return _account(row, _grants(connection, [row.id]).get(row.id, frozenset()))


def _set_disabled(engine: Engine, email: str, disabled_at: datetime | None, now: datetime) -> Account:
    with writing(engine) as connection:
        account = _by_email(connection, email)
        if disabled_at:
            for table in (sessions, invitations):
                connection.execute(delete(table).where(table.c.account_id == account.id))
        connection.execute(
            update(accounts).where(accounts.c.id == account.id).values(disabled_at=disabled_at)
        )
        done = "disabled" if disabled_at else "enabled"
        record(connection, now, Actor.OPERATOR, Action.ACCOUNT, detail=f"{done} {account.id}")
        return one_account(connection, accounts.c.id == account.id)


def _grant(connection: Connection, account_id: str, grants: Iterable[Grant]) -> None:
    rows = [{"account_id": account_id, "role": each.role, "study_id": each.study_id} for each in set(grants)]
    if rows:
        connection.execute(insert(roles), rows)


def _grants(connection: Connection, account_ids: Collection[str]) -> dict[str, frozenset[Grant]]:
    found: dict[str, frozenset[Grant]] = {}
    asked = select(roles).where(roles.c.account_id.in_(account_ids))
    for account_id, role, study_id in connection.execute(asked):
        found[account_id] = found.get(account_id, frozenset()) | {Grant(Role(role), study_id)}
    return found


def _by_email(connection: Connection, email: str) -> Account:
    return one_account(connection, accounts.c.email == email.strip().lower())


def _account(row: Row[Any], grants: frozenset[Grant]) -> Account:
    return Account(
        id=row.id,
        email=row.email,
        name=row.name,
        grants=grants,
        created_at=row.created_at,
        disabled=row.disabled_at is not None,
        ready=bool(row.password or row.identity),
        has_code=row.sealed_totp is not None,
    )
