"""Programs that the benchmark starts, waits for and ends."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

READY_LIMIT_S = 180.0
END_LIMIT_S = 20.0


class ProgramFailed(Exception):
    """A program ended or was not ready in time; the text names its log."""


@contextmanager
def running(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The program until the end of the block, by when it has ended."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=dict(environment), cwd=folder
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=END_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], address: str, *, log: Path) -> None:
    """Waits until this address answers 200. Raises ProgramFailed."""
    deadline = time.monotonic() + READY_LIMIT_S
    while not _answers(address):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ProgramFailed(f"A program did not become ready at {address}; see {log}.")
        time.sleep(0.1)


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    """What the process holds in memory now, in MB of 1,000,000 bytes."""
    return float(psutil.Process(process.pid).memory_info().rss) / 1e6


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2.0) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False
