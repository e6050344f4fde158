"""The examination: everything is looked at, whatever else is wrong, and nothing is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot import wiring
from bot.channels.x.wire import X_HOST
from bot.doctor import account, assets, machine, store
from bot.doctor.finding import Finding, bad, ok, warn
from bot.folder import Folder
from bot.model import PROJECT
from bot.settings import Settings, SettingsError, read_settings, unknown_variables
from handoff.connection import connect

LOCK = PROJECT / "requirements.lock"
REDIS_LIMIT_S = 3.0


async def examine(*, lock: Path = LOCK) -> list[Finding]:
    """Everything there is to find; where the settings cannot be read, only what needs none."""
    basics = [machine.python(), machine.packages(lock)]
    try:
        settings = read_settings()
    except SettingsError as error:
        return [*basics, bad("settings", "The settings cannot be used.", str(error))]
    findings = [*basics, *settings_findings(settings, unknown_variables()), machine.disk(settings.var)]
    findings += [assets.model(Folder(settings.var).models)]
    findings += assets.policies(company=settings.company, account=settings.account)
    of_redis = await _store(settings)
    answers = any(finding.what == "redis memory" for finding in of_redis)
    findings += [*of_redis, *await _platform(settings)]
    return findings + await machine.ports(settings, redis_answers=answers)


def settings_findings(settings: Settings, misspelt: Mapping[str, str]) -> list[Finding]:
    """Where the settings come from, and variables that are none though they look like one."""
    if misspelt:
        said = "{} is no setting and does nothing."
        return [warn("settings", said.format(name), f"Did you mean {meant}?") for name, meant in misspelt.items()]
    place = f"the environment and {settings.file}" if settings.file else "the environment"
    return [ok("settings", f"The settings are valid ({place}).")]


async def _store(settings: Settings) -> list[Finding]:
    url, findings = store.address(settings)
    if url is None:
        return [*findings, warn("knowledge", "Without Redis it is not known what is published.", "Start Redis first.")]
    redis = connect(url, time_limit_s=REDIS_LIMIT_S)
    try:
        findings = await store.look(redis, is_given=bool(settings.redis_url))
    finally:
        await redis.aclose()
    if len(findings) == 1:
        return [*findings, warn("knowledge", "Without Redis it is not known what is published.", "Start Redis first.")]
    as_bytes = connect(url, time_limit_s=REDIS_LIMIT_S, text=False)
    try:
        return [*findings, await assets.knowledge(as_bytes)]
    finally:
        await as_bytes.aclose()


async def _platform(settings: Settings) -> list[Finding]:
    address = settings.x_base_url or (settings.sandbox_address if settings.uses_sandbox else X_HOST)
    transport = wiring.transport(settings)
    try:
        return [
            await account.keys(transport, account=settings.account, is_sandbox=settings.uses_sandbox),
            await account.platform_clock(address, is_sandbox=settings.uses_sandbox),
        ]
    finally:
        transport.close()


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Whether nothing is bad."""
    return all(finding.level != "bad" for finding in findings)


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The report for machines."""
    return {"healthy": is_healthy(findings), "findings": [finding.as_json() for finding in findings]}


def as_text(findings: Sequence[Finding]) -> str:
    """The report for people: a line for each finding, and below it how to mend it."""
    width = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<5} {finding.what:<{width}}  {finding.said}")
        if finding.remedy:
            lines.append(f"{'':<5} {'':<{width}}  → {finding.remedy}")
    counts = Counter(finding.level for finding in findings)
    lines.append(f"\n{counts['bad']} bad, {counts['warn']} worth a look, {counts['ok']} ok.")
    return "\n".join(lines)
