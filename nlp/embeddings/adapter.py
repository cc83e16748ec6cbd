"""What training added to the bundled weights (LoRA): a small safetensors file in, low-rank changes out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ontology.errors import BadInput

Matrix = NDArray[np.float32]

_DOWN, _UP = ".down", ".up"


@dataclass(frozen=True, slots=True)
class Change:
    """Weights W (rows, columns) become W + up @ down; `down` is (rank, columns), `up` (rows, rank)."""

    down: Matrix
    up: Matrix


@dataclass(frozen=True, slots=True)
class Adapter:
    """Changes by the name that the bundle gives a weight ("l0.q.w"), and the card of their training."""

    changes: Mapping[str, Change]
    card: Mapping[str, Any]


def shipped_adapter() -> Path | None:
    """The adapter that comes with Studievei, None when it has none."""
    path = Path(str(files("nlp.embeddings") / "adapter.safetensors"))
    return path if path.is_file() else None


def read_adapter(path: Path) -> Adapter:
    """Everything in the file.

    Raises:
        BadInput: it is no adapter.
    """
    try:
        with safe_open(path, "numpy") as file:
            tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
            card = json.loads((file.metadata() or {}).get("card", "{}"))
        names = [name.removesuffix(_DOWN) for name in tensors if name.endswith(_DOWN)]
        changes = {name: Change(tensors[name + _DOWN], tensors[name + _UP]) for name in names}
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise BadInput(f"{path} is no adapter ({error}). `studievei model train` makes one.") from error
    return Adapter(changes, card)


def write_adapter(adapter: Adapter, path: Path) -> None:
    """Write the changes in half precision.

    Raises:
        BadInput: the file cannot be written.
    """
    tensors = {
        name + part: np.ascontiguousarray(matrix, dtype=np.float16)
        for name, change in adapter.changes.items()
        for part, matrix in ((_DOWN, change.down), (_UP, change.up))
    }
    try:
        save_file(tensors, path, {"card": json.dumps(dict(adapter.card), ensure_ascii=False)})
    except (OSError, SafetensorError) as error:
        raise BadInput(f"{path} cannot be written ({error}). Name another file.") from error
