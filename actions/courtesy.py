"""Thanks, acknowledgements, opting, hours, and calling a person: the turns that need no source."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from actions.turn import Result, TurnAction, TurnNow, Why
from handoff.words import Reason


class Notice(Protocol):
    """When people are there, in words."""

    @property
    def text(self) -> str:
        """For a customer."""
        ...


class Hours(Protocol):
    """What is known of the service hours."""

    def describe(self, now: datetime) -> Notice:
        """How it stands at this moment."""
        ...


class TakeThanks(TurnAction):
    """After an answer thanks need no reply; otherwise a short one."""

    action_name = "action_thanks"

    async def result(self, turn: TurnNow) -> Result:
        """Silence or a courtesy."""
        if turn.last_was_answer:
            return Result(why=Why(rule="thanks"), silent="thanks")
        return Result(why=Why(rule="thanks"), text="You're welcome. Is there anything I can help you with?")


class TakeAcknowledgement(TurnAction):
    """ "ok" and "👍" after an answer need no reply; otherwise they say nothing that could be answered."""

    action_name = "action_acknowledge"

    async def result(self, turn: TurnNow) -> Result:
        """Silence or a question."""
        if turn.last_was_answer:
            return Result(why=Why(rule="acknowledgement"), silent="acknowledgement")
        kept = {"asked": turn.asked, "topics": turn.slots.get("topics")}
        text = "What can I help you with? Write AGENT if you want a person."
        return Result(why=Why(rule="acknowledgement"), text=text, slots=kept)


class Opt(TurnAction):
    """STOP and START; the responder confirms and remembers them."""

    action_name = "action_opt"

    async def result(self, turn: TurnNow) -> Result:
        """What the customer wants from now on."""
        return Result(why=Why(rule="opt", matched=turn.intent), opt=turn.intent)


class TellHours(TurnAction):
    """Says whether people are there, and when next."""

    action_name = "action_hours"

    def __init__(self, hours: Hours) -> None:
        self._hours = hours

    async def result(self, turn: TurnNow) -> Result:
        """The hours as they stand now."""
        return Result(why=Why(rule="hours"), text=self._hours.describe(turn.now).text)


class CallPerson(TurnAction):
    """The customer asked for a person."""

    action_name = "action_call_person"

    async def result(self, turn: TurnNow) -> Result:
        """A call for a person."""
        why = Why(rule="asked_for_person", matched=turn.intent, score=turn.certainty)
        return Result(why=why, needs_person=Reason.ASKED_FOR_PERSON)


class TakeComplaint(TurnAction):
    """Complaints are never answered by a machine."""

    action_name = "action_complaint"

    async def result(self, turn: TurnNow) -> Result:
        """A call for a person."""
        why = Why(rule="complaint", matched=turn.intent, score=turn.certainty)
        return Result(why=why, needs_person=Reason.COMPLAINT)
