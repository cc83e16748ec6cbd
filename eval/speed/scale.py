"""What more studies cost: one index grows through several sizes, and is measured at each.

There are not so many records, so they repeat with other words, and a copy gets the vectors of real passages,
moved a little: what encoding takes grows in proportion and is measured by `bench`.
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from api.library import open_ontology
from api.settings import Settings
from api.show import progress
from eval.ranking.vectors import RememberingEncoder
from eval.speed.bench import HITS, speeds
from nlp.embeddings import generation
from nlp.embeddings.dense import PROBED
from nlp.embeddings.encoder import Encoder, Vectors
from nlp.embeddings.model import load_encoder
from nlp.embeddings.search import StudyIndex
from nlp.embeddings.shelf import VECTORS
from nlp.query import understand
from ontology.errors import BadInput
from ontology.linker import Linker
from registry.study import Study

NEAREST = 100
CHANGED = 5
"""Every so many words of a copy are another study's."""

_COPY = " ‹copy "
_MOVED = 0.01
"""How far each number of a copied vector is moved: a cosine of about 0.98 to the real one."""


@dataclass(frozen=True, slots=True)
class Size:
    """One size of the index. Times are of one thread; `live` is what a changed study takes to be found.

    `recall` is the share of the hundred nearest passages that are found: 1 where all are compared.
    """

    studies: int
    p50_ms: float
    p95_ms: float
    live_seconds: float
    indexed_per_second: float
    megabytes: float
    vectors: int
    in_lists: bool
    recall: float


def grow(
    studies: Sequence[Study], sizes: Sequence[int], queries: Sequence[str], settings: Settings
) -> Iterator[Size]:
    """Measure each size, the smallest first, in an index of its own in the data folder.

    Raises:
        Unavailable: the data folder cannot be used.
    """
    folder, ontology = settings.data_dir / "scale", open_ontology(settings)
    encoder = load_encoder(settings.encoder, settings.data_dir)
    index = StudyIndex.rebuild(folder / "index", _Copying(encoder, folder), ontology)
    linker, questions = Linker(ontology), encoder.encode_queries(queries)
    for size in sizes:
        before, started = index.count, time.perf_counter()
        with progress(f"Indexing {size}", size) as done:
            index.update(islice(stretched(studies), size), done)
        rate = (index.count - before) / (time.perf_counter() - started)
        (speed,) = speeds({"": lambda words: index.search(understand(words, linker), HITS)}, queries)
        live = _live(index, studies[0])
        yield Size(index.count, speed.p50, speed.p95, live, rate, *_stored(folder / "index", questions))


def stretched(studies: Sequence[Study]) -> Iterator[Study]:
    """The studies, and then the same under other ids with some of their words changed, without end."""
    yield from studies
    words = [word for study in studies for word in study.title.split()]
    copy = 0
    while True:
        copy += 1
        chance = random.Random(copy)  # noqa: S311 - no secret
        for study in studies:
            yield replace(
                study,
                id=f"{study.id}-{copy}",
                title=f"{_changed(study.title, words, chance)}{_COPY}{copy}›",
                summary=_changed(study.summary, words, chance),
            )


def _changed(text: str, words: Sequence[str], chance: random.Random) -> str:
    return " ".join(
        word if (number + 1) % CHANGED else chance.choice(words) for number, word in enumerate(text.split())
    )


class _Copying(RememberingEncoder):
    """Reads real passages; each of a copy gets the vector of one of them, moved a little."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        super().__init__(encoder, folder)
        self._real: list[Vectors] = []

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        real = super().encode_passages([text for text in texts if _COPY not in text])
        self._real.extend(real)
        waiting = iter(real)
        return np.stack([_moved(self._real, text) if _COPY in text else next(waiting) for text in texts])


def _moved(pool: Sequence[Vectors], text: str) -> Vectors:
    chance = np.random.default_rng(int.from_bytes(sha256(text.encode()).digest()[:8]))
    vector = pool[int(chance.integers(len(pool)))]
    vector = vector + chance.normal(0, _MOVED, len(vector)).astype(np.float32)
    unit: Vectors = vector / np.linalg.norm(vector)
    return unit


def _live(index: StudyIndex, study: Study) -> float:
    """Seconds from a changed study to an index that has it."""
    started = time.perf_counter()
    index.update([replace(study, summary=f"{study.summary} {started}")])
    return time.perf_counter() - started


def _stored(folder: Path, questions: Vectors) -> tuple[float, int, bool, float]:
    """Megabytes of the index in a folder, its vectors, whether they stand in lists, and what that costs."""
    newest = generation.newest(folder)
    if newest is None:
        raise BadInput(f"There is no index in {folder}.")
    vectors = faiss.read_index(str(newest / VECTORS))
    in_lists = isinstance(vectors, faiss.IndexIVF)
    megabytes = sum(file.stat().st_size for file in newest.rglob("*")) / 1e6
    return megabytes, vectors.ntotal, in_lists, _recall(vectors, questions) if in_lists else 1.0


def _recall(vectors: Any, questions: Vectors) -> float:
    """The share of the hundred nearest that reading a part of the lists finds too."""
    reads: Any = faiss.SearchParametersIVF
    _, some = vectors.search(questions, NEAREST, params=reads(nprobe=PROBED))
    _, right = vectors.search(questions, NEAREST, params=reads(nprobe=vectors.nlist))
    return float(np.mean([len(set(a) & set(b)) / NEAREST for a, b in zip(some, right, strict=True)]))
