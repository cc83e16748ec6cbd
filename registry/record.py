"""One JSON object of a foreign record, read field by field with the types that we expect."""

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar, cast

from ontology.errors import BadRecord
from registry.plain_text import clean, one_line, unescape_markdown

T = TypeVar("T")
_YES: Final = {"yes": True, "true": True, "no": False, "false": False}


class Record:
    """Reads fields by key. A field that is missing or null reads as empty; one of a wrong type raises
    BadRecord with its path, for example "protocolSection.designModule.phases is a number, not a list".
    """

    def __init__(self, value: object, path: str = "") -> None:
        self.path = path
        self._fields = cast("Mapping[str, object]", self._typed(value, dict, path or "the record"))

    def at(self, *keys: str) -> "Record":
        """The object under a chain of keys."""
        record = self
        for key in keys:
            value = record._fields.get(key)
            record = Record({} if value is None else value, record._path(key))
        return record

    def each(self, key: str) -> Iterator["Record"]:
        """The objects of a list."""
        for number, value in enumerate(self._list(key)):
            yield Record(value, f"{self._path(key)}[{number}]")

    def text(self, key: str) -> str:
        """A text with its lines kept, cleaned."""
        return clean(unescape_markdown(self._text(key)))

    def line(self, key: str) -> str:
        """A text on one line, cleaned."""
        return one_line(unescape_markdown(self._text(key)))

    def lines(self, key: str) -> tuple[str, ...]:
        """A list of texts, each on one line, cleaned, without the empty ones and without repeats."""
        texts = (
            one_line(unescape_markdown(self._typed(value, str, f"{self._path(key)}[{number}]")))
            for number, value in enumerate(self._list(key))
        )
        return tuple(dict.fromkeys(text for text in texts if text))

    def integer(self, key: str) -> int | None:
        """A whole number, also one written as a text."""
        value = self._fields.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, str) and len(value) < 10 and value.strip().isdecimal():
            return int(value)
        raise self.wrong(key, "is not a whole number")

    def number(self, key: str, limit: float) -> float | None:
        """A number from -limit to limit."""
        value = self._fields.get(key)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and -limit <= value <= limit:
            return float(value)
        raise self.wrong(key, f"is not a number from -{limit:g} to {limit:g}")

    def flag(self, key: str) -> bool | None:
        """True or false, also written as yes or no."""
        value = self._fields.get(key)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().casefold() in _YES:
            return _YES[value.strip().casefold()]
        raise self.wrong(key, "is neither true nor false")

    def wrong(self, key: str, problem: str) -> BadRecord:
        """The error to raise for a field that cannot be read."""
        return BadRecord(f"{self._path(key)} {problem}")

    def _text(self, key: str) -> str:
        value = self._fields.get(key)
        return "" if value is None else self._typed(value, str, self._path(key))

    def _list(self, key: str) -> list[object]:
        value = self._fields.get(key)
        return [] if value is None else self._typed(value, list, self._path(key))

    def _path(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    @staticmethod
    def _typed(value: object, kind: type[T], path: str) -> T:
        if isinstance(value, kind):
            return value
        raise BadRecord(f"{path} is {_NAMES.get(type(value), 'something else')}, not {_NAMES[kind]}")


_NAMES: Final[dict[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}
