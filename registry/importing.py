"""Studies and broken records in, a store that holds the studies and a report of what happened out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ontology.errors import BadRecord
from registry.store import Change, Store
from registry.study import Study

BATCH = 200

Item = Study | BadRecord


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many records were read and what became of them; `failed` holds (where, why) of each broken one."""

    stored: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: tuple[tuple[str, str], ...] = ()

    @property
    def read(self) -> int:
        """All records, the broken ones too."""
        return self.stored + self.updated + self.unchanged + len(self.failed)


def import_studies(
    store: Store, items: Iterable[Item], *, progress: Callable[[ImportReport], object] | None = None
) -> ImportReport:
    """Put every study of `items` into the store; broken records are reported and never stop it.

    `progress` is called with the report so far after each transaction of 200 records.

    Raises:
        Unavailable: the database failed; what was reported so far is kept.
    """
    return import_pages(store, _batches(items), progress=progress)


def import_pages(
    store: Store, pages: Iterable[Sequence[Item]], *, progress: Callable[[ImportReport], object] | None = None
) -> ImportReport:
    """As `import_studies`, one transaction a page; the next page is asked for when this one is kept."""
    report = ImportReport()
    for page in pages:
        report = _add(report, store, page)
        if progress is not None:
            progress(report)
    return report


def _add(report: ImportReport, store: Store, page: Sequence[Item]) -> ImportReport:
    changes = Counter(store.put_many([item for item in page if isinstance(item, Study)]))
    broken = tuple(_where_and_why(item) for item in page if isinstance(item, BadRecord))
    return ImportReport(
        stored=report.stored + changes[Change.STORED],
        updated=report.updated + changes[Change.UPDATED],
        unchanged=report.unchanged + changes[Change.UNCHANGED],
        failed=report.failed + broken,
    )


def _where_and_why(broken: BadRecord) -> tuple[str, str]:
    where, _, why = str(broken).partition(": ")
    return where, why


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
