"""Announcing: the ledger's side of announcements, each said once, and of the stop that holds all automated words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis

from handoff.announcements import Occurrence
from handoff.keys import ACCOUNT, ACCOUNT_CONVERSATION, partition_of
from handoff.ledger import entry_arguments
from handoff.scripts import Ruling, Transitions
from handoff.words import ANNOUNCEMENT, Customer, Entry, Place, Value, in_ms

CURSOR = "announcements"
KEPT_S = 90 * 24 * 3600
"""How long it is known which occurrences were announced; the longest that a plan is looked back over is a week."""
US = Customer(id="account", handle="(the account)")  # no handle on X reads so


class Announced(Value):
    """An occurrence of which something was recorded."""

    id: str
    template: str
    at_ms: int
    state: str
    """`skipped`, `cancelled`, where its entry stands (`queued`, `sent`, ...), or `forgotten` with the entry's words."""
    detail: str = ""
    external_id: str = ""
    text: str = ""


class Stop(Value):
    """A stop that holds: nothing automated is said."""

    by: str
    reason: str
    since_ms: int


def entry_of(occurrence: Occurrence, now: datetime) -> Entry:
    """The outbox entry that says it."""
    return Entry(
        id=f"announcement:{occurrence.id}",
        conversation=ACCOUNT_CONVERSATION,
        author=ANNOUNCEMENT,
        place=Place.PUBLIC,
        text=occurrence.text,
        customer_id=US.id,
        created_at=now,
        expires_at=occurrence.expires_at,
    )


class Announcing:
    """Queues, skips and calls off announcements, by the id of the occurrence; stops and resumes all automated words."""

    def __init__(self, redis: Redis, transitions: Transitions, *, partitions: int) -> None:
        self._redis = redis
        self._transitions = transitions
        self._partition = partition_of(ACCOUNT_CONVERSATION, partitions)

    async def announce(self, occurrence: Occurrence, now: datetime) -> Ruling:
        """Puts it into the outbox: `queued`, or `known` if this occurrence was announced, skipped or called off."""
        more = {"entry": entry_arguments(entry_of(occurrence, now)), "customer": US.model_dump_json()}
        return await self._run("announce", occurrence, now, **more)

    async def skip(self, occurrence: Occurrence, now: datetime) -> Ruling:
        """Records that it is too late for it: `skipped`, or `known`."""
        return await self._run("skip_announcement", occurrence, now)

    async def cancel(self, occurrence_id: str, at: datetime, now: datetime, *, template: str = "") -> Ruling:
        """Calls it off, before its time or in the outbox: `cancelled`, `too_late`, or `skipped`."""
        arguments = {"id": occurrence_id, "conversation": ACCOUNT_CONVERSATION, "at_ms": in_ms(at)}
        return await self._transitions.run(
            "cancel_announcement", self._partition, now, {**arguments, "template": template, "kept_s": KEPT_S}
        )

    async def recorded(self, since: datetime) -> list[Announced]:
        """What was recorded of occurrences meant for then or later, in order of time."""
        ids = await self._redis.zrangebyscore(f"{self._partition}:announcements", in_ms(since), "+inf")
        found = [await self.record(str(one)) for one in ids]
        return [one for one in found if one]

    async def record(self, occurrence_id: str) -> Announced | None:
        """What was recorded of one occurrence."""
        fields = await self._fields(f"announcement:{occurrence_id}")
        if not fields:
            return None
        entry = await self._fields(f"entry:{fields['entry']}") if "entry" in fields else {}
        was_queued = fields["state"] == "queued"
        return Announced(
            id=occurrence_id,
            template=fields["template"],
            at_ms=int(fields["at_ms"]),
            state=entry.get("state", "forgotten") if was_queued else fields["state"],
            detail=entry.get("detail", ""),
            external_id=entry.get("external_id", ""),
            text=Entry.model_validate_json(entry["json"]).text if entry else "",
        )

    async def looked_until(self) -> datetime | None:
        """Up to which moment some process has looked for what is due; None before the first."""
        found = await self._redis.get(f"{ACCOUNT}:cursor:{CURSOR}")
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(found)) if found else None

    async def set_looked_until(self, moment: datetime, now: datetime) -> None:
        """Moves that moment forward, never back."""
        await self._transitions.run("set_cursor", ACCOUNT, now, {"feed": CURSOR, "id": str(in_ms(moment))})

    async def stop(self, by: str, reason: str, now: datetime) -> Ruling:
        """From now on nothing automated is said: `stopped`, or `stopped_already` by whom and since when."""
        arguments = {"by": by, "reason": reason, "conversation": ACCOUNT_CONVERSATION}
        return await self._transitions.run("stop", self._partition, now, arguments)

    async def go(self, by: str, now: datetime) -> Ruling:
        """Ends the stop: `resumed`, or `not_stopped`."""
        return await self._transitions.run("go", self._partition, now, {"by": by, "conversation": ACCOUNT_CONVERSATION})

    async def stopped(self) -> Stop | None:
        """The stop that holds, if one does."""
        fields = await self._fields("stop")
        return Stop.model_validate(fields) if fields else None

    async def _fields(self, key: str) -> dict[str, str]:
        found = await self._redis.hgetall(f"{self._partition}:{key}")
        return {str(name): str(value) for name, value in found.items()}

    async def _run(self, transition: str, occurrence: Occurrence, now: datetime, **more: object) -> Ruling:
        arguments = {
            "id": occurrence.id,
            "conversation": ACCOUNT_CONVERSATION,
            "template": occurrence.template,
            "at_ms": in_ms(occurrence.at),
            "kept_s": KEPT_S,
        }
        return await self._transitions.run(transition, self._partition, now, {**arguments, **more})
