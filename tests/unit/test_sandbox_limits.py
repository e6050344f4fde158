"""Rate limits and ids of the sandbox, on a clock of our own."""

from datetime import UTC, datetime, timedelta

from bot.sandbox.limits import Limits
from bot.sandbox.records import snowflake_at
from bot.sandbox.store import Store


class Clock:
    def __init__(self):
        self.now = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_s(self, seconds):
        self.now += timedelta(seconds=seconds)


def limits_on(clock, **overrides):
    limits = Limits(now_s=lambda: clock().timestamp())
    limits.use("ppu", overrides)
    return limits


def test_a_limit_is_used_up_and_comes_back_with_the_next_window():
    clock = Clock()
    limits = limits_on(clock, **{"POST /2/tweets": 2})
    assert [limits.spend(1, "POST /2/tweets").exceeded for _ in range(3)] == [False, False, True]
    clock.pass_s(15 * 60)
    assert not limits.spend(1, "POST /2/tweets").exceeded


def test_everybody_has_limits_of_their_own():
    limits = limits_on(Clock(), **{"POST /2/tweets": 1})
    assert not limits.spend(1, "POST /2/tweets").exceeded
    assert not limits.spend(2, "POST /2/tweets").exceeded


def test_both_ways_of_writing_privately_share_the_daily_limit():
    limits = limits_on(Clock())
    limits.spend(1, "POST /2/dm_conversations/with/{id}/messages")
    headers = limits.spend(1, "POST /2/dm_conversations/{id}/messages").headers
    assert headers["x-user-limit-24hour-remaining"] == "1438"
    assert headers["x-rate-limit-remaining"] == "14"


def test_without_limits_nothing_is_refused():
    limits = Limits(now_s=lambda: 0.0)
    assert not any(limits.spend(1, "GET /2/dm_events").exceeded for _ in range(1000))


def test_ids_grow_with_time_within_a_millisecond_and_over_a_clock_set_back(tmp_path):
    clock = Clock()
    store = Store(path=tmp_path / "x.db", clock=clock)
    first, second = store.next_id(), store.next_id()
    clock.pass_s(-60)
    third = store.next_id()
    clock.pass_s(120)
    fourth = store.next_id()
    store.close()
    assert first < second < third < fourth
    assert first == snowflake_at(int(datetime(2026, 11, 22, 9, tzinfo=UTC).timestamp() * 1000))
