"""The systems that are measured: a collection in, a search over it out."""

from collections.abc import Sequence

from api.settings import Settings
from api.show import progress
from eval.collection import Collection
from eval.retrieval import Search
from nlp.embeddings.model import load_encoder
from nlp.embeddings.search import StudyIndex
from nlp.query import understand
from ontology.concept import load_ontology
from ontology.linker import Linker


def studievei(collection: Collection, settings: Settings) -> Search:
    """The whole search, as people meet it. Its index is kept in the data folder for the next run."""
    ontology = load_ontology()
    linker = Linker(ontology)
    encoder = load_encoder(settings.encoder, settings.data_dir)
    folder = (
        settings.data_dir / "eval" / f"{collection.name}-{collection.fingerprint}-{encoder.fingerprint[:16]}"
    )
    index = StudyIndex.open(folder, encoder, ontology)
    with progress(f"Indexing {collection.name}", len(collection.documents)) as done:
        index.update(collection.documents, done)

    def search(words: str, limit: int) -> Sequence[tuple[str, float]]:
        return [(hit.study_id, hit.score) for hit in index.search(understand(words, linker), limit)]

    return search
