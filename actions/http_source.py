"""A company's system behind HTTP: one question and its checked answer within a strict time, or SourceAway.

docs/sources.openapi.yml says what the system has to answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import aiohttp
import structlog
from circuitbreaker import CircuitBreaker
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

log = structlog.get_logger()

MAX_BODY_BYTES = 1_000_000
PASSING = (500, 502, 503, 504)
"""What a system answers while it restarts or is too busy; a second try may find it well."""
Value = TypeVar("Value")


class SourceAway(Exception):
    """The system gave no answer that can be trusted; says what was wrong, never what was asked or answered."""


class _Passing(SourceAway):
    """Trouble that may be over at the next try."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a system is waited for, and when it is left alone."""

    limit_s: float = 1.4  # for all tries together, well inside the 2 s that the actions of a turn have
    try_limit_s: float = 0.8
    tries: int = 3
    longest_wait_s: float = 0.2  # between two tries
    failures_before_rest: int = 4  # in a row, each with all its tries
    rest_s: float = 15.0


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One request; a body holds what must not stand in an address."""

    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: Mapping[str, str] | None = None


class HttpSource:
    """Asks one system; connects when first asked, and is to be closed at the end."""

    def __init__(self, *, name: str, url: str, token: str | None, patience: Patience | None = None) -> None:
        """`name`: as in its settings, FARES_URL and FARES_TOKEN for "fares"."""
        self._name = name
        self._url = url.rstrip("/")
        self._token = token
        self._patience = patience or Patience()
        self._session: aiohttp.ClientSession | None = None
        self._breaker = CircuitBreaker(
            name=name,
            failure_threshold=self._patience.failures_before_rest,
            recovery_timeout=self._patience.rest_s,
            expected_exception=_is_failure,
        )

    @property
    def is_resting(self) -> bool:
        """Whether the system failed so often that it is not asked for a while."""
        return bool(self._breaker.opened)

    async def get(self, path: str, params: Mapping[str, str], read: Callable[[bytes], Value]) -> Value:
        """What `read` makes of the JSON at a path; raises SourceAway, as `read` does for what cannot be trusted."""
        return await self._asked(_Call(method="GET", path=path, params=params), read)

    async def post(self, path: str, body: Mapping[str, str], read: Callable[[bytes], Value]) -> Value:
        """As get, for a question about a person: nothing of it stands in the address."""
        return await self._asked(_Call(method="POST", path=path, body=body), read)

    async def aclose(self) -> None:
        """Gives the connections back."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _asked(self, call: _Call, read: Callable[[bytes], Value]) -> Value:
        if self.is_resting:
            raise SourceAway("it failed so often that it is left alone for a while")
        try:
            answer: Value = await self._breaker.call_async(self._answered, call, read)
        except SourceAway as error:
            log.warning("source_away", source=self._name, problem=str(error), resting=self.is_resting)
            raise
        return answer

    async def _answered(self, call: _Call, read: Callable[[bytes], Value]) -> Value:
        """All tries within the limit."""
        patience = self._patience
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_Passing),
            stop=stop_after_attempt(patience.tries),
            wait=wait_random_exponential(multiplier=patience.longest_wait_s / 4, max=patience.longest_wait_s),
            reraise=True,
        )
        try:
            async with asyncio.timeout(patience.limit_s):
                body: bytes = await retrying(partial(self._tried, call))
        except TimeoutError:
            raise SourceAway(f"no answer within {patience.limit_s:g} s") from None
        return read(body)

    async def _tried(self, call: _Call) -> bytes:
        """One try. The causes are left out: the words of some quote what the other side wrote."""
        try:
            async with self._opened_session().request(
                call.method,
                self._url + call.path,
                params=call.params,
                json=call.body,
                allow_redirects=False,  # a redirect would take the token, or a customer's address, elsewhere
            ) as response:
                self._refuse_status(response.status)
                return await _body(response)
        except TimeoutError:
            raise _Passing(f"no answer within {self._patience.try_limit_s:g} s") from None
        except aiohttp.ClientError as error:
            raise _Passing(f"the connection failed ({type(error).__name__})") from None

    def _opened_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
            self._session = aiohttp.ClientSession(
                headers=headers,
                auto_decompress=False,  # a few bytes could become gigabytes
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._patience.try_limit_s),
            )
        return self._session

    def _refuse_status(self, status: int) -> None:
        setting = self._name.upper()
        if status in PASSING:
            raise _Passing(f"it answered {status}")
        if 300 <= status < 400:
            raise SourceAway(f"it redirects ({status}): set {setting}_URL to the address where it answers")
        if status in (401, 403):
            raise SourceAway(f"it refuses our token ({status}): check {setting}_TOKEN")
        if status == 404:
            raise SourceAway(f"it knows no such address (404): check {setting}_URL")
        if status != 200:
            raise SourceAway(f"it answered {status}")


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The JSON of an answer, read no further than it may be long."""
    if response.content_type != "application/json":
        raise SourceAway("it did not answer with application/json")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise SourceAway("it answered in a compressed form that was not asked for")
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise SourceAway(f"it answered with more than {MAX_BODY_BYTES:,} bytes")
    return bytes(body)


def _is_failure(kind: type[BaseException], _error: Any) -> bool:
    """A turn that ran out of time while it waited speaks against the system too."""
    return issubclass(kind, SourceAway | asyncio.CancelledError)
