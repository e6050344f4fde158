"""Thanks, acknowledgements, hours, and calling a person: the turns that need no source."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Protocol

from actions.knowledge_talk import KnowledgeTalk
from actions.turn import Result, TurnAction, TurnNow, Why, how_to_go_on
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

    def next_opening(self, now: datetime) -> datetime | None:
        """The first moment from then on at which people are here."""
        ...

    def closes_at(self, now: datetime) -> datetime | None:
        """When people leave; None when nobody is here or they never leave."""
        ...

    def when(self, moment: datetime, now: datetime) -> str:
        """A moment in words."""
        ...

    def by(self, moment: datetime, now: datetime) -> str:
        """A moment as a limit, in words."""
        ...

    def reply_by(self, now: datetime, minutes: float) -> datetime:
        """When so many minutes of presence have passed."""
        ...


class TakeThanks(TurnAction):
    """After an answer thanks need no reply; otherwise a short one."""

    action_name = "action_thanks"

    async def result(self, turn: TurnNow) -> Result:
        """Silence or a courtesy."""
        if turn.last_was_answer:
            return Result(why=Why(rule="thanks"), silent="thanks")
        return Result(
            why=Why(rule="thanks"), text=f"You're welcome. Ask me whenever you need something.{how_to_go_on(turn)}"
        )


class TakeAcknowledgement(TurnAction):
    """ "ok" and "👍" after an answer need no reply; otherwise they say nothing that could be answered."""

    action_name = "action_acknowledge"

    async def result(self, turn: TurnNow) -> Result:
        """Silence or a question."""
        if turn.last_was_answer:
            return Result(why=Why(rule="acknowledgement"), silent="acknowledgement")
        kept = {"asked": turn.asked, "topics": turn.slots.get("topics")}
        text = f"What can I help you with? Write AGENT if you want a person.{how_to_go_on(turn)}"
        return Result(why=Why(rule="acknowledgement"), text=text, slots=kept)


class TellHours(TurnAction):
    """Says whether people are there, when next, and by when they reply."""

    action_name = "action_hours"

    def __init__(self, hours: Hours, *, reply_minutes: int) -> None:
        self._hours = hours
        self._reply_minutes = reply_minutes

    async def result(self, turn: TurnNow) -> Result:
        """The hours as they stand now, or on the day that was asked about."""
        named = [date.fromisoformat(day) for day in turn.named("date")]
        reply = self._hours.by(self._hours.reply_by(turn.now, self._reply_minutes), turn.now)
        text = f"{self._hours.describe(turn.now).text} Who asks for a person now can expect a reply {reply}."
        if named and named[0] > turn.now.date():
            text = self._on(named[0], turn.now)
        return Result(why=Why(rule="hours"), text=text)

    def _on(self, day: date, now: datetime) -> str:
        name = f"{day:%A} {day.day} {day:%B}"
        opening = self._hours.next_opening(datetime.combine(day, time(), tzinfo=now.tzinfo))
        if opening is None:
            return f"Nobody is here on {name}."
        if opening.date() != day:
            return f"Nobody is here on {name}. People are back {self._hours.when(opening, now)}."
        closes = self._hours.closes_at(opening)
        until = f" until {closes:%H:%M}" if closes and closes.date() == day else ""
        return f"On {name} people are here from {opening:%H:%M}{until} our time."


class CallPerson(TurnAction):
    """The customer asked for a person; what the articles say goes along as a suggestion."""

    action_name = "action_call_person"

    def __init__(self, knowledge: KnowledgeTalk) -> None:
        self._knowledge = knowledge

    async def result(self, turn: TurnNow) -> Result:
        """A call for a person."""
        why = Why(rule="asked_for_person", matched=turn.intent, score=turn.certainty)
        return self._knowledge.called(turn, Reason.ASKED_FOR_PERSON, why)


class TakeComplaint(TurnAction):
    """Complaints are never answered by a machine; what the articles say goes along as a suggestion."""

    action_name = "action_complaint"

    def __init__(self, knowledge: KnowledgeTalk) -> None:
        self._knowledge = knowledge

    async def result(self, turn: TurnNow) -> Result:
        """A call for a person."""
        why = Why(rule="complaint", matched=turn.intent, score=turn.certainty)
        return self._knowledge.called(turn, Reason.COMPLAINT, why)
