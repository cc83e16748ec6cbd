"""Text in, unit vectors out: OnnxEncoder (the default), SentenceTransformerEncoder, HttpEncoder."""

import unicodedata
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

LONGEST = 4_000
"""Characters of a text that are read; the models themselves stop at about 2,000."""


class Encoder(Protocol):
    """Turns texts into unit-length vectors, so that a dot product is a cosine."""

    @property
    def fingerprint(self) -> str:
        """Identifies weights and settings; an index built with one fingerprint refuses another."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """(n,) questions -> (n, dimension) float32, each of length 1."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """(n,) passages -> (n, dimension) float32, each of length 1."""
        ...


def clean(text: str) -> str:
    """The start of a text as every encoder can read it: composed (NFC), without NUL and lone surrogates."""
    readable = text[:LONGEST].replace("\x00", " ").encode("utf-8", "ignore").decode("utf-8")
    return unicodedata.normalize("NFC", readable)
