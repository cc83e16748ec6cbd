import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real records beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the real records (../shared/data) are not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def ctgov_records(shared_data: Path) -> Callable[[str], Iterator[dict[str, Any]]]:
    """Raw ClinicalTrials.gov records of one shared file, by its stem: norway, norway_reshaped or world."""

    def records(stem: str) -> Iterator[dict[str, Any]]:
        with gzip.open(shared_data / "ctgov" / f"{stem}.jsonl.gz", "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    return records
