"""Study -> JSON document -> the same Study.

The shape is read from the dataclasses, so a new field of Study needs nothing here.
"""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from registry.study import Study

Convert = Callable[[Any], Any]


def write_document(study: Study) -> str:
    """The whole study as one line of JSON: keys sorted, ASCII only, so that any database keeps any text."""
    return json.dumps(_write(study), sort_keys=True, separators=(",", ":"))


def read_document(document: str) -> Study:
    """The study that `write_document` wrote; a field that the document lacks takes its default."""
    study: Study = _read(json.loads(document))
    return study


def fingerprint(document: str) -> str:
    """SHA-256 of a document in hexadecimal: the same study has the same, whoever wrote it."""
    return sha256(document.encode()).hexdigest()


def _writer(hint: Any) -> Convert:
    if get_origin(hint) is tuple and is_dataclass(get_args(hint)[0]):
        item = _writer(get_args(hint)[0])
        return lambda value: [item(each) for each in value]
    if not is_dataclass(hint):
        return _as_it_is
    parts = [(name, _writer(kind)) for name, kind in _hints(hint).items()]
    return lambda value: {name: write(getattr(value, name)) for name, write in parts}


def _reader(hint: Any) -> Convert:
    if is_dataclass(hint):
        return _dataclass_reader(hint)
    if get_origin(hint) is tuple:
        return _tuple_reader(get_args(hint)[0])
    if isinstance(hint, UnionType):
        item = _reader(next(kind for kind in get_args(hint) if kind is not NoneType))
        return _as_it_is if item is _as_it_is else lambda value: None if value is None else item(value)
    return hint if isinstance(hint, type) and issubclass(hint, Enum) else _as_it_is


def _dataclass_reader(kind: Any) -> Convert:
    parts = {name: _reader(hint) for name, hint in _hints(kind).items()}
    return lambda value: kind(**{name: parts[name](each) for name, each in value.items()})


def _tuple_reader(kind: Any) -> Convert:
    item = _reader(kind)
    return tuple if item is _as_it_is else lambda value: tuple(item(each) for each in value)


def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _as_it_is(value: Any) -> Any:
    return value


_write = _writer(Study)
_read = _reader(Study)
