"""The doctor finds what is really broken, says how to mend it, and finds nothing where all is well."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bot.channels.x.transport import Transport
from bot.clock import SystemClock
from bot.doctor import account, assets, examination, machine, store
from bot.doctor.finding import Finding
from bot.health import health_pages, told
from bot.metrics import ProcessMetrics
from bot.model import MODEL, STAMP, fingerprint
from bot.settings import Settings
from handoff.connection import connect
from handoff.policy import POLICIES
from knowledge import keys as knowledge_keys
from tests.conftest import RedisProcess
from tests.support.sandbox import KEYS, Sandbox, sandbox_in, wrong_keys

REPO = Path(__file__).parents[2]


def of(findings: list[Finding], what: str) -> Finding:
    [found] = [finding for finding in findings if finding.what == what]
    return found


def is_bad(finding: Finding, said: str, remedy: str) -> None:
    assert finding.level == "bad", finding
    assert said in finding.said
    assert remedy in (finding.remedy or "")


def is_doubtful(finding: Finding, said: str, remedy: str) -> None:
    assert finding.level == "warn", finding
    assert said in finding.said
    assert remedy in (finding.remedy or "")


async def looked_at(url: str, *, is_given: bool = True) -> list[Finding]:
    redis = connect(url, time_limit_s=2)
    try:
        return await store.look(redis, is_given=is_given)
    finally:
        await redis.aclose()


# The machine


def test_another_python_is_found() -> None:
    is_bad(machine.python((3, 12)), "This is Python 3.12", "make setup")
    assert machine.python().level == "ok"


def test_a_package_that_is_not_as_pinned_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("# pins\nredis==0.1\nno-such-package-of-ours==1.0\naiohttp==0.1\nPyYAML==0.1\n")
    finding = machine.packages(lock)
    is_bad(finding, "(pinned: 0.1)", "make setup")
    assert "no-such-package-of-ours is missing (pinned: 1.0)" in finding.said
    assert finding.said.endswith("and 1 more.")


def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    in_the_way = tmp_path / "var"
    in_the_way.write_text("a file")
    is_bad(machine.disk(in_the_way), "cannot be used", "Set FRONTDESK_VAR to another folder.")
    is_bad(machine.disk(Path("/proc/frontdesk")), "/proc", "FRONTDESK_VAR")


def test_a_full_disk_is_found_before_it_is_too_late(tmp_path: Path) -> None:
    is_bad(machine.disk(tmp_path, free_bytes=1_000_000), "1 MB are free", "Free some")
    is_doubtful(machine.disk(tmp_path, free_bytes=400_000_000), "400 MB are free", "Free some")
    assert machine.disk(tmp_path / "not" / "yet" / "made", free_bytes=10**12).level == "ok"
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a fresh folder, with ports that nobody has."""
    names = ("DESK", "SANDBOX", "CHANNEL", "RESPONDER", "REDIS")
    ports = {f"FRONTDESK_{name}_PORT": str(unused_port()) for name in names}
    return Settings.read({"FRONTDESK_VAR": str(tmp_path / "var"), **ports})


async def test_a_port_that_a_stranger_holds_is_found(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.desk_port)):
        findings = await machine.ports(settings, redis_answers=True)
    is_bad(of(findings, "desk"), f"Port {settings.desk_port} (the console) is taken by", "FRONTDESK_DESK_PORT")
    assert of(findings, "channel").level == "ok"


async def test_two_processes_on_one_port_are_found(settings: Settings) -> None:
    twins = replace(settings, channel_port=settings.desk_port)
    finding = of(await machine.ports(twins, redis_answers=True), "channel")
    is_bad(finding, "is also that of the console", "FRONTDESK_CHANNEL_PORT")


async def test_a_stranger_on_the_port_of_redis_is_found(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.redis_port)):
        findings = await machine.ports(settings, redis_answers=False)
        is_bad(of(findings, "redis port"), "(Redis) is taken", "FRONTDESK_REDIS_PORT")
        assert not [f for f in await machine.ports(settings, redis_answers=True) if f.what == "redis port"]


async def test_our_own_processes_are_known_and_asked(settings: Settings) -> None:
    trouble = ["The model is being loaded."]
    checks = {"responder": told(lambda: trouble[0] if trouble else None)}
    pages = health_pages(ProcessMetrics("responder"), checks, host="127.0.0.1", port=settings.responder_port)
    async with pages:
        finding = of(await machine.ports(settings, redis_answers=True), "responder")
        is_bad(finding, "cannot work: The model is being loaded.", "log")
        trouble.clear()
        finding = of(await machine.ports(settings, redis_answers=True), "responder")
        assert (finding.level, "is ready" in finding.said) == ("ok", True)


# Redis


async def test_a_redis_as_frontdesk_starts_it_is_well(own_redis: RedisProcess) -> None:
    findings = await looked_at(own_redis.url)
    assert [finding.level for finding in findings] == ["ok"] * 4, findings


async def test_a_redis_that_is_away_is_bad_if_given_and_to_be_started_if_ours() -> None:
    url = f"redis://127.0.0.1:{unused_port()}/0"
    [given] = await looked_at(url)
    is_bad(given, "Redis does not answer", "Start it, or correct REDIS_URL.")
    [ours] = await looked_at(url, is_given=False)
    is_doubtful(ours, "does not run now", "`frontdesk up` starts it.")


async def test_a_redis_that_wants_a_password_is_found(own_redis: RedisProcess) -> None:
    redis = connect(own_redis.url)
    await redis.config_set("requirepass", "secret")
    await redis.aclose()
    [finding] = await looked_at(own_redis.url)
    is_bad(finding, "Redis refuses us", "REDIS_URL")
    [finding] = await looked_at(own_redis.url.replace("redis://", "redis://:wrong-word@"))
    is_bad(finding, "Redis refuses us", "REDIS_URL")
    assert "wrong-word" not in finding.said


@pytest.mark.parametrize(
    ("name", "value", "what", "level", "said"),
    [
        ("appendonly", "no", "redis persistence", "bad", "writes no append-only file"),
        ("appendfsync", "everysec", "redis persistence", "warn", "loses up to a second"),
        ("appendfsync", "no", "redis persistence", "warn", "what the system has not written"),
        ("maxmemory-policy", "allkeys-lru", "redis memory", "bad", "would drop conversations"),
        ("maxmemory", "1", "redis memory", "bad", "Redis is full"),
    ],
)
async def test_a_redis_that_is_set_up_wrongly_is_found(
    own_redis: RedisProcess, name: str, value: str, what: str, level: str, said: str
) -> None:
    redis = connect(own_redis.url)
    await redis.config_set(name, value)
    await redis.aclose()
    finding = of(await looked_at(own_redis.url), what)
    assert (finding.level, said in finding.said) == (level, True), finding
    assert finding.remedy


async def test_a_user_who_may_not_read_settings_gets_the_rest(own_redis: RedisProcess) -> None:
    redis = connect(own_redis.url)
    await redis.execute_command("ACL", "SETUSER", "hosted", "on", ">word", "~*", "+@all", "-config")
    await redis.execute_command("ACL", "SETUSER", "nobody", "on", ">word", "~*", "+ping", "+client", "+hello")
    await redis.aclose()
    hosted = own_redis.url.replace("redis://", "redis://hosted:word@")
    is_doubtful(of(await looked_at(hosted), "redis persistence"), "may not be asked", "appendfsync")
    [finding] = await looked_at(own_redis.url.replace("redis://", "redis://nobody:word@"))
    is_bad(finding, "do too little", "Give it all commands")


async def test_a_replica_is_found(own_redis: RedisProcess) -> None:
    redis = connect(own_redis.url)
    await redis.replicaof("127.0.0.1", unused_port())
    await redis.aclose()
    is_bad(of(await looked_at(own_redis.url), "redis"), "is a replica", "Name the primary")


def test_what_info_alone_shows_is_found() -> None:
    well = {"redis_version": "7.0.15", "role": "master", "aof_enabled": 1}
    is_bad(store.server({**well, "redis_version": "5.0.14"}, 1), "too old", "6.2 or newer")
    is_bad(store.server({**well, "cluster_enabled": 1}, 1), "cluster node", "without cluster mode")
    is_doubtful(store.server({**well, "loading": 1}, 1), "still reading", "Wait")
    is_doubtful(store.server(well, 55), "55 ms", "same network")
    is_bad(store.persistence({**well, "aof_last_write_status": "err"}, "always"), "could not write", "Free its disk")
    nearly = {"maxmemory_policy": "noeviction", "used_memory": 95_000_000, "maxmemory": 100_000_000}
    is_doubtful(store.memory(nearly), "nearly full: 95 MB are used of 100 MB", "Raise its maxmemory")
    is_doubtful(store.persistence({**well, "aof_last_bgrewrite_status": "err"}, "always"), "grows", "Free its disk")


def test_clocks_that_differ_are_found() -> None:
    is_bad(store.clock("redis clock", "Redis's", -90.0), "90.0 s behind", "timedatectl")
    is_doubtful(store.clock("redis clock", "Redis's", 5.0), "5.0 s ahead of", "timedatectl")
    assert store.clock("redis clock", "Redis's", 0.2).level == "ok"


def test_a_folder_without_a_redis_is_to_be_started(settings: Settings) -> None:
    url, [finding] = store.address(settings)
    assert url is None
    is_doubtful(finding, "No Redis was started", "`frontdesk up` starts one")


# Model, knowledge, policies


def a_model(folder: Path, *, inputs: str, content: bytes = b"a model") -> Path:
    """A model whose stamp says it was trained from these inputs, and held `a model` then."""
    folder.mkdir(parents=True)
    (folder / MODEL).write_bytes(content)
    (folder / STAMP).write_text(json.dumps({"inputs": inputs, "sha256": sha256(b"a model").hexdigest()}))
    return folder


def test_a_missing_a_damaged_and_an_old_model_are_found(tmp_path: Path) -> None:
    is_bad(assets.model(tmp_path), "There is no trained model", "frontdesk train")
    is_bad(
        assets.model(a_model(tmp_path / "a", inputs=fingerprint(), content=b"another")),
        "damaged",
        "frontdesk train --force",
    )
    is_doubtful(assets.model(a_model(tmp_path / "b", inputs="older")), "before its inputs changed", "frontdesk train")
    assert assets.model(a_model(tmp_path / "c", inputs=fingerprint())).level == "ok"


@pytest.fixture
async def bytes_redis(redis_url: str) -> AsyncIterator[Any]:
    redis = connect(redis_url, text=False)
    yield redis
    await redis.aclose()


async def test_missing_damaged_and_foreign_knowledge_is_found(bytes_redis: Any, word_encoder: Any) -> None:
    from knowledge.publish import Publisher
    from knowledge.source import DEFAULT_FOLDER, read_source

    is_bad(await assets.knowledge(bytes_redis), "No knowledge is published", "frontdesk knowledge publish")
    now = datetime(2026, 11, 22, tzinfo=UTC)
    source = read_source(DEFAULT_FOLDER, now)
    await Publisher(bytes_redis, word_encoder).publish(source, by="tests", now=now, command_id="doctor")
    is_bad(await assets.knowledge(bytes_redis), "was made with words-1", "frontdesk knowledge publish")
    await bytes_redis.hset(knowledge_keys.version_key(1), "document", b"{}")
    is_bad(await assets.knowledge(bytes_redis), "its checksum is wrong", "frontdesk knowledge publish")


def test_the_shipped_policies_are_well_and_a_broken_one_is_named(tmp_path: Path) -> None:
    shipped = assets.policies(company="Kestrel Air", account="@KestrelAir")
    assert {finding.level for finding in shipped} == {"ok"}
    assert len(shipped) == len(list(POLICIES.glob("*.yml"))) + 1  # and gate.yml
    for file in ("hours.yml", "sensitive.yml", "prices.yml", "retention.yml", "announcements.yml"):
        folder = tmp_path / file.removesuffix(".yml")
        shutil.copytree(POLICIES, folder)
        (folder / file).write_text("weekly: [mon\n")
        findings = assets.policies(company="Kestrel Air", account="@KestrelAir", folder=folder)
        [broken] = [finding for finding in findings if finding.level == "bad"]
        is_bad(broken, f"{file} cannot be used", "line")


def test_a_broken_gate_is_named(tmp_path: Path) -> None:
    gate = tmp_path / "gate.yml"
    gate.write_text("answer_precision: 2\n")
    findings = assets.policies(company="Kestrel Air", account="@KestrelAir", gate=gate)
    is_bad(next(f for f in findings if f.level == "bad"), "gate.yml cannot be used", "gate.yml")
    gate.unlink()
    findings = assets.policies(company="Kestrel Air", account="@KestrelAir", gate=gate)
    is_bad(next(f for f in findings if f.level == "bad"), "gate.yml cannot be read", "Restore")


# The account


async def test_keys_that_are_taken_are_well_and_nothing_is_said(x: Sandbox) -> None:
    finding = await account.keys(x.transport, account="@kestrelair", is_sandbox=True)
    assert (finding.level, "@KestrelAir: posts and direct messages" in finding.said) == ("ok", True)
    assert await x.sent() == []


async def test_keys_that_are_refused_are_found(tmp_path: Path) -> None:
    async with sandbox_in(tmp_path, keys=wrong_keys()) as x:
        finding = await account.keys(x.transport, account="@KestrelAir", is_sandbox=False)
    is_bad(finding, "The keys are refused: HTTP 401", "developer portal")


async def test_keys_of_another_account_are_found(x: Sandbox) -> None:
    finding = await account.keys(x.transport, account="@PuffinAir", is_sandbox=False)
    is_bad(finding, "belong to @KestrelAir, not to @PuffinAir", "FRONTDESK_ACCOUNT")


async def test_a_platform_in_trouble_is_found(x: Sandbox) -> None:
    await x.fault("outage")
    finding = await account.keys(x.transport, account="@KestrelAir", is_sandbox=False)
    is_bad(finding, "X does not answer", "X's status")


def test_keys_that_allow_too_little_are_found() -> None:
    is_bad(account.allowed("@KestrelAir", "read", whose="X"), "may only read", "Read and write and Direct message")
    is_doubtful(account.allowed("@KestrelAir", "read-write", whose="X"), "direct messages", "access tokens")
    is_doubtful(account.allowed("@KestrelAir", None, whose="X"), "does not say", "permission")


async def test_a_sandbox_that_does_not_run_is_to_be_started() -> None:
    address = f"http://127.0.0.1:{unused_port()}"
    transport = Transport(KEYS, clock=SystemClock(), base_url=address, call_limit_s=1.0)
    try:
        finding = await account.keys(transport, account="@KestrelAir", is_sandbox=True)
    finally:
        transport.close()
    is_doubtful(finding, "The sandbox does not answer", "frontdesk sandbox")
    is_doubtful(await account.platform_clock(address, is_sandbox=True), "does not answer", "frontdesk sandbox")
    is_bad(await account.platform_clock(address, is_sandbox=False), "does not answer", "HTTPS_PROXY")


@pytest.mark.parametrize(("off_s", "level"), [(0, "ok"), (-30, "warn"), (3600, "bad")])
async def test_the_clock_of_the_platform_is_compared(off_s: int, level: str) -> None:
    async def dated(_: web.Request) -> web.Response:
        there = datetime.now(UTC) + timedelta(seconds=off_s)
        return web.Response(status=404, headers={"Date": format_datetime(there, usegmt=True)})

    app = web.Application()
    app.router.add_route("*", "/", dated)
    async with TestServer(app) as server:
        finding = await account.platform_clock(str(server.make_url("/")), is_sandbox=False)
    assert finding.level == level, finding


async def test_the_sandbox_tells_the_time(x: Sandbox) -> None:
    assert (await account.platform_clock(x.url, is_sandbox=True)).level == "ok"


# The whole


def test_a_misspelt_variable_is_found() -> None:
    [finding] = examination.settings_findings(Settings.read({}), {"FRONTDESK_DESK_PROT": "FRONTDESK_DESK_PORT"})
    is_doubtful(finding, "FRONTDESK_DESK_PROT is no setting", "Did you mean FRONTDESK_DESK_PORT?")


@contextmanager
def a_house(tmp_path: Path, **more: str) -> Iterator[dict[str, str]]:
    """The environment of an operator's shell, with a fresh folder and free ports."""
    names = ("DESK", "SANDBOX", "CHANNEL", "RESPONDER", "REDIS")
    ports = {f"FRONTDESK_{name}_PORT": str(unused_port()) for name in names}
    yield {"PATH": "/usr/bin:/bin", "FRONTDESK_VAR": str(tmp_path / "var"), "OMP_NUM_THREADS": "1", **ports, **more}


def doctor(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "doctor", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=REPO,
        env=environment,
    )


def test_the_command_reports_everything_and_ends_with_1_when_something_is_bad(tmp_path: Path, redis_url: str) -> None:
    with a_house(tmp_path, REDIS_URL=redis_url) as environment:
        done = doctor(environment, "--json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    levels = {finding["what"]: finding["level"] for finding in report["findings"]}
    assert report["healthy"] is False
    assert levels["python"] == levels["packages"] == levels["disk"] == levels["redis"] == "ok"
    assert levels["redis persistence"] == "bad"  # the tests' own Redis keeps nothing
    assert levels["model"] == levels["knowledge"] == "bad"
    assert levels["keys"] == "warn"
    for finding in report["findings"]:
        assert (finding["remedy"] is None) == (finding["level"] == "ok"), finding
    assert not (tmp_path / "var").exists()


def test_the_command_shows_a_line_and_a_remedy_for_each(tmp_path: Path) -> None:
    with a_house(tmp_path) as environment:
        done = doctor(environment)
    assert done.returncode == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert any(line.startswith("ok    python") for line in lines)
    [at] = [number for number, line in enumerate(lines) if line.startswith("bad   model")]
    assert lines[at + 1].strip() == "→ Run `frontdesk train`."
    assert lines[-1].startswith("1 bad, ")


def test_settings_that_cannot_be_read_are_a_finding_like_any_other(tmp_path: Path) -> None:
    with a_house(tmp_path, FRONTDESK_LEASE_S="long") as environment:
        done = doctor(environment, "--json")
    assert done.returncode == 1
    findings = {finding["what"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert findings["settings"]["remedy"].startswith('FRONTDESK_LEASE_S is "long"')
    assert findings["python"]["level"] == "ok"


async def test_everything_in_order_is_healthy(
    own_redis: RedisProcess, tmp_path: Path, x: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model of the present inputs, published knowledge of our encoder, a Redis that keeps everything, good keys."""
    a_model(tmp_path / "var" / "models", inputs=fingerprint())
    with a_house(tmp_path, REDIS_URL=own_redis.url, X_BASE_URL=x.url) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        await _publish(own_redis.url)
        findings = await examination.examine()
    assert [finding for finding in findings if finding.level != "ok"] == []
    assert examination.is_healthy(findings)
    assert examination.as_text(findings).endswith(f"0 bad, 0 worth a look, {len(findings)} ok.")


async def _publish(url: str) -> None:
    """The shipped articles, under the name of the real encoder, without its seconds of loading."""
    from knowledge.encoder import MiniLmEncoder
    from knowledge.publish import Publisher
    from knowledge.source import DEFAULT_FOLDER, read_source
    from tests.conftest import WordEncoder

    class Named(WordEncoder):
        revision = MiniLmEncoder().revision

    redis, now = connect(url, text=False), datetime(2026, 11, 22, tzinfo=UTC)
    try:
        source = read_source(DEFAULT_FOLDER, now)
        await Publisher(redis, Named()).publish(source, by="tests", now=now, command_id="doctor")
    finally:
        await redis.aclose()
