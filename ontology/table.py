"""Tab-separated tables: one header line, rows sorted by their first column, no empty cell."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from ontology.errors import BadInput


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table and where it stands, for messages that name the place."""

    cells: Mapping[str, str]
    table: str
    line: int

    def texts(self, column: str) -> tuple[str, ...]:
        """The entries of a ` | ` list; () for a missing column or a dash."""
        cell = self.cells.get(column, "-")
        return () if cell == "-" else tuple(cell.split(" | "))

    def words(self, *columns: str) -> tuple[str, ...]:
        """The entries of space-separated lists; () for missing columns or dashes."""
        cells = (self.cells.get(column, "-") for column in columns)
        return tuple(word for cell in cells if cell != "-" for word in cell.split())

    def wrong(self, what: str, remedy: str) -> BadInput:
        """An error that names this line."""
        return BadInput(f"{self.table}, line {self.line}: {what}. {remedy}.")


def read_table(source: Traversable | Path, columns: str) -> Iterator[Row]:
    """The rows of a table whose header is `columns` (names separated by spaces).

    Raises:
        BadInput: another header, a row of another width, an empty cell, or rows out of order.
    """
    names = columns.split()
    lines = source.read_text("utf-8").split("\n")
    if lines[0].split("\t") != names:
        raise BadInput(f"{source.name}, line 1: write the header {columns!r}, separated by tabs.")
    if not lines[-1]:
        del lines[-1]
    before = ""
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        row = Row(dict(zip(names, cells, strict=False)), source.name, number)
        if len(cells) != len(names):
            raise row.wrong(f"{len(cells)} cells instead of {len(names)}", "Separate cells by one tab")
        if any(not cell or cell != cell.strip() for cell in cells):
            raise row.wrong("a cell is empty or has spaces around it", "Write - where nothing is known")
        if cells[0] < before:
            raise row.wrong(f"{cells[0]!r} stands after {before!r}", "Sort the rows by their first column")
        before = cells[0]
        yield row


def read_roles(source: Traversable | Path) -> Mapping[str, frozenset[str]]:
    """A word list with the columns words and role, turned into role -> words.

    Raises:
        BadInput: as `read_table`.
    """
    roles: defaultdict[str, set[str]] = defaultdict(set)
    for row in read_table(source, "words role"):
        roles[row.cells["role"]].add(row.cells["words"])
    return {role: frozenset(entries) for role, entries in roles.items()}
