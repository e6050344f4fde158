"""The desk: every change of a case goes through it."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from redis.asyncio import Redis

from handoff.keys import all_partitions, partition_of_case
from handoff.ledger import entry_arguments
from handoff.scripts import Ruling, Transitions
from handoff.words import Entry, Owner, Promise, Reason, Value, in_ms


class Case(Value):
    """A conversation in people's hands, from opening to resolution."""

    id: str
    conversation: str
    reason: Reason
    priority: int
    packet: str
    state: str
    opened_ms: int
    taken_by: str | None = None
    taken_ms: int | None = None
    first_reply_ms: int | None = None
    resolved_ms: int | None = None
    resolved_by: str | None = None
    resolution: str | None = None
    promise: Promise | None = None
    promise_state: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state == "open"


class Desk:
    """Takes, answers and ends cases. A lost race is a ruling that says who was first or what was said since.

    Every call names the epoch that the agent's page showed; replies and endings also the last transcript line seen.
    """

    def __init__(self, redis: Redis, transitions: Transitions, *, partitions: int) -> None:
        self._redis = redis
        self._transitions = transitions
        self.partitions = all_partitions(partitions)

    async def take(self, case_id: str, agent: str, epoch: int, now: datetime) -> Ruling:
        """`taken` with the new epoch, or `owned` (by whom), `resolved`, `stale_epoch`, `no_such_case`."""
        return await self._run("take", case_id, now, agent=agent, epoch=epoch)

    async def release(
        self, case_id: str, agent: str, epoch: int, now: datetime, *, command_id: str | None = None
    ) -> Ruling:
        """Puts the agent's case back into the queue: `released`."""
        return await self._run("release", case_id, now, command_id=command_id, agent=agent, epoch=epoch)

    async def transfer(
        self, case_id: str, agent: str, to: str, epoch: int, now: datetime, *, command_id: str | None = None
    ) -> Ruling:
        """Hands the agent's case to a colleague: `transferred`."""
        return await self._run("transfer", case_id, now, command_id=command_id, agent=agent, to=to, epoch=epoch)

    async def reply(
        self, case_id: str, agent: str, entry: Entry, epoch: int, seen_seq: int, now: datetime,
        *, command_id: str | None = None,
    ) -> Ruling:  # fmt: skip
        """`queued`, or `changed` when the customer or a colleague spoke after line `seen_seq`."""
        arguments = {"agent": agent, "entry": entry_arguments(entry), "epoch": epoch, "seen_seq": seen_seq}
        return await self._run("reply", case_id, now, command_id=command_id, **arguments)

    async def note(
        self, case_id: str, agent: str, text: str, now: datetime, *, command_id: str | None = None
    ) -> Ruling:
        """A note among colleagues: `noted`."""
        return await self._run("note", case_id, now, command_id=command_id, agent=agent, text=text)

    async def resolve(
        self, case_id: str, agent: str, epoch: int, seen_seq: int, now: datetime, *, command_id: str | None = None
    ) -> Ruling:
        """Closes the case; the next message is the bot's: `resolved`, or `changed` and the like."""
        arguments = {"agent": agent, "epoch": epoch, "seen_seq": seen_seq}
        return await self._run("resolve", case_id, now, command_id=command_id, **arguments)

    async def give_back(
        self, case_id: str, agent: str, notice: Entry | None, epoch: int, seen_seq: int, now: datetime,
        *, command_id: str | None = None,
    ) -> Ruling:  # fmt: skip
        """Gives the conversation back to the bot and tells the customer with `notice`: `given_back`."""
        entry = entry_arguments(notice) if notice else None
        arguments = {"agent": agent, "entry": entry, "epoch": epoch, "seen_seq": seen_seq}
        return await self._run("give_back", case_id, now, command_id=command_id, **arguments)

    async def case(self, case_id: str) -> Case | None:
        """The case as it stands; None if there is none by that id."""
        fields = await self._redis.hgetall(f"{partition_of_case(case_id)}:case:{case_id}")
        return _case(case_id, {str(name): str(value) for name, value in fields.items()}) if fields else None

    async def open_cases(self) -> list[tuple[Case, Owner]]:
        """Every open case with its owner, most urgent first, then oldest; merged over the partitions."""
        found: list[tuple[float, str]] = []
        for partition in self.partitions:
            scored = await self._redis.zrange(f"{partition}:cases:open", 0, -1, withscores=True)
            found += [(float(score), str(case_id)) for case_id, score in cast(list[tuple[str, float]], scored)]
        cases = []
        for _, case_id in sorted(found):
            case = await self.case(case_id)
            if case and case.is_open:
                partition = partition_of_case(case_id)
                owner = await self._redis.hget(f"{partition}:conv:{case.conversation}", "owner")
                cases.append((case, Owner.parse(str(owner))))
        return cases

    async def break_due_promises(self, now: datetime) -> list[str]:
        """Marks promises whose time has passed without a reply; returns the ids of their cases."""
        broken = []
        for partition in self.partitions:
            for case_id in await self._redis.zrangebyscore(f"{partition}:promises", "-inf", in_ms(now)):
                ruling = await self._transitions.run("break_promise", partition, now, {"case": case_id})
                if ruling.result == "broken":
                    broken.append(str(case_id))
        return broken

    async def _run(
        self,
        transition: str,
        case_id: str,
        now: datetime,
        *,
        command_id: str | None = None,
        **arguments: object,
    ) -> Ruling:
        told = {"case": case_id, **arguments}
        return await self._transitions.run(transition, partition_of_case(case_id), now, told, command_id=command_id)


def _case(case_id: str, fields: dict[str, str]) -> Case:
    known = {key: value for key, value in fields.items() if key in Case.model_fields and value != ""}
    known.pop("promise", None)
    promise = fields.get("promise")
    return Case.model_validate(
        {**known, "id": case_id, "promise": Promise.model_validate_json(promise) if promise else None}
    )
