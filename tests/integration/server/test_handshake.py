"""The WebSocket handshake on a real socket: who gets in, and what the others are told."""

from __future__ import annotations

import json

import pytest
import websockets

from tests.support.serving import serving
from tests.support.wire import Wire, frame

SYNC = '@sync(node:"/unit/1",lane:info)'
SYNCED = ['@linked(node:"/unit/1",lane:info)', '@event(node:"/unit/1",lane:info)', '@synced(node:"/unit/1",lane:info)']


async def test_subprotocol_is_echoed_where_it_was_offered() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port, "/any/path?x=1", "Sec-WebSocket-Protocol: chat, warp0")
        assert wire.headers["sec-websocket-protocol"] == "warp0"
        await wire.close()


async def test_no_subprotocol_where_none_was_offered() -> None:
    async with serving() as server:
        for headers in ([], ["Sec-WebSocket-Protocol: chat"]):
            wire = await Wire.open(server.port, "/", *headers)
            assert "sec-websocket-protocol" not in wire.headers
            await wire.send(SYNC)
            assert await wire.texts(3) == SYNCED
            await wire.close()


async def test_connection_header_as_firefox_sends_it() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port, "/", "Connection: keep-alive, Upgrade", "Upgrade: WebSocket")
        await wire.send(SYNC)
        assert await wire.texts(3) == SYNCED
        await wire.close()


async def test_offered_compression_is_not_answered() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port, "/", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        assert "sec-websocket-extensions" not in wire.headers
        await wire.close()


async def test_messages_sent_together_with_the_request_arrive() -> None:
    async with serving() as server:
        wire = await Wire.connect(server.port)
        await wire.upgrade(behind=frame(SYNC[:20], is_final=False) + frame(SYNC[20:], 0))
        assert await wire.texts(3) == SYNCED
        await wire.close()


async def test_request_that_arrives_byte_by_byte() -> None:
    async with serving() as server:
        wire = await Wire.connect(server.port)
        head = (
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        for at in range(len(head)):
            await wire.send_bytes(head[at : at + 1])
        assert await wire.read_response() == 101
        assert wire.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        await wire.send(SYNC)
        assert await wire.texts(3) == SYNCED
        await wire.close()


async def test_upgrade_after_other_requests_on_the_same_connection() -> None:
    async with serving() as server:
        wire = await Wire.connect(server.port)
        await wire.send_bytes(b"GET /-/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert await wire.read_response() == 200
        await wire.upgrade()
        assert wire.status == 101
        await wire.send(SYNC)
        assert await wire.texts(3) == SYNCED
        await wire.close()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("Sec-WebSocket-Version: 13", 400),
        ("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short", 400),
        ("Sec-WebSocket-Version: 99\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", 426),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", 426),
        ("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 3", 400),
    ],
)
async def test_request_that_is_no_websocket_request(lines: str, status: int) -> None:
    async with serving() as server:
        wire = await Wire.connect(server.port)
        await wire.send_bytes(
            f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{lines}\r\n\r\n".encode()
        )
        assert await wire.read_response() == status
        assert json.loads(wire.body)["code"] == "NT-SERVER-007"
        assert await wire.at_end()
        await wire.close()
        assert server.counters["upgrades_refused"] == 1


async def test_page_of_a_foreign_origin_is_refused() -> None:
    async with serving() as server:
        wire = await Wire.connect(server.port)
        await wire.upgrade("/", "Origin: https://evil.example")
        assert wire.status == 403
        assert json.loads(wire.body)["code"] == "NT-SERVER-006"
        await wire.close()
        assert server.counters["origins_refused"] == 1


async def test_rebound_name_is_refused() -> None:
    async with serving() as server:
        wire = await Wire.connect(server.port)
        await wire.upgrade("/", "Origin: http://evil.example", host="evil.example")
        assert wire.status == 421
        assert json.loads(wire.body)["code"] == "NT-SERVER-005"
        await wire.close()


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:3000"])
async def test_pages_of_this_machine_and_programs_are_welcome(origin: str) -> None:
    async with serving() as server:
        wire = await Wire.open(server.port, "/", f"Origin: {origin}")
        await wire.close()


async def test_allowed_origin_is_welcome() -> None:
    async with serving(allow_origins=["https://app.example"]) as server:
        wire = await Wire.open(server.port, "/", "Origin: https://app.example")
        await wire.close()


async def test_the_websockets_library_links_and_closes() -> None:
    async with serving() as server:
        url = server.url.replace("http", "ws")
        async with websockets.connect(url, subprotocols=[websockets.Subprotocol("warp0")]) as socket:
            assert socket.subprotocol == "warp0"
            await socket.send('@command(node:"/unit/1",lane:info) hello')
            await socket.send(SYNC)
            assert [await socket.recv() for _ in range(3)][1] == '@event(node:"/unit/1",lane:info) hello'
            pong = await socket.ping()
            await pong
        assert socket.close_code == 1000
