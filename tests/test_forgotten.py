"""A forgotten password: a one-time link by mail, and nobody learns who has an account."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from interested import DATABASES, LETTERHEAD, NOW, Postbox, migrated, smtp_server
from served import DIABETES, send, served
from signed_in import PASSWORD, account, enter, leave
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from nlp.embeddings.encoder import Encoder
from ontology.errors import BadInput, Unavailable
from ontology.wording import say
from recruitment.account import add_account, disable
from recruitment.channel import Security, SmtpChannel
from recruitment.forgotten import ASKED_FROM_ONE_PLACE, LINKS_A_DAY, delete_old_messages, send_link
from recruitment.invitation import choose_identity, choose_password, invite, invited
from recruitment.link import ONE_TIME
from recruitment.outbox import deliver_due, outbox_state
from recruitment.session import Credentials, sign_in
from recruitment.tables import invitations, messages
from recruitment.vault import Vault
from registry.database import reading

VAULT = Vault(bytes(32))
EMAIL = "pi@sykehus.example"
NEW = "et helt nytt passord"


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with migrated(request.param, tmp_path) as store:
        made = add_account(store.engine, EMAIL, "Pia", [], NOW)
        choose_password(store.engine, invite(store.engine, made.id, NOW), PASSWORD, NOW, "nb")
        yield store.engine


def ask(engine: Engine, email: str = EMAIL, caller: str = "192.0.2.1", now: datetime = NOW) -> int:
    """How many messages wait after somebody has asked for a link."""
    send_link(engine, VAULT, email, now, language="nb", caller=caller)
    return outbox_state(engine).pending


def test_a_link_comes_by_mail_and_works_once(engine: Engine) -> None:
    assert ask(engine, f"  {EMAIL.upper()} ") == 1
    postbox = Postbox()
    with smtp_server(postbox) as port:
        channel = SmtpChannel("127.0.0.1", port, Security.NONE)
        deliver_due(engine, channel, vault=VAULT, letterhead=LETTERHEAD, now=NOW)
    (mail,) = postbox.kept
    assert mail["To"] == EMAIL
    token = re.search(r"/tilgang/(\S+)", mail.get_content())[1]  # type: ignore[index]  # fails when there is none
    with reading(engine) as connection:
        assert token not in str(connection.execute(select(invitations)).all())
    with pytest.raises(BadInput):
        invited(engine, token, NOW + ONE_TIME + timedelta(minutes=1))
    choose_password(engine, token, NEW, NOW, "nb")
    with pytest.raises(BadInput):
        choose_password(engine, token, NEW, NOW, "nb")
    assert sign_in(engine, VAULT, Credentials(EMAIL, PASSWORD), NOW) is None
    assert sign_in(engine, VAULT, Credentials(EMAIL, NEW), NOW)


def test_only_an_open_account_with_a_password_is_written_to(engine: Engine) -> None:
    add_account(engine, "ny@sykehus.example", "", [], NOW)
    other = add_account(engine, "openid@sykehus.example", "", [], NOW)
    choose_identity(engine, invite(engine, other.id, NOW), "f" * 64, NOW)
    for email in (
        "ukjent@sykehus.example",
        "ny@sykehus.example",
        "openid@sykehus.example",
        "",
        "\r\nBcc: a@b.no",
    ):
        assert ask(engine, email) == 0
    disable(engine, EMAIL, NOW)
    assert ask(engine) == 0


def test_a_mailbox_cannot_be_filled_nor_many_addresses_be_tried(engine: Engine) -> None:
    assert [ask(engine, caller=str(number)) for number in range(5)][-1] == LINKS_A_DAY
    assert ask(engine, now=NOW + timedelta(days=1)) == LINKS_A_DAY + 1
    for number in range(ASKED_FROM_ONE_PLACE):
        ask(engine, f"{number}@sykehus.example", "198.51.100.1", NOW + timedelta(days=2))
    assert ask(engine, caller="198.51.100.1", now=NOW + timedelta(days=2)) == LINKS_A_DAY + 1
    assert delete_old_messages(engine, NOW + timedelta(days=2)) == LINKS_A_DAY + 1
    with reading(engine) as connection:
        assert connection.execute(select(messages)).all() == []


def test_a_full_outbox_says_so_for_every_address(engine: Engine) -> None:
    for email in (EMAIL, "ukjent@sykehus.example"):
        with pytest.raises(Unavailable):
            send_link(engine, VAULT, email, NOW, language="nb", caller="", outbox_limit=0)


@pytest.fixture(scope="module")
def served_with_mail(
    tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder
) -> Iterator[tuple[TestClient, Postbox]]:
    postbox, folder = Postbox(), tmp_path_factory.mktemp("forgotten")
    with pytest.MonkeyPatch.context() as quick, smtp_server(postbox) as port:
        quick.setattr("api.upkeep.PAUSE", 0.05)
        smtp = f"smtp://127.0.0.1:{port}?tls=none"
        with served(folder, toy_encoder, [DIABETES], smtp_url=smtp) as client:
            yield client, postbox


def test_the_answer_is_the_same_whether_there_is_an_account_or_not(
    served_with_mail: tuple[TestClient, Postbox],
) -> None:
    client, postbox = served_with_mail
    account(client, EMAIL, "pi:NCT-1")
    leave(client)
    assert "/glemt-passord" in client.get("/logg-inn").text
    answers = [
        send(client, "/glemt-passord", "/glemt-passord", email=email)
        for email in (EMAIL, "ukjent@sykehus.example", "<script>", "")
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert say("account.link_sent", "nb") in answers[0].text
    mail = postbox.wait_for(EMAIL)
    link = urlsplit(re.search(r"https://\S+/tilgang/\S+", mail.get_content())[0]).path  # type: ignore[index]
    assert send(client, link, link, password=NEW, again=NEW).url.path == "/logg-inn"
    assert client.get(link).status_code == 404
    assert enter(client, EMAIL, NEW).url.path == "/henvendelser"


def test_another_site_cannot_ask_for_a_link(served_with_mail: tuple[TestClient, Postbox]) -> None:
    client, _ = served_with_mail
    leave(client)
    assert client.post("/glemt-passord", data={"email": EMAIL}).status_code == 403
    elsewhere = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert client.post("/glemt-passord", data={"email": EMAIL}, headers=elsewhere).status_code == 403
