"""`frontdesk replay`, put together: the file, a stack of its own, the replay, and one line for whatever fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from bot.crowd import CrowdRefused
from bot.embedded_redis import NoRedis
from bot.own_stack import Interrupted, own_folder, own_settings, own_stack
from bot.preparation import CannotStart
from bot.replay import Replay
from bot.replay_file import FileRefused, read_recording
from bot.replay_view import shown
from bot.settings import Settings
from bot.supervisor import SupervisorGone
from bot.watch import NotReady


class CannotReplay(Exception):
    """There is nothing to report; the text says why and what to do."""


def replayed(
    file: Path, settings: Settings, *, limits: str, authors: int | None, rows: int | None, skip_bad: bool, keep: bool
) -> dict[str, Any]:
    """The report of one replay; progress goes to standard error. Raises CannotReplay."""
    console = Console(stderr=True)
    try:
        recording = read_recording(file, most=rows, skip_bad=skip_bad)
        with own_folder(settings, say=_say(console), keep=keep) as folder, shown(console) as show:
            own = own_settings(settings, folder, limits=limits)
            stop = threading.Event()
            with own_stack(own, limits=limits, say=_say(console), stop=stop):
                return asyncio.run(Replay(recording, own, authors=authors, show=show).run(stop))
    except Interrupted:
        raise CannotReplay("Stopped; everything was taken away again.") from None
    except (FileRefused, CannotStart, NoRedis, NotReady, SupervisorGone, CrowdRefused, OSError) as error:
        raise CannotReplay(str(error)) from error


def _say(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(text, highlight=False, markup=False)
