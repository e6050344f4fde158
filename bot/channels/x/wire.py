"""HTTP with a hard end: no byte is sent after a call's deadline, and none is waited for.

requests knows no total time limit, and a thread cannot be killed. A call therefore carries its deadline to the
connection: a request is not begun after it, and at it the socket is shut under whoever still reads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

X_HOST = "https://api.twitter.com"
"""The host that tweepy signs for."""


class TooLate(requests.ConnectionError):
    """The deadline passed before the request was begun, so nothing was sent."""


class Call:
    """One HTTP call: when it must have ended, and whether the platform may have received it."""

    def __init__(self, limit_s: float) -> None:
        self.deadline = time.monotonic() + limit_s
        self.was_begun = False
        """Whether any of the request may have left; never true of a call that was abandoned before."""
        self._abandoned = False
        self._lock = threading.Lock()
        self.response: requests.Response | None = None
        """The whole answer, if there was one."""
        self._connection: Any = None

    @property
    def left_s(self) -> float:
        return self.deadline - time.monotonic()

    def begin(self, connection: Any) -> None:
        """Just before the first byte leaves; raises TooLate when it may not any more."""
        with self._lock:
            if self._abandoned or self.left_s <= 0:
                raise TooLate("The time limit passed before the request was begun")
            self.was_begun, self._connection = True, connection

    def complete(self, response: requests.Response) -> None:
        """The whole answer is here; an answer that was cut off at the deadline is none and raises."""
        with self._lock:
            if self._abandoned:
                raise requests.ReadTimeout("The answer was cut off at the time limit")
            self.response = response

    def abandon(self) -> bool:
        """Nothing may be sent from now on, and a reader is cut off; returns whether it was begun."""
        with self._lock:
            self._abandoned = True
            if self._connection is not None:
                _shut(self._connection)
            return self.was_begun

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Cuts the connection at the deadline, however slowly an answer trickles in."""
        timer = threading.Timer(max(self.left_s, 0.0), self.abandon)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                self._connection = None  # it goes back to the pool and is no longer ours to cut


current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)
"""The call that this thread carries out."""


def _shut(connection: Any) -> None:
    sock = getattr(connection, "sock", None)
    if sock is None:
        return
    try:
        sock.shutdown(2)
    except OSError:  # closed already
        return


class _Announced:
    """A connection that asks its call before the first byte of a request."""

    def putrequest(self, *args: Any, **kwargs: Any) -> Any:
        call = current_call.get()
        if call is not None:
            if getattr(self, "sock", None) is None:
                self.connect()  # type: ignore[attr-defined]  # fails here, before anything is begun
            call.begin(self)
        return super().putrequest(*args, **kwargs)  # type: ignore[misc]


class _Connection(_Announced, HTTPConnection):
    pass


class _SecureConnection(_Announced, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class LimitedAdapter(HTTPAdapter):
    """Sends to the host that was signed, or to `base_url` instead, within the current call's deadline."""

    def __init__(self, *, base_url: str | None, connections: int) -> None:
        self._base = urlsplit(base_url) if base_url else None
        super().__init__(pool_connections=2, pool_maxsize=connections, max_retries=0)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """A proxy's connections announce themselves too."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """One request with its whole answer; the signature was made before and stays valid."""
        call = current_call.get()
        if call is None:
            raise RuntimeError("Every request belongs to a Call.")
        if self._base is not None:
            _redirect(request, self._base.scheme, self._base.netloc)
            options["proxies"] = {}  # a stand-in on this machine is not behind the proxy of the real host
        options |= {"stream": True, "timeout": max(call.left_s, 0.001)}
        with call.guarded():
            response = super().send(request, **_named(args, options))
            _ = response.content  # read here, where the deadline holds
            call.complete(response)
            return response


def _named(args: tuple[Any, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    names = ("stream", "timeout", "verify", "cert", "proxies")
    return {**dict(zip(names, args, strict=False)), **options}


def _redirect(request: requests.PreparedRequest, scheme: str, netloc: str) -> None:
    signed = urlsplit(str(request.url))
    request.headers["Host"] = signed.netloc
    request.headers["X-Forwarded-Host"] = signed.netloc
    request.headers["X-Forwarded-Proto"] = signed.scheme
    request.url = urlunsplit((scheme, netloc, signed.path, signed.query, signed.fragment))
