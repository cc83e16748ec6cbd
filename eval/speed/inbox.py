"""How fast the pages of a study team answer when it has many interests, through the whole application."""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import Engine, insert, select
from starlette.testclient import TestClient

from api import cookies
from api.app import create_app
from api.library import Library, open_store
from api.settings import Settings
from api.upkeep import Upkeep
from ontology.errors import BadInput
from recruitment.account import Grant, Role, add_account
from recruitment.consent import Consent, current_version
from recruitment.inbox import PAGE
from recruitment.interest import Status, open_interest, register_interest
from recruitment.invitation import choose_identity, identity_of, invite
from recruitment.person import Person
from recruitment.screening import CriterionResult, Screening
from recruitment.session import sign_in_as
from recruitment.tables import interests
from registry.database import writing
from registry.form import sample_studies
from registry.study import Study

ROUNDS = 40
_HOST = "https://studievei.example"
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """How long a page takes, the request in and the HTML out: median and 95th percentile in ms."""

    name: str
    p50: float
    p95: float


def measure(count: int, database_url: str = "") -> tuple[Page, ...]:
    """The pages of a PI whose study has `count` interests, on SQLite or on the given empty database.

    Raises:
        BadInput: the database is not empty.
        Unavailable: it does not answer.
    """
    with TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=database_url, public_url=_HOST, chat=False)
        study = _keep_study(settings)
        app = create_app(settings)
        with TestClient(app, base_url=_HOST) as client:
            library: Library = app.state.library
            case = _fill(library, study, count)
            _sign_in(client, library)
            _wait_until_started(app.state.upkeep)
            last = -(-count // PAGE)
            pages = {
                "unanswered, first page": "/henvendelser",
                "all, first page": "/henvendelser?vis=all",
                "all, last page": f"/henvendelser?vis=all&side={last}",
                "one interest": f"/henvendelser/{case}",
                "counts": "/tall",
            }
            return tuple(_time(client, name, path) for name, path in pages.items())


def _time(client: TestClient, name: str, path: str) -> Page:
    times = []
    for round_number in range(ROUNDS + 1):
        started = time.perf_counter()
        answer = client.get(path)
        if answer.status_code != 200:
            raise BadInput(f"{path} answered {answer.status_code}.")
        if round_number:
            times.append((time.perf_counter() - started) * 1000)
    return Page(name, *np.percentile(times, [50, 95]).tolist())


def _keep_study(settings: Settings) -> Study:
    """A study in the database before the server starts, as it is when a server has run for a while."""
    study = next(each for each in sample_studies() if isinstance(each, Study))
    with open_store(settings) as store:
        if store.count():
            raise BadInput("Name an empty database: this one has studies in it.")
        store.put(study)
    return study


def _wait_until_started(upkeep: Upkeep) -> None:
    """What a server does once, when it starts, is no part of how fast its pages are."""
    while upkeep.figures is None and not upkeep.failed:
        time.sleep(0.1)


def _fill(library: Library, study: Study, count: int) -> str:
    """Stores `count` interests in the study, and returns the id of the one that can be opened."""
    store, now = library.store, datetime.now(UTC)
    receipt = register_interest(
        store.engine,
        library.vault,
        study,
        person=Person(email="somebody@example.org"),
        screening=Screening("unclear", (CriterionResult("Age over 18", "inclusion", "met", 54.0),) * 20),
        consent=Consent(current_version(), "nb", now),
        submission=secrets.token_urlsafe(24),
        now=now,
    )
    _copy(store.engine, receipt.interest_id, count - 1)
    open_interest(store.engine, library.vault, receipt.interest_id, now)
    return receipt.interest_id


def _copy(engine: Engine, interest_id: str, count: int) -> None:
    """The same interest again and again, a minute apart, in every status."""
    with writing(engine) as connection:
        row = connection.execute(select(interests).where(interests.c.id == interest_id)).one()._asdict()
        statuses = tuple(Status)
        for start in range(0, count, _BATCH):
            numbers = range(start, min(start + _BATCH, count))
            copies = [
                row
                | {
                    "id": f"{number:032x}",
                    "submission": f"{number:064x}",
                    "status": statuses[number % len(statuses)],
                    "created_at": row["created_at"] - timedelta(minutes=number),
                    "held": False,
                }
                for number in numbers
            ]
            connection.execute(insert(interests), copies)


def _sign_in(client: TestClient, library: Library) -> None:
    engine, now = library.store.engine, datetime.now(UTC)
    study_id = next(library.store.all()).id
    pi = add_account(engine, "pi@hospital.example", "", [Grant(Role.PI, study_id)], now)
    identity = identity_of("bench", "pi")
    choose_identity(engine, invite(engine, pi.id, now), identity, now)
    token = sign_in_as(engine, identity, now)
    client.cookies.set(f"__Host-{cookies.SESSION}", str(token), domain="studievei.example")
