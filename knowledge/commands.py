"""`frontdesk knowledge`: check, publish, import and export, for editors and their scripts."""

import asyncio
import json
import sys
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from rich.console import Console

from knowledge.encoder import Encoder, shared_encoder
from knowledge.exchange import ExchangeRefused, import_files, version_as_files, version_as_json, write_files
from knowledge.problem import Problem, Severity
from knowledge.publish import Publisher, PublishFailed, PublishOutcome, PublishResult
from knowledge.published import NothingPublished, VersionBroken, current_number, read_version
from knowledge.source import DEFAULT_FOLDER, read_source
from knowledge.version import Version


@dataclass(frozen=True, kw_only=True)
class KnowledgeParts:
    """What the commands work with; the main program may give its own as the context's object."""

    redis_url: str | None = None
    encoder: Callable[[], Encoder] = shared_encoder


class Format(StrEnum):
    """How an export is written."""

    FOLDER = "folder"  # articles/*.md, facts/*.csv, gate.yml
    JSON = "json"  # one document


app = typer.Typer(
    help="The articles and facts the bot answers from: check them, publish them, move them in and out.",
    no_args_is_help=True,
)

Folder = Annotated[
    Path,
    typer.Option("--folder", "-f", help="The folder that has articles/ and facts/.", show_default="Frontdesk's own"),
]
RedisUrl = Annotated[
    str | None,
    typer.Option("--redis-url", envvar="REDIS_URL", help="The Redis that holds the published knowledge."),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else, to standard output.")]
Replace = Annotated[bool, typer.Option("--replace", help="Overwrite files that have other content.")]


@app.command()
def check(folder: Folder = DEFAULT_FOLDER, as_json: Json = False) -> None:
    """List every problem of the articles and facts in a folder; nothing is published.

    Ends with 1 if anything would keep the folder from being published. Warnings do not.
    """
    source = read_source(folder, _now())
    if as_json:
        _print_json(articles=len(source.articles), problems=[p.as_dict() for p in source.problems])
    else:
        _print_problems(source.problems)
        _say(f"{len(source.articles)} articles are fine; {len(source.errors)} errors.")
    raise typer.Exit(1 if source.errors else 0)


@app.command()
def publish(
    context: typer.Context,
    folder: Folder = DEFAULT_FOLDER,
    redis_url: RedisUrl = None,
    by: Annotated[str | None, typer.Option(help="Who publishes.", show_default="your user name")] = None,
    expected: Annotated[int | None, typer.Option(help="Publish only if this version is still the current one.")] = None,
    as_json: Json = False,
) -> None:
    """Make a folder's articles and facts what the bot answers from, within a second and without restart.

    All of the folder is published, or nothing: with an error in any file, or if somebody else published
    meanwhile, what is published stays as it is and the command ends with 1.
    """
    source = read_source(folder, _now())
    parts = _parts(context)

    async def run(redis: "Redis") -> PublishResult:
        publisher = Publisher(redis, parts.encoder())
        return await publisher.publish(
            source, by=by or getuser(), now=_now(), command_id=uuid.uuid4().hex, expected=expected
        )

    with _console().status("Publishing: reading, encoding what is new, measuring certainty …"):
        result = _with_redis(redis_url or parts.redis_url, run)
    _report(result, as_json)


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="A folder, or a JSON file made by export.")],
    folder: Folder = DEFAULT_FOLDER,
    replace: Replace = False,
    as_json: Json = False,
) -> None:
    """Bring articles and facts from elsewhere into a folder; nothing is published.

    Everything is checked first, together with what is in the folder. Files with other content are
    overwritten only with --replace.
    """
    try:
        imported = import_files(source, folder, _now(), overwrite=replace)
    except ExchangeRefused as refused:
        _fail(refused.problems, as_json)
    if as_json:
        _print_json(
            written=imported.written,
            unchanged=imported.unchanged,
            problems=[p.as_dict() for p in imported.problems],
        )
    else:
        _print_problems(imported.problems)
        _say(f"{len(imported.written)} files written to {folder}, {imported.unchanged} were the same already.")


@app.command()
def export(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(help="The folder or file to write.")],
    form: Annotated[Format, typer.Option("--format", help="A folder of files, or one JSON file.")] = Format.FOLDER,
    redis_url: RedisUrl = None,
    replace: Replace = False,
    as_json: Json = False,
) -> None:
    """Write what is published now to files, also what was written in the studio."""
    parts = _parts(context)

    async def run(redis: "Redis") -> Version:
        number = await current_number(redis)
        if not number:
            raise NothingPublished()
        version, _ = await read_version(redis, number)
        return version

    try:
        version = _with_redis(redis_url or parts.redis_url, run)
        if form is Format.FOLDER:
            written = write_files(version_as_files(version), target, overwrite=replace)
        else:
            written = write_files({target.name: version_as_json(version)}, target.parent, overwrite=replace)
    except ExchangeRefused as refused:
        _fail(refused.problems, as_json)
    if as_json:
        _print_json(version=version.number, written=written)
    else:
        _say(f"Version {version.number}: {len(written)} files written to {target}.")


def _with_redis(url: str | None, run: Callable[["Redis"], Any]) -> Any:
    """Run with a connection; ends the command with one clear line where that fails."""
    if url is None:
        _stop("Which Redis? Give --redis-url or set REDIS_URL.")

    async def connected() -> Any:
        redis = Redis.from_url(url, socket_connect_timeout=3, socket_timeout=10, retry=Retry(NoBackoff(), 0))
        async with redis:
            return await run(redis)

    try:
        return asyncio.run(connected())
    except (PublishFailed, NothingPublished, VersionBroken) as error:
        _stop(str(error))
    except (RedisError, OSError, ValueError) as error:
        _stop(f"Redis did not answer ({error}). Check --redis-url or REDIS_URL.")


def _report(result: PublishResult, as_json: bool) -> NoReturn:
    if as_json:
        _print_json(
            outcome=str(result.outcome),
            version=result.version,
            changed=result.changed,
            encoded=result.encoded,
            measured=dict(result.calibration.measured) if result.calibration else None,
            problems=[problem.as_dict() for problem in result.problems],
        )
    else:
        _print_problems(result.problems)
        _say(_sentence(result))
    done = result.outcome in (PublishOutcome.PUBLISHED, PublishOutcome.UNCHANGED)
    raise typer.Exit(0 if done else 1)


def _sentence(result: PublishResult) -> str:
    match result.outcome:
        case PublishOutcome.PUBLISHED:
            return f"Version {result.version} is published; {len(result.changed)} articles are new or changed."
        case PublishOutcome.UNCHANGED:
            return f"Version {result.version} has exactly this already; nothing was published."
        case PublishOutcome.LOST:
            return (
                f"Not published: version {result.version} was published meanwhile. "
                "Export it, bring both together, and publish again."
            )
        case PublishOutcome.REFUSED:
            return "Not published: correct the errors above first."


def _parts(context: typer.Context) -> KnowledgeParts:
    return context.find_object(KnowledgeParts) or KnowledgeParts()


def _print_problems(problems: Iterable[Problem]) -> None:
    for problem in problems:
        mark = "error  " if problem.severity is Severity.ERROR else "warning"
        _say(f"{mark} {problem}")


def _fail(problems: Iterable[Problem], as_json: bool) -> NoReturn:
    if as_json:
        _print_json(problems=[problem.as_dict() for problem in problems])
    else:
        _print_problems(problems)
    raise typer.Exit(1)


def _stop(message: str) -> NoReturn:
    _say(message)
    raise typer.Exit(1)


def _print_json(**values: object) -> None:
    sys.stdout.write(json.dumps(values, ensure_ascii=False, indent=2) + "\n")


def _say(text: str) -> None:
    _console().print(text, markup=False, highlight=False, soft_wrap=True)


def _console() -> Console:
    return Console(stderr=True)


def _now() -> datetime:
    return datetime.now(UTC)
