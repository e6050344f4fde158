"""Talking about fares: gather what is asked for, quote the lowest fare, or say plainly why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from actions.fares import Cabin, Fare, FareAnswer, FareKind, FareQuery, FaresAway, FareSource, Trip
from actions.turn import Result, TurnNow, Why, how_to_go_on, moment
from handoff.words import Reason

PARTS = ("origin", "destination", "depart", "return_date", "trip", "cabin")
LONGEST_ECHO_CHARS = 30

_TRIPS = {Trip.ONE_WAY: "one way", Trip.RETURN: "return"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the customer wants to know so far."""

    origin: str | None = None
    destination: str | None = None
    depart: str | None = None
    return_date: str | None = None
    trip: str | None = None
    cabin: str | None = None
    which_end: str | None = None  # a city named without saying whether from or to there

    def slots(self) -> dict[str, Any]:
        """The slots that keep it."""
        return {part: getattr(self, part) for part in PARTS}

    @property
    def unclear(self) -> str | None:
        """What has to be asked for before there is an answer."""
        if self.which_end:
            return f"end:{self.which_end}"
        if not self.destination:
            return "destination"
        return None if self.origin else "origin"


class FareTalk:
    """Answers fares; asks for origin and destination, and takes dates only where given."""

    def __init__(self, fares: FareSource) -> None:
        self._fares = fares

    def concerns(self, turn: TurnNow) -> bool:
        """Whether a message without a topic of its own adds to a fare."""
        if (turn.asked or "").startswith("end:"):
            return True
        if turn.named("city"):  # alone it may stand in any question: "is there a lounge in Rome"
            is_part = turn.intent in ("inform", "correct") or turn.asked_for_fare
            return is_part or bool(turn.named("city", "origin") + turn.named("city", "destination"))
        going_on = turn.asked_for_fare or (turn.told("origin") and turn.told("destination"))
        return bool(going_on) and any(
            turn.named(kind) for kind in ("date", "trip", "cabin", "any_date", "unknown_place")
        )

    async def result(self, turn: TurnNow) -> Result:
        """The next thing to say about the fare."""
        wanted = wanted_of(turn)
        missing = wanted.unclear
        if missing:
            again = turn.asked == missing
            return Result(
                why=Why(rule="fare_part_missing", detail=missing),
                text=_question(missing, wanted) + how_to_go_on(turn),
                failed=again,
                slots={**wanted.slots(), "asked": missing},
            )
        try:
            answer = await self._fares.lowest(_query(wanted), turn.now.date())
        except FaresAway as error:
            why = Why(rule="fare_source_down", detail=type(error).__name__)
            return Result(why=why, needs_person=Reason.SOURCE_DOWN, slots=wanted.slots())
        if answer.kind is FareKind.UNKNOWN_CITY:
            return _unknown(turn, wanted, answer)
        text = _quote(answer, wanted, turn) if answer.kind is FareKind.FOUND else _why_not(answer)
        return Result(
            why=Why(rule="fare", detail=str(answer.kind)), text=text, slots={**wanted.slots(), **_forget(answer.kind)}
        )


def wanted_of(turn: TurnNow) -> Wanted:
    """What was wanted before, with what this message says."""
    told = {part: turn.told(part) for part in PARTS}
    places = {
        role: next(iter(turn.named("city", role) + turn.named("unknown_place", role)), None)
        for role in ("origin", "destination")
    }
    if turn.intent == "ask_fare" and places["destination"]:
        told.update(depart=None, return_date=None, trip=None, cabin=None)
    told.update({role: place for role, place in places.items() if place})
    told.update(_dates(turn))
    told.update({kind: turn.named(kind)[0] for kind in ("trip", "cabin") if turn.named(kind)})
    if told["return_date"] and not turn.named("trip"):
        told["trip"] = Trip.RETURN
    if told["trip"] == Trip.ONE_WAY:
        told["return_date"] = None
    return _with_roleless(turn, Wanted(**told))


def _dates(turn: TurnNow) -> dict[str, Any]:
    if turn.named("any_date"):
        return {"depart": None, "return_date": None}
    going, back = turn.named("date", "depart"), turn.named("date", "return")
    if len(going) > 1 and not back:
        going, back = going[:1], going[1:2]
    return {**({"depart": going[0]} if going else {}), **({"return_date": back[0]} if back else {})}


def _with_roleless(turn: TurnNow, wanted: Wanted) -> Wanted:
    """A city named alone answers the question asked, fills the gap, or has to be asked about."""
    named = [one.value for one in turn.entities if one.kind == "city" and one.role is None]
    asked_end = (turn.asked or "").removeprefix("end:") if (turn.asked or "").startswith("end:") else None
    if not named:
        return _ended(turn, wanted, asked_end) if asked_end else wanted
    city = named[0]
    if turn.asked in ("origin", "destination"):
        return _changed(wanted, turn.asked, city)
    if turn.intent == "ask_fare" and not turn.named("city", "destination"):
        return _changed(wanted, "destination", city)
    if wanted.destination and not wanted.origin:
        return _changed(wanted, "origin", city)
    if wanted.destination and wanted.origin:
        return Wanted(**wanted.slots(), which_end=city)
    return _changed(wanted, "destination", city)


def _ended(turn: TurnNow, wanted: Wanted, city: str) -> Wanted:
    """The answer to "from Rome or to Rome?"."""
    words = set(turn.text.lower().replace(",", " ").replace(".", " ").split())
    if words & {"from", "origin", "departure", "first"}:
        return _changed(wanted, "origin", city)
    if words & {"to", "destination", "second"}:
        return _changed(wanted, "destination", city)
    return Wanted(**wanted.slots(), which_end=city)


def _changed(wanted: Wanted, part: str, value: str) -> Wanted:
    return Wanted(**{**wanted.slots(), part: value})


def _query(wanted: Wanted) -> FareQuery:
    return FareQuery(
        origin=wanted.origin or "",
        destination=wanted.destination or "",
        depart=_day(wanted.depart),
        return_date=_day(wanted.return_date),
        trip=Trip(wanted.trip or Trip.RETURN),
        cabin=Cabin(wanted.cabin or Cabin.ECONOMY),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _question(missing: str, wanted: Wanted) -> str:
    if missing == "origin":
        return "Where would you like to fly from?"
    if missing == "destination":
        return "Where would you like to fly to" + ("?" if wanted.origin else ", and from which city?")
    return f"Do you mean from {wanted.which_end} or to {wanted.which_end}?"


def _unknown(turn: TurnNow, wanted: Wanted, answer: FareAnswer) -> Result:
    """A place we do not know; its name is said back in private only, for others might read it."""
    end = "destination" if answer.unknown == wanted.destination else "origin"
    name = _echo(answer.unknown or "") if turn.is_private else ""
    known = f"I don't know {name} as a city that we fly to." if name else "I don't know that place as a city we fly to."
    ask = "Which city would you like to fly to?" if end == "destination" else "Which city would you leave from?"
    return Result(
        why=Why(rule="fare", detail=str(answer.kind)),
        text=f"{known} {ask}{how_to_go_on(turn)}",
        failed=turn.asked == end,
        slots={**wanted.slots(), end: None, "asked": end},
    )


def _echo(text: str) -> str:
    plain = "".join(char if char.isalpha() or char in " -'" else " " for char in text[:LONGEST_ECHO_CHARS])
    words = " ".join(plain.split())
    return f"“{words}”" if words else ""


def _quote(answer: FareAnswer, wanted: Wanted, turn: TurnNow) -> str:
    fare, today = answer.fare, turn.now.date()
    if fare is None or answer.origin is None or answer.destination is None:
        raise ValueError("a fare was found without fare or cities")
    when = (
        f"flying out on {_date(answer.query.depart)}"
        if answer.query.depart
        else f"flying out {_date(max(fare.travel_from, today))} to {_date(fare.travel_until)}"
    )
    what = f"{answer.origin.name} to {answer.destination.name}, {_TRIPS[fare.trip]}, {fare.cabin}"
    price = f"from {fare.price_text} ({fare.currency}) per adult, {when}"
    if answer.is_last_known:
        person = "Write AGENT" if turn.is_private else "Mention us with AGENT"
        doubt = f"I can't check it now and it may have changed. {person} for a person."
        return f"{what}, last known at {_as_of(fare, turn.now)}: {price}. {doubt}"
    assumed = "" if wanted.trip else " Say “one way” if you need no return."
    return f"{what}: {price}. As of {_as_of(fare, turn.now)}.{assumed}"


def _why_not(answer: FareAnswer) -> str:
    route = (
        f"{answer.origin.name} to {answer.destination.name}" if answer.origin and answer.destination else "that route"
    )
    kind = f"{_TRIPS[answer.query.trip]}, {answer.query.cabin}"
    on_sale = f" Flights are on sale until {_date(answer.on_sale_until)}." if answer.on_sale_until else ""
    return {
        FareKind.NO_FARE: f"We have no {kind} fare from {route}. Another cabin, date or city may work.",
        FareKind.SOLD_OUT: f"Sorry, {route} ({kind}) is sold out for that date. Another date or cabin may be free.",
        FareKind.NOT_ON_SALE_YET: f"Flights from {route} are not on sale yet for that date.{on_sale}",
        FareKind.SAME_CITY: "You would leave from and arrive in the same city. Which city would you like to fly to?",
        FareKind.PAST_DATE: "That date is in the past. Which date would you like to fly on?",
        FareKind.RETURN_BEFORE_DEPARTURE: "The way back would be before the way out. Which dates would you like?",
    }[answer.kind]


def _forget(kind: FareKind) -> dict[str, Any]:
    """What was said wrong is asked for anew rather than kept."""
    if kind is FareKind.SAME_CITY:
        return {"destination": None, "asked": "destination"}
    if kind in (FareKind.PAST_DATE, FareKind.RETURN_BEFORE_DEPARTURE):
        return {"depart": None, "return_date": None, "asked": "date"}
    return {}


def _as_of(fare: Fare, now: datetime) -> str:
    """The age of a price: the day, or the time of day where the source tells it and it was today."""
    if fare.confirmed_at is None:
        return _date(fare.as_of)
    return moment(fare.confirmed_at, now)


def _date(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else ""
