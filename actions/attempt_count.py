"""The count of wrong tries per order: shared by all processes in Redis, or remembered by one."""

import asyncio
from typing import Any

import redis.asyncio as redis
from redis.exceptions import RedisError

from actions.verification import WINDOW

# KEYS[1] {verification}:order:<key>, a hash attempt id -> customer id, gone a day after the first wrong try.
# Repeating an attempt id changes nothing, so a turn may be committed again.
FAILED = """
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
return redis.call('HLEN', KEYS[1])
"""

# Keeps the count, which guards the order, and forgets who tried.
FORGET = """
local entries, gone = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #entries, 2 do
  if entries[i + 1] == ARGV[1] then redis.call('HSET', KEYS[1], entries[i], ''); gone = gone + 1 end
end
return gone
"""


class AttemptsAway(Exception):
    """The count cannot be read or written now; nobody can be verified without it."""


class RedisAttemptCount:
    """Keeps the counts in Redis."""

    def __init__(self, client: redis.Redis, *, time_limit_s: float = 1.0) -> None:
        self._client = client
        self._time_limit_s = time_limit_s

    async def count(self, order_key: str) -> int:
        """Wrong tries for this order in the last day; raises AttemptsAway."""
        return await self._call("HLEN", redis_key(order_key))

    async def failed(self, order_key: str, customer_id: str, attempt_id: str) -> int:
        """Count one wrong try, once per attempt id; raises AttemptsAway."""
        expires_s = int(WINDOW.total_seconds())
        return await self._call("EVAL", FAILED, 1, redis_key(order_key), attempt_id, customer_id, expires_s)

    async def tries_of(self, customer_id: str) -> int:
        """How many wrong tries of the last day are held as this customer's; raises RedisError."""
        found = 0
        async for key in self._client.scan_iter(match=redis_key("*"), count=500):
            found += (await self._client.hvals(key)).count(customer_id)
        return found

    async def forget(self, customer_id: str) -> int:
        """Keeps every count, and forgets which tries were this customer's; raises RedisError."""
        forgotten = 0
        async for key in self._client.scan_iter(match=redis_key("*"), count=500):
            forgotten += int(await self._client.execute_command("EVAL", FORGET, 1, key, customer_id))  # type: ignore[no-untyped-call]
        return forgotten

    async def _call(self, *command: Any) -> int:
        try:
            async with asyncio.timeout(self._time_limit_s):
                return int(await self._client.execute_command(*command))  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError) as error:
            raise AttemptsAway(f"Wrong tries cannot be counted ({type(error).__name__}); is Redis up?") from error


class RememberedAttemptCount:
    """Keeps the counts as long as it lives; for one process without Redis."""

    def __init__(self) -> None:
        self._attempts: dict[str, dict[str, str]] = {}

    async def count(self, order_key: str) -> int:
        """Wrong tries for this order."""
        return len(self._attempts.get(order_key, {}))

    async def failed(self, order_key: str, customer_id: str, attempt_id: str) -> int:
        """Count one wrong try, once per attempt id."""
        self._attempts.setdefault(order_key, {}).setdefault(attempt_id, customer_id)
        return await self.count(order_key)


def redis_key(order_key: str) -> str:
    """Where an order's wrong tries are kept."""
    return f"{{verification}}:order:{order_key}"
