"""`frontdesk up`: starts everything in the right order, says when it is ready, and keeps it running until Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable

from bot.folder import Folder, is_refused, refusal
from bot.preparation import CannotStart, Stopped
from bot.settings import DEMO_PASSWORD, Settings
from bot.signals import stopping
from bot.stack import Stack

Say = Callable[[str], None]


class Up:
    """One run of everything."""

    def __init__(self, settings: Settings, *, say: Say) -> None:
        self._settings = settings
        self._say = say
        self._folder = Folder(settings.var)
        self._stop = threading.Event()
        self._stack: Stack | None = None

    def run(self) -> None:
        """Runs until a signal ends it.

        Raises CannotStart, FolderRefused, NoRedis, NotReady and SupervisorGone, each a line for the operator.
        """
        with self._folder.claimed(), stopping(self._stop, self._kill):
            try:
                self._run_everything()
            except OSError as error:
                if not is_refused(error):
                    raise
                raise CannotStart(refusal(self._settings.var, error)) from error

    def _run_everything(self) -> None:
        stack = self._stack = Stack(self._settings, say=self._say, stop=self._stop)
        stack.check_ports()
        try:
            stack.start()
            if not self._stop.is_set():
                self._welcome(stack)
                stack.watch()
        except Stopped:
            self._say("Not everything was ready yet.")
        finally:
            self._say("Stopping; what is in hand is finished first.")
            stack.end()
            self._say(f"Stopped. Everything is kept in {self._settings.var}")

    def _kill(self) -> None:
        if self._stack:
            self._stack.supervisor.kill()

    def _welcome(self, stack: Stack) -> None:
        here = self._settings
        self._say(f"\nFrontdesk is ready ({stack.ready_after_s:.0f} s).\n")
        if here.uses_sandbox:
            self._say(f"  Write as a customer  {here.sandbox_address}/  (the sandbox, a local X)")
            if here.quiet_s:
                self._say(f"                       answers come once a customer was quiet for {here.quiet_s:g} s")
        self._say(f"  Answer as an agent   {here.desk_address}/")
        if here.is_demo:
            self._say(f"                       sign in as ana or ben, password {DEMO_PASSWORD}")
        self._say(f"  Logs                 {self._folder.logs}\n\nCtrl-C stops everything.")
