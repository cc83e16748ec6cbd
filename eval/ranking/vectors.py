"""An Encoder that remembers its passages, so that comparing systems and measuring again costs no encoding."""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nlp.embeddings.encoder import Encoder, Vectors

BATCH = 64


def short(fingerprint: str) -> str:
    """A fingerprint as part of a file's name."""
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:16]


class RememberingEncoder:
    """`encoder`, with the vectors of passages kept in one file a model in `folder`."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._encoder = encoder
        self._kept = sqlite3.connect(folder / f"{short(encoder.fingerprint)}.vectors")
        self._kept.execute("CREATE TABLE IF NOT EXISTS passage (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")

    @property
    def fingerprint(self) -> str:
        """That of the encoder."""
        return self._encoder.fingerprint

    @property
    def dimension(self) -> int:
        """That of the encoder."""
        return self._encoder.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """(n,) questions -> (n, dimension), as the encoder does it."""
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """(n,) passages -> (n, dimension); those seen before are read, the others encoded and kept."""
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if self._read(key) is None}
        unknown = list(new)
        for start in range(0, len(unknown), BATCH):
            batch = unknown[start : start + BATCH]
            vectors = self._encoder.encode_passages([new[key] for key in batch])
            with self._kept:
                self._kept.executemany(
                    "INSERT OR IGNORE INTO passage VALUES (?, ?)",
                    [(key, vector.tobytes()) for key, vector in zip(batch, vectors, strict=True)],
                )
        found = [np.frombuffer(self._read(key) or b"", dtype=np.float32) for key in keys]
        return np.stack(found) if found else np.empty((0, self.dimension), dtype=np.float32)

    def _read(self, key: bytes) -> bytes | None:
        row = self._kept.execute("SELECT vector FROM passage WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None
