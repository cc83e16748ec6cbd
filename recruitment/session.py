"""Signing in and staying so: credentials in, a session's secret out; that secret in, an account out."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, Row, delete, insert, or_, select, update

from ontology.errors import BadInput
from ontology.wording import say
from recruitment.account import Account, digest, read_account
from recruitment.audit import Action, record
from recruitment.one_time_code import step_of
from recruitment.password import fits
from recruitment.tables import accounts, sessions
from recruitment.throttle import count, tries
from recruitment.vault import Vault
from registry.database import reading, writing

LONGEST = timedelta(hours=10)
"""A working day: then one signs in anew."""
IDLE = timedelta(minutes=45)
"""After this long without a page, one signs in anew."""
FAILURES = 5
"""Wrong tries in a row that lock an account."""
LOCKED = timedelta(minutes=15)
FAILURES_OF_CALLER = 30
"""Wrong tries from one place, for whichever accounts, within `CALLER_WAITS`."""
CALLER_WAITS = timedelta(minutes=15)
_SEEN_EVERY = timedelta(minutes=1)
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What somebody typed, and where from. Has no repr, so that no log can show it."""

    email: str
    password: str
    code: str = ""
    caller: str = ""


def sign_in(engine: Engine, vault: Vault, typed: Credentials, now: datetime) -> str | None:
    """The secret of a new session; None when anything is wrong, and nobody learns what.

    An unknown address, a wrong password, a missing or used code, a locked and a shut account take about as
    long. `FAILURES` wrong tries in a row lock the account for `LOCKED`; from then on each one does. After
    too many wrong tries from one caller there is no session for anybody from there (`is_shut_to`).
    """
    if is_shut_to(engine, vault, typed.caller, now):
        return None
    token = _sign_in(engine, vault, typed, now)
    if token is None:
        with writing(engine) as connection:
            count(connection, vault, _from(typed.caller), now)
    return token


def is_shut_to(engine: Engine, vault: Vault, caller: str, now: datetime) -> bool:
    """Whether so many tries from `caller` (an IP address) were wrong lately that it has to wait."""
    with reading(engine) as connection:
        return tries(connection, vault, _from(caller), now, CALLER_WAITS) >= FAILURES_OF_CALLER


def _sign_in(engine: Engine, vault: Vault, typed: Credentials, now: datetime) -> str | None:
    with reading(engine) as connection:
        known = accounts.c.email == typed.email.strip().lower()
        row = connection.execute(select(accounts).where(known)).one_or_none()
    right = fits(row.password if row else None, typed.password)
    if row is None:
        return None
    step = _step(row, vault, typed.code, now) if row.sealed_totp else row.totp_step
    locked = row.locked_until is not None and row.locked_until > now
    if locked or row.disabled_at is not None:
        return None
    if not right or (row.sealed_totp and step is None):
        _count_failure(engine, row, now)
        return None
    return _start(engine, row, step, now)


def sign_in_as(engine: Engine, identity: str, now: datetime) -> str | None:
    """The secret of a new session for a proven OpenID identity; None when no open account has it."""
    with reading(engine) as connection:
        mine = (accounts.c.identity == identity) & accounts.c.disabled_at.is_(None)
        row = connection.execute(select(accounts).where(mine)).one_or_none()
    return _start(engine, row, row.totp_step, now) if row else None


def signed_in(engine: Engine, token: str, now: datetime) -> Account | None:
    """Whose session it is, with the roles of this moment; None when it is over or never was."""
    alive = (sessions.c.started_at > now - LONGEST) & (sessions.c.seen_at > now - IDLE)
    with reading(engine) as connection:
        asked = select(sessions).where(sessions.c.token_sha256 == digest(token), alive)
        row = connection.execute(asked).one_or_none()
        account = read_account(connection, row.account_id) if row else None
    if row and now - row.seen_at > _SEEN_EVERY:
        with writing(engine) as connection:
            mine = update(sessions).where(sessions.c.token_sha256 == row.token_sha256)
            connection.execute(mine.values(seen_at=now))
    return account


def sign_out(engine: Engine, token: str, now: datetime) -> None:
    """Ends a session; one that is over already is no matter."""
    mine = sessions.c.token_sha256 == digest(token)
    with writing(engine) as connection:
        account_id = connection.execute(select(sessions.c.account_id).where(mine)).scalar_one_or_none()
        if account_id:
            connection.execute(delete(sessions).where(mine))
            record(connection, now, account_id, Action.SIGNED_OUT)


def turn_on_code(
    engine: Engine, vault: Vault, account: Account, *, secret: str, code: str, now: datetime, language: str
) -> None:
    """From now on signing in asks for the app's six digits too; `code` shows that the app has the secret.

    Raises:
        BadInput: the code is wrong.
    """
    step = step_of(secret, code, now, after=0)
    if step is None:
        raise BadInput(say("account.wrong_code", language))
    sealed = vault.seal(secret.encode(), _bound_to(account.id))
    _set_code(engine, account, now, account.id, sealed_totp=sealed, totp_step=step)


def turn_off_code(engine: Engine, account: Account, now: datetime, by: str) -> None:
    """Signing in asks for the password alone again, for example because the phone is gone."""
    _set_code(engine, account, now, by, sealed_totp=None, totp_step=None)


def delete_old_sessions(engine: Engine, now: datetime) -> int:
    """Deletes the sessions that are over; returns how many."""
    over = or_(sessions.c.started_at <= now - LONGEST, sessions.c.seen_at <= now - IDLE)
    with writing(engine) as connection:
        return connection.execute(delete(sessions).where(over)).rowcount


def _start(engine: Engine, row: Row[tuple[object, ...]], step: int | None, now: datetime) -> str | None:
    """A session with a new secret: what the browser had before counts for nothing.

    None when the code was used, or the account was shut or locked, since it was looked at.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    unchanged = (accounts.c.id == row.id) & (accounts.c.failures == row.failures)
    unused = (
        accounts.c.totp_step.is_(None) if row.totp_step is None else accounts.c.totp_step == row.totp_step
    )
    open_still = unchanged & unused & accounts.c.disabled_at.is_(None)
    with writing(engine) as connection:
        mark = update(accounts).where(open_still).values(failures=0, locked_until=None, totp_step=step)
        if not connection.execute(mark).rowcount:
            return None
        connection.execute(
            insert(sessions).values(
                token_sha256=digest(token), account_id=row.id, started_at=now, seen_at=now
            )
        )
        record(connection, now, str(row.id), Action.SIGNED_IN)
    return token


def _from(caller: str) -> str:
    return f"sign in from {caller}"


def _step(row: Row[tuple[object, ...]], vault: Vault, code: str, now: datetime) -> int | None:
    secret = vault.open(row.sealed_totp, _bound_to(row.id)).decode()
    return step_of(secret, code, now, after=row.totp_step or 0)


def _count_failure(engine: Engine, row: Row[tuple[object, ...]], now: datetime) -> None:
    failures = row.failures + 1
    with writing(engine) as connection:
        mine = update(accounts).where(accounts.c.id == row.id)
        if failures < FAILURES:
            connection.execute(mine.values(failures=accounts.c.failures + 1))
            return
        connection.execute(mine.values(failures=accounts.c.failures + 1, locked_until=now + LOCKED))
        record(connection, now, row.id, Action.LOCKED)


def _set_code(engine: Engine, account: Account, now: datetime, by: str, **values: object) -> None:
    state = "on" if values["sealed_totp"] else "off"
    with writing(engine) as connection:
        connection.execute(update(accounts).where(accounts.c.id == account.id).values(**values))
        record(connection, now, by, Action.ACCOUNT, detail=f"code {state} {account.id}")


def _bound_to(account_id: str) -> str:
    return f"totp:{account_id}"
