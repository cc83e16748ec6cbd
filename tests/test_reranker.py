from pathlib import Path

import pytest

from nlp.embeddings.bundle import bundled_file, read_bundle
from nlp.embeddings.encoder import Encoder
from nlp.embeddings.hugging_face import build_tokenizer
from nlp.embeddings.reranker import Reranker
from nlp.embeddings.search import StudyIndex
from nlp.query import understand
from ontology.concept import load_ontology
from ontology.errors import Unavailable
from ontology.linker import Linker
from registry.study import Status, Study

TITLES = ("Insulin for diabetes", "Walking with diabetes", "Diabetes and sleep", "Children with diabetes")


@pytest.fixture
def cross_encoder(tmp_path: Path) -> Path:
    """A real cross-encoder that has learnt nothing: its order is as good as chance, but always the same."""
    import torch  # noqa: PLC0415 - optional, and takes seconds
    from transformers import (  # noqa: PLC0415
        BertConfig,
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
    )

    torch.manual_seed(3)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer(read_bundle(bundled_file())),
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=128,
    )
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        initializer_range=1.0,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(tmp_path / "cross")
    tokenizer.save_pretrained(tmp_path / "cross")
    return tmp_path / "cross"


@pytest.mark.train
def test_a_named_cross_encoder_has_the_last_word_on_the_order(
    cross_encoder: Path, tmp_path: Path, toy_encoder: Encoder
) -> None:
    reranker = Reranker(str(cross_encoder))
    studies = [Study(f"S{n}", "test", title, Status.OPEN) for n, title in enumerate(TITLES)]
    StudyIndex.open(tmp_path / "index", toy_encoder, load_ontology()).update(studies)
    index = StudyIndex.open(tmp_path / "index", toy_encoder, load_ontology(), reranker)
    query = understand("diabetes", Linker(load_ontology()))
    scores = reranker.scores("diabetes", [f"{title}\n" for title in TITLES])
    assert len(set(scores)) == len(TITLES)
    wanted = sorted(range(len(TITLES)), key=lambda number: -scores[number])
    assert [hit.study_id for hit in index.search(query)] == [f"S{number}" for number in wanted]
    assert [hit.study_id for hit in index.search(query, 2)] == [f"S{number}" for number in wanted[:2]]


@pytest.mark.train
def test_a_folder_without_a_cross_encoder_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="owner/model"):
        Reranker(str(tmp_path))
