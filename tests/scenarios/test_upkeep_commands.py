"""Purge, export, erase, backup and restore, run as an operator runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis

from handoff.words import Customer
from tests.conftest import RedisProcess
from tests.support.cases import House
from tests.support.held import keys_that_tell_of
from tests.support.ledger import house_on

ZOE = Customer(id="900700500300100", handle="zoe_flies", name="Zoë Hartmann-Quill")


class Operator:
    """A shell with its settings."""

    def __init__(self, var: Path, **more: str) -> None:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("FRONTDESK_", "X_", "REDIS_"))
        }
        self._environment = {**kept, "FRONTDESK_VAR": str(var), "OMP_NUM_THREADS": "1", **more}

    def types(self, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bot.cli", *arguments],
            env=self._environment, input=answer, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip

    def reads(self, *arguments: str) -> Any:
        """What a command says as JSON."""
        done = self.types(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def is_told(self, *arguments: str) -> str:
        """The one line of a refusal."""
        done = self.types(*arguments)
        assert done.returncode == 1, done.stdout
        [line] = done.stderr.splitlines()
        return line.removeprefix("frontdesk: ")


@pytest.fixture
def operator(tmp_path: Path, redis_url: str) -> Operator:
    return Operator(tmp_path / "var", REDIS_URL=redis_url)


@pytest.fixture
async def house(redis_url: str) -> AsyncIterator[House]:
    """The ledger as the commands see it, with all its partitions."""
    async with house_on(redis_url) as there:
        yield House(there.redis, partitions=16)


async def test_an_export_is_private_and_readable_and_overwrites_nothing(
    house: House, operator: Operator, tmp_path: Path
) -> None:
    await house.opens_case("my bag is späť", customer=ZOE)
    out = tmp_path / "zoe.json"

    told = operator.reads("customer", "export", "@zoe_flies", "--out", str(out))

    assert told["counts"]["messages"] == 1
    assert "my bag is späť" in out.read_text()
    assert out.stat().st_mode & 0o777 == 0o600
    assert json.loads(out.read_text())["customer"] == ZOE.model_dump()
    assert "Name another file." in operator.is_told("customer", "export", "zoe_flies", "--out", str(out))
    assert json.loads(operator.types("customer", "export", ZOE.id).stdout)["customer"]["handle"] == "zoe_flies"


async def test_an_erasure_asks_first_and_then_leaves_nothing(house: House, operator: Operator) -> None:
    case = await house.opens_case("my bag is späť", customer=ZOE)

    asked = operator.types("customer", "erase", "zoe_flies", answer="n\n")
    assert asked.returncode == 1
    assert f"Erase everything held of @zoe_flies (id {ZOE.id}), for good?" in asked.stderr
    assert await house.ledger.snapshot(f"x:{ZOE.id}") is not None

    told = operator.reads("customer", "erase", "zoe_flies", "--yes")

    assert told["case"] == case
    assert told["counts"]["messages"] == 1
    needles = [ZOE.id, ZOE.handle, ZOE.name, "my bag is späť"]
    assert not any((await keys_that_tell_of(house.redis, needles)).values())
    assert operator.is_told("customer", "erase", "zoe_flies", "--yes").startswith("Nothing is held of anybody")


async def test_a_dry_run_of_the_purge_tells_the_days_and_changes_nothing(house: House, operator: Operator) -> None:
    await house.opens_case(customer=ZOE)

    told = operator.reads("purge", "--dry-run")

    assert (told["dry_run"], told["looked_at"], told["left_alone"]) == (True, 1, 1)
    assert told["days"]["transcripts"] == 365
    assert told["counts"] == dict.fromkeys(["messages", "entries", "events", "cases", "customers", "journal"], 0)
    done = operator.types("purge")
    assert done.returncode == 0
    assert "1 conversations looked at; 1 left alone" in done.stdout


async def test_a_backup_goes_into_another_redis_and_into_no_full_one(
    house: House, operator: Operator, own_redis: RedisProcess, tmp_path: Path
) -> None:
    case = await house.opens_case(customer=ZOE)
    file = str(tmp_path / "backup")

    written = operator.reads("backup", file)
    elsewhere = Operator(tmp_path / "var", REDIS_URL=own_redis.url)
    read = elsewhere.reads("restore", file)

    assert read == written
    assert written["frontdesk"]
    assert written["partitions"] == 16
    assert "not empty" in elsewhere.is_told("restore", file)
    assert "is there already" in operator.is_told("backup", file)
    async with house_on(own_redis.url, partitions=16) as there:
        restored = await there.desk.case(case)
    assert restored == await house.desk.case(case)


def test_the_embedded_redis_is_started_for_as_long_as_it_is_needed(
    operator: Operator, redis_url: str, tmp_path: Path
) -> None:
    port = RedisProcess(tmp_path, keep_data=False).port
    embedded = Operator(tmp_path / "embedded", FRONTDESK_REDIS_PORT=str(port))
    assert embedded.is_told("backup", str(tmp_path / "none")).startswith("No Redis was started in")
    with redis.Redis.from_url(redis_url) as client:
        client.hset("{desk}:agent:ana", "role", "lead")
    operator.reads("backup", str(tmp_path / "first"))

    embedded.reads("restore", str(tmp_path / "first"))
    again = embedded.reads("backup", str(tmp_path / "second"))

    assert again["keys"] == 3, "the agent, the fence of the upkeep, and when it was restored"
    with pytest.raises(redis.ConnectionError), redis.Redis(port=port) as client:
        client.ping()


def test_a_redis_that_is_away_ends_in_one_line(tmp_path: Path) -> None:
    away = Operator(tmp_path / "var", REDIS_URL="redis://127.0.0.1:1/0")
    for command in (("purge",), ("backup", str(tmp_path / "file")), ("customer", "export", "zoe")):
        assert away.is_told(*command) == "Redis does not answer at REDIS_URL. Start it, or correct the address."
