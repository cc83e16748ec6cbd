import cProfile
import pstats
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from commands import studievei
from interested import DATABASES, NOW, migrated
from served import DIABETES, Page, send, served
from signed_in import PASSWORD, account, enter, leave, library_of
from sqlalchemy import Engine, select
from starlette.testclient import TestClient
from test_cli import refusal

from api.routes.signin import inside
from nlp.embeddings.encoder import Encoder
from ontology.errors import BadInput
from ontology.wording import say
from recruitment.account import (
    Grant,
    Role,
    add_account,
    disable,
    enable,
    find_account,
    get_account,
    has_pi,
    read_grant,
    set_roles,
)
from recruitment.audit import Action, read_log, verify
from recruitment.invitation import (
    LIFETIME,
    choose_identity,
    choose_password,
    delete_old_invitations,
    identity_of,
    invite,
    invited,
)
from recruitment.one_time_code import step_of
from recruitment.password import fits, hash_password
from recruitment.rotation import reseal
from recruitment.session import (
    CALLER_WAITS,
    FAILURES,
    FAILURES_OF_CALLER,
    IDLE,
    LOCKED,
    LONGEST,
    Credentials,
    delete_old_sessions,
    sign_in,
    sign_in_as,
    sign_out,
    signed_in,
    turn_on_code,
)
from recruitment.tables import accounts, attempts, invitations, sessions
from recruitment.throttle import DAY, count, forget_tries, tries
from recruitment.vault import Vault
from registry.database import writing

VAULT = Vault(bytes(32))
EMAIL = "pi@sykehus.example"
PI = Credentials(EMAIL, PASSWORD)


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with migrated(request.param, tmp_path) as store:
        yield store.engine


@pytest.fixture
def pi(engine: Engine) -> str:
    made = add_account(engine, EMAIL, "Pia Utprøver", [Grant(Role.PI, "NCT-1")], NOW)
    choose_password(engine, invite(engine, made.id, NOW), PASSWORD, NOW, "nb")
    return made.id


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("signin"), toy_encoder, [DIABETES]) as client:
        account(client, EMAIL, "pi:NCT-1")
        yield client


def test_from_invited_to_signed_in_and_out_again(engine: Engine, pi: str) -> None:
    token = sign_in(engine, VAULT, Credentials(f" {EMAIL.upper()}", PASSWORD), NOW)
    assert token
    found = signed_in(engine, token, NOW)
    assert found is not None
    assert (found.id, found.studies(Role.PI)) == (pi, {"NCT-1"})
    sign_out(engine, token, NOW)
    assert signed_in(engine, token, NOW) is None
    assert [each.action for each in read_log(engine)][:2] == [Action.SIGNED_OUT, Action.SIGNED_IN]
    assert verify(engine).broken == ""


@pytest.mark.parametrize(
    "wrong", [Credentials(EMAIL, "feil passord her"), Credentials("x@y.example", PASSWORD)]
)
def test_wrong_credentials_give_nothing(engine: Engine, pi: str, wrong: Credentials) -> None:
    assert sign_in(engine, VAULT, wrong, NOW) is None


def test_a_session_ends_after_a_pause_and_after_a_day_and_is_then_deleted(engine: Engine, pi: str) -> None:
    token = sign_in(engine, VAULT, PI, NOW)
    assert token
    assert signed_in(engine, token, NOW + IDLE) is None
    now = NOW
    while now < NOW + LONGEST - IDLE:
        now += IDLE - timedelta(minutes=1)
        assert signed_in(engine, token, now)
    assert signed_in(engine, token, NOW + LONGEST) is None
    assert delete_old_sessions(engine, NOW + LONGEST) == 1


def test_wrong_tries_lock_the_account_for_a_while_also_for_the_right_password(
    engine: Engine, pi: str
) -> None:
    for _ in range(FAILURES):
        assert sign_in(engine, VAULT, Credentials(EMAIL, "feil passord her"), NOW) is None
    assert sign_in(engine, VAULT, PI, NOW + LOCKED - timedelta(seconds=1)) is None
    assert read_log(engine)[0].action == Action.LOCKED
    assert sign_in(engine, VAULT, Credentials(EMAIL, "feil passord her"), NOW + LOCKED) is None
    assert sign_in(engine, VAULT, PI, NOW + LOCKED) is None
    assert sign_in(engine, VAULT, PI, NOW + 2 * LOCKED)
    assert sign_in(engine, VAULT, Credentials(EMAIL, "feil passord her"), NOW + 2 * LOCKED) is None
    assert sign_in(engine, VAULT, PI, NOW + 2 * LOCKED)


def test_every_refusal_costs_one_slow_hash_so_that_its_time_tells_nothing(engine: Engine, pi: str) -> None:
    """The hash is nearly all of the time that signing in takes."""

    def hashes(typed: Credentials, now: datetime = NOW) -> int:
        profile = cProfile.Profile()
        assert profile.runcall(sign_in, engine, VAULT, typed, now) is None
        calls = {name: count for (_, _, name), (count, *_) in pstats.Stats(profile).stats.items()}  # type: ignore[attr-defined]  # typeshed leaves it out
        return calls.get("verify", 0)

    wrong, unknown = Credentials(EMAIL, "feil passord her"), Credentials("x@y.example", PASSWORD)
    assert hashes(wrong) == hashes(unknown) == 1
    add_account(engine, "ny@sykehus.example", "", [], NOW)
    assert hashes(Credentials("ny@sykehus.example", PASSWORD)) == 1
    for _ in range(FAILURES):
        sign_in(engine, VAULT, wrong, NOW)
    assert hashes(PI) == 1
    disable(engine, EMAIL, NOW)
    assert hashes(PI, NOW + LOCKED) == 1


def test_a_shut_account_is_out_at_once_and_comes_back_with_its_password(engine: Engine, pi: str) -> None:
    token = sign_in(engine, VAULT, PI, NOW)
    link = invite(engine, pi, NOW)
    disable(engine, EMAIL, NOW)
    assert signed_in(engine, str(token), NOW) is None
    assert sign_in(engine, VAULT, PI, NOW) is None
    with pytest.raises(BadInput, match="one-time link"):
        invited(engine, link, NOW)
    assert not has_pi(engine, "NCT-1")
    enable(engine, EMAIL, NOW)
    assert sign_in(engine, VAULT, PI, NOW)
    assert has_pi(engine, "NCT-1")


def test_roles_hold_from_the_next_page_on(engine: Engine, pi: str) -> None:
    token = str(sign_in(engine, VAULT, PI, NOW))
    set_roles(engine, EMAIL, NOW, add=[Grant(Role.GP)], remove=[Grant(Role.PI, "NCT-1")])
    found = signed_in(engine, token, NOW)
    assert found
    assert found.grants == {Grant(Role.GP)}
    with pytest.raises(BadInput, match="does not have pi:NCT-1"):
        set_roles(engine, EMAIL, NOW, remove=[Grant(Role.PI, "NCT-1")])


def test_a_one_time_link_works_once_and_ends_old_sessions(engine: Engine, pi: str) -> None:
    session = str(sign_in(engine, VAULT, PI, NOW))
    first, second = invite(engine, pi, NOW), invite(engine, pi, NOW)
    with pytest.raises(BadInput):
        invited(engine, first, NOW)
    with pytest.raises(BadInput):
        invited(engine, second, NOW + LIFETIME)
    assert delete_old_invitations(engine, NOW) == 0
    choose_password(engine, second, "et helt nytt passord", NOW, "nb")
    assert signed_in(engine, session, NOW) is None
    assert sign_in(engine, VAULT, PI, NOW) is None
    assert sign_in(engine, VAULT, Credentials(EMAIL, "et helt nytt passord"), NOW)
    with pytest.raises(BadInput):
        choose_password(engine, second, PASSWORD, NOW, "nb")


@pytest.mark.parametrize("password", ["kort", "a" * 201, "a" * 20, "pi@sykehus.example1", "abcabcabcabc"])
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(BadInput):
        hash_password(password, email=EMAIL, language="nb")


def test_a_password_is_the_same_however_its_letters_are_made() -> None:
    hashed = hash_password("blåbærsyltetøy på brød", email=EMAIL, language="nb")
    assert hashed.startswith("$argon2id$")
    assert fits(hashed, "bla\u030abærsyltetøy pa\u030a brød")
    assert not fits(hashed, "\ud800")
    assert not fits(None, "the password of nobody")


def test_a_code_is_asked_for_once_it_is_on_and_works_once(engine: Engine, pi: str) -> None:
    secret = pyotp.random_base32()
    code, later = pyotp.TOTP(secret).at(NOW), NOW + timedelta(seconds=30)
    mine = get_account(engine, pi)
    with pytest.raises(BadInput):
        turn_on_code(engine, VAULT, mine, secret=secret, code="000000x", now=NOW, language="nb")
    turn_on_code(engine, VAULT, mine, secret=secret, code=code, now=NOW, language="nb")
    assert sign_in(engine, VAULT, PI, later) is None
    assert sign_in(engine, VAULT, Credentials(EMAIL, PASSWORD, code), NOW) is None  # it has been used
    next_code = Credentials(EMAIL, PASSWORD, pyotp.TOTP(secret).at(later))
    assert sign_in(engine, VAULT, next_code, later)
    assert sign_in(engine, VAULT, next_code, later) is None
    assert sign_in(engine, VAULT, Credentials(EMAIL, "feil passord her", next_code.code), later) is None
    newer = Vault(b"2" * 32, bytes(32))
    assert reseal(engine, newer).unreadable == 0
    last = later + timedelta(seconds=30)
    assert sign_in(engine, Vault(b"2" * 32), Credentials(EMAIL, PASSWORD, pyotp.TOTP(secret).at(last)), last)


def test_a_code_may_be_half_a_minute_off_and_no_more() -> None:
    secret = pyotp.random_base32()
    code = pyotp.TOTP(secret).at(NOW)
    for seconds, good in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        assert (step_of(secret, code, NOW + timedelta(seconds=seconds), after=0) is not None) is good


def test_an_identity_opens_the_account_that_it_was_tied_to_and_no_other(engine: Engine, pi: str) -> None:
    identity = identity_of("https://idp.example", "42")
    assert sign_in_as(engine, identity, NOW) is None
    choose_identity(engine, invite(engine, pi, NOW), identity, NOW)
    token = sign_in_as(engine, identity, NOW)
    found = signed_in(engine, str(token), NOW)
    assert found
    assert found.id == pi
    assert sign_in(engine, VAULT, PI, NOW) is None  # the password went with the change
    other = add_account(engine, "annen@sykehus.example", "", [], NOW)
    with pytest.raises(BadInput, match="another account"):
        choose_identity(engine, invite(engine, other.id, NOW), identity, NOW)
    assert identity_of("https://idp.example4", "2") != identity


def test_what_is_secret_is_not_in_the_database(engine: Engine, pi: str) -> None:
    session, link = str(sign_in(engine, VAULT, PI, NOW)), invite(engine, pi, NOW)
    with writing(engine) as connection:
        count(connection, VAULT, "sign in from 192.0.2.1", NOW)
        rows = [
            str(row)
            for table in (accounts, sessions, invitations, attempts)
            for row in connection.execute(select(table))
        ]
    assert not any(secret in row for row in rows for secret in (session, link, PASSWORD, "192.0.2.1"))


def test_tries_are_counted_for_a_while_and_forgotten_after_a_day(engine: Engine) -> None:
    minute = timedelta(minutes=1)
    with writing(engine) as connection:
        for _ in range(3):
            count(connection, VAULT, "a", NOW)
        assert tries(connection, VAULT, "a", NOW, minute) == 3
        assert tries(connection, VAULT, "b", NOW, minute) == 0
        assert tries(connection, VAULT, "a", NOW + minute, minute) == 0
    assert forget_tries(engine, NOW + DAY - minute) == 0
    assert forget_tries(engine, NOW + DAY) == 3


def test_many_wrong_tries_from_one_place_shut_it_for_a_while_and_nobody_else(engine: Engine, pi: str) -> None:
    with writing(engine) as connection:
        for _ in range(FAILURES_OF_CALLER - 1):
            count(connection, VAULT, "sign in from 192.0.2.1", NOW)
    assert sign_in(engine, VAULT, Credentials("a@x.example", PASSWORD, caller="192.0.2.1"), NOW) is None
    here = replace(PI, caller="192.0.2.1")
    assert sign_in(engine, VAULT, here, NOW) is None
    assert sign_in(engine, VAULT, replace(PI, caller="192.0.2.2"), NOW)
    assert sign_in(engine, VAULT, here, NOW + CALLER_WAITS)


@pytest.mark.parametrize("text", ["pi", "gp:NCT-1", "chief", "", "pi:"])
def test_a_role_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="roles"):
        read_grant(text)


# Through the pages


def test_somebody_who_has_not_signed_in_is_asked_to_and_comes_back(client: TestClient) -> None:
    leave(client)
    asked = client.get("/konto")
    assert asked.url.path == "/logg-inn"
    answer = send(client, "/logg-inn", str(asked.url), email=EMAIL, password=PASSWORD, videre="/konto")
    assert answer.url.path == "/konto"
    assert EMAIL in answer.text
    cookie = next(each for each in client.cookies.jar if each.name == "__Host-session")
    assert cookie.secure
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"
    assert send(client, "/logg-ut", "/konto").url.path == "/logg-inn"
    assert client.get("/konto").url.path == "/logg-inn"


def test_the_answer_is_the_same_for_a_wrong_password_and_for_an_unknown_address(client: TestClient) -> None:
    def page(email: str) -> str:
        answer = enter(client, email, "feil passord her")
        assert answer.status_code == 422
        return re.sub(r'value="[^"]*"', "", answer.text)

    assert page(EMAIL) == page("ukjent@sykehus.example")
    assert say("account.wrong", "nb") in page(EMAIL)


def test_a_session_that_somebody_planted_is_not_the_one_that_is_signed_in(client: TestClient) -> None:
    leave(client)
    planted = "planted-by-an-attacker"
    client.cookies.set("__Host-session", planted, domain="studievei.example")
    form = Page(client.get("/logg-inn").text).all("input", name="csrf")[0]
    client.post("/logg-inn", data={"csrf": str(form["value"]), "email": EMAIL, "password": PASSWORD})
    tokens = {each.value for each in client.cookies.jar if each.name == "__Host-session"}
    assert len(tokens - {planted}) == 1
    assert signed_in(library_of(client).store.engine, planted, datetime.now(UTC)) is None


def test_signing_in_again_ends_the_session_that_was(client: TestClient) -> None:
    enter(client, EMAIL)
    first = client.cookies["__Host-session"]
    form = Page(client.get("/konto").text).all("input", name="csrf")[0]
    client.post("/logg-inn", data={"csrf": str(form["value"]), "email": EMAIL, "password": PASSWORD})
    assert client.cookies["__Host-session"] != first
    assert signed_in(library_of(client).store.engine, first, datetime.now(UTC)) is None


@pytest.mark.parametrize("cookie", ["", "x", "0" * 43, "ø", "'; --"])
def test_a_forged_cookie_opens_nothing(client: TestClient, cookie: str) -> None:
    leave(client)
    answer = client.get("/konto", headers={"cookie": f"__Host-session={cookie}".encode()})
    assert answer.url.path == "/logg-inn"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "evil.example",
        "/\t/evil.example", " //evil.example", "///evil", "javascript:alert(1)",
        "/\r\nLocation: https://evil.example",
    ],
)  # fmt: skip
def test_signing_in_leads_to_no_other_site(client: TestClient, elsewhere: str) -> None:
    assert inside(elsewhere) == ""
    leave(client)
    form = Page(client.get("/logg-inn", params={"videre": elsewhere}).text).all("input", name="csrf")[0]
    fields = {"csrf": str(form["value"]), "email": EMAIL, "password": PASSWORD, "videre": elsewhere}
    answer = client.post("/logg-inn", data=fields, follow_redirects=False)
    assert answer.headers["location"] == "/logg-inn"
    again = client.get("/logg-inn", params={"videre": elsewhere}, follow_redirects=False)
    assert again.headers["location"].startswith("/")
    assert "evil" not in again.headers["location"]


@pytest.mark.parametrize("page", ["/", "/konto", "/henvendelser/0a1b?mal=welcome", "/studier/NCT-1"])
def test_our_own_pages_are_led_to(page: str) -> None:
    assert inside(page) == page


def test_a_flood_of_tries_from_one_place_is_stopped(toy_encoder: Encoder, tmp_path: Path) -> None:
    with served(tmp_path, toy_encoder, [DIABETES]) as client:
        library = library_of(client)
        with writing(library.store.engine) as connection:
            for _ in range(FAILURES_OF_CALLER - 2):
                count(connection, library.vault, "sign in from testclient", datetime.now(UTC))
        account(client, EMAIL)
        assert enter(client, EMAIL, "feil passord her").status_code == 422
        assert enter(client, EMAIL, "feil passord her").status_code == 429
        stopped = enter(client, EMAIL)
        assert stopped.status_code == 429
        assert say("account.too_often", "nb") in stopped.text


def test_a_form_from_before_signing_in_does_not_count_after_it(client: TestClient) -> None:
    leave(client)
    before = str(Page(client.get("/logg-inn").text).all("input", name="csrf")[0]["value"])
    client.post("/logg-inn", data={"csrf": before, "email": EMAIL, "password": PASSWORD})
    assert client.post("/logg-ut", data={"csrf": before}).status_code == 403
    assert client.get("/konto").status_code == 200


def test_an_invited_person_chooses_a_password_on_a_page(client: TestClient) -> None:
    engine, now = library_of(client).store.engine, datetime.now(UTC)
    leave(client)
    made = add_account(engine, "ny@sykehus.example", "", [], now)
    link = f"/tilgang/{invite(engine, made.id, now)}"
    assert "ny@sykehus.example" in client.get(link).text
    differs = send(client, link, link, password=PASSWORD, again="noe helt annet")
    assert say("account.not_the_same", "nb") in differs.text
    short = send(client, link, link, password="kort", again="kort")
    assert say("account.bad_length", "nb", shortest=12, longest=200) in short.text
    assert send(client, link, link, password=PASSWORD, again=PASSWORD).url.path == "/logg-inn"
    assert client.get(link).status_code == 404
    assert client.get("/tilgang/x").status_code == 404
    assert enter(client, "ny@sykehus.example").url.path == "/konto"


def test_a_code_is_turned_on_and_off_on_the_accounts_page(client: TestClient) -> None:
    email = "kode@sykehus.example"
    account(client, email, "gp")
    enter(client, email)
    page = client.get("/konto").text
    secret = "".join(re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].split())  # type: ignore[index]  # fails when there is none
    hidden = {each["name"]: str(each["value"]) for each in Page(page).all("input", type="hidden")}
    code = pyotp.TOTP(secret)
    now = datetime.now(UTC)
    wrong = client.post("/konto/kode", data=hidden | {"code": "1"})
    assert say("account.wrong_code", "nb") in wrong.text
    assert secret in "".join(Page(wrong.text).words.split())
    assert client.post("/konto/kode", data=hidden | {"code": "1", "secret": "AAAA"}).status_code == 403
    assert (
        say("account.code_is_on", "nb")
        in client.post("/konto/kode", data=hidden | {"code": code.at(now)}).text
    )
    assert enter(client, email).status_code == 422
    later = code.at(now + timedelta(seconds=30))
    assert enter(client, email, code=later).url.path == "/lege"
    used = send(client, "/konto/uten-kode", "/konto", password=PASSWORD, code=later)
    assert say("account.wrong", "nb") in used.text


def test_a_doctor_uses_the_form_signed_in_or_not(client: TestClient) -> None:
    account(client, "lege@kontor.example", "gp")
    leave(client)
    assert client.post("/lege", data={"diagnoses": "diabetes type 2"}).status_code == 200
    assert enter(client, "lege@kontor.example").url.path == "/lege"
    assert client.post("/lege", data={"diagnoses": "diabetes type 2"}).status_code == 200


def test_accounts_are_kept_with_the_command(tmp_path: Path) -> None:
    home = tmp_path
    with migrated("sqlite", tmp_path) as store:
        store.put(DIABETES)
    database = {"STUDIEVEI_DATABASE_URL": f"sqlite:///{tmp_path / 'studievei.db'}"}
    added = studievei(home, "users", "add", EMAIL, "--role", "pi:NCT-1", "--name", "Pia", **database)
    assert re.search(r"http://127.0.0.1:8000/tilgang/\S{43}", added.stdout)
    listed = studievei(home, "users", "list", **database).stdout
    assert "pi:NCT-1" in listed
    assert "has not opened the one-time link" in listed
    assert "already" in refusal(studievei(home, "users", "add", EMAIL, **database))
    assert "NCT-404" in refusal(
        studievei(home, "users", "add", "b@b.example", "--role", "pi:NCT-404", **database)
    )
    assert "b@b.example" not in studievei(home, "users", "list", **database).stdout
    roles = studievei(
        home, "users", "roles", EMAIL, "--add", "coordinator", "--remove", "pi:NCT-1", **database
    )
    assert roles.stdout == f"{EMAIL}: coordinator\n"
    assert "can no longer sign in" in studievei(home, "users", "disable", EMAIL, **database).stdout
    assert "users enable" in refusal(studievei(home, "users", "link", EMAIL, **database))
    assert studievei(home, "users", "enable", EMAIL, **database).returncode == 0
    assert "/tilgang/" in studievei(home, "users", "link", EMAIL, "--drop-code", **database).stdout
    with migrated("sqlite", tmp_path) as store:
        assert find_account(store.engine, EMAIL).grants == {Grant(Role.COORDINATOR)}
        assert verify(store.engine).broken == ""
