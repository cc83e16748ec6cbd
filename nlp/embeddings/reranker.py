"""A question and passages in, how well each answers it out: any cross-encoder. Needs the extra `train`.

Off unless the operator names one: on two cores a small one takes tens of milliseconds for a question.
"""

from collections.abc import Sequence

import numpy as np

from ontology.errors import Unavailable

RERANKED = 50
"""The best studies, so many, are put in the order of the cross-encoder; the others follow as they stood."""

LENGTH = 1_000
"""Characters of a study that are read."""


class Reranker:
    """A model of sentence-transformers that reads question and passage together."""

    def __init__(self, name: str) -> None:
        """Load the model from a folder or a hub.

        Raises:
            Unavailable: sentence-transformers is not installed, or there is no such model.
        """
        try:
            from sentence_transformers import CrossEncoder  # noqa: PLC0415 - torch takes seconds and is optional
        except ImportError as error:
            raise Unavailable(
                f"The reranker {name!r} needs sentence-transformers. Run `pip install studievei[train]`."
            ) from error
        try:
            self._model = CrossEncoder(name, device="cpu", num_labels=1)
        except (OSError, ValueError) as error:
            raise Unavailable(
                f"No cross-encoder {name!r} here or on the hub ({error}). Name a folder or owner/model."
            ) from error

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """How well each passage answers the question; a higher score is a better one."""
        pairs = [(question, passage[:LENGTH]) for passage in passages]
        return [float(score) for score in np.asarray(self._model.predict(pairs, show_progress_bar=False))]
