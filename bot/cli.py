"""The `frontdesk` command: one subcommand per process, and the tools around them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from bot.settings import Settings, SettingsError, read_settings


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
    "Begin with `frontdesk up`: it starts everything on this machine. Settings are environment variables; "
    "the README lists them all.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,  # locals may hold what a customer wrote
    context_settings={"help_option_names": ["-h", "--help"]},
)

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
    from bot.embedded_redis import NoRedis

    try:
        asyncio.run(run(settings))
    except NoRedis as error:
        _stop(str(error))


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
