"""Write Kestrel Air's fare table; the same file every time, for a given seed."""

import argparse
import csv
import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

from actions.cities import City, load_cities
from actions.fare_table import COLUMNS, FARES
from actions.fares import Cabin, Trip

SEED = 20261122
AS_OF = date(2026, 11, 22)
HUBS = ("MAN", "LON", "DUB")
# bases with a few routes of their own, so that "from Rome" has an answer too
BASES = {
    "PAR": ("ROM", "LIS", "BER", "EDI"),
    "ROM": ("PAR", "BCN", "ATH", "BUD"),
    "EDI": ("AMS", "PMI", "PRG"),
    "AMS": ("NCE", "OPO", "VIE"),
}
# the routes of later cities have a chance of their own, so that older prices stay when a city is added
FIRST_CITIES = 48
LATER_BASES = {
    "LPL": ("AMS", "PAR"),
    "FLR": ("BCN",),
    "BLQ": ("BCN",),
    "NUE": ("BCN",),
    "RIX": ("STO",),
    "TLL": ("STO",),
    "GDN": ("STO",),
}
SEASONS = (  # name, first and last outbound day, price factor
    ("early winter", date(2026, 11, 22), date(2026, 12, 17), Decimal("0.85")),
    ("christmas", date(2026, 12, 18), date(2027, 1, 4), Decimal("1.60")),
    ("spring", date(2027, 1, 5), date(2027, 6, 20), Decimal("1.00")),
    ("summer", date(2027, 6, 21), date(2027, 9, 12), Decimal("1.40")),
    ("autumn", date(2027, 9, 13), date(2027, 12, 31), Decimal("0.95")),
)
CABINS = {Cabin.ECONOMY: Decimal(1), Cabin.PREMIUM: Decimal("1.7"), Cabin.BUSINESS: Decimal("3.4")}
NO_FLIGHTS = {
    frozenset(("MAN", "LBA")),
    frozenset(("LON", "CWL")),
    frozenset(("MAN", "LPL")),
    frozenset(("LON", "LPL")),
    frozenset(("LON", "BRS")),
    frozenset(("MAN", "BHX")),
}
PREMIUM_ROUTES = ("ROM", "ATH", "IST", "REK", "LIS", "MAD", "HEL", "BCN", "AGP", "PAR")
FAR = ("ATH", "IST", "REK", "HEL", "LIS", "FAO", "AGP", "SVQ", "CTA", "TFS", "FNC", "SKG", "MLA", "TLL")


def routes(cities: list[City], chance: random.Random) -> Iterator[tuple[City, City]]:
    """Both directions of every route on sale."""
    by_code = {city.code: city for city in cities}
    pairs: dict[tuple[str, str], None] = {}
    for hub in HUBS:
        for city in cities:
            served = hub == "MAN" or chance.random() < 0.55
            if city.code != hub and served and frozenset((hub, city.code)) not in NO_FLIGHTS:
                pairs[hub, city.code] = None
    for base, ends in BASES.items():
        pairs.update({(base, end): None for end in ends})
    pairs.update({(end, start): None for start, end in list(pairs)})
    for start, end in pairs:
        yield by_code[start], by_code[end]


def later_routes(city: City, older: dict[str, City], chance: random.Random) -> Iterator[tuple[City, City]]:
    """Both directions of the routes that were added later for this city."""
    hubs = [hub for hub in HUBS if hub == "MAN" or chance.random() < 0.55]
    for code in (*hubs, *LATER_BASES.get(city.code, ())):
        if frozenset((code, city.code)) not in NO_FLIGHTS:
            yield older[code], city
            yield city, older[code]


def rows(cities: list[City], seed: int) -> list[tuple[object, ...]]:
    """The rows of the table, in a stable order."""
    first = cities[:FIRST_CITIES]
    later = [city for city in cities if city not in first or city.code in LATER_BASES]
    chance = random.Random(seed)
    found = [row for route in sorted(routes(first, chance), key=_codes) for row in _fares(*route, chance)]
    older = {city.code: city for city in first}
    for city in later:
        own = random.Random(f"{seed} {city.code}")
        found += [row for route in later_routes(city, older, own) for row in _fares(*route, own)]
    return sorted(found, key=lambda row: (row[0], row[1]))  # stable: seasons and cabins keep their order


def _codes(route: tuple[City, City]) -> tuple[str, str]:
    return route[0].code, route[1].code


def _fares(start: City, end: City, chance: random.Random) -> Iterator[tuple[object, ...]]:
    """The fares of one route: every season, cabin and trip."""
    far = start.code in FAR or end.code in FAR
    base = Decimal(chance.randint(62, 95) if far else chance.randint(31, 64))
    cabins = [Cabin.ECONOMY]
    if end.code in PREMIUM_ROUTES or start.code in PREMIUM_ROUTES:
        cabins += [Cabin.PREMIUM, Cabin.BUSINESS] if far or "LON" in (start.code, end.code) else [Cabin.PREMIUM]
    for _, first, last, factor in SEASONS:
        for cabin in cabins:
            sold_out = chance.random() < 0.03
            for trip, times in ((Trip.ONE_WAY, Decimal(1)), (Trip.RETURN, Decimal("1.82"))):
                price = (base * factor * CABINS[cabin] * times).quantize(Decimal(1)) - Decimal("0.01")
                seats = "sold_out" if sold_out else "open"
                yield start.code, end.code, trip, cabin, price, start.currency, first, last, seats, AS_OF


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FARES, help="where to write (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed gives other prices")
    arguments = parser.parse_args()
    written = 0
    with arguments.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows(list(load_cities()), arguments.seed):
            writer.writerow(row)
            written += 1
    print(f"{written} fares written to {arguments.out}")


if __name__ == "__main__":
    main()
