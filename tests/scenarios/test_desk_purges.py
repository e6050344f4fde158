"""The desk process purges, and ends in good order."""

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
import redis

from handoff.hours_policy import load_hours
from handoff.retention import load_retention


def test_a_desk_that_was_down_at_the_hour_purges_when_it_is_back(tmp_path: Path, redis_url: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FRONTDESK_", "X_", "REDIS_"))}
    environment = {
        **kept, "FRONTDESK_VAR": str(tmp_path), "REDIS_URL": redis_url, "FRONTDESK_DESK_PORT": str(port)
    }  # fmt: skip
    if datetime.now(load_hours().zone).time() < load_retention().purge_at:
        pytest.skip("today's purge is due later; test_daily_purge.py has the clock in its hands")
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "desk"], env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        with redis.Redis.from_url(redis_url, decode_responses=True) as client:
            deadline = time.monotonic() + 60
            while client.get("{account}:purged") is None:
                assert process.poll() is None
                assert time.monotonic() < deadline, "the desk did not purge"
                time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.communicate()
