"""How a replay looks in the terminal: a bar while it runs, and its counts in words at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich import progress
from rich.console import Console

from bot.replay import Progress, Show

LINE_EVERY_S = 5.0


@contextmanager
def shown(console: Console) -> Iterator[Show]:
    """Shows progress on a console: a bar on a terminal, else a line every few seconds."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=console, transient=True) as bars:
        posted = bars.add_task("posted", total=None)
        ended = bars.add_task("with an outcome", total=None)
        replies = bars.add_task("replies settled", total=None)

        def show(now: Progress) -> None:
            bars.update(posted, completed=now.posted, total=now.rows)
            bars.update(ended, completed=now.ended, total=now.rows)
            bars.update(replies, completed=now.settled, total=now.queued)

        yield show


def _lines(console: Console) -> Show:
    last = time.monotonic()

    def show(now: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_EVERY_S:
            last = time.monotonic()
            console.print(
                f"{now.posted} of {now.rows} posted, {now.ended} with an outcome, "
                f"{now.settled} of {now.queued} replies settled",
                highlight=False,
            )

    return show


def told(report: Mapping[str, Any]) -> str:
    """The counts, one a line, and the first of whatever is wrong."""
    lines = [f"{name.replace('_', ' '):<20}{_value(value)}" for name, value in report.items() if name != "evidence"]
    return "\n".join([*lines, *(f"  wrong: {what}" for what in report["evidence"])])


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "-"
    if value is None:
        return "-"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
