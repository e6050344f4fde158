"""`frontdesk purge`, `customer`, `backup` and `restore`: what is kept, for how long, and where else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from bot.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bot.wiring import LedgerParts
    from handoff.backup import Summary

T = TypeVar("T")
LONGEST_CALL_S = 120.0
"""A large partition is read in one call."""

Json = Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else, to standard output.")]
Who = Annotated[
    str, typer.Argument(metavar="HANDLE_OR_ID", help="The customer's id, or the handle (with @ or without).")
]

customer_app = typer.Typer(
    name="customer",
    help="Show or erase what is held of one customer.\n\n"
    "Found by the id of the platform, which never changes, or by the handle they last wrote with.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    as_json: Json = False,
) -> None:
    """Forget what is older than its days in `handoff/policies/retention.yml`.

    The desk does it once a day. Conversations with an open case, a waiting message or an unfinished reply are left
    alone. Can be stopped and run again at any time, also while everything works.
    """
    from bot import wiring
    from bot.clock import SystemClock
    from handoff.retention import KINDS, load_retention
    from handoff.upkeep import upkeep

    def told(looked_at: int) -> None:
        _say(f"{looked_at} conversations looked at …")

    async def work(parts: LedgerParts, settings: Settings) -> Any:
        clock = SystemClock()
        async with upkeep(wiring.upkeep_leases(parts), clock.now):
            return await wiring.purge(settings, parts).run(clock.now(), only_count=dry_run, told=told)

    run = _with_parts(work)
    retention = load_retention()
    if as_json:
        days = {kind: getattr(retention, kind) for kind in KINDS}
        _print_json({"dry_run": dry_run, "days": days, **run.model_dump()})
        return
    gone = ", ".join(
        f"{number} {kind if kind != 'journal' else 'journal lines'}" for kind, number in run.counts.items()
    )
    print(f"{'Would go' if dry_run else 'Gone'}: {gone}.")
    print(f"{run.looked_at} conversations looked at; {run.left_alone} left alone, because somebody is at work on them.")


@customer_app.command("export")
def export(
    who: Who,
    out: Annotated[str, typer.Option(help="The file to write, or `-` for standard output.")] = "-",
    as_json: Annotated[bool, typer.Option("--json", help="Tell what was written as JSON.")] = False,
) -> None:
    """Write everything held of one customer as readable JSON.

    Messages, our replies with what became of them, notes, cases with their packets, journal lines, counts.
    """
    from bot import wiring
    from bot.clock import SystemClock
    from handoff.customers import exported, find

    async def work(parts: LedgerParts, settings: Settings) -> Any:
        held = await find(parts.redis, who, partitions=settings.partitions)
        tries = await wiring.wrong_tries(parts).tries_of(held.id)
        now = SystemClock().now()
        return await exported(parts.redis, held, now, partitions=settings.partitions, wrong_tries=tries)

    told = _with_parts(work)
    if out == "-":
        _print_json(told)
        return
    _write_private(Path(out), json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    if as_json:
        _print_json({"file": out, "customer": told["customer"], "counts": told["counts"]})
    else:
        counts = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in told["counts"].items())
        print(f"Written to {out}: {counts}.")


@customer_app.command("erase")
def erase(
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for a reply on its way.")] = 60.0,
    as_json: Json = False,
) -> None:
    """Erase one customer for good: every message, reply, note, case, packet and journal line.

    Numbers by day are kept for the reports. An open case is closed with the resolution `erased`, and agents see why;
    replies not yet sent are cancelled. While a reply may be going out, nothing is erased and the command waits.
    Whoever writes again begins anew. Backups and logs are not touched: see README, "Operate it".
    """
    from bot import wiring
    from bot.clock import SystemClock
    from handoff.customers import find
    from handoff.upkeep import upkeep

    async def work(parts: LedgerParts, settings: Settings) -> Any:
        erasure, clock = wiring.erasure(settings, parts), SystemClock()
        async with upkeep(wiring.upkeep_leases(parts), clock.now):
            await erasure.end_begun(clock.now())
            held = await find(parts.redis, who, partitions=settings.partitions)
            if not yes:
                question = f"Erase everything held of @{held.customer.handle} (id {held.id}), for good?"
                await asyncio.to_thread(typer.confirm, question, abort=True, err=True)
            waits = "A reply to this customer may be going out just now; waiting until that is known …"
            erased = await erasure.erase(held.conversation, clock.now, wait_s=wait_s, waits=lambda: _say(waits))
            tries = await wiring.wrong_tries(parts).forget(held.id)
            return erased, tries, await erasure.forget_files()

    erased, tries, is_rewritten = _with_parts(work)
    counts = {**erased.counts, "wrong_verification_tries": tries}
    if as_json:
        _print_json({"erased": True, "case": erased.case, "counts": counts, "file_rewritten": is_rewritten})
        return
    print("Erased: " + ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in counts.items()) + ".")
    if erased.case:
        print(f"Case {erased.case} was open and is closed as erased.")
    if not is_rewritten:
        print("Redis may not be asked to rewrite its file, which still holds the words: run BGREWRITEAOF there.")


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")], as_json: Json = False
) -> None:
    """Write everything kept in Redis into one file: the ledger, the published knowledge, the agents.

    Can be taken at work: each partition is read at one moment. The file holds customers' words and password hashes;
    only you may read it. Not in it: who is signed in, the trained model, files.
    """
    from bot import wiring
    from bot.clock import SystemClock
    from handoff.backup import write_backup
    from handoff.upkeep import upkeep

    async def work(parts: LedgerParts, settings: Settings) -> Any:
        clock = SystemClock()

        async def write(redis: Redis) -> Summary:
            return await write_backup(
                redis, file, clock.now, partitions=settings.partitions, frontdesk=version("frontdesk"), told=told
            )

        async with upkeep(wiring.upkeep_leases(parts), clock.now):
            return await _with_bytes(settings, write)

    def told(part: str) -> None:
        if not as_json:
            _say(f"{part} …")

    summary = _with_parts(work)
    _tell_summary("Written to", file, summary, as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `frontdesk backup` wrote.")], as_json: Json = False
) -> None:
    """Write a backup into an empty Redis: on another port, another machine, another FRONTDESK_VAR.

    Stop Frontdesk first. The whole file is checked before anything is written; a Redis that holds anything is
    refused. If it is cut off, run it again with the same file.
    """
    from bot.clock import SystemClock
    from bot.wiring import ledger_parts
    from handoff.restore import restore as restore_backup

    async def work(settings: Settings) -> Any:
        async def write(redis: Redis) -> Summary:
            parts = ledger_parts(settings)
            try:
                now = SystemClock().now()
                return await restore_backup(
                    redis, parts.transitions, file, now, partitions=settings.partitions, told=told
                )
            finally:
                await parts.redis.aclose()

        return await _with_bytes(settings, write)

    def told(done: int, of: int) -> None:
        _say(f"{done} of {of} keys …")

    summary = _guarded(work, begin=True)
    _tell_summary("Restored from", file, summary, as_json=as_json)


async def _with_bytes(settings: Settings, work: Callable[[Redis], Awaitable[T]]) -> T:
    """Over a connection that gives bytes and has time."""
    from bot.embedded_redis import redis_url
    from handoff.connection import connect

    redis = connect(redis_url(settings), text=False, time_limit_s=LONGEST_CALL_S)
    try:
        return await work(redis)
    finally:
        await redis.aclose()


def _with_parts(work: Callable[[LedgerParts, Settings], Awaitable[T]]) -> T:
    from bot import wiring

    async def run(settings: Settings) -> T:
        parts = wiring.ledger_parts(settings)
        try:
            return await work(parts, settings)
        finally:
            await parts.redis.aclose()

    return _guarded(run)


def _guarded(work: Callable[[Settings], Awaitable[T]], *, begin: bool = False) -> T:
    """Runs a command's work with Redis at hand; what only the operator can mend ends in one line."""
    from redis.exceptions import RedisError

    from bot.embedded_redis import NoRedis
    from bot.logs import set_up_logs
    from bot.redis_at_hand import redis_at_hand
    from handoff.backup import BackupBroken
    from handoff.customers import NobodyFound, SeveralFound
    from handoff.erasure import StillGoingOut
    from handoff.policy import PolicyError
    from handoff.restore import RestoreRefused
    from handoff.scripts import LedgerAway, LedgerFull
    from handoff.upkeep import UpkeepBusy

    refusals = (
        *(SettingsError, NoRedis, PolicyError, BackupBroken, RestoreRefused, NobodyFound, SeveralFound),
        *(StillGoingOut, UpkeepBusy, LedgerAway, LedgerFull),
    )
    set_up_logs("upkeep", level="error", form="text")
    try:
        settings = read_settings()
        with redis_at_hand(settings, begin=begin):
            return asyncio.run(_awaited(work, settings))
    except refusals as error:
        _stop(str(error))
    except RedisError as error:
        _stop(f"Redis does not do what is asked ({type(error).__name__}). Run it again when Redis is well.")
    except OSError as error:
        _stop(str(error) if error.errno is None else f"{error.filename}: {error.strerror}.")


async def _awaited(work: Callable[[Settings], Awaitable[T]], settings: Settings) -> T:
    return await work(settings)


def _tell_summary(done: str, file: Path, summary: Summary, *, as_json: bool) -> None:
    told = {
        "file": str(file),
        "bytes": file.stat().st_size,
        "keys": summary.keys,
        "checksum": summary.checksum,
        **summary.header.model_dump(),
    }
    if as_json:
        _print_json(told)
        return
    print(f"{done} {file}: {summary.keys} keys, {told['bytes']} bytes, checksum {summary.checksum[:16]}.")


def _write_private(path: Path, text: str) -> None:
    """A new file that only we may read."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        _stop(f"{path} cannot be written: {error.strerror}. Name another file.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def _print_json(told: object) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=2) + "\n")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _stop(line: str) -> NoReturn:
    print(f"frontdesk: {line}", file=sys.stderr, flush=True)
    raise typer.Exit(1)
