"""Lanes as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from natant.server import Limit
from natant.server.http.stream import StreamSink
from natant.server.server import Server
from tests.support.serving import host_of, serving, until
from tests.support.wire import WAIT_S, Wire


class Stream:
    """The client's end of one stream."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._rest = b""

    async def event(self) -> tuple[str, Any]:
        """The next event: its name, ``comment`` for a sign of life, and its data."""
        while b"\n\n" not in self._rest:
            size = int((await self.wire.reader.readline()).strip() or b"0", 16)
            if not size:
                return "end", None
            self._rest += await self.wire.reader.readexactly(size)
            await self.wire.reader.readexactly(2)
        block, _, self._rest = self._rest.partition(b"\n\n")
        name, data = "message", None
        for line in block.decode().split("\n"):
            field, _, text = line.partition(":")
            if not field:
                return "comment", text.strip()
            if field == "retry":
                return "retry", int(text)
            if field == "event":
                name = text.strip()
            elif field == "data":
                data = json.loads(text)
        return name, data

    async def next(self) -> tuple[str, Any]:
        return await asyncio.wait_for(self.event(), WAIT_S)


@contextlib.asynccontextmanager
async def stream(server: Server, lane: str, **options: Any) -> AsyncIterator[Stream]:
    wire = await Wire.connect(server.port, **options)
    try:
        await wire.send_bytes(
            f"GET /unit/1?lane={lane} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        assert await wire.read_response() == 200
        assert wire.headers["content-type"].startswith("text/event-stream")
        found = Stream(wire)
        assert (await found.next())[0] == "retry"
        yield found
    finally:
        await wire.close()


async def test_a_value_is_streamed() -> None:
    async with serving() as server, stream(server, "count") as events:
        assert await events.next() == ("message", {"op": "set", "value": 0})
        assert await events.next() == ("synced", {})
        await server.host.command("/unit/1", "add", 7)
        assert await events.next() == ("message", {"op": "set", "value": 7})


async def test_a_map_and_a_list_are_streamed_as_operations() -> None:
    async with serving() as server:
        host = host_of(server)
        agent: Any = host.kernel.require("/unit/1")
        async with stream(server, "speeds") as speeds, stream(server, "notes") as notes:
            assert await speeds.next() == ("synced", {})
            assert await notes.next() == ("synced", {})
            for body in ("@update(key:5) 1.5", "@update(key:6) 2", "@remove(key:5)", "@clear"):
                await wire_command(server, "speeds", body)
                name, data = await speeds.next()
                assert name == "message"
                assert (
                    data
                    == {
                        "@update(key:5) 1.5": {"op": "update", "key": 5, "value": 1.5},
                        "@update(key:6) 2": {"op": "update", "key": 6, "value": 2.0},
                        "@remove(key:5)": {"op": "remove", "key": 5},
                        "@clear": {"op": "clear"},
                    }[body]
                )
            for body, data in (
                ("@update(index:0) a", {"op": "update", "index": 0, "value": "a"}),
                ("@update(index:1) b", {"op": "update", "index": 1, "value": "b"}),
                ("@move(from:1,to:0)", {"op": "move", "from": 1, "to": 0}),
                ("@remove(index:0)", {"op": "remove", "index": 0}),
                ("@drop(1)", {"op": "drop", "n": 1}),
            ):
                await wire_command(server, "notes", body)
                assert await notes.next() == ("message", data)
        assert agent.node == "/unit/1"


async def wire_command(server: Server, lane: str, body: str) -> None:
    from natant.codec import recon

    await server.host.command("/unit/1", lane, recon.decode_body(body))


async def test_an_unknown_lane_is_404_at_once() -> None:
    async with serving() as server:
        wire = await Wire.connect(server.port)
        await wire.send_bytes(b"GET /unit/1?lane=nope HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
        assert await wire.read_response() == 404
        await wire.close()


async def test_a_quiet_stream_shows_that_it_lives() -> None:
    limit = Limit(stream_heartbeat_s=0.05, sweep_s=0.02)
    async with serving(limit=limit) as server, stream(server, "info") as events:
        await events.next()
        await events.next()
        assert await events.next() == ("comment", "alive")
        assert await events.next() == ("comment", "alive")


async def test_a_stream_whose_client_left_ends() -> None:
    async with serving() as server:
        async with stream(server, "count") as events:
            await events.next()
            assert streams(server) == 1
        await until(lambda: not streams(server))
        await until(lambda: not server.service.table.members)


def streams(server: Server) -> int:
    return sum(isinstance(session.sink, StreamSink) for session in host_of(server).hub.sessions)


async def test_a_client_that_reads_slowly_gets_the_newest_state_and_costs_little() -> None:
    limit = Limit(stream_events=8, sweep_s=0.02)
    async with serving(limit=limit) as server, stream(server, "blob", receive_bytes=4096) as events:
        await until(lambda: streams(server))
        sink = next(s.sink for s in host_of(server).hub.sessions if isinstance(s.sink, StreamSink))
        for number in range(500):
            await server.host.command("/unit/1", "blob", f"{number} " + "x" * 60_000)
            await asyncio.sleep(0)
            assert isinstance(sink, StreamSink)
            assert len(sink.waiting) <= 16
        assert host_of(server).counters.conflated > 0
        while True:
            name, data = await events.next()
            if name == "message" and str(data["value"]).startswith("499 "):
                break


async def test_a_client_of_a_stream_that_reads_nothing_is_dropped() -> None:
    limit = Limit(stream_events=8, sweep_s=0.02, stall_timeout_s=0.2)
    async with serving(limit=limit) as server, stream(server, "blob", receive_bytes=4096) as events:
        events.wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        number = 0
        while streams(server):
            number += 1
            await server.host.command("/unit/1", "blob", f"{number} " + "x" * 60_000)
            await asyncio.sleep(0.001)
        assert server.counters["peers_stalled"] == 1


async def test_a_stop_ends_the_streams() -> None:
    async with serving() as server, stream(server, "count") as events:
        await events.next()
        await events.next()
        stopping = asyncio.create_task(server.stop())
        assert await events.next() == ("unlinked", {"reason": "stopping"})
        assert await events.next() == ("end", None)
        await stopping
