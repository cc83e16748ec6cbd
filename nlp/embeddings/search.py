"""A Query in, Hits that say why out: by words, the concepts they name, their meaning, and shared subjects."""

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from heapq import nlargest
from itertools import islice
from math import log
from pathlib import Path

import numpy as np

from nlp.embeddings import generation
from nlp.embeddings.catalogue import About, Entry, State
from nlp.embeddings.chunks import as_read, chunk_study
from nlp.embeddings.concepts import Match, answers, asked, concepts_of, path
from nlp.embeddings.encoder import Encoder, Vectors
from nlp.embeddings.facets import Counts
from nlp.embeddings.fusion import SIMILAR, Scores, fuse, scaled, weights
from nlp.embeddings.lock import writing
from nlp.embeddings.reranker import RERANKED, Reranker
from nlp.embeddings.shelf import Draft, Shelf, take
from nlp.embeddings.sites import Nearest
from nlp.embeddings.sparse import Name, stems
from nlp.embeddings.subjects import Answering
from nlp.embeddings.telling import coverage, is_case, telling
from nlp.query import Filters, Query
from ontology.concept import Ontology
from ontology.errors import BadInput
from ontology.linker import Linker, Mention
from registry.coding import code_study
from registry.study import Status, Study

DEPTH = 200
"""Studies that each leg hands to the fusion, at least."""

LONGEST_QUERY = 2_000
"""Characters of a question that are read."""

BATCH, SHARE = 256, 8
"""Studies that are written together: 256, or an eighth of those there, because each write copies them all.

A killed update loses at most so many.
"""

WIDE = 40
"""A broader concept with so many kinds says little of one of them: diabetes has 30, heart disease 105."""

_WORD = re.compile(r"\w+")

TOWARDS, SHARING = (3, 0.5), 5
"""What words and concepts find best is taken for relevant: the question is moved so far towards so many of it
before its meaning is looked for, and studies that share subjects with so many of it come up.

nDCG@10 on sigir2016 (case histories, keywords) and for everyday Norwegian and English, with the weights of
fusion.py: .173, .259, .657, .617; without sharing .158, .256, .651, .616. Meaning alone gives .116, .204,
.194, .417 for the bare question and .142, .240, .367, .512 for the moved one.
"""

MOST_WORDS = 8
"""Matched words that a hit shows."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a study was found. `kind` is concept (a path), words (as they stand) or passage (of `field`)."""

    kind: str
    text: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A study that was found. Scores order the hits of one search and mean nothing across searches.

    `sure`: it names what was asked for, and is not only like it. `unstated` are facets (or place) that the
    filters ask about and the study does not state. `nearest` is None without a place to be near to.
    """

    study_id: str
    title: str
    status: Status
    score: float
    why: tuple[Reason, ...]
    sure: bool = True
    unstated: tuple[str, ...] = ()
    nearest: Nearest | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The best hits, how many studies name what was asked for and pass the filters, how many of those that
    name it the filters keep out, and counts by facet.
    """

    hits: list[Hit]
    total: int = 0
    kept_out: int = 0
    counts: tuple[Counts, ...] = ()


class StudyIndex:
    """The searchable studies in one folder. Any number of processes may read it while one writes."""

    def __init__(
        self, folder: Path, encoder: Encoder, ontology: Ontology, reranker: Reranker | None = None
    ) -> None:
        self._folder = folder
        self._encoder = encoder
        self._ontology = ontology
        self._reranker = reranker
        self._seen: tuple[int, int] | None = None
        self._shelf: Shelf | None = None

    @classmethod
    def open(
        cls, folder: Path, encoder: Encoder, ontology: Ontology, reranker: Reranker | None = None
    ) -> "StudyIndex":
        """Open the index in `folder`; a folder without one is an empty index.

        `reranker` has the last word on the order of the best hits.

        Raises:
            Mismatch: it was built with another encoder or by another version.
            Unavailable: it is damaged.
        """
        index = cls(folder, encoder, ontology, reranker)
        index._current()
        return index

    @classmethod
    def rebuild(cls, folder: Path, encoder: Encoder, ontology: Ontology) -> "StudyIndex":
        """Start an empty index in `folder`, whatever is there now.

        Raises:
            Unavailable: the folder cannot be written to.
        """
        with writing(folder), generation.next_generation(folder, encoder.fingerprint) as building:
            Draft(building, None, encoder.dimension).save()
        return cls.open(folder, encoder, ontology)

    @property
    def count(self) -> int:
        """How many studies can be found."""
        shelf = self._current()
        return shelf.catalogue.count if shelf else 0

    def update(self, studies: Iterable[Study], progress: Callable[[int], None] | None = None) -> int:
        """Add new studies, replace changed ones, and link anew what another ontology linked.

        Returns how many those were.

        `progress` is called with the number of studies handled so far.

        Raises:
            Mismatch: the index was built with another encoder.
            Unavailable: the folder cannot be written to.
        """
        changed = handled = 0
        stream = iter(studies)
        while True:
            with writing(self._folder):
                batch = list(islice(stream, max(BATCH, self.count // SHARE)))
                changed += self._replace(batch)
            if not batch:
                return changed
            handled += len(batch)
            if progress:
                progress(handled)

    def remove(self, ids: Iterable[str]) -> int:
        """Forget these studies; returns how many were there.

        Raises:
            Unavailable: the folder cannot be written to.
        """
        with writing(self._folder):
            known = self._states()
            gone = [study_id for study_id in dict.fromkeys(ids) if study_id in known]
            if gone:
                self._write(gone, (), ())
        return len(gone)

    def search(self, query: Query, limit: int = 10) -> list[Hit]:
        """The best studies for a query, in its order; [] when the query holds no word.

        Raises:
            BadInput: `limit` is not positive.
        """
        question = self._question(query, limit)
        return question.hits(limit) if question else []

    def answer(self, query: Query, limit: int = 10, *, counted: bool = False) -> Answer:
        """The same hits as `search`, with how many there are and, if `counted`, what each choice would leave.

        Raises:
            BadInput: as `search`.
        """
        question = self._question(query, limit)
        if question is None:
            return Answer([])
        hits, total = question.hits(limit), question.total
        return Answer(hits, total, question.known - total, question.counts() if counted else ())

    def titles(self) -> list[tuple[str, str, str]]:
        """(id, title, language) of every study that can be found."""
        shelf = self._current()
        return shelf.catalogue.titles() if shelf else []

    def popularity(self) -> dict[str, int]:
        """How many studies are about each concept."""
        shelf = self._current()
        return shelf.subjects.popularity() if shelf else {}

    def version(self) -> object:
        """Another one after every change of the index."""
        self._current()
        return self._seen

    def similar(self, study_id: str, limit: int = 4) -> list[Hit]:
        """Studies about the same things as a study, the likest first; [] for one that names nothing known.

        What few studies are about weighs more; the title decides between those that share as much.

        Raises:
            BadInput: `limit` is not positive.
        """
        if limit < 1:
            raise BadInput(f"The limit must be 1 or more, not {limit}.")
        shelf = self._current()
        number = shelf.catalogue.number_of(study_id) if shelf else None
        if shelf is None or number is None:
            return []
        alike = frozenset(shelf.subjects.answering(shelf.subjects.of(number)).numbers.tolist())
        (entry,) = shelf.catalogue.entries([number])
        (vector,) = self._encoder.encode_queries([entry.title])
        meaning = {n: score for n, (_, score) in shelf.nearest(vector, DEPTH, None).items() if n in alike}
        fused = fuse({"shared": shelf.subjects.shared([number], alike), "meaning": meaning}, SIMILAR)
        entries = [entry for entry in shelf.catalogue.entries(fused) if entry.id != study_id]
        best = sorted(entries, key=lambda entry: (-fused[entry.number], entry.id))[:limit]
        return [Hit(each.id, each.title, each.status, fused[each.number], ()) for each in best]

    def _question(self, query: Query, limit: int) -> "_Question | None":
        if limit < 1:
            raise BadInput(f"The limit must be 1 or more, not {limit}.")
        return self._asking(query)

    def legs(self, query: Query, wanted: int = DEPTH) -> dict[str, dict[str, float]]:
        """What each leg thinks of the `wanted` studies it finds best, by study id; for tuning."""
        question = self._asking(query)
        return question.named(question.legs(wanted)) if question else {}

    def _asking(self, query: Query) -> "_Question | None":
        shelf = self._current()
        if shelf is None or not re.search(r"[^\W_]", query.text[:LONGEST_QUERY]):
            return None
        return _Question(shelf, self._ontology, self._encoder, self._reranker, query)

    def _current(self) -> Shelf | None:
        try:
            state = generation.pointer(self._folder).stat()
        except FileNotFoundError:
            return None
        seen = (state.st_ino, state.st_mtime_ns)
        if seen != self._seen:
            self._shelf = self._newest()
            self._seen = seen
        return self._shelf

    def _newest(self) -> Shelf | None:
        folder = generation.newest(self._folder)
        if folder is None:
            return None
        generation.check_manifest(folder, self._encoder.fingerprint)
        return Shelf(folder)

    def _states(self) -> dict[str, State]:
        shelf = self._current()
        return dict(shelf.states) if shelf else {}

    def _replace(self, studies: Sequence[Study]) -> int:
        """Read studies with another text anew; where only the ontology changed, link them anew."""
        known = self._states()
        ontology = self._ontology.fingerprint
        states = {study.id: State(_digest(study), ontology) for study in studies}
        wanted = {study.id: study for study in studies}
        fresh = {i: s for i, s in wanted.items() if i not in known or known[i].digest != states[i].digest}
        stale = {i: s for i, s in wanted.items() if i not in fresh and known[i] != states[i]}
        if fresh or stale:
            self._write([each for each in fresh if each in known], fresh.values(), stale.values())
        return len(fresh) + len(stale)

    def _write(self, gone: Iterable[str], fresh: Iterable[Study], stale: Iterable[Study]) -> None:
        chunked = [(study, chunk_study(study)) for study in fresh]
        vectors = self._encoder.encode_passages([as_read(s, chunk) for s, own in chunked for chunk in own])
        shelf = self._current()
        ontology = self._ontology.fingerprint
        with generation.next_generation(self._folder, self._encoder.fingerprint) as building:
            draft = Draft(building, shelf.folder if shelf else None, self._encoder.dimension)
            for study_id in gone:
                draft.remove(study_id)
            for study in stale:
                draft.relink(study, ontology, self._about(study))
            row = 0
            for study, own in chunked:
                state = State(_digest(study), ontology)
                draft.add(study, state, own, vectors[row : row + len(own)], self._about(study))
                row += len(own)
            draft.save()

    def _about(self, study: Study) -> About:
        hrcs = code_study(study, self._ontology, self._linker).hrcs
        return About(concepts_of(study, self._ontology, self._linker), hrcs)

    @cached_property
    def _linker(self) -> Linker:
        return Linker(self._ontology)


class _Question:
    """One search: what every leg found, kept to say why."""

    def __init__(
        self,
        shelf: Shelf,
        ontology: Ontology,
        encoder: Encoder,
        reranker: Reranker | None,
        query: Query,
    ) -> None:
        text = query.text[:LONGEST_QUERY]
        self._shelf = shelf
        self._ontology = ontology
        self._reranker = reranker
        self._query = query
        self._text = text
        self._telling = telling(text)
        self._asked = asked(query.mentions)
        covered = coverage(text, (mention.matched for mention in self._asked.values()))
        self.weights = weights(covered, case=is_case(text))
        self._among = None if query.filters == Filters() else shelf.among(query.filters, query.place)
        self._passages: dict[int, int] = {}
        self._vector = encoder.encode_queries([text])[0]

    def legs(self, wanted: int) -> dict[str, Scores[int]]:
        """What each leg thinks of the `wanted` studies it finds best.

        The last two begin at what the first two together found best. Source: Rocchio, "Relevance feedback in
        information retrieval", 1971, with the best taken for relevant.
        """
        legs: dict[str, Scores[int]] = {
            "words": take(self._by_words, wanted, self._among),
            "concepts": self._by_concepts(wanted),
        }
        fused = fuse(legs, self.weights)
        best = nlargest(SHARING, fused, key=lambda number: (fused[number], -number))
        near, share = TOWARDS
        legs["meaning"] = self._by_meaning(self._shelf.towards(self._vector, best[:near], share), wanted)
        legs["shared"] = self._shelf.subjects.shared(
            best, {number for leg in legs.values() for number in leg}
        )
        return legs

    def named(self, legs: Mapping[str, Scores[int]]) -> dict[str, dict[str, float]]:
        """The same with ids for numbers."""
        entries = self._shelf.catalogue.entries({number for leg in legs.values() for number in leg})
        ids = {entry.number: entry.id for entry in entries}
        return {leg: {ids[number]: score for number, score in found.items()} for leg, found in legs.items()}

    def hits(self, limit: int) -> list[Hit]:
        fused = fuse(self.legs(max(DEPTH, limit)), self.weights)
        if self._query.sort != "best":
            fused = dict.fromkeys(self._named, 0.0) | fused
        elif self._reranker:
            fused |= self._reranked(fused, self._reranker)
        place_of = {number: self._place_of(number, score) for number, score in fused.items()}
        last = max(sorted(place_of.values())[:limit], default=())
        entries = self._shelf.catalogue.entries([n for n, place in place_of.items() if place <= last])
        best = sorted(entries, key=lambda entry: (place_of[entry.number], entry.id))[:limit]
        return [self._hit(entry, fused[entry.number]) for entry in best]

    def _reranked(self, fused: Scores[int], reranker: Reranker) -> dict[int, float]:
        """The best studies, with scores above all others, in the order of the reranker."""
        best = nlargest(RERANKED, fused, key=lambda number: (fused[number], -number))
        entries = self._shelf.catalogue.entries(best)
        scores = reranker.scores(self._text, [entry.words for entry in entries])
        judged = scaled({entry.number: score for entry, score in zip(entries, scores, strict=True)})
        top = max(fused.values(), default=0.0)
        return {number: 1 + top + score for number, score in judged.items()}

    @property
    def total(self) -> int:
        """How many studies name what was asked for and pass the filters."""
        return len(self._named)

    @property
    def known(self) -> int:
        """How many studies name what was asked for, whatever the filters."""
        return len(self._sure)

    def counts(self) -> tuple[Counts, ...]:
        """The facets of the studies that name what was asked for."""
        return self._shelf.counts(self._sure, self._query)

    def _place_of(self, number: int, score: float) -> tuple[float, ...]:
        """What the hits are sorted by, the smallest first. Other orders than best put what is sure first."""
        match self._query.sort:
            case "nearest":
                site = self._near.get(number)
                distance = (not site.recruits, site.km) if site else (True, math.inf)
                return (self._doubt(number), *distance, -score)
            case "open":
                return (self._doubt(number), self._shelf.columns.rank("status", number), -score)
            case _:
                return (-score,)

    def _doubt(self, number: int) -> int:
        """0 for a study of the very thing or a kind of it, 1 for one that names it, 2 for one like it."""
        return 0 if number in self._kinds else 1 if number in self._sure else 2

    def _tells(self, asked_for: str, found: str) -> bool:
        """Whether what a study is about says something of what was asked for: heart disease is too wide."""
        return self._is_kind_of(asked_for, found) or len(self._ontology.descendants(found)) < WIDE

    def _is_kind_of(self, asked_for: str, found: str) -> bool:
        return found == asked_for or asked_for in self._ontology.ancestors(found)

    def _about(self, wanted: Callable[[str, str], bool]) -> frozenset[int]:
        """Studies whose answer to a concept that was asked for is `wanted`: (asked for, found)."""
        found = (each.about(partial(wanted, mention.concept)) for mention, each, _ in self._answered)
        return frozenset().union(*found)

    @cached_property
    def _kinds(self) -> frozenset[int]:
        """Every study of the very thing or of a kind of it."""
        return self._about(self._is_kind_of)

    @cached_property
    def _near(self) -> Mapping[int, Nearest]:
        return self._shelf.nearest_sites(self._query.place) if self._query.place else {}

    @cached_property
    def _sure(self) -> frozenset[int]:
        """Every study that names a concept that was asked for, or the words for it, whatever the filters.

        Words beside the concepts count only where no concept was understood, and where they tell something.
        """
        language = self._query.language
        groups = [_WORD.findall(mention.matched) for mention in self._asked.values()]
        if not groups:
            loose = dict.fromkeys(word.lower() for word in _WORD.findall(self._text))
            groups = [[word] for word in loose if self._shelf.words.is_telling(word, language)]
        named = (self._shelf.words.naming(group, language) for group in groups)
        return self._about(self._tells).union(*named)

    @property
    def _named(self) -> frozenset[int]:
        return self._sure if self._among is None else self._sure & self._among.studies

    def _hit(self, entry: Entry, score: float) -> Hit:
        return Hit(
            entry.id,
            entry.title,
            entry.status,
            score,
            self._why(entry),
            entry.number in self._sure,
            self._shelf.unstated(entry.number, self._query) if self._among else (),
            self._near.get(entry.number),
        )

    def _by_words(self, depth: int) -> list[tuple[int, float]]:
        names = [self._names(concept) for concept in self._asked]
        understood = " ".join(mention.matched for mention in self._query.mentions)
        return self._shelf.words.search(self._telling, self._query.language, depth, names, understood)

    def _names(self, concept_id: str) -> list[Name]:
        concept = self._ontology.get(concept_id)
        return list(dict.fromkeys((Name(concept.nb, "nb"), Name(concept.nn, "nb"), Name(concept.en, "en"))))

    def _by_meaning(self, vector: Vectors, wanted: int) -> dict[int, float]:
        found = self._shelf.nearest(vector, wanted, self._among)
        self._passages = {number: chunk for number, (chunk, _) in found.items()}
        return {number: score for number, (_, score) in found.items()}

    def _by_concepts(self, wanted: int) -> dict[int, float]:
        if not self._answered:
            return {}
        numbers = np.concatenate([each.numbers for _, each, _ in self._answered])
        counts = np.concatenate([belief * each.worth for _, each, belief in self._answered])
        studies, rows = np.unique(numbers, return_inverse=True)
        scores = np.bincount(rows, counts)
        order = np.lexsort((studies, -scores))
        ranked = zip(studies[order].tolist(), scores[order].tolist(), strict=True)
        kept = (pair for pair in ranked if self._among is None or pair[0] in self._among.studies)
        return dict(islice(kept, wanted))

    @cached_property
    def _answered(self) -> list[tuple[Mention, Answering, float]]:
        """For each concept asked for, the studies that answer it, and how much that counts."""
        answered, studies = [], self._shelf.catalogue.count
        for mention in self._asked.values():
            worth = answers(self._ontology.get(mention.concept), self._ontology)
            found = self._shelf.subjects.answering(worth)
            belief = mention.score * rarity(len(found.numbers), studies)
            answered.append((mention, found, belief))
        return answered

    def _matches(self, number: int) -> list[Match]:
        """How a study answers each concept that was asked for; each counts once."""
        found = ((mention, each.of(number), belief) for mention, each, belief in self._answered)
        return [Match(mention, own[0], belief * own[1]) for mention, own, belief in found if own]

    def _why(self, entry: Entry) -> tuple[Reason, ...]:
        matches = self._matches(entry.number)
        language = self._query.language
        reasons = [Reason("concept", path(match, self._ontology, language)) for match in matches]
        words = matched_words(self._words, entry.words)
        if words:
            reasons.append(Reason("words", ", ".join(words)))
        if entry.number in self._passages:
            chunk = self._shelf.catalogue.chunk(self._passages[entry.number], entry.id)
            reasons.append(Reason("passage", chunk.text, chunk.field))
        return tuple(reasons)

    @cached_property
    def _words(self) -> frozenset[tuple[str, str]]:
        found = (stems(word, self._query.language) for word in _WORD.findall(self._telling))
        return frozenset(pair for each in found for pair in each.items())


def rarity(found: int, studies: int) -> float:
    """How much a concept tells that `found` of all `studies` are about: a rare illness tells most.

    It is the logarithm of inverse document frequency (Spärck Jones, 1972).
    """
    return log((studies + 1) / (found + 0.5))


def matched_words(asked_for: frozenset[tuple[str, str]], text: str) -> list[str]:
    """Words of `text`, as they stand there, that have one of these (stemmer, stem) pairs; each once."""
    if not asked_for:
        return []
    starts = "|".join(sorted({re.escape(stem[:4]) for _, stem in asked_for}))
    candidates = re.findall(rf"\b(?:{starts})\w*", text, re.IGNORECASE)
    spelled: dict[str, str] = {}
    for word in candidates:
        spelled.setdefault(word.casefold(), word)
    matching = [word for key, word in spelled.items() if asked_for & set(stems(key, "").items())]
    return matching[:MOST_WORDS]


def _digest(study: Study) -> str:
    return hashlib.sha256(repr(study).encode("utf-8", "surrogatepass")).hexdigest()
