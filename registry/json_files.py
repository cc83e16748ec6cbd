"""Files of JSON records -> the records, each with where it stood."""

import gzip
import json
import zlib
from collections.abc import Iterator
from io import BufferedReader
from itertools import count
from pathlib import Path

from ontology.errors import BadInput, BadRecord

BinaryFile = gzip.GzipFile | BufferedReader
GZIP = b"\x1f\x8b"


def read_records(path: Path) -> Iterator[tuple[str, object]]:
    """(where, record) of a .json file (one record, a list, or {"studies": [...]}) or of a file with one
    record a line; both may be gzipped. What is not JSON comes as a BadRecord in the record's place.

    Raises:
        BadInput: the file cannot be opened.
    """
    try:
        with path.open("rb") as start:
            packed = start.read(2) == GZIP
    except OSError as error:
        raise BadInput(f"{path} cannot be opened ({error.strerror}). Check the name.") from error
    whole = path.name.removesuffix(".gz").endswith(".json")
    with gzip.open(path) if packed else path.open("rb") as file:
        yield from _whole(file, path.name) if whole else _lines(file, path.name)


def parse(text: bytes) -> object:
    """The value of a JSON text, or the BadRecord that says why it is none."""
    try:
        return json.loads(text)
    except RecursionError:
        return BadRecord("not JSON that can be read: nested too deeply")
    except ValueError as error:
        return BadRecord(f"not JSON ({error})")


def records_of(document: object) -> list[object]:
    """The records of one JSON value: of a list, of {"studies": [...]}, or the value itself."""
    if isinstance(document, dict) and isinstance(document.get("studies"), list):
        document = document["studies"]
    return document if isinstance(document, list) else [document]


def _whole(file: BinaryFile, name: str) -> Iterator[tuple[str, object]]:
    try:
        document = parse(file.read())
    except (OSError, EOFError, zlib.error) as error:
        document = BadRecord(f"the file is damaged ({error}); fetch it again")
    for number, record in enumerate(records_of(document), start=1):
        yield f"{name} record {number}", record


def _lines(file: BinaryFile, name: str) -> Iterator[tuple[str, object]]:
    for number in count(1):
        try:
            line = file.readline()
        except (OSError, EOFError, zlib.error) as error:
            damage = f"the file is damaged from here on ({error}); fetch it again"
            yield f"{name} line {number}", BadRecord(damage)
            return
        if not line:
            return
        if line.strip():
            yield f"{name} line {number}", parse(line)
