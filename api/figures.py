"""The key figures of R23: studies in all, open ones, new ones, and how many each disease group has."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from ontology.hrcs import CATEGORIES
from registry.study import Status, Study

RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Figures:
    """`recent` counts the studies whose register confirmed them in the last 30 days."""

    studies: int
    open: int
    recent: int
    groups: tuple[tuple[str, int], ...]


def count(studies: Iterable[Study], today: date, groups_of: Callable[[Study], Iterable[str]]) -> Figures:
    """The figures of these studies; `groups_of` gives the HRCS labels of one."""
    since = (today - RECENT).isoformat()
    statuses: Counter[Status] = Counter()
    groups: Counter[str] = Counter()
    recent = 0
    for study in studies:
        statuses[study.status] += 1
        groups.update(set(groups_of(study)))
        recent += since <= study.last_confirmed <= today.isoformat()
    return Figures(
        statuses.total(),
        statuses[Status.OPEN],
        recent,
        tuple((each.label, groups[each.label]) for each in CATEGORIES if groups[each.label]),
    )
