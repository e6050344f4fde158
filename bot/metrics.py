"""Metrics: what each process counts and measures, for Prometheus; docs/metrics.md lists them all.

Every process has a registry of its own, exported at `/metrics` beside its health checks. Labels hold words of ours
only, never what a customer wrote or who a customer is.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sized
from datetime import datetime
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from handoff.backlog import Backlog
from handoff.ledger import Turn
from handoff.words import EntryState, Message, Outcome, Place

TURN_BUCKETS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
WAIT_BUCKETS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 900.0, 3600.0)

Refresh = Callable[[], Awaitable[None]]


class ProcessMetrics:
    """What every process exports."""

    def __init__(self, process: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # each counter would bring a second series along
        self.process = process
        self.registry = CollectorRegistry()
        self.refreshes: list[Refresh] = []
        """Awaited before each export, for what is read rather than counted."""
        ProcessCollector(registry=self.registry)
        info = Gauge("frontdesk_info", "1; its labels say what runs.", ["process", "version"], registry=self.registry)
        info.labels(process, version("frontdesk")).set(1)
        self._ready = Gauge("frontdesk_ready", "1 while `/readyz` says ready, else 0.", registry=self.registry)
        self._leases = Gauge(
            "frontdesk_leases", "Partitions that this process holds now, by role.", ["role"], registry=self.registry
        )
        self._redis_errors = Counter(
            "frontdesk_redis_errors",
            "Calls to Redis that failed: no connection, no answer in time, or a refusal to write.",
            ["kind"],
            registry=self.registry,
        )
        for kind in ("connection", "timeout", "refused"):
            self._redis_errors.labels(kind)

    def redis_failed(self, kind: str) -> None:
        """A call to Redis failed: `connection`, `timeout` or `refused`."""
        self._redis_errors.labels(kind).inc()

    def follow_leases(self, role: str, held: Callable[[], Sized]) -> None:
        """Exports how many leases of a role are held."""
        self._leases.labels(role).set_function(lambda: len(held()))

    def note_ready(self, ready: bool) -> None:
        """Whether the process can work."""
        self._ready.set(ready)


class IngressMetrics:
    """What reading the account gives."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._received = Counter(
            "frontdesk_messages_received", "Messages put into the inbox.", ["place"], registry=registry
        )
        for place in Place:
            self._received.labels(place)
        self._lag = Histogram(
            "frontdesk_ingress_lag_seconds",
            "From when a message was written, by the platform's clock, to when it was in the inbox.",
            ["place"],
            buckets=WAIT_BUCKETS_S,
            registry=registry,
        )
        self._last_read = Gauge(
            "frontdesk_feed_last_read_timestamp_seconds",
            "When a feed was last read to its end, in Unix time; only the reader of the account has it.",
            ["feed"],
            registry=registry,
        )
        self._failures = Counter(
            "frontdesk_feed_failures",
            "Reads of a feed that failed: later (limit or outage), halted (account refused), ledger, or fault (ours).",
            ["feed", "why"],
            registry=registry,
        )

    def received(self, message: Message, now: datetime) -> None:
        """A message that was new."""
        self._received.labels(message.place).inc()
        self._lag.labels(message.place).observe(max((now - message.sent_at).total_seconds(), 0.0))

    def read(self, feed: str, now: datetime) -> None:
        """A feed was read to its end."""
        self._last_read.labels(feed).set(now.timestamp())

    def read_failed(self, feed: str, why: str) -> None:
        """A read failed: `later`, `halted`, `ledger` or `fault`."""
        self._failures.labels(feed, why).inc()


class DeliveryMetrics:
    """What saying things gives."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._results = Counter(
            "frontdesk_deliveries",
            "Steps of delivery by the state they left the entry in: sent, retry_at, unknown, blocked or dead.",
            ["place", "result"],
            registry=registry,
        )
        self._wait = Histogram(
            "frontdesk_delivery_wait_seconds",
            "From when an entry was put into the outbox to when it was known to be sent.",
            ["place"],
            buckets=WAIT_BUCKETS_S,
            registry=registry,
        )

    def settled(self, place: Place, state: EntryState, waited_s: float) -> None:
        """An entry was sent, looked for, or given up; `waited_s`: since it was queued."""
        self._results.labels(place, state).inc()
        if state is EntryState.SENT:
            self._wait.labels(place).observe(max(waited_s, 0.0))


class ResponderMetrics:
    """What turns give."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes = Counter(
            "frontdesk_outcomes", "Messages that a turn ended, by outcome.", ["outcome"], registry=registry
        )
        for outcome in Outcome:
            self._outcomes.labels(outcome)
        self._cases = Counter(
            "frontdesk_turn_cases", "Cases that turns opened, by reason.", ["reason"], registry=registry
        )
        self._seconds = Histogram(
            "frontdesk_turn_seconds",
            "From reading a conversation to its turn being stored.",
            buckets=TURN_BUCKETS_S,
            registry=registry,
        )
        self._unstored = Counter(
            "frontdesk_turns_not_stored",
            "Turns of which nothing was stored: lease_lost, stale_epoch, not_waiting, ledger, or fault (ours).",
            ["why"],
            registry=registry,
        )

    def turn_ended(self, turn: Turn, result: str, seconds: float) -> None:
        """A turn came to its end; `result`: what the ledger ruled."""
        if result != "committed":
            self._unstored.labels(result).inc()
            return
        self._seconds.observe(seconds)
        self._outcomes.labels(turn.outcome).inc(len(turn.messages))
        if turn.case:
            self._cases.labels(turn.case.reason).inc()

    def turn_failed(self, why: str) -> None:
        """A turn did not reach its end: `ledger` or `fault`."""
        self._unstored.labels(why).inc()


class BacklogMetrics:
    """What waits in the whole ledger; exported by the desk alone, so that nothing is counted twice."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._inbox = Gauge(
            "frontdesk_inbox_conversations", "Conversations with messages that wait for a turn.", registry=registry
        )
        self._inbox_age = Gauge(
            "frontdesk_inbox_oldest_seconds", "How long the oldest message has waited for a turn.", registry=registry
        )
        self._outbox = Gauge(
            "frontdesk_outbox_entries", "Unfinished entries of the outbox.", ["state"], registry=registry
        )
        self._outbox_age = Gauge(
            "frontdesk_outbox_oldest_seconds",
            "How long the oldest unfinished entry has been in the outbox.",
            registry=registry,
        )
        self._cases = Gauge(
            "frontdesk_cases_open",
            "Open cases by reason, in the hands of the queue or of an agent.",
            ["reason", "hands"],
            registry=registry,
        )
        self._promises = Gauge(
            "frontdesk_promises",
            "Promises of open cases: running, overdue, kept or broken.",
            ["state"],
            registry=registry,
        )

    def show(self, backlog: Backlog) -> None:
        """Takes over what was counted."""
        self._inbox.set(backlog.inbox_conversations)
        self._inbox_age.set(backlog.inbox_oldest_s)
        self._outbox_age.set(backlog.outbox_oldest_s)
        for state, count in backlog.outbox.items():
            self._outbox.labels(state).set(count)
        self._cases.clear()
        for case in backlog.cases:
            self._cases.labels(case.reason, case.hands).set(case.count)
        for promise, count in backlog.promises.items():
            self._promises.labels(promise).set(count)

    def hide(self) -> None:
        """Nobody knows now: no number is better than one of before."""
        for gauge in (self._inbox, self._inbox_age, self._outbox_age):
            gauge.set(math.nan)
        for labelled in (self._outbox, self._cases, self._promises):
            labelled.clear()
