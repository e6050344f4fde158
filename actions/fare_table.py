"""The fare table: fares of our own, read from a CSV file and answered from memory."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from actions.cities import CURRENCIES, Cities
from actions.fares import Cabin, Fare, FareAnswer, FareKind, FareQuery, Trip

FARES = Path(__file__).parent / "data" / "fares.csv"
COLUMNS = (
    "origin",
    "destination",
    "trip",
    "cabin",
    "price",
    "currency",
    "travel_from",
    "travel_until",
    "seats",
    "as_of",
)
SHOWN_ERRORS = 10
Value = TypeVar("Value")


class FareTableError(Exception):
    """The fare table cannot be used; the message lists file, lines and remedy."""


class FareTable:
    """Answers from a fixed set of fares."""

    def __init__(self, fares: Sequence[Fare], *, cities: Cities) -> None:
        self._fares = tuple(fares)
        self._cities = cities

    def __len__(self) -> int:
        return len(self._fares)

    async def lowest(self, query: FareQuery, today: date) -> FareAnswer:
        """The lowest fare that fits; the outbound day decides which fares do."""
        answer = self._placed(query)
        if answer.kind is not FareKind.FOUND:
            return answer
        kind = _impossible_dates(query, today)
        if kind:
            return replace(answer, kind=kind)
        offered = [fare for fare in self._offered(answer) if fare.travel_until >= today]
        if not offered:
            return replace(answer, kind=FareKind.NO_FARE)
        return _cheapest(replace(answer, on_sale_until=max(fare.travel_until for fare in offered)), offered)

    def _placed(self, query: FareQuery) -> FareAnswer:
        """The answer with both cities filled in, or the one that is not known."""
        origin, destination = self._cities.named(query.origin), self._cities.named(query.destination)
        answer = FareAnswer(kind=FareKind.FOUND, query=query, origin=origin, destination=destination)
        if origin is None or destination is None:
            unknown = query.origin if origin is None else query.destination
            return replace(answer, kind=FareKind.UNKNOWN_CITY, unknown=unknown)
        if origin == destination:
            return replace(answer, kind=FareKind.SAME_CITY)
        return answer

    def _offered(self, answer: FareAnswer) -> Iterator[Fare]:
        """The fares of the route, trip and cabin that are asked for."""
        assert answer.origin
        assert answer.destination
        asked = (answer.origin.code, answer.destination.code, answer.query.trip, answer.query.cabin)
        return (fare for fare in self._fares if (fare.origin, fare.destination, fare.trip, fare.cabin) == asked)


def _impossible_dates(query: FareQuery, today: date) -> FareKind | None:
    """Why no fare can have these dates."""
    back = query.return_date if query.trip is Trip.RETURN else None
    if any(day is not None and day < today for day in (query.depart, back)):
        return FareKind.PAST_DATE
    if query.depart and back and back < query.depart:
        return FareKind.RETURN_BEFORE_DEPARTURE
    return None


def _cheapest(answer: FareAnswer, offered: Sequence[Fare]) -> FareAnswer:
    """The cheapest of the route's fares on the days asked for."""
    query = answer.query
    back = query.return_date if query.trip is Trip.RETURN else None
    last = answer.on_sale_until
    if last and any(day is not None and day > last for day in (query.depart, back)):
        return replace(answer, kind=FareKind.NOT_ON_SALE_YET)
    fitting = [fare for fare in offered if query.depart is None or _covers(fare, query.depart)]
    if not fitting:
        return replace(answer, kind=FareKind.NO_FARE)
    # a way back on a sold-out day is no return trip, whatever the way out costs
    no_way_back = back is not None and all(fare.sold_out for fare in offered if _covers(fare, back))
    free = [fare for fare in fitting if not fare.sold_out]
    if no_way_back or not free:
        return replace(answer, kind=FareKind.SOLD_OUT)
    return replace(answer, fare=min(free, key=lambda fare: (fare.price, fare.travel_from)))


def _covers(fare: Fare, day: date) -> bool:
    return fare.travel_from <= day <= fare.travel_until


def load_fares(path: Path = FARES, *, cities: Cities) -> FareTable:
    """Read the table; raises FareTableError with every wrong line (the first ten are shown)."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            fares, errors = _read(file, cities)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FareTableError(f"{path.name} cannot be read: {error}. {_REMEDY}") from error
    if errors:
        shown = "\n".join(f"  {path.name} line {line}: {what}" for line, what in errors[:SHOWN_ERRORS])
        more = f"\n  and {len(errors) - SHOWN_ERRORS} more" if len(errors) > SHOWN_ERRORS else ""
        raise FareTableError(f"The fare table has {len(errors)} error(s):\n{shown}{more}\n{_REMEDY}")
    return FareTable(fares, cities=cities)


_REMEDY = "Correct the file, or write a fresh one with `python scripts/make_fares.py`."


def _read(file: Iterable[str], cities: Cities) -> tuple[list[Fare], list[tuple[int, str]]]:
    """The fares, and what is wrong with which line."""
    reader = csv.DictReader(file)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        return [], [(1, f"the columns must be {','.join(COLUMNS)}")]
    fares: list[Fare] = []
    errors: list[tuple[int, str]] = []
    seen: dict[tuple[object, ...], int] = {}
    for row in reader:
        line = reader.line_num
        try:
            fare = _fare(row, cities)
            key = (fare.origin, fare.destination, fare.trip, fare.cabin, fare.travel_from, fare.travel_until)
            if key in seen:
                raise ValueError(f"the same fare as in line {seen[key]}")
        except ValueError as error:
            errors.append((line, str(error)))
            continue
        seen[key] = line
        fares.append(fare)
    return fares, errors or ([] if fares else [(1, "there are no fares")])


def _fare(row: dict[str, str | None], cities: Cities) -> Fare:
    """A fare from its row; raises ValueError in words an editor understands."""
    cells: dict[str, str] = {column: (row.get(column) or "").strip() for column in COLUMNS}
    if None in row or any(row.get(column) is None for column in COLUMNS):
        raise ValueError(f"{len(COLUMNS)} cells are expected")
    for column in ("origin", "destination"):
        if cities.by_code(cells[column]) is None:
            raise ValueError(f"unknown city “{cells[column]}” as {column}; add it to cities.yml or correct the code")
    if cells["origin"] == cells["destination"]:
        raise ValueError("origin and destination are the same")
    if cells["currency"] not in CURRENCIES:
        raise ValueError(f"unknown currency “{cells['currency']}”; use {' or '.join(CURRENCIES)}")
    if cells["seats"] not in ("open", "sold_out"):
        raise ValueError(f"seats “{cells['seats']}” must be open or sold_out")
    begins, ends = (
        _cell(cells, "travel_from", date.fromisoformat),
        _cell(cells, "travel_until", date.fromisoformat),
    )
    if ends < begins:
        raise ValueError(f"the window ends ({ends}) before it starts ({begins})")
    return Fare(
        origin=cells["origin"],
        destination=cells["destination"],
        trip=_cell(cells, "trip", Trip),
        cabin=_cell(cells, "cabin", Cabin),
        price=_price(cells["price"]),
        currency=cells["currency"],
        travel_from=begins,
        travel_until=ends,
        sold_out=cells["seats"] == "sold_out",
        as_of=_cell(cells, "as_of", date.fromisoformat),
    )


def _cell(cells: dict[str, str], column: str, read: Callable[[str], Value]) -> Value:
    """One cell read as what its column holds."""
    try:
        return read(cells[column])
    except ValueError as error:
        raise ValueError(f"{column} “{cells[column]}” is not valid ({error})") from error


def _price(text: str) -> Decimal:
    """A price above zero with at most two decimals."""
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"price “{text}” is not a number") from error
    if not price.is_finite() or price <= 0:
        raise ValueError(f"price {text} is not above zero")
    if price != round(price, 2):
        raise ValueError(f"price {text} has more than two decimals")
    return price
