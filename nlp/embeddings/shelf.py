"""The three parts of one generation of an index, open for reading (Shelf) or being made (Draft)."""

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from nlp.embeddings import generation
from nlp.embeddings.catalogue import CHUNKS_PER_STUDY, About, Catalogue, State, chunk_numbers, study_of
from nlp.embeddings.chunks import Chunk
from nlp.embeddings.dense import Bitmap, DenseIndex
from nlp.embeddings.encoder import Vectors
from nlp.embeddings.facets import Columns, Counts, Mask
from nlp.embeddings.sites import Nearest, Spots
from nlp.embeddings.sparse import SparseIndex
from nlp.embeddings.subjects import Subjects
from nlp.places import Place
from nlp.query import Filters, Query
from registry.study import Study

CATALOGUE, WORDS, VECTORS = "studies.db", "words", "vectors.faiss"


@dataclass(frozen=True, slots=True)
class Among:
    """What a filter lets through: numbers of studies, and a bitmap over the numbers of their chunks."""

    studies: frozenset[int]
    chunks: Bitmap


class Shelf:
    """One generation, open for reading; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.catalogue = Catalogue.load(folder / CATALOGUE)
        self.words = SparseIndex.load(folder / WORDS)
        self.vectors = DenseIndex.load(folder / VECTORS)

        self.among = lru_cache(maxsize=32)(self._among)
        self.nearest_sites = lru_cache(maxsize=32)(self._nearest_sites)

    @cached_property
    def states(self) -> Mapping[str, State]:
        """What every study was indexed from, by its id."""
        return self.catalogue.states()

    @cached_property
    def columns(self) -> Columns:
        """The facets of every study."""
        return self.catalogue.columns()

    @cached_property
    def subjects(self) -> Subjects:
        """What every study is about."""
        return self.catalogue.subjects()

    @cached_property
    def unplaced(self) -> frozenset[int]:
        """Numbers of the studies of which it is not known where in Norway they run."""
        return self.catalogue.unplaced()

    @cached_property
    def _spots(self) -> Spots:
        return self.catalogue.spots()

    def _nearest_sites(self, place: Place) -> dict[int, Nearest]:
        return self._spots.nearest(place)

    def counts(self, studies: Collection[int], query: Query) -> tuple[Counts, ...]:
        """How many of `studies` each value of each facet would leave, under the filters of a query."""
        base = self.columns.mask(studies) & self._within(query.filters, query.place)
        return self.columns.counts(base, query.filters)

    def unstated(self, number: int, query: Query) -> tuple[str, ...]:
        """What the filters of a query ask about and this study does not state."""
        place = ("place",) if query.filters.within is not None and number in self.unplaced else ()
        return self.columns.unstated(number, query.filters) + place

    def nearest(self, vector: Vectors, wanted: int, among: Among | None) -> dict[int, tuple[int, float]]:
        """The `wanted` studies nearest to a (dimension,) vector, best first: number -> (chunk, cosine)."""
        depth = 3 * wanted
        while True:
            chunks, scores = self.vectors.search(vector, depth, among.chunks if among else None)
            _, first = np.unique(study_of(chunks), return_index=True)
            if len(first) >= wanted or len(chunks) < depth:
                best = np.sort(first)[:wanted]
                found = zip(chunks[best].tolist(), scores[best].tolist(), strict=True)
                return {study_of(chunk): (chunk, score) for chunk, score in found}
            depth *= 4

    def towards(self, vector: Vectors, studies: Sequence[int], share: float) -> Vectors:
        """A (dimension,) vector moved towards the passages of some studies, each study counting the same."""
        chunks = [own for number in studies if (own := self.catalogue.chunks_of(number))]
        if not chunks:
            return vector
        means = [self.vectors.get(own).mean(axis=0) for own in chunks]
        moved = vector + share * np.mean([mean / np.linalg.norm(mean) for mean in means], axis=0)
        unit: Vectors = (moved / np.linalg.norm(moved)).astype(np.float32)
        return unit

    def _among(self, filters: Filters, place: Place | None) -> Among:
        columns = self.columns
        numbers = columns.numbers[columns.passing(filters) & self._within(filters, place)]
        bits = np.zeros(int(numbers.max(initial=0)) + 1, dtype=np.uint32)
        bits[numbers] = 2**CHUNKS_PER_STUDY - 1
        return Among(frozenset(numbers.tolist()), bits.view(np.uint8))

    def _within(self, filters: Filters, place: Place | None) -> Mask:
        """True where a study is near enough, or where it is not known where it is.

        When only open studies are wanted, a site that does not take people in is not near anybody.
        """
        if filters.within is None or place is None:
            return np.ones(len(self.columns.numbers), dtype=np.bool_)
        near = self._spots.within(place, filters.within, recruiting=filters.status == "open")
        return self.columns.mask(near | self.unplaced)


class Draft:
    """The next generation while it is made: a copy of the one before, changed and then saved."""

    def __init__(self, folder: Path, before: Path | None, dimension: int) -> None:
        self._folder = folder
        if before is None:
            (folder / WORDS).mkdir()
            self._words = SparseIndex.create(folder / WORDS)
            self._vectors = DenseIndex(dimension)
        else:
            shutil.copyfile(before / CATALOGUE, folder / CATALOGUE)
            generation.link_or_copy(before / WORDS, folder / WORDS)
            self._words = SparseIndex.load(folder / WORDS)
            self._vectors = DenseIndex.load(before / VECTORS, to_change=True)
        self._catalogue = Catalogue.create(folder / CATALOGUE)

    def add(
        self,
        study: Study,
        state: State,
        chunks: Sequence[Chunk],
        vectors: Vectors,
        about: About,
    ) -> None:
        """Add a study that is not there: its n chunks, their (n, dimension) vectors and what it is about."""
        number = self._catalogue.add(study, state, chunks, about)
        self._words.add(number, study)
        self._vectors.add(chunk_numbers(number, len(chunks)), vectors)

    def relink(self, study: Study, ontology: str, about: About) -> None:
        """Replace what a study that is there is about."""
        self._catalogue.relink(study, ontology, about)

    def remove(self, study_id: str) -> None:
        """Forget a study."""
        number = self._catalogue.remove(study_id)
        if number is not None:
            self._words.remove(number)
            self._vectors.remove(chunk_numbers(number, CHUNKS_PER_STUDY))

    def save(self) -> None:
        """Write all three parts and let go of their files."""
        self._words.commit()
        self._vectors.save(self._folder / VECTORS)
        self._catalogue.close()


Ranking = Callable[[int], Sequence[tuple[int, float]]]
"""(how many) -> that many (study number, score), best first; fewer only when there are no more."""


def take(ranking: Ranking, wanted: int, among: Among | None) -> dict[int, float]:
    """The best `wanted` studies of a ranking that a filter lets through, however far down they stand."""
    depth = wanted
    while True:
        found = ranking(depth)
        kept = [pair for pair in found if among is None or pair[0] in among.studies]
        if len(kept) >= wanted or len(found) < depth:
            return dict(kept[:wanted])
        depth *= 8
