"""The client against hosts that behave as SwimOS's, or badly: no echo of the subprotocol, fragments, silence, slowness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

import natant.client
from natant.client import Timing, connection
from natant.errors import ClientError

Serve = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def host(handle: Serve, **options: Any) -> AsyncIterator[str]:
    """A host made of another WebSocket library; it never echoes a subprotocol."""
    options.setdefault("select_subprotocol", lambda connection, offered: None)
    async with serve(handle, "127.0.0.1", 0, subprotocols=None, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"warp://127.0.0.1:{port}"


async def test_fragments_are_put_together_and_no_echo_is_fine() -> None:
    offered = []

    async def handle(peer: ServerConnection) -> None:
        assert peer.request is not None
        offered.append(peer.request.headers["Sec-WebSocket-Protocol"])
        address = (await peer.recv(decode=True)).removeprefix("@sync")
        await peer.send(f"@linked{address}")
        await peer.send([f"@event{address}", '"', "x" * 4092, "y" * 4092, '"'])
        await peer.send(f"@synced{address}".encode())
        await peer.wait_closed()

    async with host(handle) as uri, natant.client.connect(uri) as client:
        link = await client.value("/unit/1", "info", str).synced()
        assert link.get() == "x" * 4092 + "y" * 4092
    assert offered == ["warp0"]


async def test_a_message_past_the_bound_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_MESSAGE_BYTES", 10_000)
    codes = []

    async def handle(peer: ServerConnection) -> None:
        await peer.recv()
        await peer.send(["x" * 4000] * 5)
        await peer.wait_closed()
        codes.append(peer.close_code)

    async with host(handle) as uri, natant.client.connect(uri) as client:
        client.value("/unit/1", "info")
        while not codes:
            await asyncio.sleep(0.01)
        assert codes[0] == 1009
        assert "10000 bytes" in client.reason


async def test_a_dead_host_is_given_up_and_tried_again() -> None:
    """The clock of the client jumps, so that nobody has to wait."""
    now_s = 0.0
    connections = asyncio.Semaphore(0)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        key = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        import base64
        import hashlib

        digest = hashlib.sha1(key.split(b":")[1].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        connections.release()
        await reader.read()
        writer.close()

    async def sleep(wait_s: float) -> None:
        nonlocal now_s
        now_s += wait_s
        await asyncio.sleep(0.001)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    timing = Timing(now=lambda: now_s, sleep=sleep, random=Random(1))
    async with natant.client.connect(f"warp://127.0.0.1:{port}", timing=timing) as client:
        link = client.value("/unit/1", "info")
        for _ in range(3):
            await asyncio.wait_for(connections.acquire(), 10)
        assert now_s >= 50
        assert not link.is_synced
    server.close()


async def test_a_quiet_host_that_answers_pings_is_kept() -> None:
    now_s = 0.0
    count = 0

    async def handle(peer: ServerConnection) -> None:
        nonlocal count
        count += 1
        address = (await peer.recv(decode=True)).removeprefix("@sync")
        await peer.send(f"@synced{address}")
        await peer.wait_closed()

    async def sleep(wait_s: float) -> None:
        nonlocal now_s
        await asyncio.sleep(0.02)
        now_s += min(wait_s, 5.0)

    timing = Timing(now=lambda: now_s, sleep=sleep, random=Random(1))
    async with host(handle) as uri, natant.client.connect(uri, timing=timing) as client:
        link = await client.value("/unit/1", "info").synced()
        while now_s < 100:
            await asyncio.sleep(0.01)
            assert link.is_synced
        assert count == 1
        assert link.age() < 40


async def test_a_host_that_reads_slowly_stops_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_UNSENT_BYTES", 200_000)

    async def handle(peer: ServerConnection) -> None:
        peer.transport.pause_reading()
        await asyncio.sleep(30)

    async with host(handle, max_size=None) as uri:
        client = natant.client.connect(uri)
        await client.__aenter__()
        await asyncio.sleep(0.05)

        def write() -> None:
            for _ in range(1000):
                client.command("/unit/1", "info", "x" * 100_000)

        with pytest.raises(ClientError, match="NT-CLIENT-006"):
            write()
        await client.close()


async def test_a_host_that_refuses_the_upgrade_is_named() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(ClientError, match=r"NT-CLIENT-001.*404"):
        async with natant.client.connect(f"warp://127.0.0.1:{port}", wait_s=1.0):
            pass
    server.close()
