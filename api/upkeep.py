"""What runs beside the requests: mail and news go out, studies are reminded, what has expired is deleted."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from api.figures import Figures, count
from api.library import Library
from api.post import letterhead, open_channel
from api.settings import Settings
from chatbot.conversation import forget_old
from ontology.errors import StudieveiError
from recruitment.alerts import forget_expired, tell_news
from recruitment.deletion import delete_expired
from recruitment.forgotten import delete_old_messages
from recruitment.invitation import delete_old_invitations
from recruitment.outbox import Delivered, deliver_due
from recruitment.reminders import remind
from recruitment.session import delete_old_sessions
from recruitment.throttle import forget_tries
from registry.coding import code_study
from registry.study import Study

PAUSE = 5.0
"""Seconds between two rounds."""
FOLLOWING = 0.5
"""Seconds between two looks at what has changed in the store."""
_LOOK = timedelta(hours=1)
_DELETIONS = (
    delete_expired,
    forget_expired,
    forget_old,
    delete_old_sessions,
    delete_old_invitations,
    delete_old_messages,
    forget_tries,
)

_log = logging.getLogger(__name__)


class Upkeep:
    """Rounds of small jobs until it is told to stop."""

    def __init__(self, library: Library, settings: Settings) -> None:
        """Raises BadInput when the mail settings cannot be used."""
        self.figures: Figures | None = None
        """None until they have been counted."""
        self._library = library
        self._channel = open_channel(settings)
        self._letterhead = letterhead(settings)
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._counted = -1
        self._indexed = library.store.revision() if library.is_indexed() else 0
        self._looked_at = datetime.min.replace(tzinfo=UTC)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Works as long as the block lasts; a message that is being sent at its end is still sent."""
        self._tasks = [
            asyncio.create_task(self._rounds(PAUSE, self._count, self._hourly, self._send)),
            asyncio.create_task(self._rounds(FOLLOWING, self._index)),
        ]
        try:
            yield
        finally:
            self._stop.set()
            await asyncio.gather(*self._tasks)

    @property
    def failed(self) -> bool:
        """Whether it ended by an error that nobody foresaw."""
        return any(task.done() for task in self._tasks)

    async def _rounds(self, pause: float, *jobs: Callable[[], None]) -> None:
        """A job that fails now is tried again in the next round."""
        while not self._stop.is_set():
            for job in jobs:
                try:
                    await asyncio.to_thread(job)
                except StudieveiError as error:
                    _log.warning("%s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)

    def _index(self) -> None:
        """Make searchable what any process has changed in the store since the last look."""
        store, index = self._library.store, self._library.index
        changed = dict(store.changed_since(self._indexed))
        if changed:
            stored = store.get_many(changed.values())
            index.remove(study_id for study_id in changed.values() if study_id not in stored)
            index.update(stored.values())
            self._indexed = max(changed)

    def _send(self) -> None:
        delivered = None
        while delivered != Delivered() and not self._stop.is_set():
            delivered = deliver_due(
                self._library.store.engine,
                self._channel,
                vault=self._library.vault,
                letterhead=self._letterhead,
                now=datetime.now(UTC),
                limit=1,
            )

    def _hourly(self) -> None:
        now, engine, vault = datetime.now(UTC), self._library.store.engine, self._library.vault
        if now - self._looked_at >= _LOOK:
            for delete_old in _DELETIONS:
                delete_old(engine, now)
            remind(engine, vault, now, coordinator=self._letterhead.coordinator)
            tell_news(self._library.store, vault, self._library.matching, now)
            self._looked_at = now

    def _count(self) -> None:
        store = self._library.store
        revision = store.revision()
        if revision != self._counted:
            self.figures = count(store.all(), datetime.now(UTC).date(), self._groups)
            self._counted = revision

    def _groups(self, study: Study) -> tuple[str, ...]:
        return code_study(study, self._library.ontology, self._library.linker).hrcs
