"""The `frontdesk` command: one subcommand per process, and the tools around them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from bot.agent_commands import app as agent_app
from bot.announce_commands import app as announce_app
from bot.announce_commands import go, stop
from bot.report_command import report
from bot.settings import Settings, SettingsError, read_settings
from bot.upkeep_commands import backup, customer_app, purge, restore
from handoff.words import Place


class Commands(TyperGroup):
    """Our commands, and those of the knowledge, which are imported only when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), "knowledge"]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name != "knowledge":
            return super().get_command(ctx, cmd_name)
        from knowledge.commands import app as knowledge_app

        command = typer.main.get_command(knowledge_app)
        command.name = "knowledge"
        return command


app = typer.Typer(
    name="frontdesk",
    cls=Commands,
    help="Answers customers on a company's X account, and gives what is complex to people.\n\n"
    "Begin with `frontdesk up`: it starts everything on this machine. Settings are environment variables or a file; "
    "the README lists them all.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,  # locals may hold what a customer wrote
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(announce_app)
app.command()(stop)
app.command()(go)
app.command()(purge)
app.add_typer(customer_app)
app.command()(backup)
app.command()(restore)
app.command()(report)
app.add_typer(agent_app, name="agent")

Json = Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else, to standard output.")]


@app.callback()
def _before(context: typer.Context) -> None:
    if context.invoked_subcommand == "knowledge":
        from bot.embedded_redis import NoRedis, redis_url
        from knowledge.commands import KnowledgeParts

        try:
            context.obj = KnowledgeParts(redis_url=redis_url(_settings()))
        except NoRedis:
            context.obj = KnowledgeParts()  # check and import need none; the others say how to name one


@app.command()
def up() -> None:
    """Start everything on this machine and keep it running until Ctrl-C.

    Trains the model if its inputs changed, starts a Redis of its own unless REDIS_URL is set, publishes the
    knowledge, and runs channel, responder and desk, with the sandbox while no X keys are set. Whatever dies is
    started again. Everything is kept in FRONTDESK_VAR; Ctrl-C finishes what is in hand and stops.
    """
    from bot.embedded_redis import NoRedis
    from bot.folder import FolderRefused
    from bot.preparation import CannotStart
    from bot.supervisor import SupervisorGone
    from bot.up import Up
    from bot.watch import NotReady

    settings = _settings()
    try:
        Up(settings, say=_say).run()
    except (CannotStart, FolderRefused, NoRedis, NotReady, SupervisorGone) as error:
        _stop(str(error))


@app.command()
def channel() -> None:
    """Read the account and deliver what is to be said.

    Reads mentions and direct messages into the inbox, and says what is in the outbox, each once. Any number may run;
    one of them reads. Health: `/healthz` and `/readyz` on FRONTDESK_CHANNEL_PORT.
    """
    from bot.processes import run_channel

    _run("channel", run_channel)


@app.command()
def responder() -> None:
    """Answer what is in the inbox, or hand it to a person.

    Needs a trained model (`frontdesk train`) and published knowledge (`frontdesk knowledge publish`). Any number may
    run, on any number of machines; they share the conversations. Health: FRONTDESK_RESPONDER_PORT.
    """
    from bot.processes import run_responder

    _run("responder", run_responder)


@app.command()
def desk() -> None:
    """Serve the console, where people take over conversations.

    Also watches promised reply times. Address: FRONTDESK_HOST and FRONTDESK_DESK_PORT.
    """
    from bot.processes import run_desk

    _run("desk", run_desk)


@app.command()
def sandbox(
    limits: Annotated[str, typer.Option(help="`off`, or `ppu` for X's own rate limits.")] = "off",
) -> None:
    """Serve the sandbox: a local X with a page on which to play the customers.

    Speaks X's API, so that the channel works on it as on X. Used while no X keys are set; never in production.
    """
    from bot.processes import run_sandbox

    if limits not in ("off", "ppu"):
        raise typer.BadParameter("off or ppu", param_hint="--limits")
    _run("sandbox", lambda settings: run_sandbox(settings, limits=limits))


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="What a customer might write.")],
    place: Annotated[Place, typer.Option(help="Whether it is a post or a direct message.")] = Place.PUBLIC,
    as_json: Json = False,
) -> None:
    """Show what the bot makes of a message: what it understands, the evidence, the decision.

    Goes through the same turn as a customer's message, but stores and sends nothing. Answers from what a running
    Frontdesk has published, else from the article files; nothing has to run. Needs a trained model.
    """
    from bot.logs import set_up_logs

    settings = _settings()
    set_up_logs("ask", level="debug" if settings.log_level == "debug" else "error", form="text")
    from rich.console import Console

    from bot.ask import CannotAsk
    from bot.ask import ask as ask_bot
    from bot.ask_page import print_asked
    from bot.embedded_redis import NoRedis
    from bot.model import ModelBroken, ModelMissing

    try:
        asked = ask_bot(settings, text, place, say=lambda line: print(line, file=sys.stderr))
    except (CannotAsk, NoRedis, ModelBroken, ModelMissing) as error:
        _stop(str(error))
    if as_json:
        _print_json(asked.as_json())
    else:
        print_asked(asked, Console())


@app.command()
def train(
    force: Annotated[bool, typer.Option("--force", help="Train even if nothing changed.")] = False,
    as_json: Json = False,
) -> None:
    """Train the Rasa model if its inputs changed: configuration, domain, rules, examples, components.

    The model and its checksum are kept in FRONTDESK_VAR. A running responder takes it at its next start.
    """
    from bot.folder import Folder
    from bot.model import TrainingFailed, train_if_changed

    said: list[str] = []
    began = time.monotonic()
    try:
        path = train_if_changed(Folder(_settings().var).models, force=force, say=said.append if as_json else None)
    except TrainingFailed as error:
        _stop(str(error))
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        _print_json({"model": str(path), "trained": bool(said), "seconds": seconds})
    else:
        print(f"The model is {path}.")


@app.command()
def prepare() -> None:
    """Make what is missing: the trained model, the order book, the published knowledge.

    What `frontdesk up` does before it starts the processes, for those who start them by other means, such as systemd or
    containers. What is there and up to date stays, and so does what an editor published. Needs a Redis.
    """
    from bot.embedded_redis import NoRedis
    from bot.preparation import CannotStart, Stopped
    from bot.prepare import prepare as prepare_all

    try:
        prepare_all(_settings(), say=_say)
    except Stopped:
        _stop("Stopped before everything was prepared.")
    except (CannotStart, NoRedis) as error:
        _stop(str(error))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look at everything Frontdesk needs, and say what is wrong and how to mend it.

    Python and packages, settings, disk, model, policy files, Redis and how it keeps things, published knowledge, the
    keys of X and what they allow, clocks, ports and running processes. Changes nothing and sends nothing. Exit code 1
    when something is bad.
    """
    from bot.logs import set_up_logs

    set_up_logs("doctor", level="error", form="text")
    from bot.doctor import examination

    findings = asyncio.run(examination.examine())
    if as_json:
        _print_json(examination.as_json(findings))
    else:
        print(examination.as_text(findings))
    raise typer.Exit(0 if examination.is_healthy(findings) else 1)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help='Lines like {"id": "1", "author": "a", "text": "Hello"}.')],
    limits: Annotated[str, typer.Option(help="X's rate limits in the sandbox: `on` or `off`.")] = "on",
    authors: Annotated[int | None, typer.Option(min=1, max=90_000, help="Fold the authors onto so many.")] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Replay only the first rows.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out lines that cannot be read.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the store and the logs, and say where.")] = False,
    as_json: Json = False,
) -> None:
    """Post recorded messages to a stack of its own, and count what became of each.

    Starts everything on free ports with an empty store, beside whatever runs. The posts address our account instead
    of whomever they addressed; a repeated id is delivered a second time and must be handled once. With `--limits on`
    the account is read and answers no faster than X allows: 100 posts in 15 minutes.

    `lost`: messages without an outcome, and replies marked as sent that the sandbox does not have. `duplicated`:
    messages with two outcomes, and posts of ours that no reply explains or that answer a post again.
    `order_violations`: neighbours in a conversation that ended, or were answered, in the wrong order.
    `latency_ms`: from a post's creation at the sandbox to its outcome in the ledger; `reply_latency_ms`: to the
    creation of our reply there.
    Exit code 1 when a count is not 0.
    """
    from bot.replay_command import CannotReplay, replayed
    from bot.replay_view import told

    if limits not in ("on", "off"):
        raise typer.BadParameter("on or off", param_hint="--limits")
    try:
        report = replayed(
            file,
            _settings(),
            limits="ppu" if limits == "on" else "off",
            authors=authors,
            rows=rows,
            skip_bad=skip_bad,
            keep=keep,
        )
    except CannotReplay as error:
        _stop(str(error))
    if as_json:
        _print_json(report)
    else:
        print(told(report))
    raise typer.Exit(0 if report["faultless"] else 1)


def main() -> None:
    """Runs the command line; what only the operator can mend ends in one line and exit code 1."""
    app()


def _run(process: str, run: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """One process in the foreground, with its logs set up before anything heavy is imported."""
    from bot.logs import log_form, set_up_logs
    from bot.ports import port_problems, ports_of

    settings = _settings()
    set_up_logs(process, level=settings.log_level, form=log_form(settings.log_format))
    problems = port_problems([port for name, port in ports_of(settings).items() if name == process])
    if problems:
        _stop(problems[0])
    from bot.wiring import REFUSALS

    try:
        asyncio.run(run(settings))
    except REFUSALS as error:
        _stop(str(error))
    except OSError as error:
        from bot.folder import is_refused, refusal

        if not is_refused(error):
            raise
        _stop(refusal(settings.var, error))


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        _stop(str(error))


def _say(text: str) -> None:
    print(text, flush=True)


def _print_json(told: object) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=2) + "\n")


def _stop(line: str) -> NoReturn:
    print(f"frontdesk: {line}", file=sys.stderr, flush=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    main()
