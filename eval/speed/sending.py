"""How many interests are taken in, and how many messages leave, in a second."""

import secrets
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recruitment.admission import Limits
from recruitment.channel import FileDropChannel
from recruitment.consent import Consent, current_version
from recruitment.interest import register_interest
from recruitment.mail import Letterhead
from recruitment.outbox import deliver_due
from recruitment.person import Person
from recruitment.screening import CriterionResult, Screening
from recruitment.vault import KEY_BYTES, Vault
from registry.store import Store
from registry.study import Status, Study

_STUDIES = 20
_LETTERHEAD = Letterhead(
    sender="studievei@portal.example",
    study_url="https://portal.example/innboks/{token}",
    person_url="https://portal.example/interesse/{token}",
    follower_url="https://portal.example/varsler/{token}",
    account_url="https://portal.example/tilgang/{token}",
)
_SCREENING = Screening(
    outcome="may_fit",
    criteria=tuple(
        CriterionResult(f"Krav nummer {n} i studien", "inclusion", "met", True) for n in range(20)
    ),
    answers=tuple((f"Spørsmål nummer {n}?", True) for n in range(10)),
)


@dataclass(frozen=True, slots=True)
class Rates:
    """What one database manages, one after another, each in a transaction that is safe on the disk."""

    database: str
    interests_per_second: float
    messages_per_second: float


def measure(interests: int, database: str = "") -> Rates:
    """Takes in `interests` interests in twenty studies and sends the messages about them into a folder.

    Each interest is a receipt to the person and a message to the study. `database` is the URL of an empty
    one; without it, an SQLite file that is deleted again.
    """
    with tempfile.TemporaryDirectory() as place:
        url = database or f"sqlite:///{Path(place) / 'bench.sqlite'}"
        with Store.open(url) as store:
            vault, studies = Vault(secrets.token_bytes(KEY_BYTES)), _studies()
            store.put_many(studies)
            started = time.perf_counter()
            for number in range(interests):
                _register(store, vault, studies[number % _STUDIES], number)
            taken = time.perf_counter()
            sent, channel = 0, FileDropChannel(Path(place) / "mail")
            while some := _deliver(store, vault, channel):
                sent += some
            done = time.perf_counter()
            kind = store.engine.dialect.name
    return Rates(kind, interests / (taken - started), sent / (done - taken))


def _studies() -> list[Study]:
    return [
        Study(
            id=f"BENCH-{number}",
            source="bench",
            title=f"Studie nummer {number}",
            status=Status.OPEN,
            mailbox=f"studie{number}@sykehus.example",
        )
        for number in range(_STUDIES)
    ]


def _register(store: Store, vault: Vault, study: Study, number: int) -> None:
    now = datetime.now(UTC)
    register_interest(
        store.engine,
        vault,
        study,
        person=Person(email=f"person{number}@example.org"),
        screening=_SCREENING,
        consent=Consent(current_version(), "nb", now),
        submission=secrets.token_urlsafe(24),
        now=now,
        outbox_limit=10**9,
        limits=Limits(10**9, 10**9, 10**9),
    )


def _deliver(store: Store, vault: Vault, channel: FileDropChannel) -> int:
    now = datetime.now(UTC)
    return deliver_due(store.engine, channel, vault=vault, letterhead=_LETTERHEAD, now=now, limit=1_000).sent
