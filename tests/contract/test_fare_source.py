"""What every source of fares promises."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from actions.cities import Cities, City
from actions.fare_table import COLUMNS, FareTable, load_fares
from actions.fares import Cabin, Fare, FareKind, FareQuery, FareSource, Trip
from actions.http_fares import HttpFares
from tests.support.company_system import CompanySystem

TODAY = date(2026, 11, 22)
CITIES = Cities(
    [
        City(code="MAN", name="Manchester", country="GB", currency="GBP"),
        City(code="PAR", name="Paris", country="FR", currency="EUR", misspellings=("Parris",)),
        City(code="ROM", name="Rome", country="IT", currency="EUR"),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Sale:
    """One line of the price list used here."""

    price: str
    first: date
    last: date
    trip: Trip = Trip.RETURN
    sold_out: bool = False


SALES = (
    Sale(price="120", first=date(2026, 11, 1), last=date(2026, 11, 21)),  # over
    Sale(price="89.99", first=date(2026, 11, 22), last=date(2026, 12, 31)),
    Sale(price="140", first=date(2027, 1, 1), last=date(2027, 1, 31)),
    Sale(price="70", first=date(2027, 2, 1), last=date(2027, 2, 28), sold_out=True),
    Sale(price="95", first=date(2027, 3, 1), last=date(2027, 3, 31)),
    Sale(price="93", first=date(2027, 3, 10), last=date(2027, 3, 20)),  # an offer inside a season
    Sale(price="49.50", first=date(2026, 11, 22), last=date(2027, 3, 31), trip=Trip.ONE_WAY),
)


def fares() -> Sequence[Fare]:
    """The price list as fares."""
    return [
        Fare(
            origin="MAN",
            destination="PAR",
            trip=sale.trip,
            cabin=Cabin.ECONOMY,
            price=Decimal(sale.price),
            currency="GBP",
            travel_from=sale.first,
            travel_until=sale.last,
            sold_out=sale.sold_out,
            as_of=date(2026, 11, 20),
        )
        for sale in SALES
    ]


def written(folder: Path) -> Path:
    """The price list as a file."""
    lines = [",".join(COLUMNS)]
    for fare in fares():
        seats = "sold_out" if fare.sold_out else "open"
        cells = (fare.origin, fare.destination, fare.trip, fare.cabin, fare.price, fare.currency)
        lines.append(",".join(map(str, (*cells, fare.travel_from, fare.travel_until, seats, fare.as_of))))
    path = folder / "fares.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(params=["in memory", "from a file", "over HTTP"])
async def source(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FareSource]:
    if request.param == "in memory":
        yield FareTable(fares(), cities=CITIES)
    elif request.param == "from a file":
        yield load_fares(written(tmp_path), cities=CITIES)
    else:
        system = CompanySystem(fares=fares(), as_of="2026-11-20T08:00:00Z")
        async with system.running(), system.source() as asked:
            yield HttpFares(asked, cities=CITIES, now=lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))


def to_paris(**more: object) -> FareQuery:
    return FareQuery(**{"origin": "Manchester", "destination": "Paris", **more})  # type: ignore[arg-type]


async def test_without_a_date_the_lowest_coming_fare_is_quoted(source: FareSource) -> None:
    answer = await source.lowest(to_paris(), TODAY)
    assert answer.kind is FareKind.FOUND
    assert answer.fare
    assert answer.fare.price_text == "£89.99"
    assert answer.fare.as_of == date(2026, 11, 20)
    assert answer.on_sale_until == date(2027, 3, 31)


async def test_the_outbound_day_decides_the_fare(source: FareSource) -> None:
    query = to_paris(depart=date(2027, 1, 15), return_date=date(2027, 3, 2))
    answer = await source.lowest(query, TODAY)
    assert answer.fare
    assert answer.fare.price_text == "£140"


@pytest.mark.parametrize("day", [date(2026, 11, 22), date(2026, 12, 31)])
async def test_the_first_and_last_day_of_a_window_belong_to_it(source: FareSource, day: date) -> None:
    answer = await source.lowest(to_paris(depart=day), TODAY)
    assert answer.fare
    assert answer.fare.price_text == "£89.99"


async def test_the_lower_of_two_overlapping_fares_is_quoted(source: FareSource) -> None:
    answer = await source.lowest(to_paris(depart=date(2027, 3, 15)), TODAY)
    assert answer.fare
    assert answer.fare.price_text == "£93"


async def test_one_way_and_return_are_different_fares(source: FareSource) -> None:
    answer = await source.lowest(to_paris(trip=Trip.ONE_WAY), TODAY)
    assert answer.fare
    assert answer.fare.price_text == "£49.50"


async def test_a_fare_whose_window_is_over_is_never_quoted(source: FareSource) -> None:
    answer = await source.lowest(to_paris(), date(2027, 1, 10))
    assert answer.fare
    assert answer.fare.travel_until >= date(2027, 1, 10)


async def test_a_sold_out_season_says_so(source: FareSource) -> None:
    out = await source.lowest(to_paris(depart=date(2027, 2, 14)), TODAY)
    back = await source.lowest(to_paris(depart=date(2027, 1, 20), return_date=date(2027, 2, 14)), TODAY)
    assert out.kind is back.kind is FareKind.SOLD_OUT
    assert out.fare is back.fare is None


async def test_a_past_day_has_no_fare(source: FareSource) -> None:
    assert (await source.lowest(to_paris(depart=date(2026, 11, 21)), TODAY)).kind is FareKind.PAST_DATE
    assert (await source.lowest(to_paris(return_date=date(2026, 11, 2)), TODAY)).kind is FareKind.PAST_DATE


async def test_a_return_before_the_departure_is_told(source: FareSource) -> None:
    query = to_paris(depart=date(2026, 12, 10), return_date=date(2026, 12, 9))
    assert (await source.lowest(query, TODAY)).kind is FareKind.RETURN_BEFORE_DEPARTURE


async def test_a_return_on_the_day_of_departure_is_fine(source: FareSource) -> None:
    query = to_paris(depart=date(2026, 12, 10), return_date=date(2026, 12, 10))
    assert (await source.lowest(query, TODAY)).kind is FareKind.FOUND


async def test_a_return_date_does_not_matter_one_way(source: FareSource) -> None:
    query = to_paris(depart=date(2026, 12, 10), return_date=date(2026, 1, 1), trip=Trip.ONE_WAY)
    assert (await source.lowest(query, TODAY)).kind is FareKind.FOUND


async def test_a_day_later_than_any_flight_is_not_on_sale_yet(source: FareSource) -> None:
    answer = await source.lowest(to_paris(depart=date(2027, 4, 1)), TODAY)
    assert answer.kind is FareKind.NOT_ON_SALE_YET
    assert answer.on_sale_until == date(2027, 3, 31)


async def test_a_city_nobody_knows_is_named_back(source: FareSource) -> None:
    to = await source.lowest(to_paris(destination="Atlantis"), TODAY)
    start = await source.lowest(to_paris(origin="Narnia"), TODAY)
    assert (to.kind, to.unknown) == (FareKind.UNKNOWN_CITY, "Atlantis")
    assert (start.kind, start.unknown) == (FareKind.UNKNOWN_CITY, "Narnia")
    assert to.origin
    assert to.origin.code == "MAN"


async def test_a_misspelt_city_is_understood(source: FareSource) -> None:
    answer = await source.lowest(to_paris(destination="parris"), TODAY)
    assert answer.destination
    assert answer.destination.name == "Paris"


async def test_a_trip_to_where_it_starts_is_told(source: FareSource) -> None:
    assert (await source.lowest(to_paris(destination="MAN"), TODAY)).kind is FareKind.SAME_CITY


async def test_a_route_or_cabin_not_sold_has_no_fare(source: FareSource) -> None:
    assert (await source.lowest(to_paris(destination="Rome"), TODAY)).kind is FareKind.NO_FARE
    assert (await source.lowest(to_paris(cabin=Cabin.BUSINESS), TODAY)).kind is FareKind.NO_FARE
