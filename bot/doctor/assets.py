"""What Frontdesk works with: the trained model, the published knowledge, the policy files."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.doctor.finding import Finding, bad, ok, warn
from bot.model import ModelBroken, ModelMissing, fingerprint, trained_from, trained_model
from handoff.announcements_policy import load_announcements
from handoff.hours import ServiceHours
from handoff.hours_policy import load_hours
from handoff.policy import POLICIES, PolicyError
from handoff.report.prices import load_prices
from handoff.retention import load_retention
from handoff.sensitivity_policy import load_sensitivity
from knowledge.encoder import MiniLmEncoder
from knowledge.gate import parse_gate
from knowledge.published import VersionBroken, current_number, read_version
from knowledge.source import DEFAULT_FOLDER

PUBLISH = "Run `frontdesk knowledge publish`."


def model(folder: Path) -> Finding:
    """Whether the trained model is there, whole, and of the present inputs."""
    try:
        path = trained_model(folder)
        is_fresh = trained_from(folder) == fingerprint()
    except ModelMissing:
        return bad("model", f"There is no trained model in {folder}.", "Run `frontdesk train`.")
    except ModelBroken as error:
        return bad("model", str(error).rpartition(" Run ")[0], "Run `frontdesk train --force`.")
    except PackageNotFoundError as error:
        return bad("model", f"The package {error} is missing, so no model can be loaded.", "Run `make setup`.")
    if not is_fresh:
        said = "The model was trained before its inputs changed (rules, examples, components)."
        return warn("model", said, "Run `frontdesk train` and restart the responders.")
    return ok("model", f"{path} is whole and of the present inputs.")


async def knowledge(redis: Redis) -> Finding:
    """Whether knowledge is published that this installation can answer from. `redis`: gives bytes."""
    try:
        number = await current_number(redis)
        if number == 0:
            return bad("knowledge", "No knowledge is published, so nothing is answered from articles.", PUBLISH)
        version, _ = await read_version(redis, number)
    except VersionBroken as error:
        return bad("knowledge", str(error).removesuffix(f" {PUBLISH}"), PUBLISH)
    except RedisError as error:
        return bad("knowledge", f"The published knowledge cannot be read: {error}.", "Mend Redis first.")
    here = MiniLmEncoder().revision
    if version.encoder_revision != here:
        said = f"Version {number} was made with {version.encoder_revision}; this installation has {here}."
        return bad("knowledge", said, PUBLISH)
    return ok("knowledge", f"Version {number} is published, with {len(version.articles)} articles.")


def policies(
    *, company: str, account: str, folder: Path = POLICIES, gate: Path = DEFAULT_FOLDER / "gate.yml"
) -> list[Finding]:
    """Whether every file that a team lead changes can be read."""
    hours: list[ServiceHours] = []
    findings = [
        _policy(folder / "hours.yml", lambda path: hours.append(load_hours(path))),
        _policy(folder / "sensitive.yml", load_sensitivity),
        _policy(folder / "prices.yml", load_prices),
        _policy(folder / "retention.yml", load_retention),
        _gate(gate),
    ]
    if hours:  # announcements name opening times
        load = lambda path: load_announcements(hours[0], company=company, account=account, path=path)  # noqa: E731
        findings.append(_policy(folder / "announcements.yml", load))
    return findings


def _policy(path: Path, load: Callable[[Path], object]) -> Finding:
    try:
        load(path)
    except PolicyError as error:
        return bad("policy", f"{path.name} cannot be used.", str(error))
    return ok("policy", f"{path.name} is valid.")


def _gate(path: Path) -> Finding:
    try:
        gate, problems = parse_gate(path.name, path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        return bad("policy", f"{path.name} cannot be read: {error}.", "Restore the shipped file.")
    if gate is None:
        told = f"{problems[0].message} {problems[0].remedy}"
        return bad("policy", f"{path.name} cannot be used.", f"{path.name}: {told}")
    return ok("policy", f"{path.name} is valid.")
