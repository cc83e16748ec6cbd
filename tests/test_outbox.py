import os
import socket
import ssl
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from interested import (
    DATABASES,
    LETTERHEAD,
    NOW,
    PERSON,
    REPLY,
    STUDY,
    Postbox,
    database,
    migrated,
    register,
    register_by_phone,
    smtp_server,
)
from sqlalchemy import Engine, select

from ontology.errors import Unavailable
from ontology.wording import say
from recruitment.channel import Channel, FileDropChannel, Security, SmtpChannel
from recruitment.interest import answer_interest
from recruitment.mail import Kind, Letter, compose
from recruitment.outbox import (
    LEASE,
    MAX_ATTEMPTS,
    Delivered,
    State,
    deliver_due,
    outbox_state,
    retry_dead,
    wait_before_retry,
)
from recruitment.tables import messages
from recruitment.vault import Vault
from registry.store import Store

VAULT = Vault(b"k" * 32)


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with migrated(request.param, tmp_path) as store:
        yield store.engine


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    with migrated("sqlite", tmp_path) as store:
        yield store.engine


def deliver(engine: Engine, channel: Channel, now: datetime = NOW, limit: int = 50) -> Delivered:
    return deliver_due(engine, channel, vault=VAULT, letterhead=LETTERHEAD, now=now, limit=limit)


def plain(port: int) -> SmtpChannel:
    return SmtpChannel("127.0.0.1", port, Security.NONE, timeout=5)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_message_is_sent_once_and_its_address_forgotten(engine: Engine) -> None:
    register_by_phone(engine, VAULT)
    postbox = Postbox()
    with smtp_server(postbox) as port:
        assert deliver(engine, plain(port)) == Delivered(sent=1)
        assert deliver(engine, plain(port), NOW + timedelta(days=9)) == Delivered()
    assert [mail["To"] for mail in postbox.kept] == [STUDY.mailbox]
    assert (outbox_state(engine).sent, outbox_state(engine).pending) == (1, 0)
    with engine.connect() as connection:
        assert connection.execute(select(messages.c.sealed_recipient)).scalar_one() == b""


def test_a_server_that_is_down_loses_nothing(engine: Engine) -> None:
    register_by_phone(engine, VAULT)
    port, postbox = free_port(), Postbox()
    assert deliver(engine, plain(port)) == Delivered(retried=1)
    state = outbox_state(engine)
    assert (state.pending, state.waiting_since) == (1, NOW)
    (failure,) = state.failures
    assert (failure.kind, failure.state, failure.attempts) == (Kind.INTEREST, State.PENDING, 1)
    assert "ConnectionRefusedError" in failure.reason
    with smtp_server(postbox, port=port):
        assert deliver(engine, plain(port)) == Delivered(), "its time has not come yet"
        assert deliver(engine, plain(port), NOW + timedelta(minutes=2)) == Delivered(sent=1)
    assert outbox_state(engine).failures == ()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("450 try later", Delivered(retried=1)), ("550 no such user", Delivered(dead=1))],
)
def test_a_passing_refusal_is_tried_again_and_a_final_one_is_not(
    sqlite: Engine, answer: str, expected: Delivered
) -> None:
    register_by_phone(sqlite, VAULT)
    postbox = Postbox(answer)
    with smtp_server(postbox) as port:
        assert deliver(sqlite, plain(port)) == expected
        (failure,) = outbox_state(sqlite).failures
        assert answer[:3] in failure.reason
        assert STUDY.mailbox not in failure.reason
        postbox.answer = "250 OK"
        again = deliver(sqlite, plain(port), NOW + timedelta(days=1))
        assert again == Delivered(sent=1 - expected.dead)
        assert retry_dead(sqlite, NOW + timedelta(days=2)) == expected.dead
        deliver(sqlite, plain(port), NOW + timedelta(days=2))
    assert len(postbox.kept) == 1
    assert outbox_state(sqlite).sent == 1


def test_the_coordinator_is_told_of_what_was_given_up_but_not_of_that_mail_itself(sqlite: Engine) -> None:
    register_by_phone(sqlite, VAULT)
    letterhead = replace(LETTERHEAD, coordinator="koordinator@portal.example")
    postbox = Postbox("550 no such user")
    with smtp_server(postbox) as port:
        rounds = [
            deliver_due(sqlite, plain(port), vault=VAULT, letterhead=letterhead, now=NOW) for _ in range(2)
        ]
        assert rounds == [Delivered(dead=2), Delivered()]
        postbox.answer = "250 OK"
        retry_dead(sqlite, NOW)
        deliver_due(sqlite, plain(port), vault=VAULT, letterhead=letterhead, now=NOW)
    told = next(mail for mail in postbox.kept if mail["To"] == "koordinator@portal.example")
    assert STUDY.id in told["Subject"]
    assert "studievei outbox --retry" in told.get_content()


def test_after_many_days_it_is_given_up_but_kept(sqlite: Engine, tmp_path: Path) -> None:
    register_by_phone(sqlite, VAULT)
    in_the_way = tmp_path / "outbox"
    in_the_way.write_text("not a folder")
    channel, now = FileDropChannel(in_the_way), NOW
    results = Counter[Delivered]()
    while outbox_state(sqlite).pending:
        now += timedelta(hours=8)
        results[deliver(sqlite, channel, now)] += 1
    assert results == {Delivered(retried=1): MAX_ATTEMPTS - 1, Delivered(dead=1): 1}
    state = outbox_state(sqlite)
    assert (state.dead, state.failures[0].attempts) == (1, MAX_ATTEMPTS)
    in_the_way.unlink()
    assert retry_dead(sqlite, now) == 1
    assert deliver(sqlite, channel, now) == Delivered(sent=1)


@given(st.text(max_size=40))
def test_retries_last_at_least_four_days_and_grow(message_id: str) -> None:
    waits = [wait_before_retry(message_id, attempt) for attempt in range(1, MAX_ATTEMPTS)]
    assert sum(waits, timedelta()) >= timedelta(days=4)
    assert timedelta(seconds=45) <= min(waits) <= timedelta(seconds=75)
    assert max(waits) <= timedelta(hours=7, minutes=30)


def test_waits_of_many_messages_do_not_come_in_step() -> None:
    assert len({wait_before_retry(str(number), 3) for number in range(100)}) > 50


def test_many_workers_send_each_message_once(engine: Engine) -> None:
    for _ in range(12):
        register_by_phone(engine, VAULT)
    postbox = Postbox()
    with smtp_server(postbox) as port, ThreadPoolExecutor(4) as pool:
        rounds = list(pool.map(lambda _: deliver(engine, plain(port)), range(4)))
    assert sum(done.sent for done in rounds) == 12
    assert set(Counter(mail["Message-ID"] for mail in postbox.kept).values()) == {1}
    assert len(postbox.kept) == 12


def test_a_round_sends_no_more_than_it_may(sqlite: Engine, tmp_path: Path) -> None:
    for _ in range(3):
        register_by_phone(sqlite, VAULT)
    channel = FileDropChannel(tmp_path / "mail")
    assert [deliver(sqlite, channel, limit=2).sent for _ in range(3)] == [2, 1, 0]


def test_one_message_that_cannot_be_opened_does_not_stop_the_others(sqlite: Engine, tmp_path: Path) -> None:
    register_by_phone(sqlite, Vault(b"x" * 32))
    register_by_phone(sqlite, VAULT)
    assert deliver(sqlite, FileDropChannel(tmp_path / "mail")) == Delivered(sent=1, retried=1)
    (failure,) = outbox_state(sqlite).failures
    assert "Put the key back" in failure.reason


DYING_WORKER = """
import os, signal, sys
from interested import LETTERHEAD, NOW, register_by_phone
from recruitment.channel import Security, SmtpChannel
from recruitment.outbox import deliver_due
from recruitment.vault import Vault
from registry.store import Store
from sqlalchemy import event

url, port, step = sys.argv[1], int(sys.argv[2]), sys.argv[3]
store, vault = Store(url), Vault(b"k" * 32)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Dying(SmtpChannel):
    def send(self, mail):
        if step == "before sending":
            die()
        super().send(mail)
        if step == "after sending":
            die()

if step == "before the interest is committed":
    event.listen(store.engine, "commit", die)
    register_by_phone(store.engine, vault)
if step == "before the lease is committed":
    event.listen(store.engine, "commit", die)
channel = Dying("127.0.0.1", port, Security.NONE)
deliver_due(store.engine, channel, vault=vault, letterhead=LETTERHEAD, now=NOW)
"""


@pytest.mark.parametrize("kind", DATABASES)
def test_kill_9_at_any_step_loses_nothing(kind: str, tmp_path: Path) -> None:
    postbox = Postbox()
    with database(kind, tmp_path) as url, Store.open(url) as store, smtp_server(postbox) as port:
        register_by_phone(store.engine, VAULT)
        sent_before = {
            "before the interest is committed": 0,
            "before the lease is committed": 0,
            "before sending": 0,
            "after sending": 1,
        }
        for step, sent in sent_before.items():
            died = subprocess.run(
                [sys.executable, "-c", DYING_WORKER, url, str(port), step],
                cwd=Path(__file__).parents[1],
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
                check=False,
                capture_output=True,
            )
            assert died.returncode == -9, died.stderr.decode()
            assert len(postbox.kept) == sent, step
            assert outbox_state(store.engine).pending == 1, step
            with store.engine.begin() as connection:  # time passes: its lease runs out
                connection.execute(messages.update().values(leased_until=NOW))
        assert deliver(store.engine, plain(port)) == Delivered(sent=1)
    first, second = postbox.kept
    assert first["Message-ID"] == second["Message-ID"]
    assert first["To"] == second["To"] == STUDY.mailbox


def test_a_lease_keeps_others_away_until_it_runs_out(sqlite: Engine, tmp_path: Path) -> None:
    register_by_phone(sqlite, VAULT)
    with sqlite.begin() as connection:
        connection.execute(messages.update().values(leased_until=NOW + LEASE, attempts=1))
    channel = FileDropChannel(tmp_path / "mail")
    assert deliver(sqlite, channel) == Delivered()
    assert deliver(sqlite, channel, NOW + LEASE) == Delivered(sent=1)


def test_a_worker_that_was_too_slow_leaves_the_message_to_the_next(sqlite: Engine, tmp_path: Path) -> None:
    class Slow:
        """Fails only after its lease has run out and another worker has taken the message."""

        def send(self, _mail: EmailMessage) -> None:
            with sqlite.begin() as connection:
                connection.execute(messages.update().values(attempts=2, leased_until=NOW + 2 * LEASE))
            raise Unavailable("too late")

    register_by_phone(sqlite, VAULT)
    deliver(sqlite, Slow())
    channel = FileDropChannel(tmp_path / "mail")
    assert deliver(sqlite, channel, NOW + LEASE) == Delivered(), "the other one is still at it"
    assert deliver(sqlite, channel, NOW + 2 * LEASE) == Delivered(sent=1)


LETTER = Letter(
    id="0123abcd",
    kind=Kind.ANSWER,
    language="nb",
    recipient=PERSON.email,
    study_id=STUDY.id,
    token="token",
    expires_at=NOW,
    written_at=NOW,
)


def test_a_dropped_file_is_whole_private_and_one_for_each_message(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "mail"
    for _ in range(2):
        FileDropChannel(folder).send(compose(LETTER, LETTERHEAD))
    FileDropChannel(folder).send(compose(replace(LETTER, id="../../etc/x"), LETTERHEAD))
    assert sorted(file.name for file in folder.iterdir()) == [
        ".._.._etc_x_portal.example.eml",
        "0123abcd_portal.example.eml",
    ]
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"https://portal.example/min/token" in file.read_bytes()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody else knows, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "server.pem", folder / "server.key"


@pytest.mark.parametrize(
    ("security", "option"), [(Security.STARTTLS, "tls_context"), (Security.TLS, "ssl_context")]
)
def test_mail_goes_encrypted_and_only_to_a_server_that_is_known(
    security: Security, option: str, certificate: tuple[Path, Path]
) -> None:
    postbox, mail = Postbox(), compose(LETTER, LETTERHEAD)
    trusted = ssl.create_default_context(cafile=certificate[0])
    with smtp_server(postbox, **{option: server_side(certificate)}) as port:
        SmtpChannel("127.0.0.1", port, security, certificates=trusted).send(mail)
        with pytest.raises(Unavailable, match="SSLCertVerificationError"):
            SmtpChannel("127.0.0.1", port, security).send(mail)
    assert [mail["Message-ID"] for mail in postbox.kept] == ["<0123abcd@portal.example>"]


def test_a_wrong_password_is_something_to_mend_not_a_refused_mail(certificate: tuple[Path, Path]) -> None:
    def check(
        _server: object, _session: object, _envelope: object, _way: str, login: LoginPassword
    ) -> AuthResult:
        right = (login.login, login.password) == (b"studievei", b"riktig")
        return AuthResult(success=right, handled=False)

    postbox, mail = Postbox(), compose(LETTER, LETTERHEAD)
    trusted = ssl.create_default_context(cafile=certificate[0])
    context = server_side(certificate)
    with smtp_server(postbox, tls_context=context, authenticator=check, auth_required=True) as port:
        channel = SmtpChannel("127.0.0.1", port, user="studievei", password="riktig", certificates=trusted)
        channel.send(mail)
        for bad in (replace(channel, password="feil"), replace(channel, user="")):
            with pytest.raises(Unavailable, match=r"535|530"):
                bad.send(mail)
    assert len(postbox.kept) == 1
    assert "riktig" not in repr(channel)


def server_side(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


def test_a_server_without_starttls_gets_nothing() -> None:
    postbox = Postbox()
    with smtp_server(postbox) as port, pytest.raises(Unavailable, match="SMTPNotSupportedError"):
        SmtpChannel("127.0.0.1", port).send(compose(LETTER, LETTERHEAD))
    assert postbox.kept == []


def test_a_server_that_hangs_up_after_taking_a_mail_has_taken_it(sqlite: Engine) -> None:
    register_by_phone(sqlite, VAULT)
    postbox = Postbox(hangs_up=True)
    with smtp_server(postbox) as port:
        assert deliver(sqlite, plain(port)) == Delivered(sent=1)
    assert len(postbox.kept) == 1


def test_an_answer_goes_to_the_person_with_a_link_only(sqlite: Engine) -> None:
    interest_id = register(sqlite, VAULT).interest_id
    answer_interest(sqlite, VAULT, interest_id, REPLY, NOW)
    postbox = Postbox()
    with smtp_server(postbox) as port:
        assert deliver(sqlite, plain(port)) == Delivered(sent=3)
    to_person = [mail for mail in postbox.kept if mail["To"] == PERSON.email]
    subjects = {str(mail["Subject"]) for mail in to_person}
    assert subjects == {say("mail.receipt_subject", "nb"), say("mail.answer_subject", "nb")}
    for mail in to_person:
        assert REPLY not in mail.get_content()
        assert STUDY.id not in mail.as_string()
