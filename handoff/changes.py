"""What the ledger announces by pub/sub: that a message came in, or that anything in a conversation changed.

An announcement only saves a look: whoever acts on it looks into the ledger, and looks now and then without one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

EVERYTHING = "*"
"""Stands for all conversations: after Redis was away nobody knows what was missed."""

Hear = Callable[[str], None]
"""Is told a conversation's key, or EVERYTHING."""


class Announced(StrEnum):
    """The kinds of announcements; each partition has a pub/sub channel for each."""

    CHANGES = "changes"
    ARRIVALS = "arrivals"


class Changes:
    """Follows one kind of announcements of all partitions; comes back by itself when Redis was away."""

    def __init__(self, redis: Redis, kind: Announced, *, retry_s: float = 1.0) -> None:
        self._redis = redis
        self._pattern = f"{{p*}}:{kind}"  # braces are ordinary characters in Redis patterns
        self._retry_s = retry_s
        self.following = asyncio.Event()
        """Set while subscribed."""
        self.away = asyncio.Event()
        """Set while not."""

    async def follow(self, hear: Hear) -> None:
        """Passes announcements on for ever; EVERYTHING at each subscription."""
        while True:
            try:
                await self._listen(hear)
            except (RedisError, OSError) as error:
                log.warning("announcements_away", error=type(error).__name__)
            except Exception:
                log.exception("announcements_failed")
            self.following.clear()
            self.away.set()
            await asyncio.sleep(self._retry_s)

    async def _listen(self, hear: Hear) -> None:
        async with self._redis.pubsub() as subscription:
            await subscription.psubscribe(self._pattern)
            while True:
                message = await subscription.get_message(timeout=1.0)
                if message is None:
                    await self._redis.ping()  # a silent connection may be a dead one
                elif message["type"] == "psubscribe":
                    self.away.clear()
                    self.following.set()
                    hear(EVERYTHING)
                elif message["type"] == "pmessage":
                    hear(str(message["data"]))
