"""Words in, the studies that use them out (tantivy, BM25), stemmed as Norwegian and as English."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tantivy import (
    Document,
    Filter,
    Index,
    IndexWriter,
    Occur,
    Query,
    Schema,
    SchemaBuilder,
    TextAnalyzer,
    TextAnalyzerBuilder,
    Tokenizer,
)

from nlp.embeddings.chunks import inclusion_spans
from ontology.errors import Unavailable
from registry.study import Study

COUNTED: Mapping[str, int] = {"title": 5, "conditions": 3, "keywords": 2, "body": 1}
"""How often a word counts that stands once in a part of a study. BM25 sees one text of them all.

A sum of what BM25 gives each part by itself was measured on sigir2016 and lost (nDCG@10 .128 against .175 on
case histories, .247 against .280 on keywords): a word that fills a title is no longer rare there.
Source: Robertson, Zaragoza, Taylor, "Simple BM25 extension to multiple weighted fields", CIKM 2004.
"""

HEADING = ("title", "conditions", "keywords")
"""The parts that are also counted by themselves, as `heading`; misspelt words are looked for in them."""

BOOSTS: Mapping[str, float] = {"text": 1.0, "heading": 0.3, "criteria": 0.3}
"""The indexed fields and how much a word in each counts; the criteria are those that let people in."""

STEMMERS = {"nb": "norwegian", "en": "english"}
"""The two ways a text is stemmed. Nynorsk, Swedish and Danish are stemmed as Norwegian."""

SYNONYM_BOOST = 0.8
GUESS_BOOST = 0.4
MOST_WORDS = 32
"""Longer questions are cut to their first MOST_WORDS words that say something."""

TELLING = 0.1
"""A word that a larger share of the studies uses says little of what somebody looks for."""

_NAMED_IN = ("text",)
_FEW = 3
_LONGEST_WORD = 60
_SHORTEST_GUESS = 4
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Name:
    """Another name of what was asked for, in the language (nb or en) it is stemmed in."""

    text: str
    language: str


def stem_language(language: str) -> str:
    """The language whose stemmer reads texts of `language`."""
    return "en" if language == "en" else "nb"


@cache
def analyzer(stemmer: str, stopwords: str | None) -> TextAnalyzer:
    """Splits a text into words in lower case, stems them in one language and drops the stop words of one."""
    builder = TextAnalyzerBuilder(Tokenizer.simple())
    builder = builder.filter(Filter.remove_long(_LONGEST_WORD)).filter(Filter.lowercase())
    if stopwords:
        builder = builder.filter(Filter.stopword(STEMMERS[stopwords]))
    return builder.filter(Filter.stemmer(STEMMERS[stemmer])).build()


def stems(word: str, language: str) -> dict[str, str]:
    """The stem of one word under each stemmer, {} for a stop word of `language` or for no word at all."""
    found = {stemmer: analyzer(stemmer, stem_language(language)).analyze(word) for stemmer in STEMMERS}
    return {stemmer: tokens[0] for stemmer, tokens in found.items() if tokens}


class SparseIndex:
    """Studies by number. A change is visible after `commit`; readers of other processes reopen the folder."""

    def __init__(self, index: Index) -> None:
        for language in STEMMERS:
            index.register_tokenizer(f"studievei_{language}", analyzer(language, None))
        index.config_reader(reload_policy="manual")
        self._index = index
        self._schema = index.schema
        self._searcher = index.searcher()
        self._writer: IndexWriter | None = None

    @classmethod
    def create(cls, folder: Path) -> "SparseIndex":
        """An empty index in an empty folder."""
        return cls(Index(_schema(), os.fspath(folder)))

    @classmethod
    def load(cls, folder: Path) -> "SparseIndex":
        """Open an index.

        Raises:
            Unavailable: the folder holds none, or a damaged one.
        """
        try:
            return cls(Index.open(os.fspath(folder)))
        except (ValueError, OSError) as error:
            raise Unavailable(f"{folder} cannot be read. Run `studievei index --rebuild`.") from error

    @property
    def count(self) -> int:
        """How many studies can be found."""
        return int(self._searcher.num_docs)

    def add(self, number: int, study: Study) -> None:
        """Index the words of a study under a new number."""
        language = stem_language(study.language)
        fields = {f"{field}_{language}": text for field, text in _fields(study).items()}
        self._writing().add_document(Document.from_dict({"number": number, **fields}, self._schema))

    def remove(self, number: int) -> None:
        """Forget the study with this number."""
        self._writing().delete_documents_by_query(Query.term_query(self._schema, "number", number))

    def commit(self) -> None:
        """Write what was added and removed, and wait until the files rest."""
        if self._writer is None:
            return
        self._writer.commit()
        self._writer.wait_merging_threads()
        self._writer = None
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(
        self,
        text: str,
        language: str,
        limit: int,
        synonyms: Sequence[Sequence[Name]] = (),
        understood: str = "",
    ) -> list[tuple[int, float]]:
        """The `limit` best (number, BM25 score) for the words of `text`, best first, ties by number.

        `synonyms` holds, for each concept that was asked for, its other names; the best of them counts.
        A word that no study uses is read as the start of one, or as one with a typing error, unless it stands
        in `understood`: the words whose concepts were found. Guessing costs more than all else.
        """
        queries = self._word_queries(text, language, set(_WORD.findall(understood.lower()))) + [
            q for names in synonyms if (q := self._names_query(names))
        ]
        if not queries:
            return []
        query = Query.boolean_query([(Occur.Should, each) for each in queries])
        hits = self._searcher.search(query, limit, count=False).hits
        numbers = self._searcher.fast_field_values("number", [address for _, address in hits])
        found = [(int(number or 0), float(score)) for number, (score, _) in zip(numbers, hits, strict=True)]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))

    def naming(self, words: Sequence[str], language: str) -> set[int]:
        """Numbers of the studies whose title, topics or texts hold every one of `words`, however inflected.

        Criteria are not looked at: they name what a study is not about too. Stop words are left out.
        """
        parts = [found for word in words if (found := stems(word, language))]
        if not parts:
            return set()
        musts = [
            Query.disjunction_max_query(
                [Query.term_query(self._schema, field, stem) for field, stem, _ in _placed(part, _NAMED_IN)]
            )
            for part in parts
        ]
        query = Query.boolean_query([(Occur.Must, each) for each in musts])
        hits = self._searcher.search(query, max(1, self.count), count=False).hits
        numbers = self._searcher.fast_field_values("number", [address for _, address in hits])
        return {int(number) for number in numbers if number is not None}

    def is_telling(self, word: str, language: str) -> bool:
        """Whether few enough studies use a word for it to say what somebody looks for."""
        found = _placed(stems(word, language), _NAMED_IN)
        most = max((self._searcher.doc_freq(field, stem) for field, stem, _ in found), default=0)
        return 0 < most <= max(_FEW, self.count * TELLING)

    def _word_queries(self, text: str, language: str, understood: set[str]) -> list[Query]:
        spelled = {word.lower(): stems(word, language) for word in _WORD.findall(text)}
        return [
            self._word_query(found, guessing=word not in understood)
            for word, found in spelled.items()
            if found
        ][:MOST_WORDS]

    def _word_query(self, stemmed: Mapping[str, str], *, guessing: bool) -> Query:
        known = [
            Query.boost_query(Query.term_query(self._schema, field, stem), boost)
            for field, stem, boost in _placed(stemmed)
            if self._searcher.doc_freq(field, stem)
        ]
        guesses = self._guesses(stemmed) if guessing and not known else []
        return Query.boolean_query([(Occur.Should, each) for each in known or guesses])

    def _guesses(self, stemmed: Mapping[str, str]) -> list[Query]:
        return [
            Query.boost_query(
                Query.fuzzy_term_query(self._schema, field, stem, distance=1, prefix=True),
                GUESS_BOOST,
            )
            for field, stem, _ in _placed(stemmed, ["heading"])
            if len(stem) >= _SHORTEST_GUESS
        ]

    def _names_query(self, names: Sequence[Name]) -> Query | None:
        queries = [query for name in names if (query := self._name_query(name))]
        return Query.boost_query(Query.disjunction_max_query(queries), SYNONYM_BOOST) if queries else None

    def _name_query(self, name: Name) -> Query | None:
        words = analyzer(name.language, name.language).analyze(name.text)
        parts = [self._word_query({name.language: word}, guessing=False) for word in words]
        return Query.boolean_query([(Occur.Must, part) for part in parts]) if parts else None

    def _writing(self) -> IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(heap_size=30_000_000, num_threads=1)
        return self._writer


def _schema() -> Schema:
    builder = SchemaBuilder().add_unsigned_field("number", indexed=True, fast=True)
    for field in BOOSTS:
        for language in STEMMERS:
            builder.add_text_field(
                f"{field}_{language}", tokenizer_name=f"studievei_{language}", index_option="freq"
            )
    return builder.build()


def _fields(study: Study) -> dict[str, str]:
    """The text of each field that is indexed."""
    parts = {
        "title": "\n".join((study.title, study.official_title, study.acronym)),
        "conditions": "\n".join(study.conditions),
        "keywords": "\n".join((*study.keywords, *(each.name for each in study.interventions))),
        "body": "\n".join((study.summary, study.description)),
    }
    return {
        "text": "\n".join(parts[part] for part, times in COUNTED.items() for _ in range(times)),
        "heading": "\n".join(parts[part] for part in HEADING),
        "criteria": "\n".join(study.criteria[start:end] for start, end in inclusion_spans(study.criteria)),
    }


def _placed(word: Mapping[str, str], fields: Iterable[str] = BOOSTS) -> list[tuple[str, str, float]]:
    return [(f"{each}_{language}", stem, BOOSTS[each]) for each in fields for language, stem in word.items()]
