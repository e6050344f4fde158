"""The way on when something must not be said in public: a direct message, another route, or a person."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.turn import Result, TurnNow, Why
from handoff.words import Reason

_ADDRESS = re.compile(r"https?://|\bwww\.|\w\.\w{2,}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Contact:
    """How customers reach us otherwise."""

    phone: str | None = None
    web: str | None = None  # in words, such as "the contact page of our website"

    def invitation(self, turn: TurnNow, can_do: str) -> Result:
        """Ask the customer to go on in private; where that is impossible name the other routes, else call a person."""
        if turn.private_possible:
            return Result(
                why=Why(rule="private_only"),
                text=f"{can_do}. Please message us there, and don't post order numbers or e-mail addresses here.",
                offers_private=True,
            )
        routes = self.routes()
        if not routes:
            return Result(why=Why(rule="private_not_possible"), needs_person=Reason.NO_ANSWER)
        return Result(
            why=Why(rule="private_not_possible"),
            text=f"I can't discuss this in public, and we can't exchange direct messages. Please {routes}.",
        )

    def routes(self) -> str:
        """The other routes as the end of a sentence, without any address; empty where there is none."""
        ways = [f"call {self.phone}"] if self.phone else []
        if self.web:
            ways.append("use " + ("our website" if _ADDRESS.search(self.web) else self.web))
        return " or ".join(ways)
