"""What runs beside the requests: mail and news go out, studies are reminded, what has expired is deleted."""

import asyncio
import logging
from collections.abc import AsyncIterator
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
        self._task: asyncio.Task[None] | None = None
        self._revision = -1
        self._looked_at = datetime.min.replace(tzinfo=UTC)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Works as long as the block lasts; a message that is being sent at its end is still sent."""
        self._task = asyncio.create_task(self._rounds())
        try:
            yield
        finally:
            self._stop.set()
            await self._task

    @property
    def failed(self) -> bool:
        """Whether it ended by an error that nobody foresaw."""
        return self._task is not None and self._task.done()

    async def _rounds(self) -> None:
        """A job that fails now is tried again in the next round."""
        while not self._stop.is_set():
            for job in (self._count, self._hourly, self._send):
                try:
                    await asyncio.to_thread(job)
                except StudieveiError as error:
                    _log.warning("%s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), PAUSE)

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
        if revision != self._revision:
            self.figures = count(store.all(), datetime.now(UTC).date(), self._groups)
            self._revision = revision

    def _groups(self, study: Study) -> tuple[str, ...]:
        return code_study(study, self._library.ontology, self._library.linker).hrcs
