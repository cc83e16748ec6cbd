"""Rows of a jsonl file, for every evaluation that reads one."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ontology.errors import BadInput

Value = TypeVar("Value")


def read_jsonl(file: Path, build: Callable[[Mapping[str, Any]], Value], split: str = "") -> list[Value]:
    """What `build` makes of each row; with `split` only of the rows of that half.

    Raises:
        BadInput: the file is missing, a line is not JSON, or a row lacks a field that `build` reads.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}).") from error
    built = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line) if line.strip() else None
            if row is not None and split in ("", row.get("split")):
                built.append(build(row))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise BadInput(f"{file}, line {number}: {error!r}. Compare it with the first lines.") from None
    return built
