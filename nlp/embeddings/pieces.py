"""Text -> the numbers of its pieces, as XLM-R cuts it, by sentencepiece.

The same vocabulary takes `tokenizers` 280 MB and twice the time, sentencepiece 50 MB.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sentencepiece import SentencePieceProcessor
from tokenizers import Regex, normalizers

from nlp.embeddings.bundle import Bundle

LONGEST = 512
"""Pieces with the two that open and close a text: so many places the model has."""

NORMALIZER = normalizers.Sequence(
    [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
)
"""What sentencepiece's nmt_nfkc does. The bundle's own table equals it on every character but U+FF5E."""

START, END, UNKNOWN = 0, 2, 3
_SPECIAL = frozenset({"<s>", "<pad>", "</s>", "<mask>"})


class Pieces:
    """The vocabulary that `save_pieces` wrote to a file.

    It is read (0.4 s) while the caller goes on; the first text waits for it.
    """

    def __init__(self, file: Path) -> None:
        reading = ThreadPoolExecutor(1)
        self._processor = reading.submit(SentencePieceProcessor, model_file=str(file))
        reading.shutdown(wait=False)

    def numbers(self, text: str) -> list[int]:
        """The numbers of the pieces of a text, at most as many as the model reads."""
        inside = self._processor.result().encode(NORMALIZER.normalize_str(text))
        return [START, *inside[: LONGEST - 2], END]


def save_pieces(bundle: Bundle, file: Path) -> None:
    """Write the pieces of the bundle and their scores as a model of sentencepiece.

    Raises:
        OSError: the file cannot be written.
    """
    from sentencepiece.sentencepiece_model_pb2 import ModelProto  # noqa: PLC0415 - needed once

    kinds = ModelProto.SentencePiece
    model = ModelProto()
    for number, (piece, score) in enumerate(bundle.pieces):
        kind = kinds.UNKNOWN if number == UNKNOWN else kinds.CONTROL if piece in _SPECIAL else kinds.NORMAL
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer_spec.model_type = model.trainer_spec.UNIGRAM
    model.trainer_spec.unk_id = UNKNOWN
    model.normalizer_spec.remove_extra_whitespaces = False
    file.write_bytes(model.SerializeToString())
