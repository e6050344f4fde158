"""Why an agent's wish was not carried out, as a sentence."""

from __future__ import annotations

from datetime import datetime

from handoff.console.wording import duration
from handoff.scripts import Ruling
from handoff.words import Owner, in_ms


def refusal_words(ruling: Ruling, agent: str, names: dict[str, str], now: datetime) -> str:
    """Such as `Taken by Ana Ruiz 3 s ago.`; `agent` is who asked."""
    if ruling.result == "changed":
        return "Held back: something new was said that you had not seen. Read it, then repeat if it still fits."
    if ruling.result == "erased":
        return "This customer's data were erased, and the case with them. Nothing is left to be done."
    if ruling.result == "resolved":
        return f"{names.get(ruling.by or '', ruling.by or 'Somebody')} has closed this case; the bot answers again."
    owner = Owner.parse(ruling.by or "queue")
    if owner.agent == agent:
        return "Not done: the case has changed hands since this page was loaded. Look at it again, then repeat."
    if owner.kind == "agent":
        since = f" {duration(in_ms(now) - ruling.since_ms)} ago" if ruling.since_ms else ""
        return f"Taken by {names.get(owner.agent or '', owner.agent)}{since}."
    if owner.kind == "bot":
        return "Not done: the bot has this conversation again."
    return "Not done: the case is back in the queue. Take it first."
