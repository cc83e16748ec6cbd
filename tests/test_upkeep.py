import time
from dataclasses import replace
from pathlib import Path

import pytest
from served import DIABETES, served
from starlette.testclient import TestClient

from api.library import open_store
from api.settings import Settings
from nlp.embeddings.encoder import Encoder
from registry.study import Status, Study

PATIENCE = 20.0
"""Seconds after which a change counts as never found."""


def hits(client: TestClient, words: str) -> dict[str, str]:
    """Title by id of what a search finds."""
    found = client.get("/api/search", params={"q": words}).json()
    return {hit["id"]: hit["title"] for hit in found["hits"]}


def wait_for(client: TestClient, words: str, wanted: dict[str, str]) -> None:
    until = time.monotonic() + PATIENCE
    while (found := hits(client, words)) != wanted:
        if time.monotonic() > until:
            pytest.fail(f"{words!r} finds {found}, not {wanted}")
        time.sleep(0.1)


def test_the_server_finds_what_another_process_adds_changes_and_removes(
    tmp_path: Path, toy_encoder: Encoder
) -> None:
    with (
        served(tmp_path, toy_encoder, [DIABETES]) as client,
        open_store(Settings(data_dir=tmp_path)) as store,
    ):
        wait_for(client, "diabetes", {DIABETES.id: DIABETES.title})
        store.put(replace(DIABETES, title="A pump for type 1 diabetes"))
        wait_for(client, "diabetes", {DIABETES.id: "A pump for type 1 diabetes"})
        store.put(Study("NEW", "test", "Sleep and diabetes", Status.OPEN))
        wait_for(client, "sleep", {"NEW": "Sleep and diabetes", DIABETES.id: "A pump for type 1 diabetes"})
        store.remove(DIABETES.id)
        wait_for(client, "diabetes", {"NEW": "Sleep and diabetes"})
