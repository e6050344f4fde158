"""The queue as agents see it: who waits, for what, since when, in whose hands."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from handoff.keys import all_partitions, partition_of, partition_of_case
from handoff.scripts import refuses_to_write
from handoff.words import Customer, Owner, Place, Promise, Reason, Value, in_ms

log = structlog.get_logger()

LOOKED_AT_LINES = 40
"""How many last transcript lines tell who waits since when."""
LONGEST_EXCERPT_CHARS = 160
CASE_FIELDS = ("conversation", "reason", "priority", "opened_ms", "taken_ms", "promise", "promise_state")
CONVERSATION_FIELDS = ("customer", "owner", "epoch", "seq", "last_place")

Who = Literal["customer", "bot", "desk", "agent"]


class QueueRow(Value):
    """One open case."""

    case: str
    conversation: str
    customer: Customer
    place: Place
    reason: Reason
    priority: int
    owner: Owner
    epoch: int
    opened_ms: int
    taken_ms: int | None
    waiting_since_ms: int | None
    """Since when the customer has had no word from a person; None when it is the customer's turn."""
    last_words: str
    last_who: Who
    last_ms: int
    unread: bool
    """Whether the customer wrote after this agent last looked."""
    promise_due_ms: int | None
    """When the promised reply is due, while the promise runs or after it was broken."""
    overdue: bool


class QueueView(Value):
    """Open cases, most urgent first."""

    waiting: tuple[QueueRow, ...]
    mine: tuple[QueueRow, ...]
    colleagues: tuple[QueueRow, ...]
    waiting_total: int
    colleagues_total: int


class Queue:
    """Reads the open cases of all partitions in four round trips, however many there are."""

    def __init__(self, redis: Redis, *, partitions: int, shown: int = 100) -> None:
        """`shown`: how many waiting and colleagues' cases one view carries; an agent's own are never cut."""
        self._redis = redis
        self._partitions = partitions
        self._shown = shown

    async def view(self, agent: str, now: datetime) -> QueueView:
        """The queue as one agent sees it."""
        found = await self._owned_cases(await self._open_case_ids())
        waiting = [case for case in found if case["owner"].kind == "queue"]
        mine = [case for case in found if case["owner"].agent == agent]
        others = [case for case in found if case["owner"].kind == "agent" and case["owner"].agent != agent]
        shown = [*waiting[: self._shown], *mine, *others[: self._shown]]
        rows = {row.case: row for row in await self._rows(shown, agent, now)}
        own = sorted((rows[case["case"]] for case in mine), key=lambda row: row.waiting_since_ms is None)
        return QueueView(
            waiting=tuple(rows[case["case"]] for case in waiting[: self._shown]),
            mine=tuple(own),
            colleagues=tuple(rows[case["case"]] for case in others[: self._shown]),
            waiting_total=len(waiting),
            colleagues_total=len(others),
        )

    async def mark_seen(self, conversation: str, agent: str, seq: int) -> None:
        """Remembers how far an agent has read; only the unread mark hangs on it, so a full Redis may refuse it."""
        try:
            await self._redis.hset(f"{self._conv(conversation)}:seen", agent, str(seq))
        except ResponseError as error:
            if not refuses_to_write(error):
                raise
            log.warning("seen_not_marked", conversation=conversation)

    async def _open_case_ids(self) -> list[str]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for partition in all_partitions(self._partitions):
                pipe.zrange(f"{partition}:cases:open", 0, -1, withscores=True)
            answers = await pipe.execute()
        scored = [(float(score), str(case_id)) for answer in answers for case_id, score in answer]
        return [case_id for _, case_id in sorted(scored)]

    async def _owned_cases(self, case_ids: list[str]) -> list[dict[str, Any]]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for case_id in case_ids:
                pipe.hmget(f"{partition_of_case(case_id)}:case:{case_id}", CASE_FIELDS)
            cases = await pipe.execute()
            told = [dict(zip(CASE_FIELDS, case, strict=True)) for case in cases]
            for case in told:
                pipe.hmget(self._conv(case["conversation"]), CONVERSATION_FIELDS)
            conversations = await pipe.execute()
        for case_id, case, conversation in zip(case_ids, told, conversations, strict=True):
            case |= dict(zip(CONVERSATION_FIELDS, conversation, strict=True))
            case |= {"case": case_id, "owner": Owner.parse(case["owner"])}
        return told

    async def _rows(self, cases: list[dict[str, Any]], agent: str, now: datetime) -> list[QueueRow]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for case in cases:
                pipe.lrange(f"{self._conv(case['conversation'])}:transcript", -LOOKED_AT_LINES, -1)
                pipe.hget(f"{self._conv(case['conversation'])}:seen", agent)
            answers = await pipe.execute()
            transcripts = [[json.loads(line) for line in stored] for stored in answers[::2]]
            for case, lines in zip(cases, transcripts, strict=True):
                last = _last_words(lines) or {"kind": "message", "id": "-"}
                partition = partition_of(case["conversation"], self._partitions)
                pipe.hget(f"{partition}:{last['kind']}:{last['id']}", "json")
            words = await pipe.execute()
        together = zip(cases, transcripts, answers[1::2], words, strict=True)
        return [
            _row(case, lines, int(seen or 0), json.loads(said or '{"text": ""}'), now)
            for case, lines, seen, said in together
        ]

    def _conv(self, conversation: str) -> str:
        return f"{partition_of(conversation, self._partitions)}:conv:{conversation}"


def _row(case: dict[str, Any], lines: list[dict[str, Any]], seen: int, said: dict[str, Any], now: datetime) -> QueueRow:
    last = _last_words(lines)
    running = case["promise"] and case["promise_state"] in ("running", "broken")
    due_ms = in_ms(Promise.model_validate_json(case["promise"]).due_at) if running else None
    return QueueRow(
        case=case["case"],
        conversation=case["conversation"],
        customer=Customer.model_validate_json(case["customer"]),
        place=Place(case["last_place"]),
        reason=Reason(case["reason"]),
        priority=int(case["priority"]),
        owner=case["owner"],
        epoch=int(case["epoch"]),
        opened_ms=int(case["opened_ms"]),
        taken_ms=int(case["taken_ms"]) if case["taken_ms"] else None,
        waiting_since_ms=waiting_since(lines, int(case["opened_ms"])),
        last_words=_excerpt(said),
        last_who=_who(last) if last else "customer",
        last_ms=last["at_ms"] if last else int(case["opened_ms"]),
        unread=any(line["kind"] == "message" and line["seq"] > seen for line in lines),
        promise_due_ms=due_ms,
        overdue=due_ms is not None and due_ms <= in_ms(now),
    )


def waiting_since(lines: list[dict[str, Any]], opened_ms: int) -> int | None:
    """Since when nobody has answered: the opening of the case, or the first message after an agent's last words."""
    since: int | None = opened_ms
    for line in lines:
        if line["at_ms"] < opened_ms:
            continue
        if line["kind"] == "entry" and _who(line) == "agent":
            since = None
        elif line["kind"] == "message" and since is None:
            since = line["at_ms"]
    return since


def _last_words(lines: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The last thing anybody said; a bot's or desk's notice gives way to the customer's own words."""
    said = [line for line in lines if line["kind"] in ("message", "entry")]
    telling = [line for line in said if line["kind"] == "message" or _who(line) == "agent"]
    return next(reversed(telling or said), None)


def _who(line: dict[str, Any]) -> Who:
    if line["kind"] == "message":
        return "customer"
    kind = str(line["author"]).partition(":")[0]
    return "bot" if kind == "bot" else "agent" if kind == "agent" else "desk"


def _excerpt(said: dict[str, Any]) -> str:
    text = " ".join(str(said["text"]).split()) or "[picture]" * bool(said.get("pictures")) or "[link]"
    return text if len(text) <= LONGEST_EXCERPT_CHARS else text[: LONGEST_EXCERPT_CHARS - 1] + "…"
