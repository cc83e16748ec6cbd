"""Everything Studievei knows, opened once.

Pages, API, chat and commands all ask here, so that the same words give the same hits everywhere.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cached_property, lru_cache
from threading import Lock

from api.settings import Settings
from nlp.completion import Completer, Completion, Forms, Title, forms_of, titles_of
from nlp.eligibility.criteria import Criterion, read_criteria
from nlp.eligibility.variables import Answers
from nlp.eligibility.verdict import Verdict, judge
from nlp.embeddings.encoder import Encoder
from nlp.embeddings.facets import Counts
from nlp.embeddings.model import load_encoder
from nlp.embeddings.reranker import Reranker
from nlp.embeddings.search import Hit, StudyIndex
from nlp.language import words
from nlp.query import LONGEST, NOTHING_CHOSEN, Chosen, Query, understand
from ontology.concept import Ontology, load_ontology
from ontology.errors import BadInput, Unavailable
from ontology.found import How
from ontology.linker import Linker, Mention
from recruitment.vault import Vault, parse_keys
from registry.store import Store
from registry.study import Study

MATCHES = 200
"""Studies that one followed search can tell of."""
CRITERIA_KEPT = 512
"""Studies whose criteria are remembered once they have been read."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked, as it was understood, and what was found."""

    query: Query
    hits: list[Hit]
    total: int
    """How many studies name what was asked for and pass the filters; those only alike do not count."""
    kept_out: int
    """How many that name it the filters keep out."""
    counts: tuple[Counts, ...]


class Library:
    """The studies and what can be asked about them. Safe to share between threads."""

    def __init__(
        self, store: Store, ontology: Ontology, linker: Linker, index: StudyIndex, vault: Vault
    ) -> None:
        self.store = store
        self.ontology = ontology
        self.linker = linker
        self.index = index
        self.vault = vault
        self._completing = Lock()
        self._titles: tuple[object, Forms] | None = None
        self._criteria = lru_cache(CRITERIA_KEPT)(lambda study: read_criteria(study, linker, ontology))

    def find(
        self, text: str, chosen: Chosen = NOTHING_CHOSEN, limit: int = 10, *, counted: bool = False
    ) -> Found:
        """The studies that fit the first 2,000 characters of a text and what was chosen beside it.

        `counted`: with how many studies each further choice would leave.

        Raises:
            BadInput: the text holds no word, or what was chosen or the limit cannot be used.
        """
        query = understand(text, self.linker, chosen)
        answer = self.index.answer(query, limit, counted=counted)
        return Found(query, answer.hits, answer.total, answer.kept_out, answer.counts)

    def is_indexed(self) -> bool:
        """Whether the index holds as many studies as the store."""
        return self.index.count == self.store.count()

    def matching(self, text: str) -> frozenset[str] | None:
        """The ids of the studies that a text names, by words or concept, not by likeness alone.

        None while the index does not hold all studies: then it cannot be said.
        """
        if not self.is_indexed():
            return None
        try:
            hits = self.find(text, limit=MATCHES).hits
        except BadInput:
            return frozenset()
        return frozenset(hit.study_id for hit in hits if hit.sure)

    def complete(self, text: str, language: str, limit: int = 8) -> list[Completion]:
        """What a question that begins with `text` may become, for a reader of `language`."""
        return self._completer().complete(text[:LONGEST], language, limit)

    def meant(self, query: Query) -> str:
        """The question as it may have been meant, where words were guessed at or are unknown; "" else.

        A misspelt word becomes the nearest form of its concept, an unknown one the nearest known word.
        """
        text = query.text
        for mention in sorted(query.mentions, key=lambda each: -each.start):
            if mention.how == How.MISSPELT:
                text = f"{text[: mention.start]}{self._spelt(mention)}{text[mention.end :]}"
        if not query.mentions:
            text = _respelt(text, self._completer().meant)
        return "" if text.casefold() == query.text.casefold() else text

    def _spelt(self, mention: Mention) -> str:
        """The form of a concept that is nearest to what was written."""
        forms = [form.text for form in self.ontology.get(mention.concept).forms]
        near = get_close_matches(mention.matched.casefold(), forms, 1, 0)
        return near[0] if near else mention.matched

    def _completer(self) -> Completer:
        """The words for concepts are read once, the titles anew when the index has changed."""
        version = self.index.version()
        with self._completing:
            if self._titles is None or self._titles[0] != version:
                self._titles = version, titles_of(Title(*each) for each in self.index.titles())
            return Completer(self._forms, self._titles[1])

    @cached_property
    def _forms(self) -> Forms:
        return forms_of(self.ontology, self.index.popularity())

    def similar(self, study_id: str, limit: int = 4) -> list[Hit]:
        """Studies about the same things as this one, the likest first."""
        return self.index.similar(study_id, limit)

    def study(self, study_id: str) -> Study:
        """The study of this id.

        Raises:
            BadInput: no such study.
        """
        return self.store.get(study_id)

    def studies(self, hits: list[Hit]) -> list[tuple[Hit, Study]]:
        """Each hit with its study; one that has left the store since the index was written is left out."""
        stored = self.store.get_many(hit.study_id for hit in hits)
        return [(hit, stored[hit.study_id]) for hit in hits if hit.study_id in stored]

    def criteria_of(self, study: Study) -> tuple[Criterion, ...]:
        """What the study requires of a person, read from its record."""
        return self._criteria(study)

    def screen(self, study: Study, answers: Answers, today: date) -> Verdict:
        """What the answers say about this person and this study, as of `today`."""
        return judge(study.id, self.criteria_of(study), answers, self.ontology, today=today)


def _respelt(text: str, meant: Callable[[str], str]) -> str:
    """`text` with every word replaced that was meant as another."""
    for word in reversed(words(text)):
        if better := meant(word.text):
            text = f"{text[: word.start]}{better}{text[word.end :]}"
    return text


@contextmanager
def open_library(settings: Settings, encoder: Encoder | None = None) -> Iterator[Library]:
    """Opens store, model, index and key in the data folder, and lets go of them at the end.

    `encoder` replaces the one that the settings name.

    Raises:
        Unavailable: the data folder or the database cannot be used.
        Mismatch: the index belongs to another encoder, or the database to a newer version.
        BadInput: a setting cannot be used.
    """
    with open_store(settings) as store:
        ontology = open_ontology(settings)
        index = open_index(settings, encoder)
        yield Library(store, ontology, Linker(ontology), index, open_vault(settings))


def open_store(settings: Settings) -> Store:
    """The database of the settings, its tables up to date.

    Raises:
        Unavailable, Mismatch, BadInput: as `open_library`.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The data folder {settings.data_dir} cannot be made ({error.strerror}). "
            "Set STUDIEVEI_DATA_DIR to a folder that you can write to."
        ) from error
    return Store.open(settings.database)


def open_vault(settings: Settings) -> Vault:
    """The vault, with its keys from the settings, else from their file in the data folder.

    Raises:
        Unavailable, BadInput: as `open_library`.
    """
    text = settings.vault_key.get_secret_value()
    return Vault(*parse_keys(text)) if text else Vault.kept_in(settings.key_file)


def open_index(settings: Settings, encoder: Encoder | None = None, *, rebuild: bool = False) -> StudyIndex:
    """The search index of the settings; `rebuild` starts from an empty one, whatever is there now.

    Raises:
        Unavailable, Mismatch, BadInput: as `open_library`.
    """
    model = encoder or load_encoder(settings.encoder, settings.data_dir)
    ontology = open_ontology(settings)
    if rebuild:
        return StudyIndex.rebuild(settings.index_dir, model, ontology)
    reranker = Reranker(settings.reranker) if settings.reranker else None
    return StudyIndex.open(settings.index_dir, model, ontology, reranker)


def open_ontology(settings: Settings) -> Ontology:
    """The concepts, with those of the hospital's own tables when its data folder has some.

    Raises:
        BadInput: one of the hospital's tables breaks the format.
    """
    own = settings.ontology_dir
    return load_ontology(own if own.is_dir() else None)
