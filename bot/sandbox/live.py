"""Tells open pages at once what happens on the network."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Event = dict[str, Any]
BACKLOG = 500


class Live:
    """Passes events on to whoever listens; one who falls behind is told to read everything again."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event]] = set()

    def publish(self, event: Event) -> None:
        """Tell everybody."""
        for queue in self._queues:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait({"type": "resync"})
            else:
                queue.put_nowait(event)

    def close(self) -> None:
        """Let everybody who listens stop."""
        for queue in self._queues:
            while queue.full():
                queue.get_nowait()
            queue.put_nowait({"type": "closing"})

    @contextmanager
    def listening(self) -> Iterator["asyncio.Queue[Event]"]:
        """A queue of everything that happens from now on."""
        queue: asyncio.Queue[Event] = asyncio.Queue(BACKLOG)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)
