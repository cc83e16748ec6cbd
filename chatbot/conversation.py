"""Conversations that outlive a refresh and a restart, kept so that only their own browser can read them.

A browser holds a random token in a cookie. Its hash finds the row, and the key that opens the row is made
from it (HKDF, RFC 5869), so that neither the database nor its backups can be read without the browser.
A row is gone after `LASTS` without a message, or at once by «slett alt».
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Engine, delete, insert, select

from chatbot.reply import Kind, Passage, Reply, Suggestion
from chatbot.safety import Label
from chatbot.state import State
from ontology.errors import BadInput, Mismatch
from recruitment.tables import conversations
from recruitment.vault import KEY_BYTES, Vault
from registry.database import reading, writing

LASTS = timedelta(hours=2)
"""How long a conversation that nobody goes on with is kept."""
LONGEST_TOKEN = 100


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where one browser's conversation stands, and the last reply, which its next message answers."""

    state: State
    answer: Reply

    def to_json(self) -> str:
        """The conversation as one line of JSON, without what the person wrote last."""
        answer = asdict(replace(self.answer, heard=""))
        return json.dumps({"state": self.state.to_json(), "answer": answer}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Conversation":
        """The conversation that `to_json` wrote.

        Raises:
            BadInput: another version of Studievei wrote it.
        """
        try:
            document = json.loads(text)
            return cls(State.from_json(document["state"]), _reply(document["answer"]))
        except (ValueError, TypeError, KeyError) as error:
            raise BadInput("This conversation was written by another version. Start a new one.") from error


@dataclass(frozen=True, slots=True)
class Memory:
    """The conversations of browsers, found by the cookie named `cookie`; a browser without it has none."""

    engine: Engine
    cookie: str

    def take_up(self, cookies: Mapping[str, str]) -> Conversation | None:
        """The conversation of the browser that sent these cookies."""
        return take_up(self.engine, cookies.get(self.cookie, ""), datetime.now(UTC))

    def keep(self, cookies: Mapping[str, str], conversation: Conversation) -> None:
        """Keeps it; a conversation that was forgotten is deleted."""
        token = cookies.get(self.cookie, "")
        if not token:
            return
        if conversation.state.is_blank:
            forget(self.engine, token)
        else:
            keep(self.engine, token, conversation, datetime.now(UTC))


def new_token() -> str:
    """A secret for a new conversation's cookie."""
    return secrets.token_urlsafe(32)


def take_up(engine: Engine, token: str, now: datetime) -> Conversation | None:
    """The conversation of a browser; None when there is none, or it has expired.

    Raises:
        Unavailable: the database does not answer.
    """
    if not token or len(token) > LONGEST_TOKEN:
        return None
    name = _name(token)
    query = select(conversations).where(conversations.c.id == name, conversations.c.expires_at > now)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    try:
        return Conversation.from_json(_vault(token).open(row.ciphertext, name).decode())
    except (BadInput, Mismatch):
        return None


def keep(engine: Engine, token: str, conversation: Conversation, now: datetime) -> None:
    """Keeps a conversation for `LASTS`.

    Raises:
        Unavailable: the database does not answer or cannot be written.
    """
    name = _name(token)
    sealed = _vault(token).seal(conversation.to_json().encode(), name)
    with writing(engine) as connection:
        connection.execute(delete(conversations).where(conversations.c.id == name))
        connection.execute(insert(conversations).values(id=name, ciphertext=sealed, expires_at=now + LASTS))


def forget(engine: Engine, token: str) -> None:
    """Deletes a conversation, if there is one.

    Raises:
        Unavailable: the database does not answer or cannot be written.
    """
    with writing(engine) as connection:
        connection.execute(delete(conversations).where(conversations.c.id == _name(token)))


def forget_old(engine: Engine, now: datetime) -> int:
    """Deletes every conversation whose time is over; how many there were.

    Raises:
        Unavailable: the database does not answer or cannot be written.
    """
    with writing(engine) as connection:
        return connection.execute(delete(conversations).where(conversations.c.expires_at <= now)).rowcount


def _name(token: str) -> str:
    return hashlib.sha256(b"studievei conversation name" + token.encode()).hexdigest()


def _vault(token: str) -> Vault:
    key = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"studievei conversation key").derive(token.encode())
    return Vault(key)


def _reply(document: dict[str, Any]) -> Reply:
    return Reply(
        **{
            **document,
            "passages": tuple(
                Passage(**{**each, "kind": Kind(each["kind"])}) for each in document["passages"]
            ),
            "suggestions": tuple(Suggestion(**each) for each in document["suggestions"]),
            "safety": tuple(map(Label, document["safety"])),
            "help": tuple(document["help"]),
        }
    )


def _passage(document: dict[str, Any]) -> Passage:
    return Passage(**{**document, "kind": Kind(document["kind"])})
