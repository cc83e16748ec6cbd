"""An encoder behind an OpenAI-compatible embeddings address."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import numpy as np

from nlp.embeddings.encoder import Vectors, clean
from ontology.errors import Unavailable

BATCH = 64
"""Texts in one request."""


class HttpEncoder:
    """Sends texts to `address`, written https://host/v1/embeddings#model-name (without a name: "default").

    Every question of a person goes to that server; the operator decides whether it may.
    """

    def __init__(
        self,
        address: str,
        *,
        key: str = "",
        prefixes: tuple[str, str] = ("query: ", "passage: "),
        timeout: float = 30.0,
    ) -> None:
        """Ask the server once, to learn the length of its vectors.

        Raises:
            Unavailable: the server does not answer as it should.
        """
        self._url, _, model = address.partition("#")
        self._model = model or "default"
        self._prefixes = prefixes
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(timeout=timeout, headers=headers)
        self._dimension = self._ask(["."]).shape[1]

    @property
    def fingerprint(self) -> str:
        """Identifies server, model and prefixes."""
        return f"{self._url}#{self._model} {self._dimension} {'|'.join(self._prefixes)}"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._dimension)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """(n,) questions -> (n, dimension) float32, each of length 1.

        Raises:
            Unavailable: the server does not answer as it should.
        """
        return self._encode(texts, self._prefixes[0])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """(n,) passages -> (n, dimension) float32, each of length 1.

        Raises:
            Unavailable: the server does not answer as it should.
        """
        return self._encode(texts, self._prefixes[1])

    def _encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        parts = [np.empty((0, self._dimension), dtype=np.float32)]
        for start in range(0, len(texts), BATCH):
            parts.append(self._ask([prefix + clean(text) for text in texts[start : start + BATCH]]))
        return np.concatenate(parts)

    def _ask(self, texts: Sequence[str]) -> Vectors:
        try:
            answer = self._client.post(self._url, json={"model": self._model, "input": texts})
            answer.raise_for_status()
            vectors = _vectors(answer.json(), len(texts))
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(
                f"The embeddings service {self._url} did not answer as it should ({error}). "
                "Check STUDIEVEI_ENCODER and that the service runs."
            ) from error
        return vectors


def _vectors(answer: Mapping[str, Any], count: int) -> Vectors:
    rows = sorted(answer["data"], key=lambda row: row["index"])
    vectors = np.array([row["embedding"] for row in rows], dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
        raise ValueError(f"{count} vectors expected")
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
