"""The live API, served from the shared records by a server of our own that also fails on purpose."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ontology.errors import BadInput, BadRecord, Unavailable
from registry.ctgov_api import Pace, fetch
from registry.importing import import_pages
from registry.store import Store
from registry.study import Study

FAST = Pace(per_minute=600_000, attempts=3, backoff=0.001, timeout=5)
Failure = Callable[[BaseHTTPRequestHandler], None]


class Api:
    """Serves `records` page by page; the n-th request fails as `failures[n]` says."""

    def __init__(self, records: list[Any]) -> None:
        self.records = records
        self.failures: dict[int, Failure] = {}
        self.asked: list[dict[str, str]] = []
        self.paths: set[str] = set()
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        address = urlsplit(handler.path)
        self.paths.add(address.path)
        question = {key: values[0] for key, values in parse_qs(address.query).items()}
        self.asked.append(question)
        failure = self.failures.get(len(self.asked))
        if failure is not None:
            failure(handler)
            return
        start, size = int(question.get("pageToken", "0")), int(question["pageSize"])
        page: dict[str, Any] = {"studies": self.records[start : start + size]}
        if start + size < len(self.records):
            page["nextPageToken"] = str(start + size)
        send(handler, 200, json.dumps(page))

    @property
    def tokens(self) -> list[str]:
        return [question.get("pageToken", "") for question in self.asked]


def send(handler: BaseHTTPRequestHandler, status: int, body: str, **headers: str) -> None:
    content = body.encode()
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def busy(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 429, "slow down", Retry_After="0")


def busy_until_now(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 503, "", Retry_After=formatdate(usegmt=True))


def broken(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 500, "oops")


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"studies": [')
    handler.close_connection = True


def garbled(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, "<html>maintenance</html>")


def other_json(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, '{"message": "hello"}')


def refused(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 400, "pageToken is not valid")


@contextmanager
def serving(records: list[Any]) -> Iterator[Api]:
    api = Api(records)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            api.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def api(ctgov_records: Callable[[str], Iterator[dict[str, Any]]]) -> Iterator[Api]:
    with serving(list(islice(ctgov_records("norway_reshaped"), 25))) as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as opened:
        yield opened


def test_every_page_is_fetched_once(api: Api, store: Store) -> None:
    report = import_pages(store, fetch(base_url=api.url, page_size=10, terms="cancer", pace=FAST))
    assert (report.stored, report.failed) == (25, ())
    assert {study.id for study in store.all()} == {
        record["protocolSection"]["identificationModule"]["nctId"] for record in api.records
    }
    assert api.tokens == ["", "10", "20"]
    assert api.paths == {"/api/v2/studies"}
    assert api.asked[0] == {
        "format": "json",
        "pageSize": "10",
        "filter.advanced": 'AREA[LocationCountry]"Norway"',
        "query.term": "cancer",
    }


def test_the_whole_world_is_asked_for_without_a_country(api: Api) -> None:
    list(fetch(base_url=api.url, country="", pace=FAST))
    assert api.asked == [{"format": "json", "pageSize": "1000"}]


@pytest.mark.parametrize(
    "failure", [busy, busy_until_now, broken, cut, garbled, other_json], ids=lambda failure: failure.__name__
)
def test_a_failure_that_passes_costs_nothing(api: Api, failure: Failure) -> None:
    api.failures = {1: failure, 4: failure, 5: failure}
    pages = list(fetch(base_url=api.url, page_size=10, pace=FAST))
    assert [len(page) for page in pages] == [10, 10, 5]
    assert api.tokens == ["", "", "10", "20", "20", "20"]


def test_a_failure_that_stays_keeps_the_place_and_the_next_run_goes_on(
    api: Api, store: Store, tmp_path: Path
) -> None:
    place = tmp_path / "place.json"

    def run() -> int:
        return import_pages(store, fetch(base_url=api.url, page_size=10, resume=place, pace=FAST)).stored

    api.failures = dict.fromkeys((3, 4, 5), broken)
    with pytest.raises(Unavailable, match=r"3 attempts .*status 500.*goes on where it stopped"):
        run()
    assert store.count() == 20
    assert run() == 5
    assert api.tokens[-1] == "20"
    assert not place.exists()


def test_an_interrupted_caller_loses_nothing_that_it_did_not_keep(api: Api, tmp_path: Path) -> None:
    place = tmp_path / "place.json"
    pages = fetch(base_url=api.url, page_size=10, resume=place, pace=FAST)
    next(pages)
    next(pages)
    del pages
    again = list(fetch(base_url=api.url, page_size=10, resume=place, pace=FAST))
    assert [len(page) for page in again] == [10, 5]
    assert api.tokens == ["", "10", "10", "20"]


def test_the_place_of_another_question_is_not_used(api: Api, tmp_path: Path) -> None:
    place = tmp_path / "place.json"
    pages = fetch(base_url=api.url, page_size=10, resume=place, pace=FAST)
    next(pages)
    next(pages)
    del pages
    list(fetch(base_url=api.url, page_size=10, country="Sweden", resume=place, pace=FAST))
    assert api.tokens[2] == ""


def test_a_file_that_is_no_place_is_not_overwritten(api: Api, tmp_path: Path) -> None:
    place = tmp_path / "diary.txt"
    place.write_text("Kjære dagbok")
    with pytest.raises(BadInput, match="Delete it"):
        next(fetch(base_url=api.url, resume=place, pace=FAST))
    assert place.read_text() == "Kjære dagbok"


def test_a_broken_record_on_a_page_is_named_and_the_others_come() -> None:
    good = {"protocolSection": {"identificationModule": {"nctId": "NCT01234567", "briefTitle": "Asthma"}}}
    with serving([good, {"protocolSection": {}}, None, good]) as api:
        ((first, second, third, fourth),) = fetch(base_url=api.url, pace=FAST)
    assert isinstance(first, Study)
    assert first == fourth
    assert isinstance(second, BadRecord)
    assert str(second).startswith("page one record 2: protocolSection.identificationModule.nctId")
    assert str(third) == "page one record 3: the record is null, not an object"


def test_a_question_that_is_refused_is_not_asked_again(api: Api) -> None:
    api.failures = {1: refused}
    with pytest.raises(BadInput, match=r"400.*pageToken is not valid"):
        next(fetch(base_url=api.url, pace=FAST))
    assert len(api.asked) == 1


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(Unavailable, match=r"http://127.0.0.1:9.*ConnectError"):
        next(fetch(base_url="http://127.0.0.1:9", pace=FAST))


def test_requests_keep_the_pace(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("registry.ctgov_api.time.sleep", waits.append)
    list(fetch(base_url=api.url, page_size=10, pace=Pace(per_minute=50)))
    assert waits[0] == 0
    assert all(0.5 < wait <= 1.2 for wait in waits[1:])
    assert len(waits) == 3


@pytest.mark.parametrize(
    "options", [{"page_size": 0}, {"page_size": 1001}, {"base_url": "clinicaltrials.gov"}]
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        next(fetch(**options))
