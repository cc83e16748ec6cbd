"""Following a study or a search by e-mail, from the first word to the last."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from interested import DATABASES, LETTERHEAD, NOW, STUDY, migrated
from sqlalchemy import select

from ontology.errors import BadInput
from recruitment.alerts import (
    CONFIRMATIONS_A_DAY,
    KEPT,
    UNCONFIRMED_KEPT,
    Follower,
    What,
    confirm,
    follow,
    forget_expired,
    leave,
    read_follower,
    stop,
    tell_news,
)
from recruitment.channel import FileDropChannel
from recruitment.outbox import deliver_due
from recruitment.tables import followers, follows, links, messages, news
from recruitment.vault import Vault
from registry.store import Store
from registry.study import Status

VAULT = Vault(b"k" * 32)
EMAIL = "ola.planta@example.org"
WORDS = "hiv plantasykdom"
DAY = timedelta(days=1)
OTHER = replace(STUDY, id="EKS-0002", title="En annen studie")


@dataclass
class House:
    """A store with a study, and all mail that has left it."""

    store: Store
    folder: Path
    found: Collection[str] | None = ()
    seen: set[str] = field(default_factory=set)

    def follow(self, email: str = EMAIL, now: datetime = NOW, **what: str) -> None:
        what = what or {"study_id": STUDY.id}
        revision = self.store.revision()
        follow(self.store.engine, VAULT, email, language="nb", revision=revision, now=now, **what)

    def mail(self, now: datetime = NOW) -> list[str]:
        """What has arrived since it was last asked for."""
        channel = FileDropChannel(self.folder)
        deliver_due(self.store.engine, channel, vault=VAULT, letterhead=LETTERHEAD, now=now)
        new = {file.name: file.read_text("utf-8") for file in self.folder.glob("*.eml")}
        arrived = [text.replace("=\n", "") for name, text in new.items() if name not in self.seen]
        self.seen |= set(new)
        return arrived

    def look(self, now: datetime) -> int:
        return tell_news(self.store, VAULT, lambda _words: self.found, now)

    def read(self, token: str, now: datetime = NOW) -> Follower:
        return read_follower(self.store.engine, VAULT, token, now)

    def rows(self) -> int:
        tables = (followers, follows, news, links, messages)
        with self.store.engine.connect() as connection:
            return sum(len(connection.execute(select(table)).all()) for table in tables)


def token_in(mail: str) -> str:
    return (
        mail.rsplit("https://portal.example/varsler/", maxsplit=1)[-1]
        .split(maxsplit=1)[0]
        .removesuffix("/av>")
    )


@pytest.fixture(params=DATABASES)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with migrated(request.param, tmp_path) as store:
        store.put(STUDY)
        yield House(store, tmp_path / "mail")


def confirmed(house: House, **what: str) -> str:
    """The link of somebody who follows something and has said so from their own mailbox."""
    house.follow(**what)
    (mail,) = house.mail()
    confirm(house.store.engine, token_in(mail), NOW)
    return token_in(mail)


def test_nobody_hears_anything_before_they_have_confirmed(house: House) -> None:
    house.follow()
    (mail,) = house.mail()
    house.store.put(replace(STUDY, status=Status.COMPLETED))
    assert house.look(NOW + DAY) == 0
    assert house.mail(NOW + DAY) == []
    assert house.read(token_in(mail)).confirmed_at is None
    confirm(house.store.engine, token_in(mail), NOW + DAY)
    assert house.read(token_in(mail), NOW + 300 * DAY).expires_at == NOW + DAY + KEPT
    assert house.look(NOW + DAY) == 1


def test_status_and_results_of_a_study_are_told_once_and_at_most_daily(house: House) -> None:
    token = confirmed(house)
    house.store.put(replace(STUDY, summary="Bare nye ord."))
    assert house.look(NOW) == 0
    house.store.put(replace(STUDY, status=Status.ONGOING))
    assert [house.look(NOW), house.look(NOW)] == [1, 0]
    assert len(house.mail()) == 1
    house.store.put(replace(STUDY, status=Status.COMPLETED, has_results=True))
    assert house.look(NOW + DAY / 2) == 0
    assert house.look(NOW + DAY) == 1
    (followed,) = house.read(token).follows
    assert [each.what for each in reversed(followed.news)] in (
        [What.STATUS, What.STATUS, What.RESULTS],
        [What.STATUS, What.RESULTS, What.STATUS],
    )
    house.store.remove(STUDY.id)
    assert house.look(NOW + 2 * DAY) == 1
    assert house.read(token).follows[0].news[0].what is What.REMOVED


def test_a_search_tells_of_new_studies_only_and_of_none_while_the_index_is_behind(house: House) -> None:
    token = confirmed(house, words=f"  {WORDS} ")
    house.found = {STUDY.id}
    house.store.put(replace(STUDY, summary="Ny tekst."))
    assert house.look(NOW + DAY) == 0
    house.store.put(OTHER)
    house.found = None
    assert house.look(NOW + DAY) == 0
    house.found = {STUDY.id, OTHER.id}
    assert house.look(NOW + DAY) == 1
    assert house.look(NOW + 3 * DAY) == 0
    (followed,) = house.read(token).follows
    assert followed.words == WORDS
    assert [(each.study_id, each.what) for each in followed.news] == [(OTHER.id, What.MATCH)]


def test_all_that_one_address_follows_is_in_one_digest(house: House) -> None:
    house.store.put(OTHER)
    token = confirmed(house)
    house.follow(study_id=OTHER.id)
    house.follow(email=EMAIL.upper(), words=WORDS)
    assert len(house.mail()) == 2
    assert sorted(bool(each.confirmed_at) for each in house.read(token).follows) == [False, False, True]
    confirm(house.store.engine, token, NOW)
    for study in (STUDY, OTHER):
        house.store.put(replace(study, status=Status.COMPLETED))
    assert house.look(NOW) == 1
    assert len(house.mail()) == 1


def test_no_mail_says_what_it_is_about_and_the_database_not_who(house: House, tmp_path: Path) -> None:
    confirmed(house)
    house.follow(words=WORDS)
    (asking,) = house.mail()
    confirm(house.store.engine, token_in(asking), NOW)
    house.store.put(replace(STUDY, status=Status.COMPLETED))
    house.look(NOW + DAY)
    (digest,) = house.mail(NOW + DAY)
    for mail in (asking, digest):
        for told in (STUDY.id, STUDY.title, WORDS, "hiv", "studien"):
            assert told.lower() not in mail.lower().replace("message-id", "")
        assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail
    if house.store.engine.dialect.name == "sqlite":
        kept = b"".join(file.read_bytes() for file in tmp_path.glob("studievei.db*"))
        for planted in (EMAIL, "ola.planta", WORDS, "plantasykdom", token_in(digest)):
            assert planted.encode() not in kept


def test_one_click_forgets_everything_and_may_be_clicked_twice(house: House) -> None:
    token = confirmed(house)
    house.store.put(replace(STUDY, status=Status.COMPLETED))
    house.look(NOW)
    leave(house.store.engine, token, NOW)
    leave(house.store.engine, token, NOW)
    leave(house.store.engine, "not a link", NOW)
    assert house.rows() == 0
    assert house.mail() == []
    with pytest.raises(BadInput, match="not known"):
        house.read(token)


def test_stopping_the_last_one_forgets_the_follower_and_nobody_stops_anothers(house: House) -> None:
    house.store.put(OTHER)
    token = confirmed(house)
    house.follow(study_id=OTHER.id)
    house.follow(email="en.annen@example.org")
    stranger = next(token_in(mail) for mail in house.mail() if "en.annen" in mail)
    first, second = house.read(token).follows
    stop(house.store.engine, stranger, first.id, NOW)
    assert len(house.read(token).follows) == 2
    stop(house.store.engine, token, first.id, NOW)
    assert [each.id for each in house.read(token).follows] == [second.id]
    stop(house.store.engine, token, second.id, NOW)
    with pytest.raises(BadInput):
        house.read(token)


def test_nobody_learns_whether_an_address_follows_and_no_mailbox_is_filled(house: House) -> None:
    confirmed(house)
    for _ in range(10):
        house.follow()  # says nothing, whether it was known or not
    assert len(house.mail()) == CONFIRMATIONS_A_DAY - 1
    house.follow(now=NOW + DAY + timedelta(seconds=1))
    assert len(house.mail(NOW + DAY + timedelta(seconds=1))) == 1


def test_who_does_not_confirm_or_whose_year_is_over_is_forgotten(house: House) -> None:
    confirmed(house)
    house.follow(email="aldri@example.org")
    house.follow(words=WORDS)
    house.mail()
    assert forget_expired(house.store.engine, NOW + UNCONFIRMED_KEPT) == 1
    with house.store.engine.connect() as connection:
        assert len(connection.execute(select(follows)).all()) == 1
    assert forget_expired(house.store.engine, NOW + KEPT) == 1
    assert house.rows() == 0


@pytest.mark.parametrize(
    ("email", "what"),
    [
        ("ikke en adresse", {"words": "astma"}),
        ("a@example.org\nBcc: b@example.org", {"words": "astma"}),
        (EMAIL, {"words": "  "}),
        (EMAIL, {"words": "x" * 201}),
        (EMAIL, {"words": "astma", "study_id": STUDY.id}),
    ],
)
def test_what_cannot_be_followed_is_refused_and_leaves_nothing(
    house: House, email: str, what: dict[str, str]
) -> None:
    with pytest.raises(BadInput):
        house.follow(email=email, **what)
    assert house.rows() == 0
