"""The search as a langchain retriever, to stand in anybody's own chain. Needs the extra `langchain`."""

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from api.library import Library
from nlp.embeddings.search import Hit
from nlp.query import NOTHING_CHOSEN, Chosen
from registry.study import Study


class StudyRetriever(BaseRetriever):
    """Everyday words in, studies out: the same hits in the same order as everywhere else.

    A document is the study's title and summary; its metadata say what it is and why it was found.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    library: Library
    chosen: Chosen = NOTHING_CHOSEN
    limit: int = 10

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        found = self.library.find(query, self.chosen, self.limit)
        return [_document(hit, study) for hit, study in self.library.studies(found.hits)]


def _document(hit: Hit, study: Study) -> Document:
    return Document(
        id=study.id,
        page_content=f"{study.title}\n\n{study.summary}".strip(),
        metadata={
            "id": study.id,
            "title": study.title,
            "status": str(study.status),
            "url": study.url,
            "score": hit.score,
            "why": [reason.text for reason in hit.why],
        },
    )
