"""What stands in deploy/ fits the program: its commands, settings, ports and secrets; checked without an engine."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from aiohttp.test_utils import unused_port

from bot.cli import app
from bot.doctor import store
from bot.doctor.finding import Finding
from bot.settings import X_KEYS, Settings, settings_table
from handoff.connection import connect
from tests.conftest import _wait_until_ready, redis_program

REPO = Path(__file__).parents[2]
DEPLOY = REPO / "deploy"
SYSTEMD = DEPLOY / "systemd"
COMMANDS = set(typer.main.get_command(app).list_commands(None))  # type: ignore[attr-defined]
SETTINGS = set(re.findall(r"`((?:FRONTDESK_|X_|REDIS_)[A-Z_]+)`", settings_table()))
OURS = ("prepare", "channel", "responder", "desk", "sandbox")
PORTS = {"channel": 8422, "responder": 8423, "desk": 8420, "sandbox": 8421}


def compose(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return loaded


def filled(text: str, environ: Mapping[str, str]) -> str:
    """A value as compose fills it in: ${NAME:-default}, ${NAME:?why}."""

    def value(found: re.Match[str]) -> str:
        name, operator, rest = found.groups()
        if environ.get(name):
            return environ[name]
        assert operator == ":-", f"{name} must be given: {rest}"
        return str(rest)

    return re.sub(r"\$\{([A-Z_]+)(:[-?])([^}]*)\}", value, text)


def settings_of(environment: Mapping[str, str], secrets: Path, **given: str) -> Settings:
    """The settings that a process in a container reads, with its secrets where they would be mounted."""
    (secrets / "redis_url").write_text("redis://:word@redis:6379/0\n")
    for key in X_KEYS:
        (secrets / key.lower()).write_text(f"value-of-{key}\n")
    read = {
        name: filled(str(value), given).replace("/run/secrets", str(secrets)) for name, value in environment.items()
    }
    return Settings.read(read)


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_of_ours_with_settings_that_exist(name: str, tmp_path: Path) -> None:
    service = compose("compose.yml")["services"][name]
    assert service["command"] == [name]
    assert name in COMMANDS
    assert set(service["environment"]) <= SETTINGS
    settings = settings_of(service["environment"], tmp_path)
    assert settings.redis_url == "redis://:word@redis:6379/0"
    assert settings.uses_sandbox
    assert settings.x_base_url == "http://sandbox:8421"


@pytest.mark.parametrize("name", [name for name in OURS if name != "sandbox"])
def test_a_real_account_gets_its_keys_from_files_and_no_sandbox(name: str, tmp_path: Path) -> None:
    base, real = compose("compose.yml")["services"][name], compose("compose.x.yml")["services"][name]
    environment = base["environment"] | real["environment"]
    assert set(environment) <= SETTINGS
    settings = settings_of(environment, tmp_path, FRONTDESK_PRIVACY_URL="https://puffin.example/privacy")
    assert not settings.uses_sandbox
    assert not settings.is_demo
    assert settings.x_base_url is None
    assert settings.x_access_token_secret == "value-of-X_ACCESS_TOKEN_SECRET"
    assert {path.removeprefix("/run/secrets/") for name, path in environment.items() if name.endswith("_FILE")} == {
        *base["secrets"],
        *real["secrets"],
    }


def test_a_real_account_must_name_its_privacy_notice(tmp_path: Path) -> None:
    real = compose("compose.x.yml")["services"]["desk"]
    with pytest.raises(AssertionError, match="FRONTDESK_PRIVACY_URL must be given"):
        settings_of(real["environment"], tmp_path)
    assert compose("compose.x.yml")["services"]["sandbox"] == {"profiles": ["never"]}


def test_everything_that_a_service_names_is_there() -> None:
    both = [compose("compose.yml"), compose("compose.x.yml")]
    secrets = {name: one["file"] for part in both for name, one in part["secrets"].items()}
    services = both[0]["services"]
    for part in both:
        for name, service in part["services"].items():
            assert name in services
            assert set(service.get("secrets", [])) <= set(secrets), name
    for name, service in services.items():
        for other, on in service.get("depends_on", {}).items():
            assert other in services
            if on["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for the health of {other}"
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in both[0]["volumes"]
    assert all(file == f"./secrets/{name}" for name, file in secrets.items())


def test_secrets_are_files_and_never_values() -> None:
    for file in ("compose.yml", "compose.x.yml"):
        for service in compose(file)["services"].values():
            for name in service.get("environment", {}):
                assert name.endswith("_FILE") or f"`{name}_FILE`" not in settings_table(), name
    assert "deploy/secrets" in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert "deploy/secrets/" in (REPO / ".gitignore").read_text().splitlines()


def test_pages_are_published_to_this_machine_only_and_health_is_asked_at_the_right_port() -> None:
    for name, service in compose("compose.yml")["services"].items():
        for port in service.get("ports", []):
            assert port == f"127.0.0.1:{PORTS[name]}:{PORTS[name]}"
        if name in PORTS and "healthcheck" in service:
            assert f"http://127.0.0.1:{PORTS[name]}/healthz" in service["healthcheck"]["test"][-1]
            compile(service["healthcheck"]["test"][-1], name, "exec")
    here = Settings.read({})
    assert {name: getattr(here, f"{name}_port") for name in PORTS} == PORTS


def test_each_image_is_pinned_and_gets_time_to_finish_what_is_in_hand() -> None:
    for name, service in compose("compose.yml")["services"].items():
        assert re.fullmatch(r"frontdesk|redis:\d+\.\d+-\w+", service["image"]), name
        assert int(service["stop_grace_period"].removesuffix("s")) >= 30, name


def test_the_image_is_built_from_what_is_there() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert {step for step, _ in steps} <= known
    for step, rest in steps:
        if step == "COPY" and not rest.startswith("--from"):
            assert all((REPO / source).exists() for source in rest.split()[:-1]), rest
    assert {rest.split()[0] for step, rest in steps if step == "FROM"} == {"python:3.11-slim-bookworm"}
    environment = dict(re.findall(r"(FRONTDESK_\w+)=(\S+)", dict(steps)["ENV"]))
    assert Settings.read(environment).host == "0.0.0.0"
    assert [step for step, _ in steps].index("USER") < [step for step, _ in steps].index("ENTRYPOINT")


@pytest.fixture
def redis_of_compose(tmp_path: Path) -> Iterator[str]:
    """A real Redis with the configuration that the container gets."""
    port = unused_port()
    command = [redis_program(), str(DEPLOY / "redis/redis.conf"), "--port", str(port), "--dir", str(tmp_path)]
    with (tmp_path / "log").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    url = f"redis://127.0.0.1:{port}/0"
    _wait_until_ready(url, process, tmp_path / "log")
    yield url
    process.terminate()
    process.wait(timeout=10)


def test_the_redis_of_the_containers_is_as_the_doctor_wants_it(redis_of_compose: str) -> None:
    async def look() -> list[Finding]:
        redis = connect(redis_of_compose)
        try:
            return await store.look(redis, is_given=True)
        finally:
            await redis.aclose()

    findings = {finding.what: finding.level for finding in asyncio.run(look())}
    assert findings["redis persistence"] == findings["redis memory"] == "ok"


def unit(path: Path) -> list[tuple[str, str, str]]:
    """Section, key and value of every line; a key may stand several times."""
    found, section = [], ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.append((section, key, value))
    return found


UNITS = sorted([*SYSTEMD.glob("*.service"), *SYSTEMD.glob("*.target"), *SYSTEMD.glob("*.d/*")])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_well_formed_and_names_settings_and_commands_that_exist(path: Path) -> None:
    ConfigParser(strict=False, interpolation=None).read_string(path.read_text())
    for section, key, value in unit(path):
        assert section in ("Unit", "Service", "Install")
        if key == "Environment":
            names = {assignment.partition("=")[0] for assignment in value.split()}
            assert names <= SETTINGS | {"OMP_NUM_THREADS", "PYTHONUNBUFFERED"}
        if key == "ExecStart":
            program, command = value.split()
            assert program == "/opt/frontdesk/.venv/bin/frontdesk"
            assert command in COMMANDS
        if key == "Documentation":
            assert (REPO / value.removeprefix("file:/opt/frontdesk/")).exists()


def test_the_units_of_a_real_account_give_every_key(tmp_path: Path) -> None:
    lines = unit(SYSTEMD / "frontdesk-.service.d/10-common.conf")
    lines += unit(SYSTEMD / "frontdesk-.service.d/20-x.conf.example")
    loaded = {value.partition(":")[0] for _, key, value in lines if key == "LoadCredential"}
    environment = dict(
        assignment.split("=", 1) for _, key, value in lines if key == "Environment" for assignment in value.split()
    )
    named = {value.removeprefix("%d/") for name, value in environment.items() if name.endswith("_FILE")}
    assert named == loaded
    environment = {name: value.replace("%d", str(tmp_path)) for name, value in environment.items()}
    (tmp_path / "redis_url").write_text("redis://127.0.0.1:6379/0\n")
    for key in X_KEYS:
        (tmp_path / key.lower()).write_text("word\n")
    assert not Settings.read(environment).uses_sandbox


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("spoilt", [False, True])
def test_systemd_takes_the_units(tmp_path: Path, spoilt: bool) -> None:
    shutil.copytree(SYSTEMD, tmp_path, dirs_exist_ok=True)
    drop_ins = tmp_path / "frontdesk-.service.d"
    (drop_ins / "20-x.conf.example").rename(drop_ins / "20-x.conf")
    for path in tmp_path.glob("*.service"):
        path.write_text(
            path.read_text().replace("/opt/frontdesk/.venv/bin/frontdesk", shutil.which("true") or "/bin/true")
        )
    if spoilt:  # it does look at the drop-ins
        common = drop_ins / "10-common.conf"
        common.write_text(common.read_text().replace("NoNewPrivileges=yes", "NoNewPrivileges=perhaps"))
    units = [
        *tmp_path.glob("*[!@].service"),
        tmp_path / "frontdesk-responder@8433.service",
        tmp_path / "frontdesk.target",
    ]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "frontdesk" in line]
    if spoilt:
        assert any("perhaps" in line for line in ours), done.stderr
    else:
        assert (done.returncode, ours) == (0, []), done.stderr
