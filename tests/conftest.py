import gzip
import json
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

from nlp.embeddings.encoder import Encoder, Vectors, clean
from nlp.embeddings.model import PLAIN, load_encoder

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
KEPT = Path(tempfile.gettempdir()) / "studievei-tests"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, quiet on the network, shared by all tests of one process."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real records beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the real records (../shared/data) are not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def ctgov_records(shared_data: Path) -> Callable[[str], Iterator[dict[str, Any]]]:
    """Raw ClinicalTrials.gov records of one shared file, by its stem: norway, norway_reshaped or world."""

    def records(stem: str) -> Iterator[dict[str, Any]]:
        with gzip.open(shared_data / "ctgov" / f"{stem}.jsonl.gz", "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    return records


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The real default model, built once on this machine and shared by all test processes."""
    return load_encoder("", KEPT)


@pytest.fixture(scope="session")
def plain_encoder() -> Encoder:
    """The bundled weights as they were shipped, without our adapter."""
    return load_encoder(PLAIN, KEPT)


@pytest.fixture(scope="session")
def model_folder(encoder: Encoder) -> Path:
    """Where the model of `encoder` lies, for processes with a data folder of their own to link to."""
    assert encoder.dimension
    return KEPT / "model"


class LetterEncoder:
    """A small real encoder: texts that share runs of three letters are near. Same vectors every time."""

    dimension = 64
    fingerprint = "letters"

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.full((len(texts), self.dimension), 1e-6, dtype=np.float32)
        for row, text in enumerate(texts):
            letters = clean(text).lower()
            for start in range(len(letters) - 2):
                vectors[row, zlib.crc32(letters[start : start + 3].encode()) % self.dimension] += 1.0
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


@pytest.fixture(scope="session")
def toy_encoder() -> Encoder:
    """A deterministic encoder without a model, for tests of everything around it."""
    return LetterEncoder()
