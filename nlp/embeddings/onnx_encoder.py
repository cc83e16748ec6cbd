"""The default encoder: the repacked multilingual-e5-small in onnxruntime, on one thread."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import numpy as np
import onnxruntime as ort

from nlp.embeddings.encoder import Vectors, clean
from nlp.embeddings.pieces import Pieces

BATCH_TOKENS = 256
"""Tokens that are run together: on a CPU, texts longer than a sentence or two gain nothing from company."""


class OnnxEncoder:
    """E5: questions and passages carry the prefixes it was trained with (Wang et al., arXiv 2402.05672)."""

    def __init__(self, graph: Path, pieces: Path, fingerprint: str, *, threads: int = 1) -> None:
        self._fingerprint = fingerprint
        self._session = ort.InferenceSession(os.fspath(graph), _options(threads), ["CPUExecutionProvider"])
        self._pieces = Pieces(pieces)

    @property
    def fingerprint(self) -> str:
        """Identifies the weights."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._session.get_outputs()[0].shape[1])

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """(n,) questions -> (n, dimension) float32, each of length 1; works on the caller's thread only."""
        return self._encode([f"query: {clean(text)}" for text in texts], workers=1)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """(n,) passages -> (n, dimension) float32, each of length 1; works on every core."""
        return self._encode([f"passage: {clean(text)}" for text in texts], workers=os.cpu_count() or 1)

    def tokens(self, text: str) -> list[int]:
        """The token numbers of a text with its prefix, at most as many as the model reads."""
        return self._pieces.numbers(text)

    def _encode(self, texts: Sequence[str], workers: int) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        ids = [self.tokens(text) for text in texts]
        batches = list(_batches([len(each) for each in ids]))

        def fill(batch: list[int]) -> None:
            vectors[batch] = self._run([ids[row] for row in batch])

        if min(workers, len(batches)) < 2:
            for batch in batches:
                fill(batch)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(fill, batches))
        return vectors

    def _run(self, rows: Sequence[Sequence[int]]) -> Vectors:
        """Token numbers of texts of one length -> their vectors."""
        vectors: Vectors = self._session.run(None, {"ids": np.array(rows, dtype=np.int64)})[0]
        return vectors


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows of one length together, at most BATCH_TOKENS tokens, or one row."""
    for length, group in groupby(sorted(range(len(lengths)), key=lengths.__getitem__), lengths.__getitem__):
        rows, together = list(group), max(1, BATCH_TOKENS // length)
        yield from (rows[at : at + together] for at in range(0, len(rows), together))


def _options(threads: int) -> ort.SessionOptions:
    """Few threads, because two spinning pools fight over the cores; no arena, because it never gives back.

    Only basic rewriting, because more of it puts sums and normalisations together into an operator that takes
    three to seven times as long (onnxruntime 1.32).
    """
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return options
