import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlp.embeddings.adapter import Adapter, Change, read_adapter, write_adapter
from nlp.embeddings.bundle import Bundle, Quantized, bundled_file, read_bundle
from nlp.embeddings.encoder import Vectors
from nlp.embeddings.graph import save_graph
from nlp.embeddings.model import build_model
from nlp.embeddings.onnx_encoder import OnnxEncoder
from nlp.embeddings.pairs import Pair, batches, held_back, name_pairs
from nlp.embeddings.pieces import save_pieces
from ontology.concept import load_ontology
from ontology.errors import BadInput

TEXTS = ["sukkersyke", "heart failure in older people"]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return read_bundle(bundled_file())


def vectors(bundle: Bundle, folder: Path, changes: dict[str, Change]) -> Vectors:
    folder.mkdir()
    save_graph(bundle, folder / "model.onnx", changes)
    save_pieces(bundle, folder / "model.spm")
    return OnnxEncoder(folder / "model.onnx", folder / "model.spm", "test").encode_queries(TEXTS)


def test_a_change_is_added_to_the_weights_it_names(bundle: Bundle, tmp_path: Path) -> None:
    """Taking all of a matrix away, as a change of full rank, is the same as a matrix of zeros."""
    names = ("l11.k.w", "l11.fo.w")
    emptied = {
        name: Quantized(np.full_like(bundle.weights[name].nibbles, 8), bundle.weights[name].scales)
        for name in names
    }
    full = {name: bundle.weights[name].unpacked() for name in names}
    away = {name: Change(down=-full[name], up=np.eye(len(full[name]), dtype=np.float32)) for name in names}
    without = vectors(replace(bundle, weights={**bundle.weights, **emptied}), tmp_path / "emptied", {})
    np.testing.assert_allclose(vectors(bundle, tmp_path / "changed", away), without, atol=0.01)
    assert np.abs(vectors(bundle, tmp_path / "plain", {}) - without).max() > 0.02


def test_an_adapter_comes_back_as_it_was_written_and_changes_the_fingerprint(tmp_path: Path) -> None:
    change = Change(np.ones((8, 384), np.float32), np.zeros((384, 8), np.float32))
    write_adapter(Adapter({"l6.q.w": change}, {"seed": 1}), tmp_path / "a.safetensors")
    read = read_adapter(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(read.changes["l6.q.w"].down, change.down)
    assert read.card == {"seed": 1}
    built = build_model(tmp_path / "model", tmp_path / "a.safetensors")
    assert built.fingerprint != build_model(tmp_path / "model").fingerprint


def test_what_is_no_adapter_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"no")
    with pytest.raises(BadInput, match="studievei model train"):
        read_adapter(tmp_path / "a.safetensors")


def test_no_batch_holds_two_of_a_family_and_nothing_held_back() -> None:
    ontology = load_ontology()
    pairs = random.Random(1).sample(list(name_pairs(ontology, random.Random(1))), 600)
    lessons = list(batches(pairs, 32, ontology, random.Random(2)))
    assert len(lessons) > 5
    for lesson in lessons:
        topics = [topic for pair in lesson for topic in pair.topics]
        assert not any(held_back(topic) for topic in topics)
        assert len(topics) == len(set(topics)) == 32
        assert not any(set(ontology.ancestors(topic)) & set(topics) for topic in topics)


def test_the_same_seed_gives_the_same_lessons() -> None:
    ontology = load_ontology()
    pairs = [Pair(f"q{n}", f"p{n}", "") for n in range(20)]
    first, again = (list(batches(pairs, 5, ontology, random.Random(3))) for _ in range(2))
    assert first == again
    assert sorted(pair.question for lesson in first for pair in lesson) == sorted(p.question for p in pairs)
