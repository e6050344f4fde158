"""Calls to X end in time, and what is known of them afterwards is true."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.channels.channel import Halted, Refused, TryLater, Unknown
from bot.channels.x.problems import Answer
from bot.channels.x.transport import Transport
from bot.clock import SystemClock
from tests.support.sandbox import KEYS, sandbox_in, wrong_keys

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def transport_to(talk: Talk, *, call_limit_s: float = 0.5, threads: int = 4) -> AsyncIterator[Transport]:
    """A transport to a server that talks as the test says."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    base_url = f"http://127.0.0.1:{port}"
    transport = Transport(KEYS, clock=SystemClock(), base_url=base_url, call_limit_s=call_limit_s, threads=threads)
    try:
        yield transport
    finally:
        transport.close()
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def post(transport: Transport) -> object:
    return await transport.create_post("hello", reply_to="1", deep_link=None)


def answers(status: str, body: bytes, headers: str = "") -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return talk


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1 << 16):
        pass


async def trickles_a_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 201 Created\r\nX-Slow: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


async def trickles_a_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def test_silence_and_trickles_end_at_the_limit_and_leave_a_post_unknown() -> None:
    for talk in (says_nothing, trickles_a_header, trickles_a_body):
        async with transport_to(talk) as transport:
            began = asyncio.get_running_loop().time()
            assert isinstance(await post(transport), Unknown), talk
            assert asyncio.get_running_loop().time() - began < transport.call_limit_s


async def test_a_read_without_an_answer_is_simply_repeated() -> None:
    async with transport_to(hangs_up) as transport:
        assert isinstance(await transport.mentions(since_id="1"), TryLater)


async def test_a_connection_closed_without_an_answer_leaves_a_post_unknown() -> None:
    async with transport_to(hangs_up) as transport:
        assert isinstance(await post(transport), Unknown)


async def test_a_refused_connection_certainly_sent_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    transport = Transport(KEYS, clock=SystemClock(), base_url=f"http://127.0.0.1:{port}", call_limit_s=2.0)
    assert isinstance(await post(transport), TryLater)
    transport.close()


async def test_a_call_that_finds_no_thread_in_time_sends_nothing_later() -> None:
    received: list[bytes] = []

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        await says_nothing(reader, writer)

    async with transport_to(listens, call_limit_s=0.4, threads=1) as transport:
        results = await asyncio.gather(*(post(transport) for _ in range(4)))
        assert isinstance(results[0], Unknown)
        assert isinstance(results[-1], TryLater)
        assert len(received) <= sum(isinstance(result, Unknown) for result in results)


async def test_error_pages_that_are_no_json_are_understood_by_their_status() -> None:
    page = b"<html><body>Over capacity</body></html>"
    async with transport_to(answers("503 Service Unavailable", page)) as transport:
        assert isinstance(await post(transport), Unknown)
    async with transport_to(answers("403 Forbidden", page)) as transport:
        assert isinstance(await post(transport), Refused)
    async with transport_to(answers("402 Payment Required", b"[]")) as transport:
        assert isinstance(await post(transport), Halted)
    async with transport_to(answers("403 Forbidden", b'["tweepy stumbles over a list"]')) as transport:
        assert isinstance(await post(transport), Refused)


async def test_a_redirect_is_not_followed_with_a_post() -> None:
    async with transport_to(answers("302 Found", b"", "Location: http://127.0.0.1:1/\r\n")) as transport:
        assert isinstance(await post(transport), Unknown)


async def test_a_limit_without_headers_does_not_hang() -> None:
    async with transport_to(answers("429 Too Many Requests", b"{}")) as transport:
        assert isinstance(await post(transport), TryLater)


async def test_a_stand_in_is_reached_in_spite_of_a_proxy_for_the_real_host(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    async with sandbox_in(tmp_path) as sandbox:
        assert isinstance(await sandbox.transport.me(), Answer)


async def test_behind_a_proxy_that_is_down_nothing_was_sent(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    transport = Transport(KEYS, clock=SystemClock(), call_limit_s=2.0)
    assert isinstance(await post(transport), TryLater)
    transport.close()


async def test_wrong_keys_halt(tmp_path) -> None:  # type: ignore[no-untyped-def]
    async with sandbox_in(tmp_path, keys=wrong_keys()) as sandbox:
        assert isinstance(await sandbox.transport.me(), Halted)
