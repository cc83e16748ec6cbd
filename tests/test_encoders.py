import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlp.embeddings.bundle import bundled_file, read_bundle
from nlp.embeddings.encoder import Encoder
from nlp.embeddings.http_encoder import BATCH, HttpEncoder
from nlp.embeddings.hugging_face import write_hugging_face_folder
from nlp.embeddings.model import load_encoder
from nlp.embeddings.torch_encoder import SentenceTransformerEncoder
from ontology.errors import Unavailable

Answer = Callable[[dict[str, Any]], tuple[int, str]]


@contextmanager
def service(answer: Answer) -> Iterator[str]:
    """A real embeddings server on this machine; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, text = answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/embeddings"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def lengths(request: dict[str, Any]) -> tuple[int, str]:
    """Vector = (length of the text, 1), rows in reverse order as the protocol allows."""
    rows = [{"index": i, "embedding": [len(text), 1.0]} for i, text in enumerate(request["input"])]
    return 200, json.dumps({"data": rows[::-1], "model": request["model"]})


def test_a_service_gives_unit_vectors_in_the_order_of_the_texts(tmp_path: Path) -> None:
    with service(lengths) as address:
        encoder = load_encoder(address, tmp_path)
        texts = ["x" * number for number in range(BATCH + 5)]
        vectors = encoder.encode_queries(texts)
        assert encoder.encode_queries([]).shape == (0, 2)
    assert encoder.dimension == 2
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(
        vectors[:, 0] / vectors[:, 1], [len("query: ") + n for n in range(len(texts))], rtol=1e-5
    )


def test_two_models_of_a_service_have_two_fingerprints(tmp_path: Path) -> None:
    with service(lengths) as address:
        assert HttpEncoder(f"{address}#large").fingerprint != HttpEncoder(f"{address}#small").fingerprint


@pytest.mark.parametrize(
    "answer",
    [
        (500, "broken"),
        (401, "{}"),
        (200, "not json"),
        (200, "[]"),
        (200, '{"data": []}'),
        (200, '{"data": [{"index": 0, "embedding": ["a"]}]}'),
        (200, '{"data": [{"index": 0, "embedding": [NaN, 1.0]}]}'),
        (200, '{"data": [{"embedding": [1.0]}]}'),
    ],
)
def test_a_service_that_answers_wrongly_is_unavailable(answer: tuple[int, str]) -> None:
    with service(lambda _: answer) as address, pytest.raises(Unavailable, match="STUDIEVEI_ENCODER"):
        HttpEncoder(address)


def test_a_service_that_is_down_is_unavailable(tmp_path: Path) -> None:
    with service(lengths) as address:
        encoder = load_encoder(address, tmp_path)
    with pytest.raises(Unavailable, match=r"127.0.0.1"):
        encoder.encode_queries(["hei"])


def test_without_the_extra_a_hub_name_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(Unavailable, match=r"pip install studievei\[train\]"):
        load_encoder("intfloat/multilingual-e5-small", tmp_path)


@pytest.mark.train
def test_sentence_transformers_with_the_same_weights_gives_the_same_vectors(
    plain_encoder: Encoder, tmp_path: Path
) -> None:
    write_hugging_face_folder(read_bundle(bundled_file()), tmp_path / "e5")
    theirs = load_encoder(str(tmp_path / "e5"), tmp_path)
    assert isinstance(theirs, SentenceTransformerEncoder)
    assert theirs.dimension == plain_encoder.dimension
    assert theirs.fingerprint == SentenceTransformerEncoder(str(tmp_path / "e5")).fingerprint
    texts = ["sukkersyke", "Type 2 diabetes in adults", "å leve med kreft 👍", "", "hjerte " * 50]
    for ours, other in (
        (plain_encoder.encode_queries(texts), theirs.encode_queries(texts)),
        (plain_encoder.encode_passages(texts), theirs.encode_passages(texts)),
    ):
        assert (ours * other).sum(axis=1).min() > 0.997
    assert theirs.encode_queries([]).shape[0] == 0


@pytest.mark.train
def test_a_folder_without_a_model_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="owner/model"):
        load_encoder(str(tmp_path), tmp_path)
