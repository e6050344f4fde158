"""`frontdesk up`: starts everything in the right order, says when it is ready, and keeps it running until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from bot.embedded_redis import EmbeddedRedis
from bot.folder import Folder, refusal
from bot.ports import port_problems, ports_of
from bot.preparation import CannotStart, Preparation, Stopped
from bot.settings import DEMO_PASSWORD, Settings, child_environment
from bot.supervisor import Child, Supervisor
from bot.watch import Watch

Say = Callable[[str], None]

READY_LIMIT_S = 180.0
"""When a start counts as failed; it usually takes a tenth of it."""


class Up:
    """One run of everything."""

    def __init__(self, settings: Settings, *, say: Say) -> None:
        self._settings = settings
        self._say = say
        self._folder = Folder(settings.var)
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._supervisor: Supervisor | None = None

    def run(self) -> None:
        """Runs until a signal ends it.

        Raises CannotStart, FolderRefused, NoRedis, NotReady and SupervisorGone, each a line for the operator.
        """
        with self._folder.claimed(), self._signals():
            problems = port_problems(list(ports_of(self._settings).values()))
            if problems:
                raise CannotStart("\n".join(problems))
            try:
                self._run_everything()
            except OSError as error:
                raise CannotStart(refusal(self._settings.var, error)) from error

    def _run_everything(self) -> None:
        redis_url, children = self._redis()
        environment = child_environment(self._settings, redis_url)
        preparation = Preparation(self._folder, environment, say=self._say, stop=self._stop)
        supervisor = Supervisor([*children, *self._workers()], logs=self._folder.logs, environment=environment)
        self._supervisor = supervisor
        try:
            preparation.train()
            preparation.order_book()
            supervisor.start()
            self._wait_for_redis(supervisor, redis_url)
            for worker in self._workers():
                supervisor.start_child(worker.name)
            preparation.publish(redis_url)
            watch = Watch(supervisor, self._health_addresses(), say=self._say, stop=self._stop)
            watch.until_ready(limit_s=READY_LIMIT_S, began=self._began)
            if not self._stop.is_set():
                self._welcome()
                watch.run()
        except Stopped:
            self._say("Not everything was ready yet.")
        finally:
            self._say("Stopping; what is in hand is finished first.")
            supervisor.stop()
            self._say(f"Stopped. Everything is kept in {self._settings.var}")

    def _redis(self) -> tuple[str, list[Child]]:
        if self._settings.redis_url:
            return self._settings.redis_url, []
        embedded = EmbeddedRedis(self._settings.var, port=self._settings.redis_port)
        command = tuple(embedded.prepare())
        return embedded.url, [Child(name="redis", command=command, is_store=True)]

    def _workers(self) -> list[Child]:
        names = ["channel", "responder", "desk"]
        if self._settings.uses_sandbox:
            names.insert(0, "sandbox")
        return [Child(name=name, command=(sys.executable, "-m", "bot.cli", name)) for name in names]

    def _wait_for_redis(self, supervisor: Supervisor, url: str, limit_s: float = 60.0) -> None:
        """Starts the embedded Redis if that is the one, and waits until Redis answers."""
        if not self._settings.redis_url:
            supervisor.start_child("redis")
        deadline = time.monotonic() + limit_s
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.AuthenticationError as refused:
                    raise CannotStart(f"Redis refuses us ({refused}). Put its password into REDIS_URL.") from None
                except redis.RedisError as away:
                    if time.monotonic() > deadline:
                        remedy = f"See {supervisor.log_of('redis')}."
                        if self._settings.redis_url:
                            remedy = "Start it, or correct REDIS_URL."
                        raise CannotStart(f"Redis does not answer ({away}). {remedy}") from away
                if self._stop.wait(0.1):
                    raise Stopped

    def _health_addresses(self) -> dict[str, tuple[str, int]]:
        ports = ports_of(self._settings)
        return {name: (self._settings.reached_host, port.number) for name, port in ports.items() if name != "redis"}

    def _welcome(self) -> None:
        here = self._settings
        self._say(f"\nFrontdesk is ready ({time.monotonic() - self._began:.0f} s).\n")
        if here.uses_sandbox:
            self._say(f"  Write as a customer  {here.sandbox_address}/  (the sandbox, a local X)")
        self._say(f"  Answer as an agent   {here.desk_address}/")
        if here.is_demo:
            self._say(f"                       sign in as ana or ben, password {DEMO_PASSWORD}")
        self._say(f"  Logs                 {self._folder.logs}\n\nCtrl-C stops everything.")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """A first signal stops in good order, a second one at once."""

        def on_signal(_number: int, _frame: object) -> None:
            if self._stop.is_set() and self._supervisor:
                self._supervisor.kill()
            self._stop.set()

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
