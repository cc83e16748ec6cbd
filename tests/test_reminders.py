from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from interested import DATABASES, LETTERHEAD, NOW, PERSON, REPLY, STUDY, migrated, register, register_by_phone
from sqlalchemy import Engine, select

from recruitment.admission import Limits
from recruitment.channel import FileDropChannel
from recruitment.interest import answer_interest, find_interest, open_interest, prove_address, withdraw
from recruitment.mail import Kind
from recruitment.outbox import deliver_due
from recruitment.reminders import remind
from recruitment.tables import messages
from recruitment.vault import Vault

VAULT = Vault(b"k" * 32)
COORDINATOR = "koordinator@portal.example"
DAY = timedelta(days=1)


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with migrated(request.param, tmp_path) as store:
        yield store.engine


def written(engine: Engine, interest_id: str) -> list[str]:
    """The kinds of what was written because of silence, in order."""
    row = messages.c
    asked = select(row.kind).where(row.interest_id == interest_id).order_by(row.created_at, row.kind)
    with engine.connect() as connection:
        kinds = connection.execute(asked).scalars().all()
    return [kind for kind in kinds if kind in {Kind.REMINDER, Kind.UNANSWERED, Kind.SILENCE}]


def days(engine: Engine, first: int, last: int) -> list[int]:
    """The days on which something was done, looking every twelve hours."""
    halves = [NOW + number * DAY / 2 for number in range(first * 2, last * 2 + 1)]
    return [(at - NOW).days for at in halves if remind(engine, VAULT, at, coordinator=COORDINATOR)]


def test_after_three_and_seven_days_the_study_and_after_ten_the_others(engine: Engine) -> None:
    interest_id = register(engine, VAULT).interest_id
    open_interest(engine, VAULT, interest_id, NOW + DAY)
    assert days(engine, 0, 60) == [3, 7, 10]
    assert written(engine, interest_id) == ["reminder", "reminder", "silence", "unanswered"]
    assert find_interest(engine, interest_id).reminders == 3


def test_the_mails_reach_study_coordinator_and_person_and_tell_nobody_what_it_is_about(
    engine: Engine, tmp_path: Path
) -> None:
    register(engine, VAULT)
    days(engine, 0, 11)
    channel = FileDropChannel(tmp_path)
    deliver_due(engine, channel, vault=VAULT, letterhead=LETTERHEAD, now=NOW + 11 * DAY)
    mails = [file.read_text("utf-8") for file in tmp_path.glob("*.eml")]
    to = {address: [mail for mail in mails if f"To: {address}" in mail] for address in
          (STUDY.mailbox, COORDINATOR, PERSON.email)}  # fmt: skip
    assert {address: len(found) for address, found in to.items()} == {
        STUDY.mailbox: 3,
        COORDINATOR: 1,
        PERSON.email: 2,
    }
    assert PERSON.email not in "".join(to[STUDY.mailbox] + to[COORDINATOR])
    assert STUDY.id not in "".join(to[PERSON.email])


def test_a_server_that_was_down_for_weeks_does_not_skip_the_study(engine: Engine) -> None:
    interest_id = register(engine, VAULT).interest_id
    assert days(engine, 30, 60) == [30, 34, 37]
    assert written(engine, interest_id) == ["reminder", "reminder", "silence", "unanswered"]


def test_an_answer_or_a_withdrawal_ends_it(engine: Engine) -> None:
    answered, withdrawn = register(engine, VAULT).interest_id, register(engine, VAULT).interest_id
    days(engine, 0, 4)
    answer_interest(engine, VAULT, answered, REPLY, NOW + 5 * DAY)
    withdraw(engine, VAULT, withdrawn, NOW + 5 * DAY)
    assert days(engine, 5, 60) == []


def test_two_workers_take_each_step_once(engine: Engine) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    ids = [register(engine, VAULT).interest_id for _ in range(5)]
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: remind(engine, VAULT, NOW + 3 * DAY, coordinator=""), range(4)))
    assert sum(taken) == 5
    assert [written(engine, interest_id) for interest_id in ids] == [["reminder"]] * 5


def test_the_time_counts_from_when_the_study_was_told(engine: Engine, tmp_path: Path) -> None:
    held = register(engine, VAULT, limits=Limits(unproven_to_study=0)).interest_id
    assert days(engine, 0, 5) == []
    deliver_due(engine, FileDropChannel(tmp_path), vault=VAULT, letterhead=LETTERHEAD, now=NOW)
    (mail,) = tmp_path.glob("*.eml")
    token = mail.read_text("utf-8").replace("=\n", "").split("/min/")[1].split()[0]
    prove_address(engine, VAULT, token, NOW + 5 * DAY)
    assert days(engine, 5, 30) == [8, 12, 15]
    assert written(engine, held)[0] == "reminder"


def test_without_coordinator_and_address_nobody_is_written_to_but_it_is_counted(engine: Engine) -> None:
    interest_id = register_by_phone(engine, VAULT).interest_id
    for after in (3, 7, 10):
        assert remind(engine, VAULT, NOW + after * DAY) == 1
    assert written(engine, interest_id) == ["reminder", "reminder"]
