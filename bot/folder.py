"""The folder of everything that is kept: who may use it, whether it has room, and where things are in it."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LEAST_FREE_BYTES = 200_000_000
"""Room for a model, a few days of logs, and Redis rewriting its file."""


class FolderRefused(Exception):
    """The folder cannot be used; the text says why and what to do."""


class Folder:
    """`FRONTDESK_VAR` and what is where in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.models = path / "models"
        self.orders = path / "orders.sqlite"
        self.sandbox = path / "sandbox.sqlite"
        self.publication = path / "publication.json"
        """What `frontdesk up` published last from the files."""

    @contextmanager
    def claimed(self, *, free_bytes: int | None = None) -> Iterator[None]:
        """Keeps a second `frontdesk up` out until the end of the block. Raises FolderRefused.

        `free_bytes`: what the disk has left; looked up where it is not given.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / "up.lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise FolderRefused(refusal(self.path, error)) from error
        try:
            self._lock(lock)
            self._check_room(shutil.disk_usage(self.path).free if free_bytes is None else free_bytes)
            yield
        finally:
            os.close(lock)

    def _lock(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
            raise FolderRefused(
                f"Frontdesk already runs in {self.path} (process {holder}). "
                "Stop it with Ctrl-C there, or set FRONTDESK_VAR to another folder."
            ) from None
        try:
            os.ftruncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())
        except OSError as error:
            raise FolderRefused(refusal(self.path, error)) from error

    def _check_room(self, free_bytes: int) -> None:
        if free_bytes < LEAST_FREE_BYTES:
            raise FolderRefused(
                f"The disk of {self.path} is full: {free_bytes // 1_000_000} MB are free, "
                f"{LEAST_FREE_BYTES // 1_000_000} MB are needed. Free some, or set FRONTDESK_VAR to another disk."
            )


_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def is_refused(error: OSError) -> bool:
    """Whether it is about a disk that is full or may not be written."""
    return error.errno in (*_FULL, *_FORBIDDEN)


def refusal(path: Path, error: OSError) -> str:
    """Why a folder cannot be written, in one line with its remedy."""
    if error.errno in _FULL:
        return f"The disk of {path} is full. Free some of it, or set FRONTDESK_VAR to a folder on another disk."
    if error.errno in _FORBIDDEN:
        return f"{path} may not be written. Make it writable, or set FRONTDESK_VAR to a folder of yours."
    return f"{error.filename or path} cannot be used: {error.strerror}. Set FRONTDESK_VAR to another folder."
