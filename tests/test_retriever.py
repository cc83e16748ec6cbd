from pathlib import Path

import pytest

from api.library import open_library, open_store
from api.settings import Settings
from nlp.embeddings.encoder import Encoder
from registry.form import sample_studies
from registry.study import Study

pytest.importorskip("langchain_core", reason="the extra `langchain` is not installed")


def test_a_chain_gets_the_same_studies_as_everybody(tmp_path: Path, toy_encoder: Encoder) -> None:
    from api.retriever import StudyRetriever  # noqa: PLC0415 - needs the extra

    settings = Settings(data_dir=tmp_path)
    studies = [each for each in sample_studies() if isinstance(each, Study)]
    with open_store(settings) as store:
        store.put_many(studies)
    with open_library(settings, toy_encoder) as library:
        library.index.update(studies)
        documents = StudyRetriever(library=library, limit=5).invoke("sukkersyke")
        hits = library.find("sukkersyke", limit=5).hits
    assert [document.id for document in documents] == [hit.study_id for hit in hits]
    assert documents[0].page_content.startswith(hits[0].title)
    assert documents[0].metadata["why"] == [reason.text for reason in hits[0].why]
