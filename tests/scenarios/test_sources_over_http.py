"""A company's system that lies, stalls and dies: nothing of it reaches a customer, and nobody waits long."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from actions.cities import Cities, City
from actions.demo_orders import SHOWN, demo_orders
from actions.fares import FareAnswer, FareKind, FareQuery, FaresAway
from actions.http_fares import HttpFares
from actions.http_orders import HttpOrders
from actions.http_source import MAX_BODY_BYTES, Patience
from actions.order_book import build_order_book
from actions.orders import OrdersAway
from bot.folder import Folder
from bot.own_stack import own_settings
from bot.settings import Settings
from bot.wiring import sources
from tests.contract.test_fare_source import fares
from tests.support.company_system import NOW, QUICK, TOKEN, CompanySystem

TODAY = NOW.date()
NUMBER, EMAIL, _ = SHOWN
CITIES = Cities(
    [
        City(code="MAN", name="Manchester", country="GB", currency="GBP"),
        City(code="PAR", name="Paris", country="FR", currency="EUR"),
    ]
)
TO_PARIS = FareQuery(origin="Manchester", destination="Paris")


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


@pytest.fixture
async def system() -> AsyncIterator[CompanySystem]:
    async with CompanySystem(fares=fares(), orders=list(demo_orders())).running() as running:
        yield running


@pytest.fixture
def watch() -> Watch:
    return Watch()


@asynccontextmanager
async def fares_of(
    system: CompanySystem, watch: Watch, *, patience: Patience = QUICK, **ages: timedelta
) -> AsyncIterator[HttpFares]:
    async with system.source("fares", patience=patience) as source:
        yield HttpFares(source, cities=CITIES, now=watch.now, **ages)


@asynccontextmanager
async def orders_of(system: CompanySystem, watch: Watch, *, patience: Patience = QUICK) -> AsyncIterator[HttpOrders]:
    async with system.source("orders", patience=patience) as source:
        yield HttpOrders(source, now=watch.now)


def a_fare(system: CompanySystem, **changes: Any) -> dict[str, Any]:
    """The answer to TO_PARIS with one fare changed."""
    query = {"origin": "MAN", "destination": "PAR", "trip": "return", "cabin": "economy"}
    answer: dict[str, Any] = system.answer("/fares", query, None)
    answer["fares"][0].update(changes)
    return answer


async def asked_anyway(system: CompanySystem, watch: Watch, *, patience: Patience = QUICK) -> tuple[str, str]:
    """What both adapters say of a system that gives no usable answer."""
    async with fares_of(system, watch, patience=patience) as source:
        with pytest.raises(FaresAway) as of_fares:
            await source.lowest(TO_PARIS, TODAY)
    async with orders_of(system, watch, patience=patience) as source_of_orders:
        with pytest.raises(OrdersAway) as of_orders:
            await source_of_orders.find(NUMBER, EMAIL)
    return str(of_fares.value), str(of_orders.value)


# lies


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        ("<html><body>It works!</body></html>", {"content_type": "text/html"}, "application/json"),
        ("<html><body>It works!</body></html>", {}, "JSON: json_invalid"),
        ("", {}, "JSON: json_invalid"),
        ("null", {}, "JSON: model_type"),
        ("[]", {}, "JSON: model_type"),
        ("{}", {}, "as_of: missing"),
        ('{"as_of": NaN, "fares": Infinity}', {}, "breaks the contract"),
        ("[" * 200_000, {}, "JSON: json_invalid"),
        (b'{"as_of": "\xff\xfe"}', {}, "JSON: json_invalid"),
        (gzip.compress(b"{}"), {"headers": {"Content-Encoding": "gzip"}}, "compressed"),
        ({"error": "no"}, {"status": 400}, "it answered 400"),
        ({"error": "no"}, {"status": 404}, "_URL"),
        ({"error": "no"}, {"status": 429}, "it answered 429"),
        ({"error": "no"}, {"status": 201}, "it answered 201"),
    ],
)
async def test_what_is_no_answer_by_the_contract_is_none(
    system: CompanySystem, watch: Watch, content: Any, changes: dict[str, Any], said: str
) -> None:
    system.answers(content, **changes)
    for told in await asked_anyway(system, watch):
        assert said in told
    assert len(system.asked) == 2, "asking again would not make it true"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"price": "1,089.99"}, "fares.0.price: value_error"),
        ({"price": 89.99}, "fares.0.price: value_error"),
        ({"price": "0.00"}, "fares.0.price: greater_than"),
        ({"currency": "USD"}, "fares.0.currency: value_error"),
        ({"currency": "EUR"}, "a currency that is not the one of fares from there"),
        ({"destination": "ROM"}, "not asked for"),
        ({"trip": "one_way"}, "not asked for"),
        ({"travel_until": "2026-10-01"}, "ends before it begins"),
        ({"sold_out": "no"}, "fares.0.sold_out: bool_type"),
    ],
)
async def test_one_wrong_fare_makes_the_whole_answer_unusable(
    system: CompanySystem, watch: Watch, changes: dict[str, Any], said: str
) -> None:
    system.answers(a_fare(system, **changes))
    async with fares_of(system, watch) as source:
        with pytest.raises(FaresAway) as away:
            await source.lowest(TO_PARIS, TODAY)
    assert said in str(away.value)


@pytest.mark.parametrize(
    ("as_of", "said"),
    [
        ("2026-11-23T09:42:00", "as_of: value_error"),  # without its zone
        ("2026-11-23T10:42:00Z", "time to come"),
        ("2026-11-23T09:42:00-05:00", "time to come"),
        ("2026-11-10T09:42:00Z", "older than 7 days"),
        ("0001-01-01T00:00:00+23:59", "older than 7 days"),
        ("9999-12-31T23:59:59-23:59", "time to come"),
        ("2026-11-23T09:42:00+99:99", "as_of: value_error"),
    ],
)
async def test_a_time_that_cannot_be_is_refused(system: CompanySystem, watch: Watch, as_of: str, said: str) -> None:
    system.as_of = as_of
    for told in await asked_anyway(system, watch):
        assert said in told


async def test_another_order_than_the_one_asked_for_is_refused(system: CompanySystem, watch: Watch) -> None:
    other = next(placed for placed in demo_orders() if placed.order.number != NUMBER)
    system.answers(system.answer("/orders/lookup", {}, {"number": other.order.number, "email": other.email}))
    async with orders_of(system, watch) as source:
        with pytest.raises(OrdersAway, match="not asked for"):
            await source.find(NUMBER, EMAIL)


async def test_fifty_megabytes_are_not_read(system: CompanySystem, watch: Watch) -> None:
    system.misbehaves = [system.floods]
    for told in await asked_anyway(system, watch):
        assert f"more than {MAX_BODY_BYTES:,} bytes" in told
    assert system.sent_bytes < 2 * 40_000_000, "what fits into the buffers between, and no more"


async def test_a_redirect_is_not_followed_and_takes_nothing_along(system: CompanySystem, watch: Watch) -> None:
    async with CompanySystem().running() as elsewhere:
        system.answers("", status=307, headers={"Location": f"{elsewhere.url}/orders/lookup"})
        for told in await asked_anyway(system, watch):
            assert "it redirects (307): set" in told
        assert elsewhere.asked == []


async def test_a_wrong_token_is_said_with_the_name_of_its_setting(system: CompanySystem, watch: Watch) -> None:
    system.answers("", status=401)
    of_fares, of_orders = await asked_anyway(system, watch)
    assert of_fares == "it refuses our token (401): check FARES_TOKEN"
    assert of_orders == "it refuses our token (401): check ORDERS_TOKEN"
    assert len(system.asked) == 2, "a refused token is not tried again"


# stalls and dies


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_passing_failure_is_tried_again_and_not_noticed(
    system: CompanySystem, watch: Watch, status: int
) -> None:
    async def fails(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="<h1>Sorry</h1>", content_type="text/html")

    system.misbehaves = [fails, fails, None]
    async with fares_of(system, watch) as source:
        assert (await source.lowest(TO_PARIS, TODAY)).kind is FareKind.FOUND
    assert len(system.asked) == 3


async def test_a_lasting_failure_is_given_up_after_three_tries(system: CompanySystem, watch: Watch) -> None:
    system.answers("", status=500)
    assert set(await asked_anyway(system, watch)) == {"it answered 500"}
    assert len(system.asked) == 6


async def test_a_body_that_breaks_off_is_tried_again(system: CompanySystem, watch: Watch) -> None:
    system.misbehaves = [system.breaks_off, None]
    async with fares_of(system, watch) as source:
        assert (await source.lowest(TO_PARIS, TODAY)).kind is FareKind.FOUND
    system.misbehaves = [system.breaks_off]
    for told in await asked_anyway(system, watch):
        assert "the connection failed" in told


async def test_a_system_that_is_gone_is_away(system: CompanySystem, watch: Watch) -> None:
    await system.dies()
    for told in await asked_anyway(system, watch):
        assert told == "the connection failed (ClientConnectorError)"


@pytest.mark.parametrize("how", ["hangs", "drips"])
async def test_one_slow_try_is_given_up_for_the_next(system: CompanySystem, watch: Watch, how: str) -> None:
    system.misbehaves = [getattr(system, how), None]
    async with fares_of(system, watch, patience=replace(QUICK, try_limit_s=0.5)) as source:
        assert (await source.lowest(TO_PARIS, TODAY)).kind is FareKind.FOUND


@pytest.mark.parametrize("how", ["hangs", "drips"])
async def test_a_system_that_stalls_is_given_up_within_the_limit(system: CompanySystem, watch: Watch, how: str) -> None:
    system.misbehaves = [getattr(system, how)]
    for told in await asked_anyway(system, watch, patience=replace(QUICK, limit_s=0.2)):
        assert told == "no answer within 0.2 s"


async def test_after_failures_in_a_row_the_system_is_left_alone_and_then_tried_again(
    system: CompanySystem, watch: Watch
) -> None:
    system.answers("", status=500)
    patience = replace(QUICK, tries=1, failures_before_rest=2, rest_s=3600.0)
    async with system.source(patience=patience) as source:
        of_fares = HttpFares(source, cities=CITIES, now=watch.now)
        for _ in range(5):
            with pytest.raises(FaresAway):
                await of_fares.lowest(TO_PARIS, TODAY)
        assert source.is_resting
        assert len(system.asked) == 2
    async with system.source(patience=replace(patience, rest_s=0.001)) as source:
        of_fares = HttpFares(source, cities=CITIES, now=watch.now)
        for _ in range(2):
            with pytest.raises(FaresAway):
                await of_fares.lowest(TO_PARIS, TODAY)
        system.misbehaves = []
        assert await _once_rested(of_fares)


async def _once_rested(source: HttpFares) -> bool:
    """Asks until the rest is over; the test's own time limit ends it."""
    while True:
        try:
            return (await source.lowest(TO_PARIS, TODAY)).kind is FareKind.FOUND
        except FaresAway:
            continue


# what is kept, and for how long


async def test_a_fare_tells_its_minute(system: CompanySystem, watch: Watch) -> None:
    async with fares_of(system, watch) as source:
        answer = await source.lowest(TO_PARIS, TODAY)
    assert answer.fare
    assert answer.fare.confirmed_at == datetime.fromisoformat("2026-11-23T09:42:00Z")
    assert not answer.is_last_known


async def test_within_a_minute_the_system_is_not_asked_again(system: CompanySystem, watch: Watch) -> None:
    async with fares_of(system, watch) as source:
        first = await source.lowest(TO_PARIS, TODAY)
        watch.time += timedelta(seconds=59)
        assert await source.lowest(TO_PARIS, TODAY) == first
        assert len(system.asked) == 1
        system.as_of = "2026-11-23T10:01:00Z"
        watch.time += timedelta(seconds=1)
        again = await source.lowest(TO_PARIS, TODAY)
    assert len(system.asked) == 2
    assert again.fare
    assert again.fare.confirmed_at == datetime.fromisoformat("2026-11-23T10:01:00Z")


async def test_each_route_trip_and_cabin_is_asked_for_by_itself(system: CompanySystem, watch: Watch) -> None:
    async with fares_of(system, watch) as source:
        await source.lowest(TO_PARIS, TODAY)
        await source.lowest(replace(TO_PARIS, depart=TODAY), TODAY)
        back = await source.lowest(FareQuery(origin="Paris", destination="Manchester"), TODAY)
    assert back.kind is FareKind.NO_FARE
    assert [one.target for one in system.asked] == [
        "/v1/fares?origin=MAN&destination=PAR&trip=return&cabin=economy",
        "/v1/fares?origin=PAR&destination=MAN&trip=return&cabin=economy",
    ]
    assert {one.token for one in system.asked} == {f"Bearer {TOKEN}"}


async def test_a_question_that_no_price_answers_is_not_asked(system: CompanySystem, watch: Watch) -> None:
    async with fares_of(system, watch) as source:
        unknown = await source.lowest(replace(TO_PARIS, destination="Narnia"), TODAY)
        past = await source.lowest(replace(TO_PARIS, depart=TODAY - timedelta(days=1)), TODAY)
    assert (unknown.kind, past.kind) == (FareKind.UNKNOWN_CITY, FareKind.PAST_DATE)
    assert system.asked == []


async def last_known(system: CompanySystem, watch: Watch, age: timedelta, query: FareQuery = TO_PARIS) -> FareAnswer:
    """What is said of a system that went away after its answer of 09:42, so long after that."""
    async with fares_of(system, watch) as source:
        await source.lowest(query, TODAY)
        system.answers("", status=500)
        watch.time = datetime.fromisoformat(system.as_of) + age
        return await source.lowest(query, TODAY)


async def test_while_the_system_is_away_its_last_fare_is_marked_as_such(system: CompanySystem, watch: Watch) -> None:
    answer = await last_known(system, watch, timedelta(minutes=30))
    assert answer.is_last_known
    assert answer.fare
    assert answer.fare.price_text == "£89.99"


async def test_a_fare_older_than_half_an_hour_is_not_told_at_all(system: CompanySystem, watch: Watch) -> None:
    with pytest.raises(FaresAway):
        await last_known(system, watch, timedelta(minutes=30, seconds=1))


async def test_that_there_was_no_fare_is_not_told_as_last_known(system: CompanySystem, watch: Watch) -> None:
    sold_out = replace(TO_PARIS, depart=date(2027, 2, 14))
    with pytest.raises(FaresAway):
        await last_known(system, watch, timedelta(minutes=20), sold_out)


async def test_when_the_clock_was_set_back_nothing_kept_is_trusted(system: CompanySystem, watch: Watch) -> None:
    async with fares_of(system, watch) as source:
        await source.lowest(TO_PARIS, TODAY)
        watch.time -= timedelta(hours=1)
        with pytest.raises(FaresAway):  # the system's own time is now one to come
            await source.lowest(TO_PARIS, TODAY)
    assert len(system.asked) == 2


async def test_orders_are_asked_for_every_time(system: CompanySystem, watch: Watch) -> None:
    async with orders_of(system, watch) as source:
        first = await source.find(NUMBER, EMAIL)
        assert first == await source.find(NUMBER, EMAIL)
        assert first
        assert first.confirmed_at == datetime.fromisoformat("2026-11-23T09:42:00Z")
        assert len(system.asked) == 2
        await system.dies()


# whose data it is


async def test_number_and_email_travel_in_the_body_and_never_in_an_address(system: CompanySystem, watch: Watch) -> None:
    async with orders_of(system, watch) as source:
        assert await source.find("ka 482913", f" {EMAIL.upper()} ")
    assert [one.body for one in system.asked] == [{"number": NUMBER, "email": EMAIL}]
    assert [(one.method, one.target) for one in system.asked] == [("POST", "/v1/orders/lookup")]


async def test_a_wrong_number_and_a_wrong_email_are_the_same_question_and_the_same_answer(
    system: CompanySystem, watch: Watch
) -> None:
    async with orders_of(system, watch) as source:
        assert await source.find("KA-000000", EMAIL) is None
        assert await source.find(NUMBER, "nobody@example.net") is None
    assert len(system.asked) == 2


@pytest.mark.parametrize(("number", "email"), [("", EMAIL), ("KA-48", EMAIL), (NUMBER, ""), (NUMBER, "%' --@")])
async def test_what_can_be_no_order_is_not_asked_for(
    system: CompanySystem, watch: Watch, number: str, email: str
) -> None:
    async with orders_of(system, watch) as source:
        assert await source.find(number, email) is None
    assert system.asked == []


@pytest.mark.parametrize(
    "trouble",
    [
        lambda system: system.answers(f'{{"as_of": "{EMAIL} {NUMBER} {TOKEN}", "order": "{EMAIL}"}}'),
        lambda system: system.answers(f"{EMAIL} {NUMBER} {TOKEN}"),
        lambda system: system.answers("", status=500, reason=f"{EMAIL} {NUMBER} {TOKEN}"),
        lambda system: system.answers("", status=307, headers={"Location": f"/{EMAIL}/{NUMBER}/{TOKEN}"}),
        lambda system: system.misbehaves.append(system.breaks_off),
    ],
)
async def test_no_log_and_no_error_holds_a_token_or_what_is_a_customers(
    system: CompanySystem,
    watch: Watch,
    trouble: Callable[[CompanySystem], None],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trouble(system)
    async with orders_of(system, watch) as source:
        with pytest.raises(OrdersAway) as away:
            await source.find(NUMBER, EMAIL)
    words = caplog.text + "".join(capsys.readouterr())  # where logs go depends on whether they were set up before
    assert "source_away" in words
    told: BaseException | None = away.value
    while told is not None:
        words += repr(told)
        told = told.__cause__
    for secret in (TOKEN, EMAIL, NUMBER, system.url):
        assert secret not in words


# which source it is


async def test_the_settings_choose_where_fares_and_orders_come_from(system: CompanySystem, tmp_path: Path) -> None:
    system.as_of = datetime.now(UTC).isoformat()
    chosen = {"FRONTDESK_VAR": str(tmp_path), "FARES_URL": system.url, "FARES_TOKEN": TOKEN}
    chosen |= {"ORDERS_URL": f"{system.url}/", "ORDERS_TOKEN": TOKEN}
    async with sources(Settings.read(chosen)) as asked:
        answer = await asked.fares.lowest(FareQuery(origin="London", destination="Paris"), date(2026, 11, 22))
        assert answer.kind is FareKind.NO_FARE
        assert await asked.orders.find(NUMBER, EMAIL)
    assert [one.target.partition("?")[0] for one in system.asked] == ["/v1/fares", "/v1/orders/lookup"]


async def test_without_settings_the_embedded_sources_answer(tmp_path: Path) -> None:
    settings = Settings.read({"FRONTDESK_VAR": str(tmp_path)})
    build_order_book(Folder(settings.var).orders)
    async with sources(settings) as asked:
        answer = await asked.fares.lowest(FareQuery(origin="London", destination="Paris"), date(2026, 11, 22))
        assert answer.kind is FareKind.FOUND
        assert await asked.orders.find(NUMBER, EMAIL)


def test_a_stack_of_ones_own_never_asks_the_companys_systems(tmp_path: Path) -> None:
    set_up = Settings.read({"FARES_URL": "https://fares.example.com", "ORDERS_URL": "https://orders.example.com"})
    own = own_settings(set_up, tmp_path, limits="off")
    assert (own.fares_url, own.fares_token, own.orders_url, own.orders_token) == (None, None, None, None)
