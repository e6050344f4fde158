"""`frontdesk prepare`: makes what is missing before processes are started by other means than `frontdesk up`."""

from __future__ import annotations

import threading
from collections.abc import Callable

import redis

from bot.embedded_redis import redis_url
from bot.folder import Folder
from bot.preparation import CannotStart, Preparation
from bot.settings import Settings, child_environment
from bot.signals import stopping

Say = Callable[[str], None]


def prepare(settings: Settings, *, say: Say) -> None:
    """The trained model, the order book and the published knowledge, each only if it is missing or out of date.

    Raises CannotStart, NoRedis, and Stopped when the operator ended it.
    """
    url, stop = redis_url(settings), threading.Event()
    preparation = Preparation(Folder(settings.var), child_environment(settings, url), say=say, stop=stop)
    with stopping(stop, stop.set):
        preparation.train()
        preparation.order_book()
        try:
            preparation.publish(url)
        except redis.RedisError as error:
            raise CannotStart(f"Redis does not answer ({error}). Start it, or correct REDIS_URL.") from error
    say("Everything is prepared.")
