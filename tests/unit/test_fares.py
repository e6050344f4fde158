"""The fare table: what it answers and which rows it refuses."""

import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from actions.cities import CITIES, CitiesError, load_cities
from actions.fare_table import COLUMNS, FARES, FareTableError, load_fares
from actions.fares import Cabin, FareKind, FareQuery, Trip, money

TODAY = date(2026, 11, 22)
ROOT = Path(__file__).parents[2]
GOOD_ROW = "MAN,PAR,return,economy,89.99,GBP,2026-11-22,2027-03-31,open,2026-11-22"
CITIES_READ = load_cities()


def table_file(folder: Path, *rows: str) -> Path:
    """A fare table with these rows."""
    path = folder / "fares.csv"
    path.write_text("\n".join((",".join(COLUMNS), *rows)) + "\n", encoding="utf-8")
    return path


def test_the_shipped_table_covers_sixty_cities_and_two_thousand_fares_to_the_end_of_next_year() -> None:
    table = load_fares(cities=CITIES_READ)
    rows = [line.split(",") for line in FARES.read_text().splitlines()[1:]]
    assert len(table) == len(rows) >= 2_000
    assert {row[0] for row in rows} == {row[1] for row in rows} == {city.code for city in CITIES_READ}
    assert (min(row[6] for row in rows), max(row[7] for row in rows)) == ("2026-11-22", "2027-12-31")


def test_the_generator_writes_the_shipped_table(tmp_path: Path) -> None:
    out = tmp_path / "again.csv"
    command = [sys.executable, str(ROOT / "scripts" / "make_fares.py"), "--out", str(out)]
    subprocess.run(command, check=True, env={"PYTHONPATH": str(ROOT)}, capture_output=True)
    assert out.read_text() == FARES.read_text()


async def test_a_shipped_fare_is_quoted_from_both_sides_in_the_currency_of_the_start() -> None:
    table = load_fares(cities=CITIES_READ)
    there = await table.lowest(FareQuery(origin="Manchester", destination="paris"), TODAY)
    back = await table.lowest(FareQuery(origin="CDG", destination="Machester"), TODAY)
    assert there.fare
    assert back.fare
    assert (there.fare.currency, back.fare.currency) == ("GBP", "EUR")
    assert there.fare.as_of == TODAY


@pytest.mark.parametrize("month", range(1, 13))
async def test_every_month_of_next_year_has_a_fare_to_paris_or_says_sold_out(month: int) -> None:
    table = load_fares(cities=CITIES_READ)
    query = FareQuery(origin="Manchester", destination="Paris", depart=date(2027, month, 15), trip=Trip.ONE_WAY)
    assert (await table.lowest(query, TODAY)).kind in (FareKind.FOUND, FareKind.SOLD_OUT)


async def test_a_route_that_is_not_flown_has_no_fare() -> None:
    table = load_fares(cities=CITIES_READ)
    answer = await table.lowest(FareQuery(origin="Cork", destination="Warsaw"), TODAY)
    assert answer.kind is FareKind.NO_FARE
    assert answer.fare is None


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (GOOD_ROW.replace("89.99", "-89.99"), "price -89.99 is not above zero"),
        (GOOD_ROW.replace("89.99", "0"), "not above zero"),
        (GOOD_ROW.replace("89.99", "cheap"), "price “cheap” is not a number"),
        (GOOD_ROW.replace("89.99", "NaN"), "not above zero"),
        (GOOD_ROW.replace("89.99", "89.999"), "more than two decimals"),
        (GOOD_ROW.replace("GBP", "DOGE"), "unknown currency “DOGE”"),
        (GOOD_ROW.replace("2027-03-31", "2026-01-31"), "ends (2026-01-31) before it starts (2026-11-22)"),
        (GOOD_ROW.replace("2027-03-31", "31/03/2027"), "travel_until “31/03/2027” is not valid"),
        (GOOD_ROW.replace("PAR", "XXX"), "unknown city “XXX” as destination"),
        (GOOD_ROW.replace("PAR", "MAN"), "origin and destination are the same"),
        (GOOD_ROW.replace("economy", "cargo"), "cabin “cargo”"),
        (GOOD_ROW.replace("return", "there and back"), "trip “there and back”"),
        (GOOD_ROW.replace("open", "maybe"), "seats “maybe”"),
        (GOOD_ROW + ",more", "10 cells are expected"),
        ("MAN,PAR", "10 cells are expected"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_what_to_do(tmp_path: Path, row: str, complaint: str) -> None:
    other = GOOD_ROW.replace("PAR", "ROM")
    with pytest.raises(FareTableError) as refusal:
        load_fares(table_file(tmp_path, other, row), cities=CITIES_READ)
    assert "fares.csv line 3: " in str(refusal.value)
    assert complaint in str(refusal.value)
    assert "make_fares.py" in str(refusal.value)


def test_a_fare_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FareTableError, match="line 3: the same fare as in line 2"):
        load_fares(table_file(tmp_path, GOOD_ROW, GOOD_ROW.replace("89.99", "99.99")), cities=CITIES_READ)


def test_all_bad_rows_are_told_at_once(tmp_path: Path) -> None:
    bad = [GOOD_ROW.replace("89.99", "-1")] * 12
    with pytest.raises(FareTableError, match=r"has 12 error\(s\)[\s\S]*and 2 more"):
        load_fares(table_file(tmp_path, *bad), cities=CITIES_READ)


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", ",".join(COLUMNS) + "\n"])
def test_a_file_that_is_no_fare_table_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fares.csv"
    path.write_text(text)
    with pytest.raises(FareTableError, match=r"fares\.csv line 1"):
        load_fares(path, cities=CITIES_READ)


def test_a_missing_or_binary_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FareTableError, match="cannot be read"):
        load_fares(tmp_path / "none.csv", cities=CITIES_READ)
    (tmp_path / "fares.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FareTableError, match="cannot be read"):
        load_fares(tmp_path / "fares.csv", cities=CITIES_READ)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Paris", "PAR"),
        ("  pArRiS ", "PAR"),
        ("orly", "PAR"),
        ("CDG", "PAR"),
        ("malaga", "AGP"),
        ("Málaga!", "AGP"),
        ("zurich", "ZRH"),
        ("krakow", "KRK"),
        ("Amsterdan", "AMS"),
        ("København", "CPH"),
        ("Palma de Mallorca", "PMI"),
        ("reykjavik", "REK"),
    ],
)
def test_a_city_is_found_by_every_spelling(text: str, code: str) -> None:
    city = CITIES_READ.named(text)
    assert city
    assert city.code == code


def test_a_text_that_is_no_city_is_not_guessed() -> None:
    assert CITIES_READ.named("Atlantis") is None
    assert CITIES_READ.named("") is None


def test_codes_that_are_english_words_are_only_read_in_capitals() -> None:
    spellings = {spelling.text: spelling for spelling in CITIES_READ.spellings()}
    assert spellings["MAD"].exact_case
    assert not spellings["Madrid"].exact_case
    assert spellings["Malaga"].code == spellings["Málaga"].code == "AGP"
    assert len(CITIES_READ) >= 60


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("aliases: [Brum]", "aliases: [Paris]"), "stands for both"),
        (("code: BHX", "code: bhx"), "three capital letters"),
        (('country: "NO"', "country: 5"), "“country” is missing"),
        (("currency: GBP", "currency: USD"), "currency “USD”"),
        (("aliases: [Brum]", "aliases: Brum"), "must be a list"),
        (("aliases: [Brum]", "alias: [Brum]"), "unknown key “alias”"),
        (("cities:", "towns:"), "a list named “cities”"),
        (("cities:", "cities: ["), "cannot be read"),
    ],
)
def test_a_malformed_list_of_cities_is_refused(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    path = tmp_path / "cities.yml"
    path.write_text(CITIES.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(CitiesError, match=complaint) as refusal:
        load_cities(path)
    assert "cities.yml" in str(refusal.value)


def test_money_shows_pence_only_where_there_are_any() -> None:
    assert money(Decimal("89.00"), "GBP") == "£89"
    assert money(Decimal("1129.5"), "EUR") == "€1,129.50"


async def test_a_cabin_that_is_not_sold_has_no_fare(tmp_path: Path) -> None:
    table = load_fares(table_file(tmp_path, GOOD_ROW), cities=CITIES_READ)
    query = FareQuery(origin="MAN", destination="PAR", cabin=Cabin.BUSINESS)
    assert (await table.lowest(query, TODAY)).kind is FareKind.NO_FARE
