"""The clock of the announcements: queues each when it is due; any number of processes may run one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from redis.exceptions import RedisError

from handoff.announcements import Announcements, Occurrence
from handoff.announcing import Announcing
from handoff.scripts import LedgerAway, LedgerFull

log = structlog.get_logger()

LONGEST_LOOK_BACK = timedelta(days=7)
"""What was due longer ago is not even journalled."""
MARK_EVERY = timedelta(seconds=30)


class AnnouncementClock:
    """Looks on from where it, or the process before it, stopped; the ledger sees to it that each is said once."""

    def __init__(self, announcements: Announcements, announcing: Announcing) -> None:
        self._announcements = announcements
        self._announcing = announcing
        self._looked_until: datetime | None = None
        self._marked: datetime | None = None

    async def look(self, now: datetime) -> dict[str, str]:
        """Handles what became due since the last look: occurrence -> `queued`, `skipped` or `known`.

        The very first look of a new store finds nothing: what was before Frontdesk is not announced.
        """
        since = self._looked_until or await self._announcing.looked_until() or now
        since = max(since, now - LONGEST_LOOK_BACK)
        results = {one.id: await self._handle(one, now) for one in self._announcements.between(since, now)}
        self._looked_until = max(since, now)
        if results or self._marked is None or now - self._marked >= MARK_EVERY:
            await self._announcing.set_looked_until(self._looked_until, now)
            self._marked = now
        return results

    async def _handle(self, occurrence: Occurrence, now: datetime) -> str:
        is_late = now >= occurrence.expires_at
        ruling = await (self._announcing.skip if is_late else self._announcing.announce)(occurrence, now)
        late_s = round((now - occurrence.at).total_seconds())
        log.info("announcement_due", announcement=occurrence.id, result=ruling.result, late_s=late_s)
        return ruling.result


async def announce_what_is_due(clock: AnnouncementClock, now: Callable[[], datetime], *, every_s: float) -> None:
    """Looks for ever; waits while Redis is away, and misses nothing of that time."""
    while True:
        try:
            await clock.look(now())
        except (LedgerAway, LedgerFull, RedisError) as error:
            log.warning("announcements_wait", error=type(error).__name__)
        except Exception:
            log.exception("announcements_failed")
        await asyncio.sleep(every_s)
