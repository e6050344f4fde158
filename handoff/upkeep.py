"""One purge, erasure or backup at a time, whoever asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import structlog

from handoff.keys import ACCOUNT
from handoff.leases import Leases
from handoff.scripts import AWAY_OR_FULL

log = structlog.get_logger()

ROLE = "upkeep"


class UpkeepBusy(Exception):
    """Another purge, erasure or backup is at work; the text says what to do."""


@asynccontextmanager
async def upkeep(leases: Leases, now: Callable[[], datetime]) -> AsyncIterator[None]:
    """Holds the one lease of upkeep while it lasts; raises UpkeepBusy. `leases`: role `upkeep` on the account alone."""
    await leases.renew(now())
    if ACCOUNT not in leases.held:
        raise UpkeepBusy(
            "A purge, an erasure or a backup is at work. Wait until it has ended; "
            f"one that was killed stands in the way for {leases.ttl_s:g} s."
        )
    keeping = asyncio.create_task(_keep(leases, now))
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        with suppress(*AWAY_OR_FULL):
            await leases.release_all(now())


async def _keep(leases: Leases, now: Callable[[], datetime]) -> None:
    while True:
        await asyncio.sleep(leases.ttl_s / 3)
        try:
            await leases.renew(now())
        except AWAY_OR_FULL as error:
            log.warning("upkeep_lease_waits", error=type(error).__name__)
