"""A stack of one's own: beside whatever runs, on free ports, with an empty store, gone without a trace at the end."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from bot.channels.ingress import Cadence
from bot.folder import Folder
from bot.preparation import Stopped
from bot.settings import Settings
from bot.signals import stopping
from bot.stack import Stack
from bot.supervisor import SupervisorGone

Say = Callable[[str], None]


class Interrupted(Exception):
    """The operator asked to stop."""


@contextmanager
def own_folder(settings: Settings, *, say: Say, keep: bool = False) -> Iterator[Path]:
    """A folder for one stack, with the operator's models in it; kept, for its logs, where something went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-own-"))
    models = Folder(settings.var).models
    models.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(models.resolve(), target_is_directory=True)
    try:
        yield folder
    except Interrupted:
        raise
    except Exception:
        keep = True
        raise
    finally:
        if keep:
            say(f"The store and the logs are kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def own_settings(settings: Settings, folder: Path, *, limits: str) -> Settings:
    """As the operator set it, but for where it lives: never X, the operator's Redis or the company's systems.

    `limits`: `off`, or `ppu` to live within X's own, which the sandbox then holds to.
    """
    ports = free_ports(5)
    every_s = Cadence.of_x().every_s if limits == "ppu" else {}
    return replace(
        settings,
        var=folder,
        redis_url=None,
        redis_port=ports[0],
        host="127.0.0.1",
        desk_port=ports[1],
        sandbox_port=ports[2],
        channel_port=ports[3],
        responder_port=ports[4],
        desk_url=None,
        x_consumer_key=None,
        x_consumer_secret=None,
        x_access_token=None,
        x_access_token_secret=None,
        x_base_url=None,
        fares_url=None,
        fares_token=None,
        orders_url=None,
        orders_token=None,
        mentions_poll_s=every_s.get("mentions"),
        direct_poll_s=every_s.get("direct"),
        quiet_s=0.0,  # nobody types here: what a row or a test says is all there is to wait for
        announcements="off",  # what is counted must not hang on the time of day
    )


@contextmanager
def own_stack(
    settings: Settings,
    *,
    limits: str = "off",
    say: Say,
    stop: threading.Event,
    redis_routes: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """Everything of these settings, started, ready and looked after until the end of the block.

    Raises what Stack.start raises, and Interrupted; a second signal ends every process at once.
    """
    stack = Stack(settings, say=say, stop=stop, sandbox_limits=limits, redis_routes=redis_routes)
    with ExitStack() as ending:
        ending.enter_context(stopping(stop, stack.supervisor.kill))
        ending.callback(stack.end)
        try:
            stack.start()
        except Stopped:
            raise Interrupted from None
        if stop.is_set():
            raise Interrupted
        with _watched(stack, stop):
            yield stack


@contextmanager
def _watched(stack: Stack, stop: threading.Event) -> Iterator[None]:
    """Has the processes looked after meanwhile; raises SupervisorGone at the end if there was nobody to do it."""
    gone: list[SupervisorGone] = []

    def watch() -> None:
        try:
            stack.watch()
        except SupervisorGone as error:
            gone.append(error)
            stop.set()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        stop.set()
        watching.join(timeout=10)
        if gone:
            raise gone[0]


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody listens on now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
