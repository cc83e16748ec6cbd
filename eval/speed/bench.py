"""Speed and memory beside the plain alternatives, in one run, so that the ratios can be trusted."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bm25s
import faiss
import numpy as np
import Stemmer

from api.library import Library, open_index, open_library, open_store
from api.settings import Settings
from api.show import progress
from nlp.embeddings import generation
from nlp.embeddings.bundle import bundled_file, read_bundle
from nlp.embeddings.chunks import chunk_study
from nlp.embeddings.encoder import Encoder
from nlp.embeddings.hugging_face import write_hugging_face_folder
from nlp.embeddings.model import load_encoder
from nlp.embeddings.shelf import VECTORS
from nlp.embeddings.torch_encoder import SentenceTransformerEncoder
from ontology.errors import BadInput
from registry.ctgov import read_file
from registry.study import Study

HITS = 10
ROUNDS = 3
PASSAGES = 200
FIRST_QUERY = "sukkersyke"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Speed:
    """How long one system takes for a query, words in, hits out: median and 95th percentile in ms."""

    name: str
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What one run measured. Memory is the peak of a process that answers every query."""

    studies: int
    queries: int
    speeds: tuple[Speed, ...]
    chunks_per_second: float
    first_answer_seconds: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Setup:
    """What a fresh machine pays: seconds of `pip install`, and the size of the environment."""

    seconds: float
    megabytes: float


def bench(records: Sequence[Path], queries: Path, size: int, settings: Settings) -> Bench:
    """Measure `size` studies of the record files with the queries of a jsonl file (field `query`).

    The index is kept in the data folder. Every query goes to all systems before the next one is asked, the
    first round is not counted, and everything runs on one thread.

    Raises:
        BadInput: there are fewer studies, or the queries cannot be read.
        Unavailable: sentence-transformers is not installed.
    """
    settings = settings.model_copy(update={"data_dir": settings.data_dir / "bench"})
    asked = read_queries(queries)
    studies = read_studies(records)[:size]
    if len(studies) < size:
        raise BadInput(f"There are {len(studies)} studies, not {size}. Name more files.")
    _fill(studies, settings)
    with open_library(settings) as library, TemporaryDirectory() as folder:
        systems = {
            "studievei": _studievei(library),
            "sentence-transformers fp32 + FAISS": _dense(settings, Path(folder)),
            "bm25s": _lexical(studies),
        }
        measured = speeds(systems, asked)
        rate = _chunks_per_second(load_encoder(settings.encoder, settings.data_dir), studies)
    first, memory = _process(settings, asked)
    return Bench(len(studies), len(asked), measured, rate, first, memory)


def setup() -> Setup:
    """Install this checkout into an empty environment, as `make run` does.

    Raises:
        BadInput: this is no checkout, or the installation failed.
    """
    if not (ROOT / "pyproject.toml").exists():
        raise BadInput("Set-up is measured in a checkout of the repository.")
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        for command in (
            [sys.executable, "-m", "venv", folder],
            [f"{folder}/bin/pip", "install", "--quiet", str(ROOT)],
        ):
            if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own command
                raise BadInput(f"{' '.join(command)} failed.")
        seconds = time.perf_counter() - started
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if not file.is_symlink())
    return Setup(seconds, size / 1e6)


def read_studies(records: Sequence[Path]) -> list[Study]:
    """The studies of record files, in their order."""
    return [item for file in records for item in read_file(file) if isinstance(item, Study)]


def read_queries(file: Path) -> list[str]:
    """The questions of a jsonl file, from its field `query`."""
    return [json.loads(line)["query"] for line in file.read_text("utf-8").splitlines()]


def _fill(studies: Sequence[Study], settings: Settings) -> None:
    with open_store(settings) as store:
        store.put_many(studies)
        index = open_index(settings)
        with progress("Indexing", len(studies)) as done:
            index.update(studies, done)


def _studievei(library: Library) -> Callable[[str], object]:
    return lambda words: library.find(words, limit=HITS)


def _dense(settings: Settings, folder: Path) -> Callable[[str], object]:
    """The same weights in full precision, over the very vectors of the index."""
    import torch  # noqa: PLC0415 - optional, and takes seconds

    torch.set_num_threads(1)
    write_hugging_face_folder(read_bundle(bundled_file()), folder)
    encoder = SentenceTransformerEncoder(str(folder))
    newest = generation.newest(settings.index_dir)
    if newest is None:
        raise BadInput(f"There is no index in {settings.index_dir}.")
    vectors = faiss.read_index(str(newest / VECTORS))
    return lambda words: vectors.search(encoder.encode_queries([words]), HITS)


def _lexical(studies: Sequence[Study]) -> Callable[[str], object]:
    stemmer = Stemmer.Stemmer("english")
    quiet: dict[str, Any] = {"stemmer": stemmer, "show_progress": False}
    index = bm25s.BM25()
    texts = [
        f"{study.title} {' '.join(study.conditions)} {study.summary} {study.criteria}" for study in studies
    ]
    index.index(bm25s.tokenize(texts, **quiet), show_progress=False)
    return lambda words: index.retrieve(bm25s.tokenize([words], **quiet), k=HITS, show_progress=False)


def speeds(systems: dict[str, Callable[[str], object]], queries: Sequence[str]) -> tuple[Speed, ...]:
    """Every query goes to all systems before the next one is asked; the first round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in systems}
    for round_number in range(ROUNDS + 1):
        for words in queries:
            for name, search in systems.items():
                started = time.perf_counter()
                search(words)
                if round_number:
                    times[name].append((time.perf_counter() - started) * 1000)
    return tuple(Speed(name, *np.percentile(values, [50, 95]).tolist()) for name, values in times.items())


def _chunks_per_second(encoder: Encoder, studies: Sequence[Study]) -> float:
    passages = [chunk.text for study in studies for chunk in chunk_study(study)][:PASSAGES]
    started = time.perf_counter()
    encoder.encode_passages(passages)
    return len(passages) / (time.perf_counter() - started)


def _process(settings: Settings, queries: Sequence[str]) -> tuple[float, float]:
    """Seconds from the command to its first answer, and the peak MB of a process that answers them all."""
    environment = {**os.environ, "STUDIEVEI_DATA_DIR": str(settings.data_dir)}
    command = [str(Path(sys.executable).with_name("studievei")), "search", "--json", "--limit", str(HITS)]
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([*command, FIRST_QUERY], env=environment, capture_output=True, check=True)  # noqa: S603
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)[ROUNDS // 2], _peak_memory([*command, "--stdin"], environment, queries)


def _peak_memory(command: list[str], environment: dict[str, str], queries: Sequence[str]) -> float:
    """MB, as Linux counts them while the process waits for one more query.

    What `wait` tells of a child is no use: it counts the memory of this process from before the exec.
    """
    with subprocess.Popen(  # noqa: S603 - our own command
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        for words in queries:
            process.stdin.write(f"{words}\n")
            process.stdin.flush()
            process.stdout.readline()
        status = Path(f"/proc/{process.pid}/status").read_text("ascii")
        process.stdin.close()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000
