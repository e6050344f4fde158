"""Fares of a company's own system, asked over HTTP; what it said last is kept for a while, with its age."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated

from annotated_types import Gt, MaxLen
from cachetools import LRUCache

from actions.cities import Cities, City
from actions.fare_table import FareTable
from actions.fares import Cabin, Fare, FareAnswer, FareKind, FareQuery, FaresAway, Trip
from actions.http_source import HttpSource, SourceAway
from actions.wire import Currency, Day, Moment, Money, Wire, check_age, parsed

MOST_KEPT = 2_000
"""Routes; the least asked for goes first."""


class OfferedFare(Wire):
    """One adult fare as the system writes it."""

    origin: str
    destination: str
    trip: Trip
    cabin: Cabin
    price: Annotated[Money, Gt(0)]
    currency: Currency
    travel_from: Day
    travel_until: Day
    sold_out: bool


class FareList(Wire):
    """Every fare of one route, trip and cabin."""

    as_of: Moment
    fares: Annotated[list[OfferedFare], MaxLen(500)]


@dataclass(frozen=True, kw_only=True)
class _Route:
    """What the system is asked for."""

    origin: City
    destination: City
    trip: Trip
    cabin: Cabin

    def params(self) -> dict[str, str]:
        """The question as the address carries it."""
        ends = {"origin": self.origin.code, "destination": self.destination.code}
        return {**ends, "trip": str(self.trip), "cabin": str(self.cabin)}


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What the system said: of when it was true, and when it was asked."""

    fares: tuple[Fare, ...]
    as_of: datetime
    asked_at: datetime


class HttpFares:
    """Asks for a route's fares and finds the lowest among them by the rules of the fare table."""

    def __init__(
        self,
        source: HttpSource,
        *,
        cities: Cities,
        now: Callable[[], datetime],
        asked_again_after: timedelta = timedelta(minutes=1),
        last_known_for: timedelta = timedelta(minutes=30),
    ) -> None:
        """`last_known_for`: how old a fare may be that is told, as the last one known, while the system is away."""
        self._source = source
        self._cities = cities
        self._now = now
        self._asked_again_after = asked_again_after
        self._last_known_for = last_known_for
        self._kept: LRUCache[_Route, _Said] = LRUCache(maxsize=MOST_KEPT)

    async def lowest(self, query: FareQuery, today: date) -> FareAnswer:
        """The lowest fare that fits, of the moment it names; raises FaresAway."""
        possible = await FareTable((), cities=self._cities).lowest(query, today)
        if possible.kind is not FareKind.NO_FARE or possible.origin is None or possible.destination is None:
            return possible  # an unknown city or an impossible date needs no price
        route = _Route(origin=possible.origin, destination=possible.destination, trip=query.trip, cabin=query.cabin)
        kept = self._kept.get(route)
        if kept and timedelta() <= self._now() - kept.asked_at < self._asked_again_after:
            return await self._lowest_of(kept, query, today)
        try:
            said = await self._source.get("/fares", route.params(), lambda body: self._read(body, route))
        except SourceAway as error:
            return await self._last_known(kept, query, today, error)
        self._kept[route] = said
        return await self._lowest_of(said, query, today)

    async def _lowest_of(self, said: _Said, query: FareQuery, today: date) -> FareAnswer:
        return await FareTable(said.fares, cities=self._cities).lowest(query, today)

    async def _last_known(self, kept: _Said | None, query: FareQuery, today: date, trouble: SourceAway) -> FareAnswer:
        """A fare known shortly before, marked as such; that there was none then says nothing about now."""
        if kept and timedelta() <= self._now() - kept.as_of <= self._last_known_for:
            answer = await self._lowest_of(kept, query, today)
            if answer.kind is FareKind.FOUND:
                return replace(answer, is_last_known=True)
        raise FaresAway(str(trouble)) from trouble

    def _read(self, body: bytes, route: _Route) -> _Said:
        """The fares of an answer; raises SourceAway where it is not an answer to what was asked."""
        answer, now = parsed(FareList, body), self._now()
        check_age(answer.as_of, now)
        return _Said(
            fares=tuple(_fare(offered, route, answer.as_of) for offered in answer.fares),
            as_of=answer.as_of,
            asked_at=now,
        )


def _fare(offered: OfferedFare, route: _Route, as_of: datetime) -> Fare:
    asked = (route.origin.code, route.destination.code, route.trip, route.cabin)
    if (offered.origin, offered.destination, offered.trip, offered.cabin) != asked:
        raise SourceAway("its answer has fares that were not asked for")
    if offered.currency != route.origin.currency:
        raise SourceAway("its answer has prices in a currency that is not the one of fares from there")
    if offered.travel_until < offered.travel_from:
        raise SourceAway("its answer has a travel time that ends before it begins")
    return Fare(
        origin=offered.origin,
        destination=offered.destination,
        trip=offered.trip,
        cabin=offered.cabin,
        price=offered.price,
        currency=offered.currency,
        travel_from=offered.travel_from,
        travel_until=offered.travel_until,
        sold_out=offered.sold_out,
        as_of=as_of.date(),
        confirmed_at=as_of,
    )
