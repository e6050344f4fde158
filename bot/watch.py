"""Looks after the children of `frontdesk up`: when each is ready, when one died, when one keeps dying."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.supervisor import ChildState, Supervisor

Say = Callable[[str], None]

REFUSAL = "frontdesk: "
"""How the line begins with which a command of ours says what only an operator can mend."""
MOST_DEATHS = 3
"""So many within a minute and a child keeps dying."""
UNREADY_S = 5.0
"""How long a child may be unready before a line is worth it."""


class NotReady(Exception):
    """A child did not become ready; the text names it, why, and its log."""


@dataclass(kw_only=True)
class _Seen:
    """What was last seen and said of one child."""

    pid: int = 0
    is_ready: bool = False
    trouble: str = "starting"
    unready_since: float = 0.0
    said_unready: bool = False
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_DEATHS))
    said_dying: bool = False
    tried_again_at: float = 0.0


class Watch:
    """Follows supervisord's states and the `/readyz` of every process, and says what changed, once."""

    def __init__(
        self,
        supervisor: Supervisor,
        addresses: Mapping[str, tuple[str, int]],
        *,
        say: Say,
        stop: threading.Event,
        look_s: float = 0.3,
    ) -> None:
        """`addresses`: host and port of the health checks, for those children that have them."""
        self._supervisor = supervisor
        self._addresses = dict(addresses)
        self._say = say
        self._stop = stop
        self._look_s = look_s
        self._seen: dict[str, _Seen] = {}

    def until_ready(self, *, limit_s: float, began: float) -> None:
        """Returns when every child is ready, or the operator stops. Raises NotReady, SupervisorGone."""
        next_line_s = 5.0
        while not self._stop.wait(self._look_s):
            self._look()
            waiting = {name: seen for name, seen in self._seen.items() if not seen.is_ready}
            if not waiting:
                return
            for name, seen in waiting.items():
                if seen.said_dying:
                    log = self._supervisor.log_of(name)
                    raise NotReady(f"{name} keeps ending while it starts.{_last_word(log)} Its log: {log}")
            elapsed_s = time.monotonic() - began
            if elapsed_s > limit_s:
                name, seen = next(iter(waiting.items()))
                log = self._supervisor.log_of(name)
                raise NotReady(f"{name} is not ready after {limit_s:.0f} s: {seen.trouble} See {log}")
            if elapsed_s > next_line_s:
                troubles = "; ".join(f"{name}: {seen.trouble}" for name, seen in waiting.items())
                self._say(f"{elapsed_s:4.0f} s  waiting for {troubles}")
                next_line_s = elapsed_s + 5.0

    def run(self) -> None:
        """Watches until the operator stops. Raises SupervisorGone."""
        while not self._stop.wait(self._look_s):
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        for name, state in self._supervisor.states().items():
            seen = self._seen.setdefault(name, _Seen(unready_since=now))
            self._notice_death(state, seen, now)
            self._notice_readiness(state, seen, now)

    def _notice_death(self, state: ChildState, seen: _Seen, now: float) -> None:
        log = self._supervisor.log_of(state.name)
        if seen.pid and state.pid != seen.pid:
            seen.deaths.append(now)
            seen.is_ready, seen.unready_since, seen.said_unready = False, now, True
            keeps_dying = len(seen.deaths) == MOST_DEATHS and now - seen.deaths[0] < 60
            if not keeps_dying:
                seen.said_dying = False
                self._say(f"{state.name} ended and is started again. Its log: {log}")
            elif not seen.said_dying:
                seen.said_dying = True
                self._say(f"{state.name} keeps ending; it is started again and again. What is wrong is in {log}")
        seen.pid = state.pid
        if state.state == "FATAL":
            if not seen.said_dying:
                seen.said_dying = True
                self._say(f"{state.name} ends as soon as it starts; it is tried twice a minute. Why is in {log}")
            if now - seen.tried_again_at > 30:
                seen.tried_again_at = now
                self._supervisor.start_child(state.name)

    def _notice_readiness(self, state: ChildState, seen: _Seen, now: float) -> None:
        seen.trouble = self._trouble(state)
        if not seen.trouble:
            if not seen.is_ready:
                self._say(f"{state.name} is ready.")
            seen.is_ready, seen.said_unready, seen.unready_since = True, False, 0.0
            return
        if seen.is_ready and not seen.unready_since:
            seen.unready_since = now
        if seen.is_ready and now - seen.unready_since > UNREADY_S:
            seen.is_ready, seen.said_unready = False, True
            self._say(f"{state.name} cannot work now: {seen.trouble}")

    def _trouble(self, state: ChildState) -> str:
        """Why a child cannot work, or nothing."""
        if state.state != "RUNNING":
            return "starting"
        address = self._addresses.get(state.name)
        return _readiness(*address) if address else ""


def _last_word(log: Path) -> str:
    """What a process of ours said for people before it ended, if it did."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    words = [line.removeprefix(REFUSAL) for line in lines[-50:] if line.startswith(REFUSAL)]
    return f" {words[-1]}" if words else ""


def _readiness(host: str, port: int, limit_s: float = 1.0) -> str:
    """What `/readyz` says is wrong, or nothing."""
    connection = http.client.HTTPConnection(host, port, timeout=limit_s)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        body = response.read(10_000)
    except (OSError, http.client.HTTPException):
        return "it does not answer yet"
    finally:
        connection.close()
    if response.status == 200:
        return ""
    return _told_trouble(body)


def _told_trouble(body: bytes) -> str:
    try:
        troubles = json.loads(body).get("troubles", {})
        return " ".join(str(trouble) for trouble in troubles.values()) or "it is not ready"
    except (ValueError, AttributeError):
        return "it is not ready"
