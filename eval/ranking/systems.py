"""The systems that are measured: a collection in, a search over it out.

A system is named as in SYSTEMS; `dense:NAME` is the same with another encoder: a folder, hub name or address.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

import bm25s
import numpy as np
import Stemmer

from api.settings import Settings
from api.show import progress
from eval.ranking.collection import Collection
from eval.ranking.retrieval import DEPTH, Search
from eval.ranking.vectors import RememberingEncoder, short
from nlp.embeddings.chunks import as_read, chunk_study
from nlp.embeddings.model import load_encoder
from nlp.embeddings.search import Hit, StudyIndex
from nlp.language import detect
from nlp.query import Query, understand
from ontology.concept import load_ontology
from ontology.errors import BadInput, Mismatch
from ontology.linker import Linker
from registry.study import Study

SMOOTHING = 60
"""The k of reciprocal rank fusion, as in its source."""

STEMMERS = {"en": "english", "nb": "norwegian"}


class Bench:
    """One collection and one encoder, and the systems over them; what systems share is made once."""

    def __init__(self, collection: Collection, settings: Settings, encoder: str = "") -> None:
        self._collection = collection
        self._settings = settings
        self._ids = [study.id for study in collection.documents]
        self._name = encoder or settings.encoder

    @cached_property
    def encoder(self) -> RememberingEncoder:
        """The named encoder; its passages are kept in the data folder."""
        encoder = load_encoder(self._name, self._settings.data_dir)
        return RememberingEncoder(encoder, self._settings.data_dir / "eval")

    @cached_property
    def linker(self) -> Linker:
        """Finds the concepts."""
        return Linker(load_ontology())

    @cached_property
    def index(self) -> StudyIndex:
        """The product's own index of the collection, kept in the data folder for the next run."""
        collection = self._collection
        folder = self._settings.data_dir / "eval" / f"{collection.name}-{short(self.encoder.fingerprint)}"
        ontology = load_ontology()
        try:
            index = StudyIndex.open(folder, self.encoder, ontology)
        except Mismatch:
            index = StudyIndex.rebuild(folder, self.encoder, ontology)
        with progress(f"Indexing {collection.name}", len(collection.documents)) as done:
            index.update(collection.documents, done)
        return index

    def full(self, words: str, limit: int) -> list[str]:
        """Studievei's whole ranking, with what the page folds away."""
        return [hit.study_id for hit in self._hits(words, limit)]

    def shown(self, words: str, limit: int) -> list[str]:
        """What the page shows as hits: up to the last study that names what was asked for."""
        hits = self._hits(words, limit)
        last = max((rank for rank, hit in enumerate(hits, 1) if hit.sure), default=0)
        return [hit.study_id for hit in hits[:last]]

    def _hits(self, words: str, limit: int) -> list[Hit]:
        return self.index.search(understand(words, self.linker), limit)

    def plain(self, words: str, limit: int) -> list[str]:
        """Studievei's own words and meaning, without the ontology and what else is read from a question."""
        return [hit.study_id for hit in self.index.search(Query(words, detect(words)), limit)]

    def bm25(self, words: str, limit: int) -> list[str]:
        """bm25s with its defaults over all text; words are stemmed as every language of the studies."""
        if not (tokens := self._tokens(words, self._languages)):
            return []
        found, scores = self._lexical.retrieve(
            [tokens], k=min(limit, len(self._ids)), show_progress=False, n_threads=1
        )
        return [self._ids[row] for row, value in zip(found[0], scores[0], strict=True) if value > 0]

    def dense(self, words: str, limit: int) -> list[str]:
        """The encoder alone: a study is as near as its nearest passage."""
        cosines = self._vectors @ self.encoder.encode_queries([words])[0]
        best = np.maximum.reduceat(cosines, self._starts)
        return [self._ids[row] for row in np.argsort(-best, kind="stable")[:limit]]

    def fusion(self, words: str, limit: int) -> list[str]:
        """Reciprocal rank fusion of bm25 and dense (Cormack et al., SIGIR 2009)."""
        fused: dict[str, float] = {}
        for ranking in (self.bm25(words, DEPTH), self.dense(words, DEPTH)):
            for rank, study in enumerate(ranking, 1):
                fused[study] = fused.get(study, 0.0) + 1 / (SMOOTHING + rank)
        return sorted(fused, key=lambda study: (-fused[study], study))[:limit]

    @cached_property
    def _passages(self) -> list[list[str]]:
        """What the encoder reads of each study; of one without text its empty title."""
        return [
            [as_read(study, chunk) for chunk in chunk_study(study)] or [study.title]
            for study in self._collection.documents
        ]

    @cached_property
    def _vectors(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        with progress(f"Encoding {self._collection.name}", len(self._ids)) as done:
            rows = []
            for number, own in enumerate(self._passages, 1):
                rows.append(self.encoder.encode_passages(own))
                done(number)
        return np.concatenate(rows)

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((len(own) for own in self._passages[:-1]), initial=0))

    @cached_property
    def _languages(self) -> list[str]:
        return sorted({_stemmed_as(study) for study in self._collection.documents})

    @cached_property
    def _lexical(self) -> bm25s.BM25:
        index = bm25s.BM25()
        tokens = [
            self._tokens(_all_text(study), [_stemmed_as(study)]) for study in self._collection.documents
        ]
        index.index(tokens, show_progress=False)
        return index

    def _tokens(self, text: str, languages: Sequence[str]) -> list[str]:
        found: dict[str, None] = {}
        out: list[str] = []
        for language in languages:
            (own,) = bm25s.tokenize(
                [text],
                stopwords=STEMMERS[language],
                stemmer=Stemmer.Stemmer(STEMMERS[language]),
                return_ids=False,
                show_progress=False,
            )
            out += [token for token in own if token not in found]
            found |= dict.fromkeys(own)
        return out


SYSTEMS: Mapping[str, Callable[[Bench], Search]] = {
    "bm25": lambda bench: bench.bm25,
    "dense": lambda bench: bench.dense,
    "fusion": lambda bench: bench.fusion,
    "plain": lambda bench: bench.plain,
    "full": lambda bench: bench.full,
    "shown": lambda bench: bench.shown,
}


def open_systems(names: Sequence[str], collection: Collection, settings: Settings) -> dict[str, Search]:
    """The named systems over a collection, in the order named.

    Raises:
        BadInput: a name is not known.
        Unavailable: an encoder cannot be loaded.
    """
    benches: dict[str, Bench] = {}
    found: dict[str, Search] = {}
    for name in names:
        kind, _, encoder = name.partition(":")
        if kind not in SYSTEMS:
            raise BadInput(
                f"There is no system {kind!r}. There are: {', '.join(SYSTEMS)}, each with :ENCODER."
            )
        bench = benches.setdefault(encoder, Bench(collection, settings, encoder))
        found[name] = SYSTEMS[kind](bench)
    return found


def studievei(collection: Collection, settings: Settings) -> Search:
    """The whole search, as people meet it. Its index is kept in the data folder for the next run."""
    return Bench(collection, settings).full


def _all_text(study: Study) -> str:
    parts = (study.title, study.official_title, *study.conditions, *study.keywords, study.summary)
    return "\n".join((*parts, study.description, study.criteria))


def _stemmed_as(study: Study) -> str:
    return "en" if study.language == "en" else "nb"
