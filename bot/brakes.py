"""Brakes: when nothing may be sent for a while, to one place or anywhere, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock
from bot.pauses import Pauses
from handoff.words import Place

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often, how many, how patiently."""

    side_by_side: int = 8
    """Conversations that are written to at the same time."""
    poll_s: float = 0.1
    renew_s: float = 1.0
    look_after_s: float = 5.0
    """Between losing sight of a reply and each look for it: lists lag behind sends."""
    most_looks: int = 120
    """Failed and clean looks for one sending before a person is called."""
    most_doubts: int = 4
    """Sendings of unknown fate before a person is called."""
    clock_skew_s: float = 600.0
    """How far the platform's clock may be behind ours."""
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    halt_pause_s: float = 60.0


class Brakes:
    """Public and private replies have limits of their own, so each place pauses by itself."""

    def __init__(self, *, clock: Clock, pace: Pace) -> None:
        self._clock = clock
        self._pace = pace
        self._pauses = {place: Pauses(first_s=pace.first_pause_s, longest_s=pace.longest_pause_s) for place in Place}
        self._until: dict[Place, datetime] = {}
        self._failing: dict[Place, str] = {}
        self._halted: str | None = None

    def paused_until(self, place: Place) -> datetime | None:
        """When the next reply to this place may be tried; None: now."""
        until = self._until.get(place)
        return until if until and until > self._clock.now() else None

    def went_well(self, place: Place) -> None:
        """The platform answered: nothing is wrong here any more."""
        self._pauses[place].succeeded()
        self._until.pop(place, None)
        self._failing.pop(place, None)
        self._halted = None

    def failed(self, place: Place, detail: str) -> datetime:
        """A failure without a word on when to come back; several at the same time count as one."""
        self._failing[place] = detail
        until = self.paused_until(place)
        if until is None:
            until = self._clock.now() + timedelta(seconds=self._pauses[place].next_s())
            self._until[place] = until
        return until

    def limited(self, place: Place, until: datetime) -> datetime:
        """The platform's own word on when to come back: no trouble, only waiting."""
        self._until[place] = until
        log.warning("delivery_waits", place=place, until=until.isoformat())
        return until

    def halt(self, detail: str) -> datetime:
        """The account may do nothing: everything waits, and an operator is needed."""
        until = self._clock.now() + timedelta(seconds=self._pace.halt_pause_s)
        self._until = dict.fromkeys(Place, until)
        self._halted = detail
        log.error("delivery_halted", detail=detail)
        return until

    @property
    def troubles(self) -> dict[str, str]:
        """What is wrong, by place; a failure is forgotten once its pause is over."""
        found = {str(place): why for place, why in self._failing.items() if self.paused_until(place)}
        if self._halted:
            found["account"] = f"the platform refuses it ({self._halted}); nothing is sent until that is mended"
        return found
