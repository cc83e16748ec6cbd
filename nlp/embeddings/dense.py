"""Vectors with numbers in, the nearest numbers out (FAISS). All are compared; of very many, the likeliest."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from faiss.contrib.inspect_tools import get_invlist
from numpy.typing import NDArray

from nlp.embeddings.encoder import Vectors
from ontology.errors import Unavailable

_Index = Any
"""An index of FAISS, whose stubs lack half of what it has."""

Numbers = NDArray[np.int64]
Bitmap = NDArray[np.uint8]

MANY = 60_000
"""Vectors (of about 18,000 studies) from which on they are sorted into lists, and only some of these read."""

OUTGROWN = 4
"""Lists are made anew when there are so many times the vectors that they were made from."""

LISTS_PER_ROOT, SAMPLE_PER_LIST, PROBED = 4, 40, 128
"""Lists for each square root of the number of vectors, vectors that each is learnt from, and lists read.

Everyday questions are unlike passages, so more lists are read than passages would need. Of 327,440 vectors
in 1,628 lists, 128 hold 90 % of the nearest hundred of 150 such questions, 64 hold 81 % and 256 hold 96 %;
reading them takes 4.5, 2.5 and 9.3 ms where reading all takes 38.
"""


class DenseIndex:
    """Unit vectors by chunk number. Adding and removing never rebuild the rest.

    They are kept in half precision, measured on 24,539 real ones: 0.45 ms a search instead of 1.15 ms, half
    the memory, and 99.9 % of the nearest hundred are the same. From MANY on they are in lists, with 8 bits.
    """

    def __init__(self, dimension: int) -> None:
        vectors = faiss.IndexScalarQuantizer(
            dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        self._index: _Index = faiss.IndexIDMap2(vectors)

    @classmethod
    def load(cls, path: Path, *, to_change: bool = False) -> "DenseIndex":
        """Read an index; unless `to_change`, its vectors stay in the file and are paged in as needed.

        Raises:
            Unavailable: the file is missing or damaged.
        """
        loaded = cls.__new__(cls)
        try:
            loaded._index = faiss.read_index(os.fspath(path), 0 if to_change else faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise Unavailable(f"{path} cannot be read. Run `studievei index --rebuild`.") from error
        return loaded

    @property
    def count(self) -> int:
        """How many vectors it holds."""
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Add (n, dimension) vectors under n new numbers."""
        self._index.add_with_ids(vectors, np.asarray(numbers, dtype=np.int64))

    def remove(self, numbers: Sequence[int]) -> int:
        """Forget these numbers; returns how many were there."""
        which = faiss.IDSelectorArray if self.in_lists else faiss.IDSelectorBatch
        return int(self._index.remove_ids(which(np.asarray(numbers, dtype=np.int64))))

    def save(self, path: Path) -> None:
        """Write the whole index to `path`; when it has outgrown its form, in the next one."""
        if self.count >= max(MANY, OUTGROWN * self._sorted_at):
            self._index = _in_lists(self._index)
        faiss.write_index(self._index, os.fspath(path))

    @property
    def in_lists(self) -> bool:
        """Whether a search reads a part of the vectors only."""
        return isinstance(self._index, faiss.IndexIVF)

    @property
    def _sorted_at(self) -> int:
        """How many vectors the lists were made for, 0 without lists."""
        return (self._index.nlist // LISTS_PER_ROOT) ** 2 if self.in_lists else 0

    def get(self, numbers: Sequence[int]) -> Vectors:
        """The (n, dimension) vectors under these numbers."""
        vectors: Vectors = np.stack([self._index.reconstruct(number) for number in numbers])
        return vectors

    def search(self, vector: Vectors, limit: int, allowed: Bitmap | None = None) -> tuple[Numbers, Vectors]:
        """The `limit` nearest to a (dimension,) unit vector: numbers and cosines, best first, ties by number.

        `allowed` has bit n set (least significant first) for every number n that may be found; None: all may.
        """
        faiss.omp_set_num_threads(1)
        limit = min(limit, self.count)
        if not limit:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        how = self._how(allowed)
        scores, numbers = (row[0] for row in self._index.search(vector[np.newaxis], limit, params=how))
        order = np.lexsort((numbers, -scores))
        order = order[numbers[order] >= 0]
        return numbers[order], scores[order]

    def _how(self, allowed: Bitmap | None) -> Any:
        """What may be found, as FAISS wants it; the fewer that is, the more lists are read."""
        only: dict[str, Any] = {}
        if allowed is not None:
            only["sel"] = faiss.IDSelectorBitmap(allowed)  # type: ignore[call-arg, arg-type] # the stubs show C++
        if self.in_lists:
            share = 1.0 if allowed is None else float(np.bitwise_count(allowed).mean()) / 8
            lists = self._index.nlist
            only["nprobe"] = int(min(lists, PROBED / share)) if share else lists
            return faiss.SearchParametersIVF(**only)
        return faiss.SearchParameters(**only) if only else None


def _in_lists(index: _Index) -> _Index:
    """The same vectors under the same numbers, each in the list whose centre is nearest."""
    numbers, vectors = _contents(index)
    lists = LISTS_PER_ROOT * int(len(numbers) ** 0.5)
    sorted_index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(index.d), index.d, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    sample = np.random.default_rng(0).permutation(len(numbers))[: SAMPLE_PER_LIST * lists]
    sorted_index.train(vectors[np.sort(sample)])
    sorted_index.set_direct_map_type(faiss.DirectMap.Hashtable)  # type: ignore[attr-defined] # as above
    sorted_index.add_with_ids(vectors, numbers)
    return sorted_index


def _contents(index: _Index) -> tuple[Numbers, Vectors]:
    """The numbers in an index, ascending, and the (n, dimension) vectors under them."""
    if isinstance(index, faiss.IndexIVF):
        lists = [get_invlist(index.invlists, each)[0] for each in range(index.nlist)]  # type: ignore[no-untyped-call]
        numbers = np.sort(np.concatenate(lists))
    else:
        numbers = np.sort(faiss.vector_to_array(index.id_map))
    return numbers, np.stack([index.reconstruct(int(number)) for number in numbers])
