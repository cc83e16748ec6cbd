"""What the tests of recruitment share: an invented person and study, empty databases, a real SMTP server."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from recruitment.admission import Limits
from recruitment.consent import Consent, current_version
from recruitment.interest import Receipt, register_interest
from recruitment.mail import Letterhead
from recruitment.person import Person
from recruitment.screening import CriterionResult, Screening
from recruitment.vault import Vault
from registry.store import Store
from registry.study import Status, Study

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
POSTGRES = "postgresql+psycopg://root@127.0.0.1:5432/test"
DATABASES = ("sqlite", "postgresql")

STUDY = Study(
    id="EKS-0001",
    source="form",
    title="Blodsukker hos voksne",
    status=Status.OPEN,
    language="nb",
    mailbox="studie@sykehus.example",
    is_sample=True,
)
PERSON = Person(email="kari.planta@example.org", phone="+47 400 12 345", name="Kari Plantasdatter")
SCREENING = Screening(
    outcome="may_fit",
    criteria=(
        CriterionResult("Har diabetes type 2 (plantadiagnose)", "inclusion", "met", answer=True),
        CriterionResult("HbA1c over 61,25", "inclusion", "met", answer=61.257),
        CriterionResult("Bruker insulin", "exclusion", "unknown", answer=None),
    ),
    answers=(("Har du diabetes?", True), ("Hva var HbA1c sist?", 61.257), ("Annet?", "plantasvar")),
)
PLANTED = (
    "kari.planta",
    "40012345",
    "400 12 345",
    "Plantasdatter",
    "plantadiagnose",
    "61.257",
    "61,257",
    "plantasvar",
    "Vi ringer deg",
)
"""Nothing of this may be readable in a database, a log or an e-mail."""

REPLY = "Vi ringer deg på mandag."
LETTERHEAD = Letterhead(
    sender="studievei@portal.example",
    study_url="https://portal.example/innboks/{token}",
    person_url="https://portal.example/min/{token}",
    follower_url="https://portal.example/varsler/{token}",
    account_url="https://portal.example/tilgang/{token}",
)


UNLIMITED = Limits(10**9, 10**9, 10**9)


def consent(language: str = "nb") -> Consent:
    return Consent(current_version(), language, NOW)


def register(engine: Engine, vault: Vault, **changes: Any) -> Receipt:
    """Registers the invented interest; `changes` are other arguments of register_interest."""
    usual: dict[str, Any] = {
        "study": STUDY,
        "person": PERSON,
        "screening": SCREENING,
        "consent": consent(),
        "submission": secrets.token_urlsafe(24),
        "now": NOW,
        "limits": UNLIMITED,
    }
    return register_interest(engine, vault, **(usual | changes))


def register_by_phone(engine: Engine, vault: Vault, **changes: Any) -> Receipt:
    """The same from somebody without e-mail, who is sent no receipt: the only message is the study's."""
    return register(engine, vault, **({"person": replace(PERSON, email="")} | changes))


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database: a file in `folder`, or a schema of its own on the local server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'studievei.db'}"
        return
    schema = f"test_{secrets.token_hex(8)}"
    server = create_engine(POSTGRES, connect_args={"connect_timeout": 2})
    try:
        with server.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError:
        server.dispose()
        pytest.skip("no PostgreSQL answers on 127.0.0.1:5432")
    try:
        yield f"{POSTGRES.replace('+psycopg', '')}?options=-csearch_path%3D{schema}"
    finally:
        with server.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        server.dispose()


@contextmanager
def migrated(kind: str, folder: Path) -> Iterator[Store]:
    """A store on such a database, with its tables made by the migrations."""
    with database(kind, folder) as url, Store.open(url) as store:
        yield store


@dataclass
class Postbox:
    """What a real SMTP server does with mail: it keeps what it takes, and answers RCPT with `answer`."""

    answer: str = "250 OK"
    hangs_up: bool = False
    kept: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  (aiosmtpd finds its hooks by these names)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.kept.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 kept"

    async def handle_QUIT(self, server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        if self.hangs_up:
            server.transport.abort()
        return "221 Bye"

    def wait_for(self, recipient: str, seconds: float = 30) -> EmailMessage:
        """The only mail to this address, when it has arrived."""
        deadline = time.monotonic() + seconds
        while not (found := [mail for mail in self.kept if mail["To"] == recipient]):
            assert time.monotonic() < deadline, f"no mail to {recipient}"
            time.sleep(0.02)
        (mail,) = found
        return mail

    @property
    def texts(self) -> list[str]:
        """Each mail as its reader sees it: headers and decoded body."""
        return ["\n".join([*map(str, mail.values()), mail.get_content()]) for mail in self.kept]


class _AnyPort(Controller):
    """Listens on a port that the system picks; `port` is that one once it listens."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def smtp_server(postbox: Postbox, *, port: int = 0, **options: Any) -> Iterator[int]:
    """A listening SMTP server; yields its port."""
    controller = _AnyPort(postbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
