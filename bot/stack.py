"""The stack: Redis, sandbox, channel, responder and desk of one folder, started in the right order and stopped."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping

import redis

from bot.embedded_redis import EmbeddedRedis
from bot.folder import Folder
from bot.ports import port_problems, ports_of
from bot.preparation import CannotStart, Preparation, Stopped
from bot.settings import Settings, child_environment
from bot.supervisor import Child, Supervisor
from bot.watch import Watch

Say = Callable[[str], None]

READY_LIMIT_S = 180.0
"""When a start counts as failed; it usually takes a tenth of it."""
GIVEN_REDIS_LIMIT_S = 10.0
OWN_REDIS_LIMIT_S = 60.0
"""Longer, because it may have a large file to read first."""


class Stack:
    """Every process of these settings under one supervisor."""

    def __init__(
        self,
        settings: Settings,
        *,
        say: Say,
        stop: threading.Event,
        sandbox_limits: str = "off",
        redis_routes: Mapping[str, str] | None = None,
    ) -> None:
        """`redis_routes`: for single processes, by name, another way to the same Redis. Raises NoRedis."""
        self.settings = settings
        self.folder = Folder(settings.var)
        self._say = say
        self._stop = stop
        self._began = time.monotonic()
        self._sandbox_limits = sandbox_limits
        self._redis_routes = dict(redis_routes or {})
        self.redis_url, stores = self._redis()
        self._environment = child_environment(settings, self.redis_url)
        self._worker_names = ["sandbox"] * settings.uses_sandbox + ["channel", "responder", "desk"]
        workers = [Child(name=name, command=self._command(name)) for name in self._worker_names]
        self.supervisor = Supervisor([*stores, *workers], logs=self.folder.logs, environment=self._environment)
        self._watch = Watch(self.supervisor, self.health_addresses, say=say, stop=stop)

    def check_ports(self) -> None:
        """Raises CannotStart with a line for every port that cannot be had."""
        problems = port_problems(list(ports_of(self.settings).values()))
        if problems:
            raise CannotStart("\n".join(problems))

    def start(self) -> None:
        """Prepares what is missing, starts everything and waits until all are ready, or until `stop` is set.

        Raises CannotStart, NotReady, SupervisorGone, and Stopped when `stop` was set before everything ran.
        """
        preparation = Preparation(self.folder, self._environment, say=self._say, stop=self._stop)
        preparation.train()
        preparation.order_book()
        self.supervisor.start()
        self._wait_for_redis()
        for name in self._worker_names:
            self.supervisor.start_child(name)
        preparation.publish(self.redis_url)
        self._watch.until_ready(limit_s=READY_LIMIT_S, began=self._began)

    def watch(self) -> None:
        """Looks after the processes until `stop` is set. Raises SupervisorGone."""
        self._watch.run()

    def end(self) -> None:
        """Lets every process finish what it has in hand, Redis last; returns when all are gone."""
        self.supervisor.stop()

    @property
    def ready_after_s(self) -> float:
        """Seconds since this stack was made."""
        return time.monotonic() - self._began

    @property
    def health_addresses(self) -> dict[str, tuple[str, int]]:
        """Host and port of the health checks of each process."""
        ports = ports_of(self.settings)
        return {name: (self.settings.reached_host, port.number) for name, port in ports.items() if name != "redis"}

    def _redis(self) -> tuple[str, list[Child]]:
        if self.settings.redis_url:
            return self.settings.redis_url, []
        embedded = EmbeddedRedis(self.settings.var, port=self.settings.redis_port)
        command = tuple(embedded.prepare())
        return embedded.url, [Child(name="redis", command=command, is_store=True)]

    def _command(self, name: str) -> tuple[str, ...]:
        command: tuple[str, ...] = (sys.executable, "-m", "bot.cli", name)
        if name == "sandbox":
            command = (*command, "--limits", self._sandbox_limits)
        if name in self._redis_routes:
            command = ("env", f"REDIS_URL={self._redis_routes[name]}", *command)
        return command

    def _wait_for_redis(self) -> None:
        """Starts the embedded Redis if that is the one, and waits until Redis answers."""
        limit_s = GIVEN_REDIS_LIMIT_S
        if not self.settings.redis_url:
            limit_s = OWN_REDIS_LIMIT_S
            self.supervisor.start_child("redis")
        deadline = time.monotonic() + limit_s
        with redis.Redis.from_url(self.redis_url, socket_connect_timeout=1, socket_timeout=1) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.AuthenticationError as refused:
                    raise CannotStart(f"Redis refuses us ({refused}). Put its password into REDIS_URL.") from None
                except redis.RedisError as away:
                    if time.monotonic() > deadline:
                        remedy = f"See {self.supervisor.log_of('redis')}."
                        if self.settings.redis_url:
                            remedy = "Start it, or correct REDIS_URL."
                        raise CannotStart(f"Redis does not answer ({away}). {remedy}") from away
                if self._stop.wait(0.1):
                    raise Stopped
