"""What the tests of pages and API share: the application over a small real library."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from httpx import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.library import Library, open_index, open_store
from api.settings import Settings
from nlp.embeddings.encoder import Encoder
from registry.form import sample_studies
from registry.study import Contact, Intervention, Site, Status, Study

EVIL = '"><script>alert(1)</script></title>'

DIABETES = Study(
    id="NCT-1",
    source="ctgov",
    title="A tablet for type 2 diabetes",
    status=Status.OPEN,
    summary="We try a tablet that lowers blood sugar in people with type 2 diabetes.",
    conditions=("Type 2 Diabetes Mellitus",),
    hrcs=("Stoffskifte og hormoner",),
    interventions=(Intervention("drug", "Tablet"),),
    criteria=(
        "Inclusion Criteria:\n- Type 2 diabetes mellitus\n\n"
        "Exclusion Criteria:\n- Myocardial infarction\n- Pregnancy"
    ),
    minimum_age=18,
    maximum_age=75,
    sites=(Site("Oslo University Hospital", "Oslo", "Norway"), Site("Clinic", "Lyon", "France")),
    contacts=(Contact(name="Study nurse", email="private@hospital.example"),),
    mailbox="study@hospital.example",
    url="https://clinicaltrials.gov/study/NCT-1",
    last_confirmed="2026-11-03",
)
HOSTILE = Study(
    id="NCT-2",
    source="ctgov",
    title=f"Hostile {EVIL}",
    status=Status.COMPLETED,
    summary=f"Summary {EVIL}",
    conditions=(f"Hostility {EVIL}",),
    criteria=f"Inclusion Criteria:\n- Hostile {EVIL}",
    url="javascript:alert(1)",
    mailbox=f"{EVIL}@hospital.example",
)


@contextmanager
def listening(application: Callable[[str], FastAPI]) -> Iterator[str]:
    """The address of a real server on a free port, over the application that is made for this address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(application(address), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]})
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield address
        server.should_exit = True
        thread.join()


@contextmanager
def on_a_port(
    folder: Path, encoder: Encoder, studies: Sequence[Study], **changes: Any
) -> Iterator[tuple[str, Library]]:
    """A real server over `studies` for browsers: its address, and the library that it serves."""
    with open_store(Settings(data_dir=folder)) as store:
        store.put_many(studies)
    open_index(Settings(data_dir=folder), encoder).update(studies)
    apps: list[FastAPI] = []

    def application(home: str) -> FastAPI:
        apps.append(create_app(Settings(data_dir=folder, public_url=home, **changes), encoder=encoder))
        return apps[0]

    with listening(application) as home:
        yield home, apps[0].state.library


@contextmanager
def served(
    folder: Path, encoder: Encoder, studies: Sequence[Study] | None = None, **changes: Any
) -> Iterator[TestClient]:
    """A client of the application over `studies`: by default the samples, DIABETES and HOSTILE."""
    usual = {"public_url": "https://studievei.example", "chat": False}
    settings = Settings(data_dir=folder, **(usual | changes))
    if studies is None:
        studies = [*sample_studies(), DIABETES, HOSTILE]
    with open_store(settings) as store:
        store.put_many(studies)
    open_index(settings, encoder).update(studies)
    with TestClient(create_app(settings, encoder=encoder), base_url="https://studievei.example") as client:
        yield client


def send(client: TestClient, action: str, page: str = "", **fields: str) -> Response:
    """Sends a form as a browser does, with the token from its page: `page`, or the one above `action`."""
    shown = Page(client.get(page or action.rpartition("/")[0]).text)
    token = next((str(field["value"]) for field in shown.all("input", name="csrf")), "")
    return client.post(action, data={"csrf": token, **fields})


def filled(page: Response) -> dict[str, str]:
    """What the number fields, choices and boxes of a form hold."""
    boxes = [box for kind in ("radio", "checkbox") for box in Page(page.text).all("input", type=kind)]
    ticked = {str(box["name"]): str(box["value"]) for box in boxes if "checked" in box}
    written = [box for box in Page(page.text).all("input") if box.get("inputmode") == "decimal"]
    return ticked | {str(box["name"]): str(box["value"]) for box in written if box["value"]}


def hidden(page: Response) -> dict[str, str]:
    """The hidden fields of the last form of a page: what is sent when its button is pressed."""
    fields = Page(page.text).all("input", type="hidden")
    return {str(field["name"]): str(field["value"] or "") for field in fields}


class Page(HTMLParser):
    """The elements of a page, each as (tag, attributes), and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """Attributes of every element with this tag and these attributes."""
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(key) == value for key, value in attributes.items())
        ]
