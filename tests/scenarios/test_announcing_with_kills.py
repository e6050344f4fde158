"""An announcement outlives kills of real processes: one post, whenever they die."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

from handoff.announcing import Announced
from tests.support.account import until
from tests.support.ledger import House
from tests.support.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(redis_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a process of ours; at the end all are gone."""
    started: list[subprocess.Popen[bytes]] = []
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FRONTDESK_", "X_", "REDIS_"))}

    def begin(arguments: Sequence[str], x: Sandbox) -> subprocess.Popen[bytes]:
        ours = {
            "REDIS_URL": redis_url,
            "X_BASE_URL": x.url,
            "FRONTDESK_VAR": str(tmp_path / "var"),
            "FRONTDESK_PARTITIONS": "4",
            "FRONTDESK_CHANNEL_PORT": str(unused_port()),
            "FRONTDESK_CALL_LIMIT_S": "2",
            "FRONTDESK_LEASE_S": "1",
        }
        with (tmp_path / f"{len(started)}.log").open("wb") as log:
            command = [sys.executable, "-m", "bot.cli", *arguments]
            started.append(subprocess.Popen(command, env={**kept, **ours}, stdout=log, stderr=log))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


async def announced(house: House, *states: str) -> Announced | None:
    found = await house.announcing.recorded(datetime.now(UTC) - timedelta(hours=1))
    return next((one for one in found if one.state in states), None)


async def test_a_channel_killed_while_it_posts_leaves_one_post(house: House, x: Sandbox, start: Start) -> None:
    command = start(["announce", "now", "incident", "--set", "what=the check-in outage"], x)
    await until(lambda: announced(house, "queued"), limit_s=60)
    assert command.wait(timeout=60) == 0  # the announcer is gone; what it said stays
    await x.fault("latency_after", "/2/tweets", method="POST", latency_ms=1500, times=1)
    first = start(["channel"], x)
    await until(x.sent, limit_s=60)  # X has it, and the channel does not know that yet
    first.kill()
    first.wait()
    assert await announced(house, "sending")
    start(["channel"], x)
    record = await until(lambda: announced(house, "sent"), limit_s=60)
    (post,) = await x.sent()
    assert post["id"] == record.external_id
    assert post["text"].startswith("We know about the check-in outage")
