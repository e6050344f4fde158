"""What we say ourselves, around the assistant's answers: disclosure, hand-over, opting out, the way to go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from handoff.hours import ServiceHours
from handoff.words import Place, Promise, Reason

PUBLIC_LIMIT = 280
"""Weighted characters of a post (X's text rules, configuration v3)."""


@dataclass(frozen=True, kw_only=True)
class Company:
    """Whose desk this is."""

    name: str
    privacy: str = ""
    """The address of the privacy notice; said in direct messages only."""


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """What a customer is told at a hand-over, and what that promises."""

    text: str
    promise: Promise | None


_BECAUSE = {Reason.SOURCE_DOWN: "I can't look that up right now, so a colleague will."}
"""How a hand-over begins where the reason is nothing that the customer said."""


class Notices:
    """Words of the company that are not answers; every public one fits a post."""

    def __init__(
        self,
        company: Company,
        hours: ServiceHours,
        *,
        reply_minutes: int,
        weighted_length: Callable[[str], int],
        shorten: Callable[[str, int], str],
    ) -> None:
        """`reply_minutes`: business minutes within which people promise to reply."""
        self._company = company
        self._hours = hours
        self._reply_minutes = reply_minutes
        self._weighted_length = weighted_length
        self._shorten = shorten

    def promise(self, now: datetime) -> Promise:
        """The reply time told at a hand-over, with its due time in business hours."""
        due = self._hours.reply_by(now, self._reply_minutes)
        return Promise(told_at=now, due_at=due, wording=f"You can expect a reply {self._hours.by(due, now)}.")

    def because(self, reason: Reason) -> str:
        """Says why a person is called; empty where the usual words do."""
        return _BECAUSE.get(reason, "")

    def hand_over(self, words: str, now: datetime, *, place: Place, disclose: bool) -> HandOver:
        """Says that a person will look, whether people are there, and by when to expect a reply.

        In public as fully as a post can hold; what is not told is not promised.
        """
        opening = words or "Thank you. A colleague will look at this personally."
        promise = self.promise(now)
        full = f"{opening} {self._hours.describe(now).text} {promise.wording}"
        for told in (full, f"{opening} {self._brief(promise, now)}", f"{opening} {promise.wording}"):
            if place is Place.PRIVATE or self._weighted_length(self._told(told, disclose)) <= PUBLIC_LIMIT:
                return HandOver(text=told, promise=promise)
        return HandOver(text=opening, promise=None)

    def _brief(self, promise: Promise, now: datetime) -> str:
        """Whether people are there and the promise, in one short sentence."""
        reply = self._hours.by(promise.due_at, now)
        closes, opens = self._hours.closes_at(now), self._hours.next_opening(now)
        if closes:
            return f"We're here until {closes:%H:%M} and reply {reply}."
        if opens is None or self._hours.is_open(now):
            return f"We reply {reply}."
        when = self._hours.when(opens, now).partition(" (")[0]
        return f"We're back {when} and reply {reply}."

    def stopped(self) -> str:
        """Confirms STOP, once."""
        return "Understood: you will get no more automated replies from us. Send START to turn them on again."

    def started(self) -> str:
        """Confirms START."""
        return "Automated replies are on again. Just ask."

    def describe_picture(self, place: Place) -> str:
        """Asks for words where a message holds only a picture or a link."""
        ask = "I can't look at pictures or links. Please tell me in a few words what it is about, or write AGENT."
        return ask + _how_to_go_on(place)

    def ask_what(self, place: Place) -> str:
        """Asks what an empty message is about."""
        ask = "I couldn't read anything in your message. What can I help you with? Write AGENT for a person."
        return ask + _how_to_go_on(place)

    def disclosure(self) -> str:
        """Says that a machine answers (EU AI Act Art. 50(1): at the first interaction)."""
        return f"{self._company.name}'s automated assistant here."

    def worded(self, text: str, *, place: Place, disclose: bool) -> str:
        """A text as it goes out: in public within the limit, disclosed where it must be."""
        told = self._told(text, disclose)
        if place is Place.PRIVATE:
            privacy = (
                f"\n\nHow we treat your data: {self._company.privacy}" if disclose and self._company.privacy else ""
            )
            return told + privacy
        if self._weighted_length(told) <= PUBLIC_LIMIT:
            return told
        return self._shorten(told, PUBLIC_LIMIT)

    def _told(self, text: str, disclose: bool) -> str:
        return f"{self.disclosure()} {text}" if disclose else text


def _how_to_go_on(place: Place) -> str:
    """In public every turn has to be summoned anew (X's rule for replies by API)."""
    return " Mention us again or send a DM." if place is Place.PUBLIC else ""
