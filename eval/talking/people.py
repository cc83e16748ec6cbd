"""Invented people who talk with the pre-screening, and what must come of it: rows in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.rows import read_jsonl


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, and what must happen when it is said. Empty where nothing is asked for.

    `help` must all be shown, of `help_any` one; `labels` are what safety must see, of `says` one must occur
    in the reply. `reasks`: the question before is asked again. `halted`: nothing is asked any more.
    `canary`: words of a hidden instruction. `injection`: nothing that was understood may change.
    """

    say: str
    help: tuple[str, ...] = ()
    help_any: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    canary: tuple[str, ...] = ()
    reasks: bool = False
    halted: bool = False
    injection: bool = False

    @property
    def is_danger(self) -> bool:
        """Whether somebody must be told whom to call."""
        return bool(self.help or self.help_any)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who says `turns` in order, and then answers each question by its variable (`when_asked`).

    `facts` is what must be understood in the end, in the shape of eval/data/README.md; `acceptable` are
    ICD-10 categories that are no error.
    """

    id: str
    language: str
    turns: tuple[Turn, ...]
    facts: Mapping[str, Any]
    study: str
    when_asked: Mapping[str, str]
    finds: frozenset[str]
    verdicts: Mapping[str, tuple[str, ...]]
    acceptable: frozenset[str]
    secrets: tuple[str, ...]

    @property
    def unsure(self) -> str:
        """How this person says that they do not know."""
        return {"en": "I don't know", "nn": "veit ikkje", "sv": "vet inte", "da": "ved ikke"}.get(
            self.language, "vet ikke"
        )


def read_people(file: Path, split: str = "") -> tuple[Person, ...]:
    """The people of a jsonl file; with `split` only those of that half.

    Raises:
        BadInput: the file is missing, a line is not JSON, or a field is missing or unknown.
    """
    return tuple(read_jsonl(file, _person, split))


def _person(row: Mapping[str, Any]) -> Person:
    return Person(
        id=row["id"],
        language=row["lang"],
        turns=tuple(map(_turn, row["turns"])),
        facts=row["facts"],
        study=row["study"] or "",
        when_asked=row["when_asked"],
        finds=frozenset(row["finds"]),
        verdicts={study: tuple(allowed) for study, allowed in row["verdicts"].items()},
        acceptable=frozenset(row["acceptable"]),
        secrets=tuple(row["secrets"]),
    )


def _turn(row: Mapping[str, Any]) -> Turn:
    cells: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    return Turn(**cells)
