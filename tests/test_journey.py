"""The whole way of one real study: register record, search, chat, consent, the PI's mailbox, the answer."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chatting import Talker
from interested import Postbox, smtp_server
from served import filled, hidden, send, served
from starlette.testclient import TestClient

from api import cookies
from api.chat import open_desk
from chatbot.conversation import Conversation, keep, new_token
from chatbot.reply import Kind
from nlp.embeddings.encoder import Encoder
from ontology.wording import say
from registry.ctgov import read_study

EASI = "NCT07064473"
WORDS = "sukkersyke"
PATIENT = {
    "age": "67",
    "sex": "mann",
    "history:diabetes-type-2": "ja",
    "history:hypertension": "ja",
    "condition:heart-failure": "nei",
}
NAME, EMAIL = "Kari Testesen", "kari.testesen@example.org"


def consent_and_send(client: TestClient, link: str) -> str:
    """Goes on from the page with the answers, as a browser does; returns the address of the own page."""
    page = client.get(link)
    assert 'value="67"' in page.text
    action = urlsplit(link).path
    form = filled(page) | {"name": NAME, "email": EMAIL, "sender": "self", "step": "show"}
    shown = send(client, action, link, **form)
    assert NAME in shown.text
    return str(send(client, action, link, **(hidden(shown) | {"step": "send", "consent": "yes"})).url)


def test_from_a_register_record_to_a_notified_investigator(
    tmp_path: Path, encoder: Encoder, ctgov_records: Callable[[str], Iterator[dict[str, Any]]]
) -> None:
    studies = [read_study(record) for record in ctgov_records("norway")]
    chosen = [study for study in studies if study.id == EASI]
    others = islice((study for study in studies if study.id != EASI), 20)
    postbox = Postbox()
    with (
        smtp_server(postbox) as port,
        served(tmp_path, encoder, [*chosen, *others], smtp_url=f"smtp://127.0.0.1:{port}?tls=none") as client,
    ):
        library = client.app.state.library  # type: ignore[attr-defined]  # Starlette types `app` as any ASGI
        talker = Talker.about(open_desk(library, client.app.state.settings))  # type: ignore[attr-defined]

        # The same words give the same hits on every surface.
        hits = [hit["id"] for hit in client.get("/api/search", params={"q": WORDS}).json()["hits"]]
        page = client.get("/sok", params={"q": WORDS}).text
        talker.say(WORDS)
        assert EASI in hits
        assert list(dict.fromkeys(re.findall(r"/studier/(NCT\d{8})", page)))[: len(hits)] == hits
        assert list(talker.state.shown) == [each for each in hits if each in talker.state.shown]

        # Questions made from its real criteria, and a verdict that quotes them.
        talker.say(EASI)
        talker.answer_all(PATIENT)
        verdict = talker.last if talker.state.study == EASI else talker.say(EASI)
        quoted = [passage.text for passage in verdict.passages if passage.kind is Kind.CRITERION]
        assert any("history of type 2 diabetes mellitus" in quote for quote in quoted)
        assert all(quote in chosen[0].criteria for quote in quoted if quote.startswith("Participants"))
        assert say("chat.study_decides", "nb") in verdict.text
        assert not postbox.kept

        # Nothing is sent before the person has seen what goes, and consented; then one message, with a
        # link and without health data.
        link = next(passage.link for passage in talker.say("ja").passages if passage.link)
        secret = new_token()
        keep(library.store.engine, secret, Conversation(talker.state, talker.last), datetime.now(UTC))
        client.cookies.set(f"__Host-{cookies.CONVERSATION}", secret)
        own_page = consent_and_send(client, link)
        message = postbox.wait_for(chosen[0].mailbox)
        text = message.get_content()
        inbox = re.search(r"https://\S+/innboks/\S+", text)[0]  # type: ignore[index]  # fails when there is none
        written = f"{message['Subject']} {text.replace(inbox, '')}".casefold()
        for secret in (NAME, EMAIL, "diabet", "67", "hypertension", chosen[0].title):
            assert secret.casefold() not in written

        # The PI opens the link, reads the pre-screening and answers; the person reads the answer.
        opened = send(client, f"{inbox}/apne").text
        assert EMAIL in opened
        assert "history of type 2 diabetes mellitus" in opened
        send(client, f"{inbox}/svar", reply="Vi ringer deg på torsdag.")
        assert "Vi ringer deg på torsdag." in client.get(own_page).text
