"""How a command that runs others is told to stop: in good order at first, at once when told again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stopping(stop: threading.Event, kill: Callable[[], None]) -> Iterator[None]:
    """Within the block a first Ctrl-C, SIGTERM or SIGHUP sets `stop`, and a second one calls `kill`."""

    def on_signal(_number: int, _frame: object) -> None:
        if stop.is_set():
            kill()
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
