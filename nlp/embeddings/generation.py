"""An index folder holds whole generations; a file names the newest, so no reader sees half of one."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ontology.errors import Mismatch, Unavailable

FORMAT = 6
REMEDY = "Run `studievei index --rebuild`."

_KEPT = 2
"""The newest generations that stay: a reader may just have read the name of the one before."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was built with."""

    encoder: str
    format: int = FORMAT


def pointer(folder: Path) -> Path:
    """The file that names the newest generation; it is replaced, never changed."""
    return folder / "current"


def newest(folder: Path) -> Path | None:
    """The newest whole generation, None when nothing was ever indexed."""
    try:
        return folder / pointer(folder).read_text("ascii")
    except FileNotFoundError:
        return None


def read_manifest(generation: Path) -> Manifest:
    """What this generation was built with.

    Raises:
        Unavailable: the file is missing or damaged.
    """
    try:
        return Manifest(**json.loads((generation / "manifest.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise Unavailable(f"The index in {generation} is damaged. {REMEDY}") from error


def check_manifest(generation: Path, encoder: str) -> None:
    """Refuse a generation that another encoder or another version of this program built.

    Raises:
        Mismatch: it does not fit; the message names both sides and the remedy.
    """
    manifest = read_manifest(generation)
    if manifest != Manifest(encoder):
        raise Mismatch(
            f"The index in {generation.parent} was built with {manifest.encoder} (format {manifest.format}), "
            f"but the encoder is {encoder} (format {FORMAT}). {REMEDY}"
        )


@contextmanager
def next_generation(folder: Path, encoder: str) -> Iterator[Path]:
    """An empty folder to fill; when the block ends well it becomes the newest generation, else it is removed.

    Call it inside `writing`. A writer that is killed leaves an unfinished folder, which the next one removes.
    """
    for leftover in folder.glob("building-*"):
        shutil.rmtree(leftover)
    number = max((_number(each) for each in folder.glob("generation-*")), default=0) + 1
    building = folder / f"building-{number}"
    building.mkdir()
    try:
        yield building
        (building / "manifest.json").write_text(json.dumps(asdict(Manifest(encoder))), "utf-8")
        finished = folder / f"generation-{number}"
        building.replace(finished)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    _point_to(finished)
    _forget_old(folder, number)


def link_or_copy(source: Path, target: Path) -> None:
    """The files of one folder in a new one, as hard links where the file system has them.

    Only for files that are replaced and never written into, like tantivy's.
    """
    target.mkdir()
    for file in source.iterdir():
        if file.suffix == ".lock":
            continue
        try:
            os.link(file, target / file.name)
        except OSError:
            shutil.copyfile(file, target / file.name)


def _point_to(generation: Path) -> None:
    fresh = pointer(generation.parent).with_suffix(".new")
    with fresh.open("w", encoding="ascii") as file:
        file.write(generation.name)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(pointer(generation.parent))


def _forget_old(folder: Path, number: int) -> None:
    for old in folder.glob("generation-*"):
        if _number(old) <= number - _KEPT:
            with suppress(OSError):  # a reader on Windows holds its files; the next writer tries again
                shutil.rmtree(old)


def _number(generation: Path) -> int:
    return int(generation.name.removeprefix("generation-"))
