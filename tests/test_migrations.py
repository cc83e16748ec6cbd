"""Every migration, down and up again, with rows in every table: nothing stands in the way, little is lost."""

from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from interested import DATABASES, NOW, PERSON, REPLY, SCREENING, STUDY, migrated, register
from sqlalchemy import func, insert, select

from chatbot.conversation import Conversation, keep
from chatbot.reply import Reply
from chatbot.state import State
from recruitment.account import Grant, Role, add_account
from recruitment.alerts import follow as follow_study
from recruitment.audit import verify
from recruitment.consent import set_retention_days
from recruitment.forgotten import send_link
from recruitment.inbox import find_in_inbox, mark
from recruitment.interest import Receipt, Status, answer_interest, open_interest, read_interest
from recruitment.invitation import choose_password, invite
from recruitment.link import Holder, follow
from recruitment.session import Credentials, sign_in
from recruitment.tables import follows, metadata, news
from recruitment.vault import Vault
from registry.migration import downgrade, upgrade
from registry.store import Store

VAULT = Vault(bytes(32))
PASSWORD = "korrekt hest batteri"
REVISIONS = sorted(
    file.name[:4]
    for file in (files("registry") / "migrations" / "versions").iterdir()
    if file.name[:4].isdigit()
)
"""All of them, the oldest first."""


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with migrated(request.param, tmp_path) as store:
        yield store


def fill(store: Store, name: str) -> tuple[Receipt, Receipt]:
    """Something in every table; an interest that nobody has opened, and one that is answered."""
    engine, email = store.engine, f"{name}@sykehus.example"
    store.put(STUDY)
    set_retention_days(engine, "EKS-0002", 30)
    made = add_account(engine, email, "Pia", [Grant(Role.PI, STUDY.id)], NOW)
    pi = choose_password(engine, invite(engine, made.id, NOW), PASSWORD, NOW, "nb")
    assert sign_in(engine, VAULT, Credentials(email, PASSWORD), NOW)
    new, answered = register(engine, VAULT), register(engine, VAULT)
    open_interest(engine, VAULT, answered.interest_id, NOW, pi.id)
    answer_interest(engine, VAULT, answered.interest_id, REPLY, NOW, by=pi.id)
    mark(engine, find_in_inbox(engine, pi, answered.interest_id), Status.SCREENED, NOW, pi)
    send_link(engine, VAULT, email, NOW, language="nb", caller=name)
    invite(engine, pi.id, NOW)
    follow_study(engine, VAULT, email, study_id=STUDY.id, language="nb", revision=0, now=NOW)
    with engine.begin() as connection:
        followed = connection.execute(select(follows.c.id)).scalars().first()
        told = {"follow_id": followed, "study_id": STUDY.id, "what": "status", "noticed_at": NOW}
        connection.execute(insert(news).values(id=name, **told))
    keep(engine, name, Conversation(State(), Reply(())), NOW)
    return new, answered


def counts(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    with store.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("to", REVISIONS[:-1])
def test_down_to_each_revision_and_up_again_with_rows_in_every_table(store: Store, to: str) -> None:
    new, answered = fill(store, "pi")
    before = counts(store)
    assert all(before.values()), before
    downgrade(store.engine, to)
    upgrade(store.engine)
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert store.get(STUDY.id) == STUDY
    if to >= "0002":
        assert open_interest(store.engine, VAULT, new.interest_id, NOW).screening == SCREENING
        kept = read_interest(store.engine, VAULT, answered.interest_id, NOW)
        assert (kept.person.email, kept.replies[0].text) == (PERSON.email, REPLY)
        assert follow(store.engine, answered.person_token, Holder.PERSON, NOW).study_id == STUDY.id
    after = counts(store)
    if to >= "0006":
        assert {table for table in before if after[table] < before[table]} <= {"conversations", "messages"}
        assert not verify(store.engine).broken
    fill(store, "ny")
    assert all(counts(store).values())


def test_one_revision_at_a_time_to_an_empty_database_and_back(store: Store) -> None:
    fill(store, "pi")
    for to in (*reversed(REVISIONS[:-1]), "base"):
        downgrade(store.engine, to)
    upgrade(store.engine)
    assert not any(number for table, number in counts(store).items() if table != "study_revision")
    receipt, _ = fill(store, "ny")
    later = NOW + timedelta(days=1)
    assert open_interest(store.engine, VAULT, receipt.interest_id, later).screening == SCREENING
