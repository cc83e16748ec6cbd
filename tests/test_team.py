import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from interested import DATABASES, NOW, PERSON, PLANTED, REPLY, SCREENING, STUDY, migrated, register
from served import DIABETES, EVIL, Page, send, served
from signed_in import account, enter, leave, library_of
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from api.routes.team import BLANK
from nlp.embeddings.encoder import Encoder
from ontology.errors import BadInput
from ontology.wording import catalogue, say
from recruitment.account import Account, Grant, Role, add_account, find_account
from recruitment.audit import Action, read_log
from recruitment.consent import Consent, current_version
from recruitment.inbox import (
    ANSWER_WITHIN,
    PAGE,
    SETTABLE,
    View,
    assign,
    count_interests,
    find_in_inbox,
    list_inbox,
    list_waiting,
    mark,
)
from recruitment.interest import Status, answer_interest, find_interest, open_interest, withdraw
from recruitment.invitation import choose_password, invite
from recruitment.link import Holder, mint
from recruitment.person import Person, Sender
from recruitment.screening import CriterionResult
from recruitment.vault import Vault
from registry.database import writing

VAULT = Vault(bytes(32))
OTHER = replace(DIABETES, id="NCT-9", title="A study of something else", mailbox="other@hospital.example")
PI, NURSE, STRANGER, COORDINATOR = (f"{who}@sykehus.example" for who in ("pi", "pleier", "annen", "koord"))


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with migrated(request.param, tmp_path) as store:
        yield store.engine


def somebody(engine: Engine, email: str, *grants: Grant) -> Account:
    made = add_account(engine, email, "", grants, NOW)
    return choose_password(engine, invite(engine, made.id, NOW), "korrekt hest batteri", NOW, "nb")


def test_a_list_holds_the_own_studies_oldest_unanswered_first_page_by_page(engine: Engine) -> None:
    pi = somebody(engine, PI, Grant(Role.PI, STUDY.id))
    ids = [
        register(engine, VAULT, now=NOW + timedelta(minutes=minute)).interest_id for minute in range(PAGE + 2)
    ]
    register(engine, VAULT, study=OTHER)
    first, second = (list_inbox(engine, pi, View.UNANSWERED, page) for page in (1, 2))
    assert [line.id for line in (*first.lines, *second.lines)] == ids
    assert (first.total, first.pages, second.number) == (PAGE + 2, 2, 2)
    assert list_inbox(engine, pi, View.UNANSWERED, 99).number == 2
    answer_interest(engine, VAULT, ids[0], REPLY, NOW)
    assert list_inbox(engine, pi, View.UNANSWERED, 1).total == PAGE + 1
    assert list_inbox(engine, pi, View.ALL, 1).lines[0].id == ids[-1]
    assert list_inbox(engine, pi, View.MINE, 1).total == 0
    assert list_waiting(engine, 1).total == PAGE + 2


def test_a_delegate_sees_what_is_assigned_and_a_stranger_nothing(engine: Engine) -> None:
    pi, nurse = (
        somebody(engine, PI, Grant(Role.PI, STUDY.id)),
        somebody(engine, NURSE, Grant(Role.DELEGATE, STUDY.id)),
    )
    stranger = somebody(engine, STRANGER, Grant(Role.PI, OTHER.id), Grant(Role.COORDINATOR))
    about = find_in_inbox(engine, pi, register(engine, VAULT).interest_id)
    for other in (nurse, stranger):
        with pytest.raises(BadInput, match="no such message"):
            find_in_inbox(engine, other, about.id)
    with pytest.raises(BadInput, match="principal investigator"):
        assign(engine, about, nurse.id, NOW, nurse)
    with pytest.raises(BadInput, match="same study"):
        assign(engine, about, stranger.id, NOW, pi)
    assign(engine, about, nurse.id, NOW, pi)
    assert find_in_inbox(engine, nurse, about.id).assigned_to == nurse.id
    assert list_inbox(engine, nurse, View.MINE, 1).total == 1
    assign(engine, about, "", NOW, pi)
    assert list_inbox(engine, nurse, View.ALL, 1).total == 0
    assert [each.detail for each in read_log(engine, interest_id=about.id)][:2] == ["", nurse.id]


def test_a_status_is_set_by_the_team_once_the_interest_is_opened_and_as_long_as_it_is_here(
    engine: Engine,
) -> None:
    pi = somebody(engine, PI, Grant(Role.PI, STUDY.id))
    about = find_in_inbox(engine, pi, register(engine, VAULT).interest_id)
    with pytest.raises(BadInput, match="opened"):
        mark(engine, about, Status.SCREENED, NOW, pi)
    open_interest(engine, VAULT, about.id, NOW, pi.id)
    for status in SETTABLE:
        mark(engine, about, status, NOW, pi)
        assert find_interest(engine, about.id).status is status
    with pytest.raises(BadInput, match="sets one of"):
        mark(engine, about, Status.WITHDRAWN, NOW, pi)
    mark(engine, about, Status.INCLUDED, NOW, pi)
    answer_interest(engine, VAULT, about.id, REPLY, NOW, by=pi.id)
    assert find_interest(engine, about.id).status is Status.INCLUDED  # an answer takes nothing back
    withdraw(engine, VAULT, about.id, NOW)
    with pytest.raises(BadInput, match="still here"):
        mark(engine, about, Status.SCREENED, NOW, pi)


def test_counts_say_how_many_stand_where_and_how_many_are_late(engine: Engine) -> None:
    old, new = register(engine, VAULT), register(engine, VAULT, now=NOW + timedelta(days=6))
    register(engine, VAULT, study=OTHER)
    open_interest(engine, VAULT, new.interest_id, NOW + timedelta(days=6))
    now = NOW + ANSWER_WITHIN + timedelta(days=1)
    mine, other = count_interests(engine, now)
    assert (mine.study_id, mine.by_status, mine.late) == (STUDY.id, {Status.NEW: 1, Status.OPENED: 1}, 1)
    assert (other.study_id, other.total) == (OTHER.id, 1)
    assert count_interests(engine, now, [OTHER.id]) == (other,)
    withdraw(engine, VAULT, old.interest_id, now)
    assert count_interests(engine, now, [STUDY.id])[0].late == 0


def test_the_list_of_a_large_inbox_is_read_from_an_index(tmp_path: Path) -> None:
    asked: list[tuple[str, Any]] = []
    with migrated("sqlite", tmp_path) as store:
        pi = somebody(store.engine, PI, Grant(Role.PI, STUDY.id))
        register(store.engine, VAULT)
        event.listen(store.engine, "before_cursor_execute", lambda *each: asked.append((each[2], each[3])))
        for view in View:
            list_inbox(store.engine, pi, view, 1)
        list_waiting(store.engine, 1)
        with store.engine.connect() as connection:
            plans = [
                row[3]
                for statement, values in list(asked)
                if statement.startswith("SELECT")
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            ]
    assert plans
    assert not any(plan.startswith("SCAN") for plan in plans), plans


def test_everything_that_can_be_done_with_an_interest_has_words() -> None:
    about_accounts = {Action.SIGNED_IN, Action.SIGNED_OUT, Action.LOCKED, Action.ACCOUNT}
    assert {f"log.{action}" for action in set(Action) - about_accounts} <= set(catalogue())
    assert {f"stands.{status}" for status in Status} | {f"own.{status}" for status in Status} <= set(
        catalogue()
    )
    assert {f"role.{role}" for role in Role} <= set(catalogue())


# Through the pages


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("team"), toy_encoder, [DIABETES, OTHER]) as client:
        account(client, PI, f"pi:{DIABETES.id}")
        account(client, NURSE, f"delegate:{DIABETES.id}")
        account(client, STRANGER, f"pi:{OTHER.id}")
        account(client, COORDINATOR, "coordinator")
        yield client


def an_interest(client: TestClient, *, language: str = "nb", **changes: object) -> tuple[str, str]:
    """The page of a new interest for the team, and that of the person."""
    library, now = library_of(client), datetime.now(UTC)
    consent = Consent(current_version(), language, now)
    usual: dict[str, object] = {"study": DIABETES, "consent": consent, "now": now}
    receipt = register(library.store.engine, library.vault, **(usual | changes))
    return f"/henvendelser/{receipt.interest_id}", f"/interesse/{receipt.person_token}"


def test_a_pi_opens_reads_answers_and_the_person_sees_it(client: TestClient) -> None:
    case, own = an_interest(client)
    assert enter(client, PI).url.path == "/henvendelser"
    assert case in client.get("/henvendelser").text
    cover = client.get(case).text
    assert not any(planted in cover for planted in PLANTED)
    opened = send(client, f"{case}/apne", case).text
    for words in (
        "plantadiagnose",
        "Har du diabetes?",
        "61,257",
        "Myocardial infarction",
        say("team.unknown", "nb"),
    ):
        assert words in opened
    assert PERSON.name not in opened
    assert PERSON.email not in opened
    shown = send(client, f"{case}/kontakt", case).text
    assert PERSON.email in shown
    assert PERSON.name in shown
    assert PERSON.email not in client.get(case).text
    answered = send(client, f"{case}/svar", case, reply=REPLY, status="screened")
    assert REPLY in answered.text
    page = client.get(own).text
    assert REPLY in page
    assert say("own.screened", "nb") in page
    done = [each.action for each in read_log(library_of(client).store.engine, interest_id=case[-32:])][::-1]
    assert done[:2] == [Action.REGISTERED, Action.OPENED]
    assert {Action.READ, Action.CONTACT, Action.ANSWERED} <= set(done)
    assert say("log.contact", "nb") in client.get(case).text


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
@pytest.mark.parametrize("template", ["welcome", "questions", "not_suitable", "closed"])
def test_a_template_begins_the_reply_in_the_language_of_the_person(
    client: TestClient, template: str, language: str
) -> None:
    case, _ = an_interest(client, language=language)
    enter(client, PI)
    send(client, f"{case}/apne", case)
    page = client.get(f"{case}?mal={template}")
    assert say(f"template.{template}_text", language) in Page(page.text).words
    chosen = "not_suitable" if template in {"not_suitable", "closed"} else "contacted"
    assert f'<option value="{chosen}" selected>' in page.text
    assert client.get(f"{case}?mal=gone").status_code == 200
    text = say(f"template.{template}_text", language)
    unfinished = send(client, f"{case}/svar", case, reply=text, status=chosen)
    assert (say("team.fill_in", "nb") in unfinished.text) == (BLANK in text)
    filled = send(client, f"{case}/svar", case, reply=text.replace(BLANK, "40 00 00 00"), status=chosen)
    assert "40 00 00 00" in filled.text or BLANK not in text
    assert f'<option value="{chosen}" selected>' in client.get(case).text


def test_a_pi_assigns_and_the_delegate_answers(client: TestClient) -> None:
    case, own = an_interest(client)
    enter(client, NURSE)
    assert client.get(case).status_code == 404
    enter(client, PI)
    nurse = find_account(library_of(client).store.engine, NURSE).id
    assert f'value="{nurse}"' in client.get(case).text
    assert NURSE in send(client, f"{case}/tildel", case, to=nurse).text
    enter(client, NURSE)
    assert case in client.get("/henvendelser?vis=mine").text
    assert say("team.assign", "nb") not in client.get(case).text
    send(client, f"{case}/apne", case)
    send(client, f"{case}/svar", case, reply=REPLY)
    assert REPLY in client.get(own).text
    assert send(client, f"{case}/tildel", case, to="").status_code == 422


@pytest.mark.parametrize("email", [STRANGER, COORDINATOR])
def test_nobody_else_reaches_an_interest_by_its_address(client: TestClient, email: str) -> None:
    case, own = an_interest(client)
    enter(client, email)
    assert case not in client.get("/henvendelser?vis=all").text
    assert client.get(case).status_code == 404
    for action in ("apne", "kontakt", "svar", "status", "tildel"):
        answer = send(client, f"{case}/{action}", "/konto", reply="Nei", status="included", to="")
        assert answer.status_code == 404
        assert not any(planted in answer.text for planted in PLANTED)
    assert say("own.new", "nb") in client.get(own).text
    assert client.get(f"/henvendelser/{'0' * 32}").status_code == 404


def test_without_signing_in_no_page_of_the_team_opens(client: TestClient) -> None:
    case, _ = an_interest(client)
    leave(client)
    for page in ("/henvendelser", case, "/koordinator", "/tall", "/konto"):
        answer = client.get(page, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/logg-inn")
    assert client.get("/api/counts").status_code == 401
    assert send(client, f"{case}/apne", "/logg-inn").url.path == "/logg-inn"


def test_every_form_of_the_team_wants_the_token(client: TestClient) -> None:
    case, own = an_interest(client)
    enter(client, PI)
    for action in ("apne", "kontakt", "svar", "status", "tildel"):
        answer = client.post(f"{case}/{action}", data={"reply": REPLY, "status": "included"})
        assert answer.status_code == 403
    assert say("own.new", "nb") in client.get(own).text


def test_a_mailed_link_leads_to_signing_in_where_the_study_has_a_pi(client: TestClient) -> None:
    case, _ = an_interest(client)
    with writing(library_of(client).store.engine) as connection:
        token = mint(connection, case[-32:], Holder.STUDY, datetime.now(UTC) + timedelta(days=1))
    leave(client)
    landed = client.get(f"/innboks/{token}")
    assert landed.url.path == "/logg-inn"
    assert landed.url.params["videre"] == case
    opened = send(client, f"/innboks/{token}/apne", "/logg-inn")
    assert not any(planted in opened.text for planted in PLANTED)
    enter(client, STRANGER)
    assert client.get(f"/innboks/{token}").status_code == 404
    enter(client, PI)
    assert client.get(f"/innboks/{token}").url.path == case


def test_a_reply_that_cannot_be_sent_is_handed_back(client: TestClient) -> None:
    case, _ = an_interest(client)
    enter(client, PI)
    send(client, f"{case}/apne", case)
    for reply in ("", "a" * 5_001):
        answer = send(client, f"{case}/svar", case, reply=reply, status="not_suitable")
        assert answer.status_code == 422
        assert say("inbox.wrong_reply", "nb", maximum=5000) in answer.text
        assert '<option value="not_suitable" selected>' in answer.text
    assert send(client, f"{case}/status", case, status="withdrawn").status_code == 422


def test_what_was_withdrawn_is_gone_for_the_team(client: TestClient) -> None:
    case, own = an_interest(client)
    enter(client, PI)
    send(client, f"{case}/apne", case)
    send(client, f"{own}/trekk", own, sure="yes")
    gone = client.get(case)
    assert gone.status_code == 410
    assert say("inbox.withdrawn", "nb") in gone.text
    assert send(client, f"{case}/svar", "/konto", reply=REPLY).status_code == 422


def test_a_person_with_a_phone_only_is_to_be_called(client: TestClient) -> None:
    case, _ = an_interest(client, person=Person(phone="40012345"))
    enter(client, PI)
    assert say("team.phone_only", "nb") in send(client, f"{case}/apne", case).text


def test_what_a_person_wrote_is_never_run(client: TestClient) -> None:
    screening = replace(SCREENING, criteria=(CriterionResult(EVIL, "inclusion", "unknown", EVIL),))
    screening = replace(screening, note=f"Ring etter klokka fire {EVIL}")
    case, _ = an_interest(
        client, screening=screening, person=replace(PERSON, name=EVIL, sender=Sender.RELATIVE)
    )
    enter(client, PI)
    opened = send(client, f"{case}/apne", case).text
    assert "<script>" not in opened
    assert "Ring etter klokka fire" in opened
    assert say("send.by_relative", "nb") in opened
    assert "<script>" not in send(client, f"{case}/kontakt", case).text
    assert "<script>" not in send(client, f"{case}/svar", case, reply=EVIL).text


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_pages_are_whole_in_every_language(client: TestClient, language: str) -> None:
    case, _ = an_interest(client)
    enter(client, PI)
    send(client, f"{case}/apne", case)
    pages = [client.get(f"{path}?lang={language}") for path in ("/henvendelser", case, "/tall", "/konto")]
    enter(client, COORDINATOR)
    pages += [client.get(f"{path}?lang={language}") for path in ("/koordinator", "/tall")]
    leave(client)
    pages.append(client.get(f"/logg-inn?lang={language}"))
    for answer in pages:
        page = Page(answer.text)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert page.all("html", lang=language)
        assert len(page.all("h1")) == len(page.all("main")) == 1
        labelled = {label.get("for") for label in page.all("label")}
        fields = [each for tag in ("input", "textarea", "select") for each in page.all(tag)]
        assert all(each.get("type") == "hidden" or each.get("id") in labelled for each in fields)
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))


def test_the_coordinator_sees_who_waits_and_what_mail_failed_and_nobody_by_name(client: TestClient) -> None:
    case, _ = an_interest(client)
    enter(client, COORDINATOR)
    page = client.get("/koordinator").text
    assert case[-32:][:8] in page
    assert not any(planted in page for planted in PLANTED)
    assert send(client, "/koordinator/igjen", "/konto").url.path == "/koordinator"
    enter(client, PI)
    assert client.get("/koordinator").status_code == 404
    assert send(client, "/koordinator/igjen", "/konto").status_code == 404


def test_counts_hold_the_own_studies_of_a_pi_and_all_of_the_coordinator(client: TestClient) -> None:
    an_interest(client)
    an_interest(client, study=OTHER)
    enter(client, PI)
    mine = client.get("/api/counts").json()
    assert [each["study"] for each in mine] == [DIABETES.id]
    assert set(mine[0]) == {"study", "total", "late", "by_status"}
    assert sum(mine[0]["by_status"].values()) == mine[0]["total"]
    assert OTHER.id not in client.get("/tall").text
    enter(client, COORDINATOR)
    every = client.get("/api/counts").json()
    assert {each["study"] for each in every} == {DIABETES.id, OTHER.id}
    assert not any(planted in json.dumps(every) for planted in PLANTED)
    enter(client, NURSE)
    assert client.get("/api/counts").status_code == 404
