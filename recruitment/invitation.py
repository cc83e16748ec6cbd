"""One-time links to an account, with which its owner chooses how to sign in."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ontology.errors import BadInput
from recruitment.account import Account, digest, one_account, read_account
from recruitment.audit import Action, Actor, record
from recruitment.password import hash_password
from recruitment.tables import accounts, invitations, sessions
from registry.database import reading, writing

LIFETIME = timedelta(days=3)
_TOKEN_BYTES = 32


def invite(engine: Engine, account_id: str, now: datetime) -> str:
    """The secret of a new one-time link to an account; an earlier one stops working."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with writing(engine) as connection:
        connection.execute(delete(invitations).where(invitations.c.account_id == account_id))
        connection.execute(
            insert(invitations).values(
                token_sha256=digest(token), account_id=account_id, expires_at=now + LIFETIME
            )
        )
        record(connection, now, Actor.OPERATOR, Action.ACCOUNT, detail=f"invited {account_id}")
    return token


def invited(engine: Engine, token: str, now: datetime) -> Account:
    """Whom a one-time link is for. Looking does not use it up.

    Raises:
        BadInput: no such link, or it was used, has expired, or the account is shut.
    """
    with reading(engine) as connection:
        return _invited(connection, token, now)


def choose_password(engine: Engine, token: str, password: str, now: datetime, language: str) -> Account:
    """Uses up a one-time link for a new password; whoever was signed in with the old one no longer is.

    Raises:
        BadInput: as `invited`, or a password that is too easily guessed.
    """
    account = invited(engine, token, now)
    hashed = hash_password(password, email=account.email, language=language)
    return _use_up(engine, token, now, password=hashed)


def choose_identity(engine: Engine, token: str, identity: str, now: datetime) -> Account:
    """Uses up a one-time link to tie an OpenID identity to the account; the password no longer opens it.

    Raises:
        BadInput: as `invited`, or another account has this identity.
    """
    try:
        return _use_up(engine, token, now, identity=identity, password=None)
    except IntegrityError:
        raise BadInput("This identity opens another account already. Ask your administrator.") from None


def delete_old_invitations(engine: Engine, now: datetime) -> int:
    """Deletes the links that nobody used in time; returns how many."""
    with writing(engine) as connection:
        return connection.execute(delete(invitations).where(invitations.c.expires_at <= now)).rowcount


def identity_of(issuer: str, subject: str) -> str:
    """What the database keeps of an OpenID identity: one hash, because a subject may name a person."""
    return digest(f"{issuer}\n{subject}")


def _use_up(engine: Engine, token: str, now: datetime, **values: object) -> Account:
    with writing(engine) as connection:
        account = _invited(connection, token, now)
        connection.execute(delete(invitations).where(invitations.c.account_id == account.id))
        connection.execute(delete(sessions).where(sessions.c.account_id == account.id))
        mine = update(accounts).where(accounts.c.id == account.id)
        connection.execute(mine.values(failures=0, locked_until=None, **values))
        record(connection, now, account.id, Action.ACCOUNT, detail="opened by one-time link")
        return one_account(connection, accounts.c.id == account.id)


def _invited(connection: Connection, token: str, now: datetime) -> Account:
    row = invitations.c
    asked = select(row.account_id).where(row.token_sha256 == digest(token), row.expires_at > now)
    account_id = connection.execute(asked).scalar_one_or_none()
    account = read_account(connection, account_id) if account_id else None
    if account is None:
        raise BadInput("This one-time link is not known, or it was used or is too old. Ask for a new one.")
    return account
