"""Following by e-mail through the pages: ask, confirm from the mailbox, read the news, leave in one click."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from interested import Postbox, smtp_server
from served import DIABETES, EVIL, Page, send, served
from signed_in import library_of
from sqlalchemy import delete, func, select
from starlette.testclient import TestClient

from nlp.embeddings.encoder import Encoder
from ontology.wording import LANGUAGES, say
from recruitment.alerts import CONFIRMATIONS_A_DAY, KEPT, tell_news
from recruitment.link import Holder, mint
from recruitment.tables import attempts, followers, follows, links, messages, news
from registry.database import writing
from registry.study import Status

EMAIL = "ola.planta@example.org"
FOLLOW = {"study": DIABETES.id, "email": EMAIL}


@dataclass
class Alerts:
    """The pages, and the mailbox of whoever follows."""

    client: TestClient
    postbox: Postbox

    def ask(self, **fields: str) -> str:
        """The page after the form was sent, once."""
        shown = (
            f"/varsler?studie={fields['study']}" if "study" in fields else f"/varsler?sok={fields['words']}"
        )
        return send(self.client, "/varsler", shown, **fields).text

    def link(self) -> str:
        """The address in the newest mail to EMAIL, without its host."""
        mail = self.postbox.wait_for(EMAIL)
        found = re.search(r"https://\S+/varsler/\S+", mail.get_content())
        assert found
        return urlsplit(found[0]).path

    def confirmed(self) -> str:
        """The link of somebody who follows DIABETES and has said so from the mailbox."""
        self.ask(**FOLLOW)
        link = self.link()
        send(self.client, f"{link}/bekreft", link)
        self.postbox.kept.clear()
        return link

    def look(self, now: datetime) -> int:
        library = library_of(self.client)
        return tell_news(library.store, library.vault, library.matching, now)

    def following(self) -> int:
        with library_of(self.client).store.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(follows)).scalar_one()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[Alerts]:
    postbox, folder = Postbox(), tmp_path_factory.mktemp("alerts")
    with pytest.MonkeyPatch.context() as quick, smtp_server(postbox) as port:
        quick.setattr("api.upkeep.PAUSE", 0.05)
        mail = f"smtp://127.0.0.1:{port}?tls=none"
        with served(folder, toy_encoder, [DIABETES], smtp_url=mail) as client:
            yield Alerts(client, postbox)


@pytest.fixture
def alerts(house: Alerts) -> Alerts:
    """Nobody follows anything yet."""
    with writing(library_of(house.client).store.engine) as connection:
        for table in (news, follows, links, messages, followers, attempts):
            connection.execute(delete(table))
    library_of(house.client).store.put(DIABETES)
    house.client.cookies.clear()
    house.postbox.kept.clear()
    return house


def test_from_a_studys_page_to_news_and_out_again(alerts: Alerts) -> None:
    client, library = alerts.client, library_of(alerts.client)
    assert f"/varsler?studie={DIABETES.id}" in client.get(f"/studier/{DIABETES.id}").text
    assert say("alerts.sent", "nb") in alerts.ask(**FOLLOW)
    link = alerts.link()
    waiting = client.get(link).text
    assert say("alerts.waiting", "nb") in waiting
    assert DIABETES.title in waiting
    assert say("alerts.no_news", "nb") in send(client, f"{link}/bekreft", link).text
    alerts.postbox.kept.clear()

    library.store.put(replace(DIABETES, status=Status.COMPLETED))
    now = datetime.now(UTC)
    assert alerts.look(now) == 1
    assert alerts.link() != link
    assert say("alerts.news_status", "nb") in client.get(link).text

    # At most one digest a day: what happens meanwhile is in the next one.
    library.store.put(DIABETES)
    assert alerts.look(now + timedelta(hours=23)) == 0
    assert alerts.look(now + timedelta(hours=24)) == 1

    follow_id = str(Page(client.get(link).text).all("input", name="follow")[0]["value"])
    assert say("alerts.ended", "nb") in send(client, f"{link}/slutt", link, follow=follow_id).text
    assert alerts.following() == 0
    assert client.get(link).status_code == 404


def test_the_words_of_a_search_can_be_followed(alerts: Alerts) -> None:
    client = alerts.client
    assert "/varsler?sok=" in client.get("/sok?q=sukkersyke").text
    assert "«sukkersyke»" in client.get("/varsler?sok=sukkersyke").text
    alerts.ask(words="sukkersyke", email=EMAIL)
    link = alerts.link()
    assert "«sukkersyke»" in send(client, f"{link}/bekreft", link).text


def test_nobody_follows_before_the_mailbox_has_said_yes(alerts: Alerts) -> None:
    alerts.ask(**FOLLOW)
    link = alerts.link()
    alerts.client.get(link)  # as a program that checks mail does
    library_of(alerts.client).store.put(replace(DIABETES, status=Status.COMPLETED))
    assert alerts.look(datetime.now(UTC)) == 0


def test_one_click_ends_everything_without_cookie_or_token_and_does_nothing_else(alerts: Alerts) -> None:
    """RFC 8058: the provider of the mailbox posts what the header says, from its own server."""
    alerts.ask(**FOLLOW)
    mail = alerts.postbox.wait_for(EMAIL)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = urlsplit(mail["List-Unsubscribe"].strip("<>"))
    alerts.client.cookies.clear()
    assert alerts.client.get(address.path).status_code == 200
    assert alerts.following() == 1  # following a link changes nothing
    link = address.path.removesuffix("/av")
    for other in ("bekreft", "slutt"):
        refused = alerts.client.post(f"{link}/{other}", data={"List-Unsubscribe": "One-Click"})
        assert refused.status_code == 403
    for _ in range(2):
        answer = alerts.client.post(address.path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert alerts.following() == 0
    assert alerts.client.get(link).status_code == 404


def test_a_form_from_another_site_or_browser_changes_nothing(alerts: Alerts) -> None:
    link = alerts.confirmed()
    token = str(Page(alerts.client.get(link).text).all("input", name="csrf")[0]["value"])
    follow_id = str(Page(alerts.client.get(link).text).all("input", name="follow")[0]["value"])
    elsewhere = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    for path, headers in ((f"{link}/slutt", elsewhere), (f"{link}/av", elsewhere), ("/varsler", elsewhere)):
        fields = {"csrf": token, "follow": follow_id, **FOLLOW}
        assert alerts.client.post(path, data=fields, headers=headers).status_code == 403
    alerts.client.cookies.clear()
    for path in (f"{link}/slutt", f"{link}/bekreft", "/varsler"):
        fields = {"csrf": token, "follow": follow_id, **FOLLOW}
        assert alerts.client.post(path, data=fields).status_code == 403
    assert alerts.following() == 1
    assert alerts.postbox.kept == []


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "å" * 300, "..%2f..%2fetc"])
def test_a_forged_link_opens_and_changes_nothing(alerts: Alerts, token: str) -> None:
    alerts.confirmed()
    assert alerts.client.get(f"/varsler/{token}").status_code == 404
    for form in ("bekreft", "slutt"):
        answer = send(alerts.client, f"/varsler/{token}/{form}", f"/varsler?studie={DIABETES.id}")
        assert answer.status_code == 404
    assert send(alerts.client, f"/varsler/{token}/av", f"/varsler/{token}/av").status_code in {200, 404}
    assert alerts.following() == 1


def test_an_expired_link_and_one_of_another_kind_open_nothing(alerts: Alerts) -> None:
    alerts.confirmed()
    engine, now = library_of(alerts.client).store.engine, datetime.now(UTC)
    with writing(engine) as connection:
        follower_id = connection.execute(select(followers.c.id)).scalar_one()
        old = mint(connection, follower_id, Holder.FOLLOWER, now - timedelta(seconds=1), mailed=True)
        right = mint(connection, follower_id, Holder.FOLLOWER, now + KEPT, mailed=True)
    assert alerts.client.get(f"/varsler/{old}").status_code == 404
    assert alerts.client.get(f"/varsler/{right}").status_code == 200
    assert alerts.client.get(f"/interesse/{right}").status_code == 404
    assert alerts.client.get(f"/innboks/{right}").status_code == 404
    alerts.client.post(f"/varsler/{old}/av")
    assert alerts.following() == 1


def test_one_followers_link_does_not_end_what_another_follows(alerts: Alerts) -> None:
    link = alerts.confirmed()
    mine = str(Page(alerts.client.get(link).text).all("input", name="follow")[0]["value"])
    alerts.ask(study=DIABETES.id, email="kari@example.org")
    theirs = re.search(r"/varsler/\S+", alerts.postbox.wait_for("kari@example.org").get_content())
    assert theirs
    send(alerts.client, f"{theirs[0]}/slutt", link, follow=mine)
    assert mine in alerts.client.get(link).text


def test_the_answer_is_the_same_for_known_addresses_and_a_mailbox_cannot_be_filled(alerts: Alerts) -> None:
    answers = {re.sub(r"[\w-]{40,}", "", alerts.ask(**FOLLOW)) for _ in range(CONFIRMATIONS_A_DAY + 2)}
    answers.add(re.sub(r"[\w-]{40,}", "", alerts.ask(study=DIABETES.id, email="ny@example.org")))
    assert len(answers) == 1
    with library_of(alerts.client).store.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(messages)).scalar_one() == 6


@pytest.mark.parametrize(
    "change",
    [
        {"email": ""},
        {"email": "ola"},
        {"email": "a@example.org\r\nBcc: b@example.org"},
        {"email": f"{EVIL}@example.org"},
        {"email": "x" * 100_000 + "@example.org"},
    ],
)
def test_what_is_no_address_is_handed_back_as_text(alerts: Alerts, change: dict[str, str]) -> None:
    page = send(alerts.client, "/varsler", f"/varsler?studie={DIABETES.id}", **(FOLLOW | change))
    assert page.status_code == 422
    assert "<script>alert" not in page.text
    assert alerts.following() == 0


def test_words_from_outside_are_only_text_and_of_some_length(alerts: Alerts) -> None:
    page = alerts.client.get("/varsler", params={"sok": EVIL})
    assert "<script>alert" not in page.text
    long = send(alerts.client, "/varsler", "/varsler?sok=x", words="x" * 5_000, email=EMAIL)
    assert long.status_code == 422
    assert alerts.client.get("/varsler?studie=NONE").status_code == 404
    nothing = send(alerts.client, "/varsler", "/varsler?sok=x", email=EMAIL)
    assert nothing.status_code == 422
    assert alerts.following() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_are_whole_in_every_language_and_kept_by_no_cache(alerts: Alerts, language: str) -> None:
    link = alerts.confirmed()
    pages = (f"/varsler?studie={DIABETES.id}", "/varsler?sok=kols", "/varsler", link, f"{link}/av")
    for path in pages:
        page = alerts.client.get(path, params={"lang": language} | dict(re.findall(r"(\w+)=([^&]+)", path)))
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        assert not re.search(r"\b(alerts|send|own)\.\w+", Page(page.text).words)
