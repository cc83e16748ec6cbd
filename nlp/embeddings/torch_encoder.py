"""Any sentence-transformers model as an encoder: a folder or a hub name. Needs the extra `train`."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nlp.embeddings.encoder import Vectors, clean
from ontology.errors import Unavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class SentenceTransformerEncoder:
    """A model with its own prompts, when it has some named query and passage, else with those of E5."""

    def __init__(self, name: str) -> None:
        """Load the model from a folder or a hub.

        Raises:
            Unavailable: sentence-transformers is not installed, or there is no such model.
        """
        self._model = _load(name)
        self._prompts = {kind: self._model.prompts.get(kind) or f"{kind}: " for kind in ("query", "passage")}
        self._dimension = len(self._model.encode("."))
        self._fingerprint = f"{Path(name).name}-{_digest(self._model)}"

    @property
    def fingerprint(self) -> str:
        """Identifies the weights."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """(n,) questions -> (n, dimension) float32, each of length 1."""
        return self._encode(texts, self._prompts["query"])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """(n,) passages -> (n, dimension) float32, each of length 1."""
        return self._encode(texts, self._prompts["passage"])

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        cleaned = [clean(text) for text in texts]
        vectors = self._model.encode(
            cleaned, prompt=prompt, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), self._dimension)


def _load(name: str) -> "SentenceTransformer":
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - torch takes seconds and is optional
    except ImportError as error:
        raise Unavailable(
            f"The encoder {name!r} needs sentence-transformers. Run `pip install studievei[train]`."
        ) from error
    try:
        return SentenceTransformer(name, device="cpu")
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"No model {name!r} here or on the hub ({error}). Name a folder or owner/model."
        ) from error


def _digest(model: "SentenceTransformer") -> str:
    """Of all weights but the pooler's, which no sentence vector uses and which are random where missing."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if ".pooler." not in name:
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(tensor.float().numpy()).tobytes())
    return digest.hexdigest()[:16]
