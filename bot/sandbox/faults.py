"""Faults on demand: errors, lost answers, slowness and outages of the API under /2."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from bot.sandbox.people import RefusedError
from bot.sandbox.store import Store

KINDS = {
    "error": "answers with `status` (default 500) and a problem body, before anything is done",
    "unavailable": "answers 503 as plain text, before anything is done",
    "drop_before": "closes the connection before anything is done",
    "drop_after": "does what was asked, then closes the connection without an answer",
    "latency": "waits `latency_ms` before doing what was asked",
    "latency_after": "does what was asked, then waits `latency_ms` before answering",
    "outage": "closes every connection, until cleared",
}
WAITING = {"latency", "latency_after"}
ALWAYS = {"outage"}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong, where, how often and how many times still."""

    id: int
    kind: str
    path: str = "/2/*"  # shell pattern over the path; {name} stands for one path part
    method: str | None = None
    probability: float = 1.0
    times: int | None = None  # how often it still strikes; None is until cleared
    status: int = 500
    latency_ms: int = 0

    def meets(self, method: str, path: str) -> bool:
        """Whether a request is in reach of this fault."""
        if self.method and self.method != method:
            return False
        return fnmatchcase(path, self.path)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What is to go wrong with one request."""

    wait_ms: int = 0
    wait_after_ms: int = 0
    strike: Fault | None = None


class Faults:
    """The faults that are switched on; they stay on over a restart."""

    def __init__(self, *, store: Store, seed: int) -> None:
        self._store = store
        self._random = random.Random(seed)
        self._faults = [Fault(**values) for values in store.setting("faults", [])]
        self.dm_lag_s: float = store.setting("dm_lag_s", 0.0)

    def all(self) -> list[Fault]:
        """The faults that are switched on, oldest first."""
        return list(self._faults)

    def add(self, asked: Mapping[str, Any]) -> Fault:
        """Switch a fault on; a request that makes no sense is a RefusedError."""
        values = dict(asked)
        if values.get("kind") not in KINDS:
            raise RefusedError(f"A fault's kind is one of {', '.join(KINDS)}.")
        if unknown := values.keys() - (Fault.__dataclass_fields__.keys() - {"id"}):
            raise RefusedError(f"A fault has no {', '.join(sorted(unknown))}.")
        values["path"] = _pattern(str(values.get("path", "/2/*")))
        if values.get("method"):
            values["method"] = str(values["method"]).upper()
        fault = Fault(id=max((f.id for f in self._faults), default=0) + 1, **values)
        if not 400 <= int(fault.status) <= 599:
            raise RefusedError("A fault's status is between 400 and 599.")
        self._keep([*self._faults, fault])
        return fault

    def clear(self, id: int | None = None) -> None:
        """Switch one fault off, or all of them and the lag of the DM list."""
        if id is None:
            self.lag_dms(0)
        self._keep([f for f in self._faults if id is not None and f.id != id])

    def lag_dms(self, seconds: float) -> None:
        """Let GET /2/dm_events show messages only after this time."""
        self.dm_lag_s = seconds
        self._store.remember("dm_lag_s", seconds)

    def trouble_for(self, method: str, path: str) -> Trouble:
        """Decide what goes wrong with this request, and count it."""
        wait_ms, wait_after_ms, strike = 0, 0, None
        for fault in self._faults:
            if not fault.meets(method, path) or (strike and fault.kind not in WAITING):
                continue
            if fault.kind not in ALWAYS and self._random.random() >= fault.probability:
                continue
            if fault.kind == "latency":
                wait_ms += fault.latency_ms
            elif fault.kind == "latency_after":
                wait_after_ms += fault.latency_ms
            else:
                strike = fault
            self._count(fault)
        return Trouble(wait_ms=wait_ms, wait_after_ms=wait_after_ms, strike=strike)

    def _count(self, fault: Fault) -> None:
        if fault.times is None:
            return
        left = replace(fault, times=fault.times - 1)
        kept = [left if f.id == fault.id else f for f in self._faults]
        self._keep([f for f in kept if f.times is None or f.times > 0])

    def _keep(self, faults: list[Fault]) -> None:
        self._faults = faults
        self._store.remember("faults", [asdict(f) for f in faults])


def _pattern(path: str) -> str:
    parts = ("*" if part.startswith(("{", ":")) else part for part in path.split("/"))
    return "/".join(parts)
