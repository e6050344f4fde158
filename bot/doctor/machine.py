"""The machine: Python, the installed packages, the disk, and what listens on our ports."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import aiohttp

from bot.doctor.finding import Finding, bad, ok, warn
from bot.folder import LEAST_FREE_BYTES, refusal
from bot.ports import port_problems, ports_of
from bot.settings import Settings

PYTHON = (3, 11)
AMPLE_FREE_BYTES = 5 * LEAST_FREE_BYTES
SHOWN_PACKAGES = 3
LOOK_LIMIT_S = 3.0


def python(running: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Whether this is the Python that the lock was made for."""
    shown = ".".join(map(str, running))
    if running != PYTHON:
        return bad("python", f"This is Python {shown}; the packages are pinned for 3.11.", "Run `make setup`.")
    return ok("python", f"Python {'.'.join(map(str, sys.version_info[:3]))}")


def packages(lock: Path) -> Finding:
    """Whether what is installed is what the lock says."""
    try:
        pins = re.findall(r"^([A-Za-z][\w.-]*)==(\S+)", lock.read_text(), flags=re.MULTILINE)
    except OSError:
        return warn("packages", f"There is no {lock}, so versions cannot be compared.", "Run it from a checkout.")
    wrong = [f"{name} {found or 'is missing'} (pinned: {pinned})" for name, pinned, found in _differing(pins)]
    if wrong:
        more = f" and {len(wrong) - SHOWN_PACKAGES} more" if len(wrong) > SHOWN_PACKAGES else ""
        return bad("packages", f"{'; '.join(wrong[:SHOWN_PACKAGES])}{more}.", "Run `make setup`.")
    return ok("packages", f"All {len(pins)} packages are as pinned.")


def _differing(pins: list[tuple[str, str]]) -> list[tuple[str, str, str | None]]:
    installed = [(name, pinned, _installed(name)) for name, pinned in pins]
    return [(name, pinned, found) for name, pinned, found in installed if found != pinned]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def disk(folder: Path, *, free_bytes: int | None = None) -> Finding:
    """Whether the folder of everything that is kept has room and may be written; leaves nothing in it.

    `free_bytes`: what the disk has left; looked up where it is not given.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there) as probe:
            probe.write(b"0" * 4096)
            probe.flush()
        free = shutil.disk_usage(there).free if free_bytes is None else free_bytes
    except OSError as error:
        return bad("disk", *_split(refusal(folder, error)))
    shown = f"{free // 1_000_000:,} MB are free in {folder}"
    if free < LEAST_FREE_BYTES:
        needed = f"{LEAST_FREE_BYTES // 1_000_000} MB are needed"
        return bad("disk", f"{shown}; {needed}.", "Free some, or set FRONTDESK_VAR to another disk.")
    if free < AMPLE_FREE_BYTES:
        return warn("disk", f"{shown}: little.", "Free some before Redis rewrites its file or a model is trained.")
    return ok("disk", f"{shown}.")


def _split(sentences: str) -> tuple[str, str]:
    """What is wrong, and the remedy: the last sentence."""
    said, _, remedy = sentences.rpartition(". ")
    return f"{said}.", remedy


async def ports(settings: Settings, *, redis_answers: bool) -> list[Finding]:
    """For every process of these settings: whether it runs and is ready, or its port can be had."""
    findings, named = [], ports_of(settings)
    problems = port_problems(list(named.values()))
    timeout = aiohttp.ClientTimeout(total=LOOK_LIMIT_S)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        for name, port in named.items():
            problem = next((line for line in problems if line.startswith(f"Port {port.number} ({port.what})")), None)
            if problem is None:
                findings.append(ok(name, f"Port {port.number} is free; {port.what} does not run here now."))
            elif name == "redis":
                findings += [] if redis_answers else [bad("redis port", *_split(problem))]
            else:
                address = f"http://{settings.reached_host}:{port.number}"
                findings.append(await _occupied(client, name, address, problem))
    return findings


async def _occupied(client: aiohttp.ClientSession, name: str, address: str, problem: str) -> Finding:
    alive, state = await _json(client, f"{address}/healthz"), await _json(client, f"{address}/readyz")
    is_ours = alive.get("process") == name or (name == "sandbox" and state.get("status") == "ready")
    if not is_ours:
        return bad(name, *_split(problem))
    troubles = state.get("troubles") or {}
    if troubles:
        told = " ".join(str(trouble) for trouble in troubles.values())
        return bad(name, f"The {name} runs at {address}, but cannot work: {told}", "Mend that; its log says more.")
    return ok(name, f"The {name} runs at {address} and is ready.")


async def _json(client: aiohttp.ClientSession, address: str) -> Mapping[str, Any]:
    """What a page of health says; nothing where it is none of ours."""
    try:
        async with client.get(address) as response:
            told = await response.json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return {}
    return told if isinstance(told, Mapping) else {}
