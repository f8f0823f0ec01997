"""HTTP connections: keep-alive, pipelining, bad requests, slow ones, limits."""

from __future__ import annotations

import asyncio
import json

import pytest

from natant.server import Limit
from tests.support.serving import serving, until
from tests.support.wire import Wire, exchange

GET = b"GET /unit/1?lane=count HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


async def test_keep_alive_and_pipelining_answer_in_order() -> None:
    async with serving() as server:
        wire = await Wire.connect(server.port)
        requests = [
            b"POST /unit/1?lane=add HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1\r\n\r\n%d" % number
            for number in (1, 2, 3)
        ]
        await wire.send_bytes(b"".join(requests) + GET)
        values = []
        for _ in range(3):
            assert await wire.read_response() == 200
            values.append(json.loads(wire.body)["value"])
        assert values == [1, 3, 6]
        assert await wire.read_response() == 200
        assert wire.body == b"6"
        await wire.close()
        assert server.counters["connections_accepted"] == 1


async def test_a_client_that_closes_its_side_still_gets_the_answer() -> None:
    async with serving() as server:
        wire = await Wire.connect(server.port)
        await wire.send_bytes(GET)
        wire.writer.write_eof()
        assert await wire.read_response() == 200
        assert await wire.at_end()
        await wire.close()


@pytest.mark.parametrize(
    "data",
    [
        b"NOT HTTP\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Header: 1\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused(data: bytes) -> None:
    async with serving() as server:
        answer = await exchange(server.port, data)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"NT-SERVER-004" in answer
        assert (await exchange(server.port, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))).endswith(b"0")


async def test_a_head_that_is_too_large_is_refused() -> None:
    async with serving(limit=Limit(head_bytes=2000, sweep_s=0.02)) as server:
        for data in (
            b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: " + b"a" * 3000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 400 + b"\r\n",
        ):
            answer = await exchange(server.port, data)
            assert answer.startswith(b"HTTP/1.1 431 "), answer
            assert b"NT-SERVER-002" in answer


async def test_a_head_that_grows_without_end_is_refused() -> None:
    async with serving(limit=Limit(head_bytes=2000, sweep_s=0.02)) as server:
        wire = await Wire.connect(server.port)
        await wire.send_bytes(b"GET / HTTP/1.1\r\nX: ")
        for _ in range(100):
            await wire.send_bytes(b"a" * 100)
            await asyncio.sleep(0)
        assert await wire.read_response() == 431
        await wire.close()


async def test_a_body_in_small_parts_does_not_count_as_head() -> None:
    async with serving(limit=Limit(head_bytes=2000, sweep_s=0.02)) as server:
        wire = await Wire.connect(server.port)
        body = b'"' + b"a" * 9000 + b'"'
        await wire.send_bytes(
            b"POST /unit/1?lane=info HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        for at in range(0, len(body), 500):
            await wire.send_bytes(body[at : at + 500])
            await asyncio.sleep(0)
        assert await wire.read_response() == 200
        await wire.close()


async def test_a_head_that_drips_is_refused() -> None:
    async with serving(limit=Limit(head_timeout_s=0.2, sweep_s=0.02)) as server:
        silent = await Wire.connect(server.port)
        wire = await Wire.connect(server.port)
        dripping = asyncio.create_task(drip(wire, b"GET / HTTP/1.1\r\nX-Slow: " + b"a" * 10_000))
        assert await wire.read_response() == 408
        assert b"NT-SERVER-002" in wire.body
        dripping.cancel()
        assert await silent.read_response() == 408
        await wire.close()
        await silent.close()
        await until(lambda: not server.service.table.members)


async def drip(wire: Wire, data: bytes) -> None:
    for at in range(len(data)):
        await wire.send_bytes(data[at : at + 1])
        await asyncio.sleep(0.01)


async def test_a_body_that_drips_is_refused() -> None:
    async with serving(limit=Limit(body_timeout_s=0.1, sweep_s=0.02)) as server:
        wire = await Wire.connect(server.port)
        await wire.send_bytes(
            b"POST /unit/1?lane=add HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n1"
        )
        assert await wire.read_response() == 408
        assert json.loads(wire.body)["code"] == "NT-SERVER-017"
        assert await wire.at_end()
        await wire.close()
        assert await server.host.read("/unit/1", "count") == 0


@pytest.mark.parametrize("head", [b"Content-Length: 5000", b"Transfer-Encoding: chunked"])
async def test_a_body_that_is_too_large_is_refused(head: bytes) -> None:
    async with serving(limit=Limit(body_bytes=1000, sweep_s=0.02)) as server:
        body = b"1388\r\n" + b"1" * 5000 + b"\r\n0\r\n\r\n" if b"chunked" in head else b"1" * 5000
        answer = await exchange(
            server.port,
            b"POST /unit/1?lane=add HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            + head
            + b"\r\n\r\n"
            + body,
        )
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"NT-SERVER-009" in answer


async def test_an_idle_connection_is_closed() -> None:
    async with serving(limit=Limit(keep_alive_s=1, sweep_s=0.02)) as server:
        wire = await Wire.connect(server.port)
        await wire.send_bytes(GET)
        assert await wire.read_response() == 200
        assert await wire.at_end()
        await wire.close()


async def test_more_connections_than_the_limit_are_told_to_come_later() -> None:
    async with serving(limit=Limit(connections=3, sweep_s=0.02)) as server:
        wires = [await Wire.open(server.port) for _ in range(2)]
        wires.append(await Wire.connect(server.port))
        await wires[2].send_bytes(GET)
        await wires[2].read_response()
        for _ in range(2):
            wire = await Wire.connect(server.port)
            assert await wire.read_response() == 503
            assert json.loads(wire.body)["code"] == "NT-SERVER-003"
            assert wire.headers["retry-after"]
            await wire.close()
        assert server.counters["connections_refused"] == 2
        await wires[0].close()
        await until(lambda: len(server.service.table) == 2)
        wires.append(await Wire.open(server.port))
        for wire in wires:
            await wire.close()


async def test_one_address_does_not_take_all_connections() -> None:
    async with serving(limit=Limit(connections_per_address=2, sweep_s=0.02)) as server:
        wires = [await Wire.open(server.port) for _ in range(2)]
        assert (await exchange(server.port, GET)).startswith(b"HTTP/1.1 503 ")
        for wire in wires:
            await wire.close()


async def test_an_upgrade_to_something_else_is_ignored() -> None:
    async with serving() as server:
        answer = await exchange(
            server.port,
            GET[:-2] + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n",
        )
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"\r\n\r\n0")


async def test_a_client_that_does_not_read_its_answer_is_dropped() -> None:
    limit = Limit(sweep_s=0.02, stall_timeout_s=0.2)
    async with serving(limit=limit) as server:
        await server.host.command("/unit/1", "info", "x" * 8_000_000)
        wire = await Wire.connect(server.port, receive_bytes=4096)
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await wire.send_bytes(GET.replace(b"count", b"info"))
        await until(lambda: server.counters["peers_stalled"])
        await until(lambda: not server.service.table.members)
        await wire.close()


async def test_an_error_of_ours_is_told_without_its_details(monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    async with serving() as server:
        monkeypatch.setattr(server.host, "read", break_down)
        answer = await exchange(server.port, GET)
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"NT-SERVER-018" in answer
        assert b"secret" not in answer
