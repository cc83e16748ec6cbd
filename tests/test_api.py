import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest
import uvicorn
from chatting import Talker
from pydantic import ValidationError
from served import DIABETES, EVIL, Page, served
from starlette.testclient import TestClient

from api.app import create_app
from api.chat import open_desk
from api.figures import count
from api.library import open_library
from api.post import letterhead, open_channel
from api.settings import Settings
from nlp.embeddings.encoder import Encoder
from ontology.concept import CONDITION_COLUMNS
from ontology.errors import BadInput
from recruitment.channel import FileDropChannel, Security, SmtpChannel
from registry.study import Status, Study


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("api"), toy_encoder) as client:
        yield client


def test_a_search_says_how_it_was_understood_and_why_each_study_is_a_hit(client: TestClient) -> None:
    answer = client.get("/api/search", params={"q": "sukkersyke", "limit": 3}).json()
    assert set(answer) == {"query", "meant", "hits", "total", "facets", "took_ms"}
    assert answer["meant"] == ""
    assert client.get("/api/search", params={"q": "diabettes"}).json()["meant"] == "diabetes"
    concept = answer["query"]["concepts"][0]
    assert set(concept) == {"id", "label", "icd10", "hrcs", "matched", "how"}
    assert concept["matched"] == "sukkersyke"
    assert answer["query"]["filters"]["status"] == "all"
    assert len(answer["hits"]) == 3
    fields = {"id", "title", "status", "score", "why", "sure", "unstated", "nearest"}
    assert all(set(hit) == fields and hit["why"] for hit in answer["hits"])


@pytest.mark.parametrize("words", ["sukkersyke", "KOLS", "vondt i kneet", "diabetes ikke kreft", EVIL])
def test_the_page_and_the_api_give_the_same_hits_in_the_same_order(client: TestClient, words: str) -> None:
    hits = client.get("/api/search", params={"q": words}).json()["hits"]
    page = Page(client.get("/sok", params={"q": words}).text)
    links = [link["href"] for link in page.all("a") if str(link.get("href")).startswith("/studier/")]
    assert links == [f"/studier/{hit['id']}" for hit in hits]


def test_what_the_words_say_of_the_person_is_told_and_can_be_left_out(client: TestClient) -> None:
    words = "åpne studier for kvinne 54 med diabetes i Bergen"
    query = client.get("/api/search", params={"q": words}).json()["query"]
    place = {"name": "Bergen", "latitude": 60.393, "longitude": 5.324}
    assert query["filters"] == {
        "status": "open", "age": 54, "sex": "female", "place": place,
        "healthy_volunteer": False, "asker": None, "within": None, "only": {}, "sort": "nearest",
    }  # fmt: skip
    without = ["open", "age", "sex", "place", "concept:diabetes", "concept:unknown"]
    query = client.get("/api/search", params={"q": words, "without": without}).json()["query"]
    assert query["concepts"] == []
    assert query["filters"] == {
        "status": "all", "age": None, "sex": None, "place": None, "healthy_volunteer": False, "asker": None,
        "within": None, "only": {}, "sort": "best",
    }  # fmt: skip


def test_the_page_and_the_api_leave_out_the_same(client: TestClient) -> None:
    asked = {"q": "diabetes hos gutt på 9", "without": ["age", "sex"]}
    hits = client.get("/api/search", params=asked).json()["hits"]
    page = Page(client.get("/sok", params=asked).text)
    links = [link["href"] for link in page.all("a") if str(link.get("href")).startswith("/studier/")]
    assert links == [f"/studier/{hit['id']}" for hit in hits]
    assert len(hits) > len(client.get("/api/search", params={"q": asked["q"]}).json()["hits"])


def test_a_hospitals_own_words_are_found_asked_about_and_answered(
    toy_encoder: Encoder, tmp_path: Path
) -> None:
    row = dict.fromkeys(CONDITION_COLUMNS.split(), "-") | {
        "id": "homemade-word", "nb": "hjemmelaget ord", "nn": "heimelaga ord", "en": "homemade word",
        "nb_also": "fjøsnirkel", "icd10": "B33", "hrcs": "Infeksjon",
    }  # fmt: skip
    folder = tmp_path / "ontology"
    folder.mkdir()
    (folder / "infection.tsv").write_text("\t".join(row) + "\n" + "\t".join(row.values()) + "\n", "utf-8")
    study = replace(
        DIABETES,
        id="OWN-1",
        title="En studie om hjemmelaget ord",
        conditions=("hjemmelaget ord",),
        criteria="Inclusion Criteria:\n- hjemmelaget ord",
    )
    with served(tmp_path, toy_encoder, [study, DIABETES]) as client:
        answer = client.get("/api/search", params={"q": "fjøsnirkel"}).json()
    settings = Settings(data_dir=tmp_path)
    with open_library(settings, toy_encoder) as library:
        talker = Talker.about(open_desk(library, settings), "OWN-1")
        talker.say("40", "kvinne")
        asked, heard = talker.last.text, talker.say("ja", "hva har du forstått").text
    assert [concept["id"] for concept in answer["query"]["concepts"]] == ["homemade-word"]
    assert answer["hits"][0]["id"] == "OWN-1"
    assert any(reason["kind"] == "concept" for reason in answer["hits"][0]["why"])
    assert "hjemmelaget ord" in asked
    assert "hjemmelaget ord: Ja" in heard


def test_open_only_gives_open_studies_only(client: TestClient) -> None:
    hits = client.get("/api/search", params={"q": "diabetes", "status": "open", "limit": 50}).json()["hits"]
    assert {hit["status"] for hit in hits} == {"open"}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"q": ""},
        {"q": "a" * 2_001},
        {"q": "kols", "status": "gone"},
        {"q": "kols", "limit": 0},
        {"q": "\0"},
    ],
)
def test_a_query_that_cannot_be_used_is_refused_as_json(client: TestClient, params: dict[str, str]) -> None:
    response = client.get("/api/search", params=params)
    assert response.status_code == 422
    assert response.json()["detail"]


@pytest.mark.parametrize(
    "words", ["a" * 2_000, "🙂", "%", "'; DROP TABLE studies; --", "AND OR NOT (", "\ud7ff"]
)
def test_odd_words_are_answered(client: TestClient, words: str) -> None:
    assert client.get("/api/search", params={"q": words, "what": "ever"}).status_code == 200


def test_a_study_is_given_with_its_criteria_and_without_private_addresses(client: TestClient) -> None:
    response = client.get("/api/studies/NCT-1")
    answer = response.json()
    assert answer["study"]["title"] == DIABETES.title
    assert answer["study"]["mailbox"] == DIABETES.mailbox
    assert "private@hospital.example" not in response.text
    for criterion in answer["criteria"]:
        if criterion["section"] != "record":
            assert DIABETES.criteria[criterion["start"] : criterion["end"]] == criterion["text"]


def test_an_unknown_study_is_a_404_that_says_so(client: TestClient) -> None:
    response = client.get("/api/studies/NCT-404")
    assert response.status_code == 404
    assert "NCT-404" in response.json()["detail"]


def test_health_counts_what_is_there(client: TestClient) -> None:
    answer = client.get("/helse").json()
    assert answer["status"] == "ok"
    assert answer["studies"] == answer["searchable"] > 40


@pytest.mark.parametrize(
    "path", ["/", "/sok?q=kols", "/studier/NCT-1", "/lege", "/api/search?q=kols", "/gone"]
)
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 200),
        ({"origin": "https://studievei.example"}, 200),
        ({}, 200),
    ],
)
def test_a_form_that_another_site_sends_is_refused(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    assert client.post("/lege", data={"diagnoses": "kols"}, headers=headers).status_code == status


def test_a_body_that_is_too_large_or_of_unknown_length_is_refused(client: TestClient) -> None:
    assert client.post("/lege", data={"diagnoses": "a" * 1_000_001}).status_code == 413
    assert client.post("/lege", content=iter([b"diagnoses=kols"])).status_code == 411


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STUDIEVEI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STUDIEVEI_PUBLIC_URL", "https://studievei.example/")
    settings = Settings()
    assert settings.database == f"sqlite:///{tmp_path / 'studievei.sqlite'}"
    assert letterhead(settings).study_url == "https://studievei.example/innboks/{token}"
    monkeypatch.setenv("STUDIEVEI_PORT", "seventy")
    with pytest.raises(ValidationError, match="port"):
        Settings()


@pytest.mark.parametrize(
    ("url", "channel"),
    [
        ("smtp://mail.example", SmtpChannel("mail.example", 587, Security.STARTTLS)),
        ("smtp://mail.example:2525?tls=none", SmtpChannel("mail.example", 2525, Security.NONE)),
        ("smtp://a:p%40ss@mail.example?tls=tls", SmtpChannel("mail.example", 465, Security.TLS, "a", "p@ss")),
        ("", FileDropChannel(Path("data/mail"))),
    ],
)
def test_the_mail_server_is_one_address(url: str, channel: object) -> None:
    assert open_channel(Settings(data_dir=Path("data"), smtp_url=url)) == channel


@pytest.mark.parametrize(
    "url", ["mail.example", "http://mail.example", "smtp://mail.example?tls=yes", "smtp://m:x"]
)
def test_an_address_of_no_mail_server_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(BadInput, match="smtp://user:password@host"):
        open_channel(Settings(smtp_url=url))


def test_figures_count_open_recent_and_grouped_studies() -> None:
    def study(number: int, status: Status, confirmed: str, *groups: str) -> Study:
        return Study(f"S{number}", "form", "A", status, last_confirmed=confirmed, hrcs=groups)

    figures = count(
        [
            study(1, Status.OPEN, "2026-11-01", "Kreft", "Blod"),
            study(2, Status.OPEN, "2026-10-20", "Kreft"),
            study(3, Status.UNDER_REVIEW, "2027-01-01"),
            study(4, Status.COMPLETED, ""),
        ],
        date(2026, 11, 20),
        lambda study: study.hrcs,
    )
    assert (figures.studies, figures.open, figures.recent) == (4, 2, 1)
    assert figures.groups == (("Blod", 1), ("Kreft", 2))


def test_no_search_word_and_no_secret_link_is_logged(
    toy_encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(data_dir=tmp_path, chat=False)
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings, encoder=toy_encoder), port=0, log_config=None)
    )
    with caplog.at_level(logging.INFO), socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            assert httpx.get(f"{address}/sok", params={"q": "plantadiagnose"}, timeout=30).status_code == 200
            assert httpx.get(f"{address}/innboks/plantalenke", timeout=30).status_code == 404
        finally:
            server.should_exit = True
            thread.join()
    logged = [each.getMessage() for each in caplog.records if not each.name.startswith("httpx")]
    assert logged
    assert "planta" not in " ".join(logged)
