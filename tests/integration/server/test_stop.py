"""A graceful stop: what is under way is finished, nobody is left hanging, clients come again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from typing import Any

from natant import Agent, command, lane
from natant.server import Limit
from natant.store.memory import MemoryStore
from tests.support.serving import host_of, serving, until
from tests.support.wire import CLOSE, Wire, exchange, frame

GET = b"GET /unit/1?lane=count HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
POST = (
    b"POST /unit/1?lane=add HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n5"
)


class SlowStore(MemoryStore):
    """A durable store, in its own thread, whose writes wait for a word."""

    is_durable = True

    def __init__(self) -> None:
        super().__init__()
        self.may_write = threading.Event()

    def apply(self, batch: Any) -> None:
        self.may_write.wait(10)
        super().apply(batch)


async def test_peers_are_told_to_come_again() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send('@sync(node:"/unit/1",lane:count)')
        await wire.texts(3)
        stopping = asyncio.create_task(server.stop())
        close = await wire.until_close()
        assert close is not None
        assert (close.code, close.reason) == (1001, "going away: reconnect")
        await wire.send_bytes(frame(b"\x03\xe9", CLOSE))
        assert await wire.at_end()
        await stopping
        await wire.close()


async def test_an_event_of_the_last_commit_is_shown_before_the_close() -> None:
    store = SlowStore()
    async with serving(store=store) as server:
        wire = await Wire.open(server.port)
        poster = await Wire.connect(server.port)
        await wire.send('@sync(node:"/unit/1",lane:count)')
        await wire.texts(3)
        await poster.send_bytes(POST)
        await until(lambda: host_of(server).counters.commands)
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        store.may_write.set()
        assert await wire.text() == '@event(node:"/unit/1",lane:count) 5'
        close = await wire.receive()
        assert close is not None
        assert close.code == 1001
        assert await poster.read_response() == 200
        assert json.loads(poster.body)["value"] == 5
        assert await poster.at_end()
        await wire.close()
        await poster.close()
        await stopping


async def test_new_work_is_refused_with_a_word_to_try_again() -> None:
    store = SlowStore()
    async with serving(store=store) as server:
        first, second, third = [await Wire.connect(server.port) for _ in range(3)]
        await first.send_bytes(POST)
        await second.send_bytes(GET[:20])  # its head is not complete yet
        await until(lambda: host_of(server).counters.commands)
        stopping = asyncio.create_task(server.stop())
        await until(lambda: server.service.is_stopping)
        await first.send_bytes(POST)
        store.may_write.set()
        assert await first.read_response() == 200
        await stopping
        for wire in (first, second, third):
            await wire.close()
        assert (await host_of(server).read("/unit/1", "count")) == 5


async def test_a_stopped_server_takes_no_connections() -> None:
    async with serving() as server:
        await server.stop()
        with contextlib.suppress(ConnectionError):
            assert await exchange(server.port, GET) == b""


async def test_peers_that_do_not_answer_do_not_hold_up_the_stop() -> None:
    limit = Limit(sweep_s=0.01, close_timeout_s=0.1)
    async with serving(limit=limit) as server:
        wires = [await Wire.open(server.port) for _ in range(5)]
        wires.append(await Wire.connect(server.port))
        async with asyncio.timeout(5):
            await server.stop(grace_s=1)
        assert not server.service.table.members
        for wire in wires:
            await wire.close()


class Endless(Agent, route="/endless/{id}"):
    """An agent with a handler that takes very long."""

    count = lane.value(int, default=0)

    @command
    async def wait(self) -> None:
        await asyncio.sleep(1000)


async def test_a_request_that_does_not_end_is_cut_after_the_grace() -> None:
    async with serving(Endless) as server:
        wire = await Wire.connect(server.port)
        await wire.send_bytes(POST.replace(b"/unit/1?lane=add", b"/endless/1?lane=wait"))
        await until(lambda: host_of(server).counters.commands)
        async with asyncio.timeout(8):
            await server.stop(grace_s=0.1)
        assert await wire.at_end()
        await wire.close()
