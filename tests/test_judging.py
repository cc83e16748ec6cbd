"""An evaluator grades hits on a page of this machine, stops, goes on, and gets qrels."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from conftest import CHROMIUM, QUIET
from playwright.sync_api import sync_playwright
from served import Page
from starlette.testclient import TestClient

from api.settings import Settings
from eval.ranking.judging import Session, open_session, pool_hits, read_queries
from eval.ranking.judging_page import create_app
from eval.ranking.topics import Judgment, Topic
from eval.ranking.trec import read_qrels
from ontology.errors import BadInput
from registry.form import sample_studies

QUERIES = "astma hos barn\n\nvondt i kneet\n"
HERE = "http://127.0.0.1"


def begin(folder: Path, queries: str = QUERIES, depth: int = 2) -> Session:
    """A session over the sample studies with the hits of bm25, which needs no model."""
    (folder / "queries.txt").write_text(queries, "utf-8")
    (folder / "documents").mkdir(exist_ok=True)
    (folder / "documents" / "corpus.toml").write_text("samples = true\n")
    return open_session(
        folder / "queries.txt",
        folder / "work",
        documents=folder / "documents",
        systems=["bm25"],
        depth=depth,
        settings=Settings(data_dir=folder),
    )


def client(session: Session) -> TestClient:
    return TestClient(create_app(session), base_url=HERE, follow_redirects=False)


def test_the_pool_holds_each_hit_once_in_an_order_that_tells_nothing() -> None:
    topics = [Topic("q1", ("words",))]
    found = pool_hits(topics, {"a": lambda *_: ["x", "y"], "b": lambda *_: ["y", "z"]}, 2)
    assert sorted(found["q1"]) == ["x", "y", "z"]
    assert found == pool_hits(topics, {"b": lambda *_: ["z", "y"], "a": lambda *_: ["x"]}, 2)


def test_grading_all_pairs_without_javascript_gives_qrels(tmp_path: Path) -> None:
    session = begin(tmp_path)
    assert len(session.pairs) == 4
    page = client(session)
    address = page.get("/").headers["location"]
    for grade in (0, 1, 2, 1):
        shown = Page(page.get(address).text)
        assert [each["value"] for each in shown.all("button", name="grade")] == ["0", "1", "2"]
        (form,) = shown.all("form", method="post")
        address = page.post(form["action"] or "", data={"grade": str(grade)}).headers["location"]
    assert address == "/"
    assert "All 4 hits are graded" in page.get("/").text
    assert [each.grade for each in read_qrels(tmp_path / "work" / "qrels.txt")] == [0, 1, 2, 1]
    assert page.get("/qrels.txt").text == (tmp_path / "work" / "qrels.txt").read_text("utf-8")


def test_work_goes_on_where_it_stopped_even_after_a_crash(tmp_path: Path) -> None:
    session = begin(tmp_path)
    session.grade(session.pairs[0], 2)
    session.grade(session.pairs[1], 1)
    session.grade(session.pairs[1], 0)
    with (tmp_path / "work" / "grades.jsonl").open("a") as file:
        file.write('{"topic": "q1", "docu')
    again = begin(tmp_path, queries="noe helt annet\n", depth=9)
    assert again.pairs == session.pairs, "the pool stays as it was"
    assert again.graded == 2
    assert [again.grade_of(pair) for pair in again.pairs] == [2, 0, None, None]
    assert again.next_after(0) == 3
    again.grade(again.pairs[3], 1)
    assert begin(tmp_path).graded == 3, "a grade after the torn line is not lost"


def test_a_grade_is_shown_and_can_be_changed(tmp_path: Path) -> None:
    session = begin(tmp_path)
    page = client(session)
    page.post("/pair/1", data={"grade": "2"})
    pressed = Page(page.get("/pair/1").text).all("button", **{"aria-pressed": "true"})
    assert [each["value"] for each in pressed] == ["2"]
    page.post("/pair/1", data={"grade": "0"})
    assert session.grade_of(session.pairs[0]) == 0


def test_only_this_machine_and_its_own_forms_are_answered(tmp_path: Path) -> None:
    session = begin(tmp_path)
    page = client(session)
    assert page.get("/pair/1", headers={"host": "evil.example"}).status_code == 400
    foreign = page.post("/pair/1", data={"grade": "2"}, headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert session.graded == 0
    assert page.post("/pair/1", data={"grade": "7"}).status_code == 422
    assert page.post("/pair/99", data={"grade": "1"}).status_code == 422
    assert page.get("/pair/0").status_code == 404
    assert "script-src 'self'" in page.get("/pair/1").headers["content-security-policy"]


def test_what_people_wrote_is_text_on_the_page(tmp_path: Path) -> None:
    session = begin(tmp_path, queries='astma <script>alert("1")</script>\n')
    shown = Page(client(session).get("/pair/1").text)
    assert [each.get("src") for each in shown.all("script")] == ["/static/judge.js"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("q.txt", "en\nto\n", [("q1", "en"), ("q2", "to")]),
        ("q.jsonl", '{"_id": "7", "text": "en"}\n', [("7", "en")]),
        ("q.xml", '<topics><topic number="9">en</topic></topics>', [("9", "en")]),
    ],
)
def test_queries_are_read_in_three_forms(
    tmp_path: Path, name: str, text: str, expected: list[tuple[str, str]]
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert [(each.id, each.wordings[0]) for each in read_queries(tmp_path / name)] == expected


def test_nothing_to_grade_is_said_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(BadInput, match="one query a line"):
        read_queries(tmp_path / "empty.txt")
    (tmp_path / "one.txt").write_text("astma\n")
    with pytest.raises(BadInput, match="Import some first"):
        open_session(
            tmp_path / "one.txt",
            tmp_path / "out",
            documents=None,
            systems=["bm25"],
            depth=1,
            settings=Settings(data_dir=tmp_path),
        )


@contextmanager
def serving(session: Session) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(session), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]})
        thread.start()
        while not server.started:
            time.sleep(0.02)
        try:
            yield f"{HERE}:{free.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.parametrize("scripted", [True, False])
def test_a_browser_grades_by_key_and_by_button(tmp_path: Path, scripted: bool) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    session = begin(tmp_path)
    with serving(session) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_context(java_script_enabled=scripted).new_page()
        page.goto(address)
        if scripted:
            page.keyboard.press("2")
        else:
            page.get_by_role("button", name="What was asked for").click()
        page.get_by_text("1 are graded").wait_for()
        browser.close()
    assert session.grade_of(session.pairs[0]) == 2
    assert session.qrels() == [Judgment(session.pairs[0].topic, session.pairs[0].document, 2)]


def test_the_samples_are_what_is_searched(tmp_path: Path) -> None:
    ids = {study.id for study in sample_studies() if hasattr(study, "id")}
    assert {pair.document for pair in begin(tmp_path).pairs} <= ids
