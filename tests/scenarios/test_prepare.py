"""`frontdesk prepare`: makes what is missing, once, and leaves what is there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from aiohttp.test_utils import unused_port

from knowledge.keys import CURRENT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def prepare(var: Path, redis_url: str) -> subprocess.CompletedProcess[str]:
    secret = var.parent / "redis_url"
    secret.write_text(f"{redis_url}\n")
    environment = {"FRONTDESK_VAR": str(var), "REDIS_URL_FILE": str(secret), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "prepare"],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_it_makes_what_is_missing_and_nothing_twice(tmp_path: Path, trained_model: Path, redis_url: str) -> None:
    var = tmp_path / "var"
    shutil.copytree(trained_model.parent, var / "models")
    made = prepare(var, redis_url)
    assert made.returncode == 0, made.stderr
    assert "Version 1 of the knowledge is published." in made.stdout
    assert (var / "orders.sqlite").exists()
    again = prepare(var, redis_url)
    assert again.returncode == 0
    assert again.stdout.splitlines()[-1] == "Everything is prepared."
    assert "published" not in again.stdout
    with redis.Redis.from_url(redis_url) as client:
        assert client.get(CURRENT) == b"1"


def test_without_a_redis_that_answers_it_says_so(tmp_path: Path, trained_model: Path) -> None:
    var = tmp_path / "var"
    shutil.copytree(trained_model.parent, var / "models")
    done = prepare(var, f"redis://127.0.0.1:{unused_port()}/0")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("frontdesk: Redis does not answer")
    assert "Traceback" not in done.stderr
