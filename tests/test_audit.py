import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from commands import studievei
from interested import DATABASES, NOW, PERSON, PLANTED, REPLY, STUDY, migrated, register
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DatabaseError
from test_cli import refusal

from ontology.errors import BadInput
from recruitment.audit import START, Action, Actor, read_log, verify
from recruitment.deletion import delete_expired
from recruitment.interest import answer_interest, open_interest, read_interest, withdraw
from recruitment.tables import interests
from recruitment.vault import Vault

VAULT = Vault(bytes(32))


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with migrated(request.param, tmp_path) as store:
        yield store.engine


def the_whole_way(engine: Engine) -> str:
    interest_id = register(engine, VAULT).interest_id
    open_interest(engine, VAULT, interest_id, NOW)
    answer_interest(engine, VAULT, interest_id, REPLY, NOW)
    read_interest(engine, VAULT, interest_id, NOW)
    withdraw(engine, VAULT, interest_id, NOW)
    return interest_id


def test_everything_done_with_an_interest_is_in_the_log_and_nothing_of_the_person(engine: Engine) -> None:
    interest_id = the_whole_way(engine)
    entries = read_log(engine, interest_id=interest_id)[::-1]
    assert [(each.actor, each.action) for each in entries] == [
        (Actor.PERSON, Action.REGISTERED),
        (Actor.STUDY, Action.OPENED),
        (Actor.STUDY, Action.ANSWERED),
        (Actor.PERSON, Action.READ),
        (Actor.PERSON, Action.WITHDRAWN),
    ]
    assert {each.study_id for each in entries} == {STUDY.id}
    assert not any(planted in str(entries) for planted in (*PLANTED, PERSON.email))


def test_what_fails_leaves_no_entry_and_what_expires_is_counted(engine: Engine) -> None:
    interest_id = register(engine, VAULT).interest_id
    with engine.connect() as connection:
        sealed = connection.execute(select(interests.c.sealed)).scalar_one()
    with pytest.raises(BadInput):
        open_interest(engine, VAULT, "of nobody", NOW)
    delete_expired(engine, NOW + timedelta(days=400))
    expired, registered = read_log(engine)
    assert (registered.action, registered.detail) == (Action.REGISTERED, "")
    assert (expired.action, expired.interest_id) == (Action.EXPIRED, interest_id)
    assert expired.detail == f"sha256 {hashlib.sha256(sealed).hexdigest()[:40]}, rows 3"


def test_the_chain_holds_and_its_head_can_be_asked_for_later(engine: Engine) -> None:
    assert verify(engine).head == START
    the_whole_way(engine)
    before = verify(engine)
    the_whole_way(engine)
    after = verify(engine, before.head)
    assert (before.entries, after.entries, after.broken) == (5, 10, "")
    assert verify(engine, "f" * 64).broken


@pytest.mark.parametrize(
    "change", ["UPDATE audit SET actor = 'nobody' WHERE number = 2", "DELETE FROM audit"]
)
def test_the_database_lets_nobody_change_the_log(engine: Engine, change: str) -> None:
    the_whole_way(engine)
    with pytest.raises(DatabaseError, match="only grows"), engine.begin() as connection:
        connection.execute(text(change))
    assert verify(engine).entries == 5


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE number = 3", 2),
        ("UPDATE audit SET at = '2020-01-01 00:00:00+00' WHERE number = 1", 0),
        ("DELETE FROM audit WHERE number = 2", 1),
        ("UPDATE audit SET number = 9 WHERE number = 5", 4),
    ],
)
def test_a_change_behind_the_triggers_is_found_where_it_is(engine: Engine, change: str, holds: int) -> None:
    the_whole_way(engine)
    _without_triggers(engine, change)
    checked = verify(engine)
    assert (checked.entries, bool(checked.broken)) == (holds, True)


def test_an_end_that_was_cut_off_is_found_by_the_head_that_was_written_down(engine: Engine) -> None:
    the_whole_way(engine)
    head = verify(engine).head
    _without_triggers(engine, "DELETE FROM audit WHERE number = 5")
    assert not verify(engine).broken
    assert "gone" in verify(engine, head).broken


def test_the_command_says_whether_the_log_holds(tmp_path: Path) -> None:
    with migrated("sqlite", tmp_path) as store:
        interest_id = the_whole_way(store.engine)
        database = {"STUDIEVEI_DATABASE_URL": f"sqlite:///{tmp_path / 'studievei.db'}"}
        answer = studievei(tmp_path, "audit", "verify", **database)
        assert answer.stdout.startswith("5 entries, unbroken. Head: ")
        head = answer.stdout.split()[-1]
        assert studievei(tmp_path, "audit", "verify", "--head", head, **database).returncode == 0
        assert "64 hexadecimal" in refusal(studievei(tmp_path, "audit", "verify", "--head", "x", **database))
        shown = studievei(tmp_path, "audit", "show", "--interest", interest_id, **database).stdout
        assert shown.count(interest_id) == 5
        _without_triggers(store.engine, "DELETE FROM audit WHERE number = 3")
        assert "entry 3 is missing" in refusal(studievei(tmp_path, "audit", "verify", **database))


def _without_triggers(engine: Engine, change: str) -> None:
    """What somebody could do who owns the database."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        else:
            for verb in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER audit_no_{verb}"))
        connection.execute(text(change))
