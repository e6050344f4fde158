"""The desk's daily purge, at a quiet hour; when the desk was down then, or was stopped at it, as soon as it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from handoff.erasure import Erasure
from handoff.keys import ACCOUNT
from handoff.leases import Leases
from handoff.purge import Purge
from handoff.retention import Retention
from handoff.scripts import AWAY_OR_FULL
from handoff.upkeep import UpkeepBusy, upkeep

log = structlog.get_logger()

PURGED = f"{ACCOUNT}:purged"


class DailyPurge:
    """Purges once a day, however many desks run."""

    def __init__(
        self,
        redis: Redis,
        *,
        purge: Purge,
        erasure: Erasure,
        leases: Leases,
        retention: Retention,
        zone: ZoneInfo,
        now: Callable[[], datetime],
    ) -> None:
        self._redis = redis
        self._purge = purge
        self._erasure = erasure
        self._leases = leases
        self._retention = retention
        self._zone = zone
        self._now = now

    async def run(self, *, every_s: float = 60.0) -> None:
        """Looks every minute whether it is time, for ever; whatever fails is tried again."""
        while True:
            try:
                await self.purge_if_due()
            except (*AWAY_OR_FULL, RedisError, UpkeepBusy) as error:
                log.warning("purge_waits", error=type(error).__name__)
            except Exception:  # the edge of the loop: the desk goes on without a purge, and operators are told
                log.exception("purge_failed")
            await asyncio.sleep(every_s)

    async def purge_if_due(self) -> bool:
        """Purges if today's purge was not yet run to its end. Raises UpkeepBusy, or that Redis is away or full."""
        if not await self._is_due():
            return False
        async with upkeep(self._leases, self._now):
            if not await self._is_due():  # another desk was quicker
                return False
            await self._erasure.end_begun(self._now())
            today = self._here().date().isoformat()
            run = await self._purge.run(self._now(), told=lambda looked_at: log.info("purging", looked_at=looked_at))
            await self._redis.set(PURGED, today)
        log.info("purged", looked_at=run.looked_at, left_alone=run.left_alone, **run.counts)
        return True

    async def _is_due(self) -> bool:
        here = self._here()
        return here.time() >= self._retention.purge_at and await self._redis.get(PURGED) != here.date().isoformat()

    def _here(self) -> datetime:
        return self._now().astimezone(self._zone)
