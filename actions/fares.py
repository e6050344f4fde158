"""Fares: what can be asked, what can be answered, and the port that answers it."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from actions.cities import City

SYMBOLS = {"GBP": "£", "EUR": "€"}


class Trip(StrEnum):
    """How far the ticket goes."""

    ONE_WAY = "one_way"
    RETURN = "return"


class Cabin(StrEnum):
    """Where one sits."""

    ECONOMY = "economy"
    PREMIUM = "premium"
    BUSINESS = "business"


@dataclass(frozen=True, kw_only=True)
class FareQuery:
    """What a customer wants to know; places as written, dates only where given."""

    origin: str
    destination: str
    depart: date | None = None
    return_date: date | None = None
    trip: Trip = Trip.RETURN
    cabin: Cabin = Cabin.ECONOMY


@dataclass(frozen=True, kw_only=True)
class Fare:
    """One adult fare, for outbound flights from travel_from to travel_until, both included."""

    origin: str
    destination: str
    trip: Trip
    cabin: Cabin
    price: Decimal
    currency: str
    travel_from: date
    travel_until: date
    sold_out: bool
    as_of: date  # when the price was last confirmed
    confirmed_at: datetime | None = None  # the same to the minute, with its zone, where the source says so

    @property
    def price_text(self) -> str:
        """The price as customers read it: £89 or €129.50."""
        return money(self.price, self.currency)


class FareKind(StrEnum):
    """What a question about a fare came to."""

    FOUND = "found"
    NO_FARE = "no_fare"  # we do not sell this route, trip or cabin
    SOLD_OUT = "sold_out"
    NOT_ON_SALE_YET = "not_on_sale_yet"  # later than the last flight on sale
    UNKNOWN_CITY = "unknown_city"
    SAME_CITY = "same_city"
    PAST_DATE = "past_date"
    RETURN_BEFORE_DEPARTURE = "return_before_departure"


@dataclass(frozen=True, kw_only=True)
class FareAnswer:
    """The answer to a query; fare only when found, unknown only when a city was not understood."""

    kind: FareKind
    query: FareQuery
    fare: Fare | None = None
    origin: City | None = None
    destination: City | None = None
    unknown: str | None = None
    on_sale_until: date | None = None  # the last day on sale, when known
    is_last_known: bool = False  # the source is away: this is what it said at the fare's confirmed_at


class FaresAway(Exception):
    """Fares cannot be looked up now; a person has to."""


class FareSource(Protocol):
    """Where fares come from."""

    async def lowest(self, query: FareQuery, today: date) -> FareAnswer:
        """The lowest fare that fits, or the plain reason why there is none; raises FaresAway."""
        ...


def money(amount: Decimal, currency: str) -> str:
    """An amount with its sign, pence only where there are any."""
    text = f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"
    return f"{SYMBOLS[currency]}{text}"
