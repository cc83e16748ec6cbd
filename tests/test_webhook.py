import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interested import LETTERHEAD, NOW, STUDY

from api.post import open_channel
from api.settings import Settings
from ontology.errors import BadInput, Unavailable
from recruitment.channel import WebhookChannel, is_genuine, signed
from recruitment.mail import Kind, Letter, compose

SECRET = b"en-hemmelighet-paa-over-24-tegn"
MAIL = compose(
    Letter("0123abcd", Kind.INTEREST, "nb", "studie@sykehus.example", STUDY.id, "token", NOW, NOW), LETTERHEAD
)


@dataclass
class Receiver:
    """A web server that keeps what is posted to it, and answers with `status`."""

    status: int = 204
    kept: list[tuple[dict[str, str], str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.kept.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(receiver.status)
            if receiver.status == 302:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/mail"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


def test_a_mail_is_posted_signed_and_the_receiver_can_tell(receiver: Receiver) -> None:
    channel = WebhookChannel(receiver.url, SECRET)
    channel.send(MAIL)
    channel.send(MAIL)
    (headers, body), (again, _) = receiver.kept
    assert is_genuine(SECRET, headers, body, time.time())
    assert headers["webhook-id"] == again["webhook-id"] == MAIL["Message-ID"]
    told = json.loads(body)
    assert (told["to"], told["subject"]) == (MAIL["To"], MAIL["Subject"])
    assert "https://portal.example/innboks/token" in told["text"]
    assert SECRET.decode() not in repr(channel)


@given(st.integers(-10_000, 10_000), st.text(max_size=20), st.text(max_size=20))
def test_nothing_changed_old_or_from_the_future_is_genuine(late: int, other: str, more: str) -> None:
    headers = signed(SECRET, "<id@x>", "body", 1_000_000)
    assert is_genuine(SECRET, headers, "body", 1_000_000 + late) is (abs(late) <= 300)
    assert is_genuine(SECRET, headers, "body" + more, 1_000_000) is (not more)
    assert is_genuine(SECRET + other.encode(), headers, "body", 1_000_000) is (not other)
    assert not is_genuine(SECRET, headers | {"webhook-id": "<other>"}, "body", 1_000_000)
    assert not is_genuine(SECRET, headers | {"webhook-timestamp": other}, "body", 1_000_000)
    assert not is_genuine(SECRET, {}, "body", 1_000_000)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (410, BadInput),
        (422, BadInput),
        (401, Unavailable),
        (302, Unavailable),
        (429, Unavailable),
        (503, Unavailable),
    ],
)
def test_a_refusal_is_final_or_passing(receiver: Receiver, status: int, error: type[Exception]) -> None:
    receiver.status = status
    with pytest.raises(error, match=str(status)):
        WebhookChannel(receiver.url, SECRET).send(MAIL)
    assert len(receiver.kept) == 1


def test_nobody_there_is_passing() -> None:
    with pytest.raises(Unavailable, match="STUDIEVEI_WEBHOOK_URL"):
        WebhookChannel("http://127.0.0.1:9/", SECRET).send(MAIL)


@pytest.mark.parametrize(
    ("url", "secret"),
    [("http://example.org/x", "s" * 32), ("https://example.org/x", "short"), ("ftp://x", "s" * 32)],
)
def test_an_unsafe_webhook_is_refused_at_start(url: str, secret: str) -> None:
    with pytest.raises(BadInput, match="https"):
        open_channel(Settings(webhook_url=url, webhook_secret=secret))
    assert isinstance(
        open_channel(Settings(webhook_url="https://example.org/x", webhook_secret="s" * 32)), WebhookChannel
    )
