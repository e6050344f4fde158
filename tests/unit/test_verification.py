"""Verification: who may see an order, and what three wrong tries come to."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from actions.attempt_count import RememberedAttemptCount
from actions.demo_orders import demo_orders
from actions.orders import Order, OrdersAway, normal_number, same_email
from actions.verification import AttemptCount, Attempts, Decision, Verdict, check, order_key

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
RIGHT = ("KA-482913", "ana.silva@example.com")
WRONG_EMAIL = ("KA-482913", "mallory@example.com")
NO_SUCH_ORDER = ("KA-000001", "mallory@example.com")


class Orders:
    """The demo orders, in memory; remembers how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self._placed = {placed.order.number: placed for placed in demo_orders()}

    async def find(self, number: str, email: str) -> Order | None:
        self.asked += 1
        placed = self._placed.get(normal_number(number))
        return placed.order if placed and same_email(email, placed.email) else None


class OrdersDown:
    """Orders that cannot be reached."""

    async def find(self, number: str, email: str) -> Order | None:
        raise OrdersAway("away")


class Customer:
    """A customer who tries, with turns that commit what was decided."""

    def __init__(self, name: str, counts: AttemptCount, orders: Orders) -> None:
        self.name, self.counts, self.orders = name, counts, orders
        self.attempts = Attempts()
        self.turns = 0

    async def tries(self, claim: tuple[str, str], now: datetime = NOW) -> Decision:
        number, email = claim
        decision = await check(
            number=number, email=email, attempts=self.attempts, orders=self.orders, counts=self.counts, now=now
        )
        self.turns += 1
        self.attempts = Attempts.from_json(json.loads(json.dumps(decision.attempts.to_json())))
        if decision.failed_order_key:
            await self.counts.failed(decision.failed_order_key, self.name, f"{self.name}-{self.turns}")
        return decision


@pytest.fixture
def counts() -> RememberedAttemptCount:
    return RememberedAttemptCount()


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def ana(counts: RememberedAttemptCount, orders: Orders) -> Customer:
    return Customer("ana", counts, orders)


async def test_the_right_pair_shows_the_order(ana: Customer) -> None:
    decision = await ana.tries(RIGHT)
    assert decision.verdict is Verdict.VERIFIED
    assert decision.order
    assert decision.failed_order_key is None


@pytest.mark.parametrize("claim", [WRONG_EMAIL, NO_SUCH_ORDER])
async def test_the_third_wrong_try_needs_a_person(ana: Customer, claim: tuple[str, str]) -> None:
    decisions = [await ana.tries(claim) for _ in range(3)]
    assert [decision.verdict for decision in decisions] == [Verdict.WRONG, Verdict.WRONG, Verdict.NEEDS_PERSON]


async def test_a_wrong_order_and_a_wrong_email_look_the_same_to_the_end(orders: Orders) -> None:
    seen = []
    for claim in (WRONG_EMAIL, NO_SUCH_ORDER):
        customer = Customer("mallory", RememberedAttemptCount(), orders)
        seen.append([(d.verdict, d.attempts.wrong, d.order) for d in [await customer.tries(claim) for _ in range(5)]])
    assert seen[0] == seen[1]


async def test_the_customer_is_counted_across_orders(ana: Customer) -> None:
    for number in ("KA-100001", "KA-100002", "KA-100003"):
        last = await ana.tries((number, "ana.silva@example.com"))
    assert last.verdict is Verdict.NEEDS_PERSON
    assert (await ana.tries(RIGHT)).verdict is Verdict.NEEDS_PERSON


async def test_the_order_is_counted_across_customers(counts: RememberedAttemptCount, orders: Orders) -> None:
    for name in ("one", "two", "three"):
        await Customer(name, counts, orders).tries(WRONG_EMAIL)
    decision = await Customer("four", counts, orders).tries(RIGHT)
    assert decision.verdict is Verdict.NEEDS_PERSON
    assert decision.order is None


async def test_a_locked_order_is_not_even_looked_up(ana: Customer, orders: Orders) -> None:
    for _ in range(3):
        await ana.tries(WRONG_EMAIL)
    asked = orders.asked
    locked = await ana.tries(RIGHT)
    assert orders.asked == asked
    assert locked.failed_order_key is None


async def test_an_own_order_does_not_buy_more_guesses(ana: Customer) -> None:
    await ana.tries(NO_SUCH_ORDER)
    await ana.tries(WRONG_EMAIL)
    assert (await ana.tries(RIGHT)).verdict is Verdict.VERIFIED
    assert (await ana.tries(("KA-100001", "x@example.com"))).verdict is Verdict.NEEDS_PERSON


async def test_a_day_later_the_customer_may_try_again(orders: Orders) -> None:
    ana = Customer("ana", RememberedAttemptCount(), orders)
    for number in ("KA-100001", "KA-100002", "KA-100003"):
        await ana.tries((number, "x@example.com"))
    assert (await ana.tries(RIGHT, NOW + timedelta(hours=23, minutes=59))).verdict is Verdict.NEEDS_PERSON
    assert (await ana.tries(RIGHT, NOW + timedelta(hours=24))).verdict is Verdict.VERIFIED


async def test_checking_alone_counts_nothing(counts: RememberedAttemptCount, orders: Orders) -> None:
    number, email = WRONG_EMAIL
    for _ in range(5):
        decision = await check(number=number, email=email, attempts=Attempts(), orders=orders, counts=counts, now=NOW)
        assert decision.verdict is Verdict.WRONG
    assert await counts.count(order_key(number)) == 0


async def test_orders_that_cannot_be_reached_are_no_wrong_try(counts: RememberedAttemptCount) -> None:
    with pytest.raises(OrdersAway):
        await check(number=RIGHT[0], email=RIGHT[1], attempts=Attempts(), orders=OrdersDown(), counts=counts, now=NOW)


def test_the_count_survives_being_kept() -> None:
    attempts = Attempts().with_one_wrong(NOW).with_one_wrong(NOW + timedelta(hours=1))
    assert Attempts.from_json(json.loads(json.dumps(attempts.to_json()))) == attempts
    assert attempts == Attempts(wrong=2, first_wrong_at=NOW)
    assert Attempts.from_json(None) == Attempts.from_json({}) == Attempts()
    assert Attempts.from_json(Attempts().to_json()) == Attempts()


def test_an_order_key_hides_the_number_and_is_one_for_all_spellings() -> None:
    assert order_key("ka482913") == order_key("#KA 482-913")
    assert "482913" not in order_key("KA-482913")
    with pytest.raises(ValueError, match="KA-482913"):
        order_key("nonsense")
