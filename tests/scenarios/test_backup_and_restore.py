"""A backup taken at work, and a Frontdesk that goes on from it elsewhere."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from handoff.backup import BackupBroken, Summary, read_backup, write_backup
from handoff.connection import connect
from handoff.restore import RESTORING, RestoreRefused, restore, restored_at
from handoff.words import EntryState
from tests.conftest import RedisProcess
from tests.support.held import everything_held
from tests.support.ledger import NOON, PARTITIONS, House, a_case, a_customer, a_message, a_turn, an_entry, house_on


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def elsewhere(own_redis: RedisProcess) -> AsyncIterator[House]:
    """An empty Redis on another port."""
    async with house_on(own_redis.url) as house:
        yield house


async def backed_up(url: str, path: Path) -> Summary:
    redis = connect(url, text=False)
    try:
        return await write_backup(redis, path, now, partitions=PARTITIONS, frontdesk="0.1.0")
    finally:
        await redis.aclose()


async def restored(url: str, path: Path, *, partitions: int = PARTITIONS) -> Summary:
    redis = connect(url, text=False)
    async with house_on(url) as house:
        try:
            return await restore(redis, house.transitions, path, now(), partitions=partitions)
        finally:
            await redis.aclose()


async def works(house: House, warm: asyncio.Event, stop: asyncio.Event) -> int:
    """Customers write, the bot answers every second, a case opens for every fifth, delivery says what is due."""
    number = 0
    held = await house.leases("responder", "busy").renew(NOON)
    said = await house.leases("delivery", "busy").renew(NOON)
    while not stop.is_set():
        number += 1
        if number == 60:
            warm.set()
        message = a_message(number, customer=a_customer(number % 17))
        key = message.conversation
        partition = house.ledger.partition_of(key)
        await house.ledger.receive(message, NOON)
        snapshot = await house.ledger.snapshot(key)
        if number % 2 and snapshot and snapshot.conversation.owner.is_bot:
            waiting = [one.id for one in snapshot.waiting]
            turn = a_turn(
                key, waiting, fence=held[partition], epoch=snapshot.conversation.epoch,
                entries=(an_entry(key, number),), case=a_case() if number % 5 == 0 else None,
            )  # fmt: skip
            assert (await house.ledger.commit_turn(turn, NOON)).result == "committed"
        if number % 3 == 0 and (claim := await house.outbox.claim(key, said[partition], NOON)):
            await house.outbox.settle(claim.entry, said[partition], EntryState.SENT, NOON, external_id=str(number))
        if number % 7 == 0:
            await house.ledger.set_cursor("mentions", str(number), NOON)
    return number


async def contradictions(house: House) -> list[str]:
    """What cannot have been so at any one moment of a partition."""
    found = []
    redis: Redis = house.redis
    for partition in house.ledger.partitions:
        told: dict[str, set[str]] = {"message_received": set(), "outcome": set(), "entry_queued": set()}
        for _, line in await house.ledger.journal(partition, count=100_000):
            facts = json.loads(line["facts"])
            if line["kind"] in told:
                told[line["kind"]].add(str(facts.get("message") or facts.get("entry")))
        messages = [str(key) async for key in redis.scan_iter(match=f"{partition}:message:*")]
        entries = [str(key) async for key in redis.scan_iter(match=f"{partition}:entry:*")]
        if {key.removeprefix(f"{partition}:message:") for key in messages} != told["message_received"]:
            found.append(f"{partition}: journal and messages")
        if {key.removeprefix(f"{partition}:entry:") for key in entries} != told["entry_queued"]:
            found.append(f"{partition}: journal and entries")
        handled = {key.split(":", 2)[2] for key in messages if await redis.hget(key, "state") == "handled"}
        if handled != told["outcome"]:
            found.append(f"{partition}: handled messages and outcomes")
        for conversation in [str(key) async for key in redis.scan_iter(match=f"{partition}:conv:x:*", _type="HASH")]:
            seq = int(await redis.hget(conversation, "seq") or 0)
            if seq != await redis.llen(f"{conversation}:transcript"):
                found.append(f"{conversation}: transcript")
            for entry in await redis.lrange(f"{conversation}:outbox", 0, -1):
                if await redis.hget(f"{partition}:entry:{entry}", "state") != EntryState.UNKNOWN:
                    found.append(f"{conversation}: outbox")
    return found


async def test_a_backup_taken_at_work_is_consistent_in_every_partition(
    redis_url: str, house: House, elsewhere: House, own_redis: RedisProcess, tmp_path: Path
) -> None:
    warm, stop = asyncio.Event(), asyncio.Event()
    work = asyncio.create_task(works(house, warm, stop))
    await warm.wait()
    before = await house.redis.dbsize()
    summary = await backed_up(redis_url, tmp_path / "backup")
    stop.set()
    written = await work
    assert await house.redis.dbsize() > before, "messages came in meanwhile"

    assert (await restored(own_redis.url, tmp_path / "backup")) == summary

    assert await contradictions(elsewhere) == []
    cursor = int(await elsewhere.ledger.cursor("mentions") or 0)
    received = [
        int(str(key).rpartition(":")[2]) async for key in elsewhere.redis.scan_iter(match="{p*}:message:post:*")
    ]
    assert 0 < cursor <= written
    assert set(range(1, cursor + 1)) <= set(received), "the cursor is never ahead of the messages"


async def test_after_a_restore_everything_goes_on_where_it_was(
    redis_url: str, house: House, elsewhere: House, own_redis: RedisProcess, tmp_path: Path
) -> None:
    waiting, unsaid = a_message(1, customer=a_customer(1)), a_message(2, customer=a_customer(2))
    await house.ledger.receive(waiting, NOON)
    await house.ledger.receive(unsaid, NOON)
    fence = await house.fence("responder", unsaid.conversation)
    turn = a_turn(unsaid.conversation, [unsaid.id], fence=fence, entries=(an_entry(unsaid.conversation),))
    await house.ledger.commit_turn(turn, NOON)
    await house.ledger.set_cursor("mentions", "2", NOON)

    await backed_up(redis_url, tmp_path / "backup")
    await restored(own_redis.url, tmp_path / "backup")

    assert await elsewhere.ledger.waiting(elsewhere.ledger.partitions) == [waiting.conversation]
    assert await elsewhere.ledger.cursor("mentions") == "2"
    assert (await elsewhere.ledger.receive(waiting, NOON)).result == "duplicate"
    later = await elsewhere.fence("responder", waiting.conversation, holder="new")
    if elsewhere.ledger.partition_of(waiting.conversation) == house.ledger.partition_of(unsaid.conversation):
        assert later > fence
    ruling = await elsewhere.ledger.commit_turn(a_turn(waiting.conversation, [waiting.id], fence=later), NOON)
    assert ruling.result == "committed"
    fence = await elsewhere.fence("delivery", unsaid.conversation)
    claim = await elsewhere.outbox.claim(unsaid.conversation, fence, now())
    assert claim is not None
    assert (claim.entry.text, claim.must_look) == ("Answer number 1.", True), "it may have been said since the backup"
    when = await restored_at(elsewhere.redis)
    assert when is not None
    assert timedelta(0) <= now() - when < timedelta(minutes=5)


async def test_values_types_and_expiries_come_back_as_they_were(
    redis_url: str, house: House, elsewhere: House, own_redis: RedisProcess, tmp_path: Path
) -> None:
    raw = connect(redis_url, text=False)
    await raw.hset("{knowledge}:version:1", mapping={"vectors": bytes(range(256)), "document": "ä"})
    await raw.set("{verification}:order:x", "1", px=3_600_000)
    await raw.set("{p01}:gone:abc", "", px=3_600_000)
    await raw.hset("{desk}:agent:ana", "argon2", "hash")
    for ephemeral in ("{desk}:session:a", "{p01}:lease:responder", "{p01}:done:x", "{account}:lease:ingress"):
        await raw.set(ephemeral, "x")
    await raw.set("{account}:cursor:mentions", "7")

    summary = await backed_up(redis_url, tmp_path / "backup")
    await restored(own_redis.url, tmp_path / "backup")

    there = connect(own_redis.url, text=False)
    assert summary.keys == 5
    assert await there.hgetall("{knowledge}:version:1") == await raw.hgetall("{knowledge}:version:1")
    kept = sorted([key async for key in there.scan_iter() if b":done:" not in key])
    assert kept == [
        b"{account}:cursor:mentions", b"{account}:restored", b"{desk}:agent:ana", b"{knowledge}:version:1",
        b"{p01}:gone:abc", b"{verification}:order:x",
    ]  # fmt: skip
    for expiring in ("{verification}:order:x", "{p01}:gone:abc"):
        assert 3_500_000 < await there.pttl(expiring) <= 3_600_000
    assert await there.pttl("{desk}:agent:ana") == -1
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    await raw.aclose()
    await there.aclose()


async def test_a_store_that_holds_anything_is_refused_and_left_as_it_is(
    redis_url: str, house: House, tmp_path: Path
) -> None:
    await house.ledger.receive(a_message(), NOON)
    await backed_up(redis_url, tmp_path / "backup")
    before = await everything_held(house.redis)

    with pytest.raises(RestoreRefused, match=r"not empty: it holds \d+ keys"):
        await restored(redis_url, tmp_path / "backup")

    assert await everything_held(house.redis) == before


async def test_a_restore_that_was_cut_off_goes_on_with_the_same_file_only(
    redis_url: str, house: House, elsewhere: House, own_redis: RedisProcess, tmp_path: Path
) -> None:
    await house.ledger.receive(a_message(), NOON)
    first = await backed_up(redis_url, tmp_path / "first")
    await house.ledger.receive(a_message(2), NOON)
    await backed_up(redis_url, tmp_path / "second")
    await elsewhere.redis.set(RESTORING, first.checksum)
    await elsewhere.redis.set("{p00}:cases:count", "half of it")

    with pytest.raises(RestoreRefused):
        await restored(own_redis.url, tmp_path / "second")
    await restored(own_redis.url, tmp_path / "first")

    assert await elsewhere.redis.exists(RESTORING) == 0
    assert await elsewhere.ledger.waiting(elsewhere.ledger.partitions) == [a_message().conversation]


def damaged(path: Path, kind: str) -> None:
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    one = next(number for number, line in enumerate(lines) if b'"value"' in line)
    if kind == "a value":
        lines[one] = lines[one].replace(b'"value":"', b'"value":"AAAA')
    if kind == "a key taken away":
        del lines[one]
    if kind == "a number":
        lines[-1] = lines[-1].replace(b'"keys":', b'"keys":1')
    if kind == "no end":
        del lines[-1]
    path.write_bytes(gzip.compress(b"".join(lines)))
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    if kind == "bits":
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 255
        path.write_bytes(bytes(raw))
    if kind == "not gzip":
        path.write_text("hello")
    if kind == "other json":
        path.write_bytes(gzip.compress(b"[1]\n"))
    if kind == "newer":
        path.write_bytes(gzip.compress(lines[0].replace(b'"version":1', b'"version":2') + b"".join(lines[1:])))


@pytest.mark.parametrize(
    "kind",
    ["a value", "a key taken away", "a number", "no end", "cut", "bits", "not gzip", "other json", "newer"],
)
async def test_a_damaged_backup_is_refused_before_anything_is_written(
    kind: str, redis_url: str, house: House, tmp_path: Path
) -> None:
    await house.ledger.receive(a_message(), NOON)
    path = tmp_path / "backup"
    await backed_up(redis_url, path)
    assert read_backup(path).keys > 3
    await house.redis.flushall()

    damaged(path, kind)

    with pytest.raises(BackupBroken, match=str(path)):
        await restored(redis_url, path)
    assert await house.redis.dbsize() == 0


async def test_another_number_of_partitions_is_refused_with_the_remedy(
    redis_url: str, house: House, tmp_path: Path
) -> None:
    await backed_up(redis_url, tmp_path / "backup")

    with pytest.raises(RestoreRefused, match=f"Set FRONTDESK_PARTITIONS={PARTITIONS}"):
        await restored(redis_url, tmp_path / "backup", partitions=8)


async def test_a_backup_overwrites_no_file_and_leaves_none_half_written(redis_url: str, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="Name another file"):
        await backed_up(redis_url, path)
    assert path.read_text() == "precious"

    with pytest.raises(Exception, match="Connect"):
        await backed_up("redis://127.0.0.1:1/0", tmp_path / "other")
    assert os.listdir(tmp_path) == ["backup"]
