"""The channel process: ingress and delivery side by side, with health checks."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from bot.channels.ingress import Ingress
from bot.delivery import Delivery
from bot.health import health_pages, redis_check, told
from bot.metrics import ProcessMetrics


async def run_channel(
    *,
    ingress: Ingress,
    delivery: Delivery,
    redis: Redis,
    metrics: ProcessMetrics,
    stop: asyncio.Event,
    host: str,
    port: int,
) -> None:
    """Reads and delivers until `stop` is set, then ends the calls that have begun. OSError where the port is taken."""
    checks = {
        "redis": redis_check(redis),
        "ingress": told(lambda: ingress.trouble),
        "delivery": told(lambda: delivery.trouble),
    }
    async with health_pages(metrics, checks, host=host, port=port):
        await _both(ingress, delivery, stop)


async def _both(ingress: Ingress, delivery: Delivery, stop: asyncio.Event) -> None:
    """When one of them ends by a fault, the other still ends in good order."""
    parts = [asyncio.create_task(ingress.run(stop)), asyncio.create_task(delivery.run(stop))]
    await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    for outcome in await asyncio.gather(*parts, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
