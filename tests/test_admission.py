"""Spam: how much one address can send, and when the owner of an address must speak first."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from interested import DATABASES, LETTERHEAD, NOW, PERSON, STUDY, migrated, register
from sqlalchemy import Engine, select

from ontology.errors import BadInput
from recruitment.admission import LIMITS, Limits
from recruitment.channel import FileDropChannel
from recruitment.interest import PROOF_TIME, Status, find_interest, list_for_study, prove_address, withdraw
from recruitment.link import Holder, follow
from recruitment.outbox import deliver_due
from recruitment.person import Person
from recruitment.tables import attempts
from recruitment.vault import Vault

VAULT = Vault(b"k" * 32)
OTHER_STUDIES = tuple(replace(STUDY, id=f"EKS-{number:04}") for number in range(2, 9))


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with migrated(request.param, tmp_path) as store:
        yield store.engine


def mails(engine: Engine, folder: Path) -> dict[str, list[str]]:
    """What has been sent so far, by recipient."""
    channel = FileDropChannel(folder / "mail")
    deliver_due(engine, channel, vault=VAULT, letterhead=LETTERHEAD, now=NOW)
    texts = [file.read_text("utf-8") for file in (folder / "mail").iterdir()]
    return {
        address: [text for text in texts if f"To: {address}" in text]
        for address in (STUDY.mailbox, PERSON.email)
    }


def mailed_token(engine: Engine, folder: Path) -> str:
    (text,) = mails(engine, folder)[PERSON.email]
    return text.replace("=\n", "").split("/min/")[1].split()[0]


def test_the_link_in_the_mail_proves_the_address_and_the_one_on_the_screen_does_not(
    engine: Engine, tmp_path: Path
) -> None:
    receipt = register(engine, VAULT, limits=LIMITS)
    with pytest.raises(BadInput, match="proves no address"):
        prove_address(engine, VAULT, receipt.person_token, NOW)
    token = mailed_token(engine, tmp_path)
    assert not find_interest(engine, receipt.interest_id).proven_at
    prove_address(engine, VAULT, token, NOW)
    prove_address(engine, VAULT, token, NOW + timedelta(days=1))
    assert find_interest(engine, receipt.interest_id).proven_at == NOW
    assert len(mails(engine, tmp_path)[STUDY.mailbox]) == 1


def test_of_too_many_unproven_ones_a_study_is_told_only_after_proof(engine: Engine, tmp_path: Path) -> None:
    few = Limits(unproven_to_study=2)
    for number in range(2):
        register(engine, VAULT, person=Person(email=f"en{number}@example.org"), limits=few)
    with pytest.raises(BadInput, match="Skriv en e-postadresse også"):
        register(engine, VAULT, person=Person(phone="40000000"), limits=few)
    held = register(engine, VAULT, limits=few)
    found = find_interest(engine, held.interest_id)
    assert (found.held, found.expires_at) == (True, NOW + PROOF_TIME)
    token = mailed_token(engine, tmp_path)
    assert len(mails(engine, tmp_path)[STUDY.mailbox]) == 2
    prove_address(engine, VAULT, token, NOW + timedelta(days=6))
    deliver_due(
        engine, FileDropChannel(tmp_path / "mail"), vault=VAULT, letterhead=LETTERHEAD,
        now=NOW + timedelta(days=6),
    )  # fmt: skip
    assert len(mails(engine, tmp_path)[STUDY.mailbox]) == 3
    found = find_interest(engine, held.interest_id)
    assert (found.held, found.expires_at) == (False, NOW + timedelta(days=96))
    assert follow(engine, held.person_token, Holder.PERSON, NOW + timedelta(days=95)).study_id == STUDY.id


def test_what_is_held_and_not_proven_is_gone_after_a_week(engine: Engine, tmp_path: Path) -> None:
    held = register(engine, VAULT, limits=Limits(unproven_to_study=0))
    token = mailed_token(engine, tmp_path)
    with pytest.raises(BadInput, match="expired"):
        prove_address(engine, VAULT, token, NOW + PROOF_TIME)
    assert find_interest(engine, held.interest_id).status is Status.NEW


def test_one_address_sends_a_few_a_day_and_nobody_learns_to_which_studies(engine: Engine) -> None:
    """Sending again to the same study looks exactly like sending for the first time."""
    first = register(engine, VAULT, limits=LIMITS)
    again = register(engine, VAULT, person=replace(PERSON, email=PERSON.email.upper()), limits=LIMITS)
    assert [find_interest(engine, each.interest_id).held for each in (first, again)] == [False, True]
    register(engine, VAULT, study=OTHER_STUDIES[0], limits=LIMITS)
    for study in OTHER_STUDIES[1:]:
        with pytest.raises(BadInput, match="så mange henvendelser"):
            register(engine, VAULT, study=study, limits=LIMITS)
    tomorrow = NOW + timedelta(days=1, seconds=1)
    register(engine, VAULT, study=OTHER_STUDIES[1], now=tomorrow, limits=LIMITS)
    assert len(list_for_study(engine, STUDY.id)) == 2


def test_withdrawing_gives_no_new_tries(engine: Engine) -> None:
    for study in OTHER_STUDIES[: LIMITS.of_address]:
        receipt = register(engine, VAULT, study=study, limits=LIMITS)
        withdraw(engine, VAULT, receipt.interest_id, NOW)
    with pytest.raises(BadInput, match="så mange henvendelser"):
        register(engine, VAULT, limits=LIMITS)


def test_a_refused_interest_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(BadInput):
        register(engine, VAULT, limits=Limits(of_address=0))
    assert list_for_study(engine, STUDY.id) == ()


def test_what_is_counted_names_nobody(engine: Engine) -> None:
    register(engine, VAULT, limits=LIMITS)
    with engine.connect() as connection:
        counted = connection.execute(select(attempts.c.of)).scalars().all()
    assert len(counted) == 2
    assert all(len(each) == 64 and set(each) <= set("0123456789abcdef") for each in counted)
