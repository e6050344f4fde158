"""Ending work that never ends by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager


async def end(task: asyncio.Task[None]) -> None:
    """Cancels until it has ended: redis-py can swallow a cancellation that meets a time limit of its own."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.2)


@asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Runs work for as long as the block; at its end the work is cancelled, and has ended."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await end(task)
