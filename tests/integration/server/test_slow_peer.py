"""Peers that read slowly, not at all, or have vanished: what they cost is bounded, and they are found."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from natant import Agent, Plane, command, lane
from natant.kernel.config import Config
from natant.server import Limit
from natant.server.peer import Peer
from natant.server.server import Server
from tests.support.serving import host_of, serving, until
from tests.support.wire import PING, PONG, Wire, frame

BIG = "x" * 60_000


def peers(server: Server) -> list[Peer]:
    return [member for member in server.service.table.members if isinstance(member, Peer)]


def sessions(server: Server) -> list[Any]:
    """The sessions of peers; the host has some of its own."""
    return [session for session in host_of(server).hub.sessions if isinstance(session.sink, Peer)]


async def only_peer(server: Server) -> Peer:
    await until(lambda: peers(server))
    return peers(server)[0]


async def test_a_peer_that_reads_nothing_costs_a_bounded_buffer_and_gets_the_newest_state() -> None:
    limit = Limit(sweep_s=0.02, write_high_bytes=64 * 1024, write_low_bytes=16 * 1024, stall_timeout_s=60)
    async with serving(limit=limit) as server:
        slow = await Wire.connect(server.port, receive_bytes=4096)
        await slow.upgrade()
        await slow.send('@sync(node:"/unit/1",lane:blob)')
        peer = await only_peer(server)
        commander = await Wire.open(server.port)
        highest = 0
        for number in range(400):
            await commander.send(f'@command(node:"/unit/1",lane:blob)"{number} {BIG}"')
            if number % 20 == 0:
                await asyncio.sleep(0)
            highest = max(highest, peer._raw.get_write_buffer_size())
        await commander.send('@sync(node:"/unit/2",lane:info)')
        await commander.texts(3)  # everything before it has been done
        assert peer.is_paused
        highest = max(highest, peer._raw.get_write_buffer_size())
        assert highest < 64 * 1024 + 2 * len(BIG)
        seen = 0
        while True:  # reading again, it gets some states and last the newest
            found = await slow.receive()
            assert found is not None
            seen += found.op == 1
            if found.text.startswith('@event(node:"/unit/1",lane:blob)"399 '):
                break
        assert seen < 300
        assert server.host.counters.conflated > 0
        await slow.close()
        await commander.close()


async def test_a_peer_that_reads_nothing_for_long_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    limit = Limit(sweep_s=0.02, write_high_bytes=64 * 1024, write_low_bytes=16 * 1024, stall_timeout_s=0.2)
    async with serving(limit=limit) as server:
        slow = await Wire.connect(server.port, receive_bytes=4096)
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await slow.send_bytes(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await slow.send('@sync(node:"/unit/1",lane:alarms)')
        peer = await only_peer(server)
        for number in range(200):
            await server.host.command("/unit/1", "alarm", f"{number} {BIG}")
            await asyncio.sleep(0)
            if peer.is_paused:
                break
        assert peer.is_paused
        await until(lambda: not peers(server))
        assert server.counters["peers_stalled"] == 1
        assert "NT-SERVER-015" in caplog.text
        assert not sessions(server)
        await slow.close()


async def test_a_peer_that_reads_a_little_is_kept() -> None:
    limit = Limit(sweep_s=0.01, write_high_bytes=64 * 1024, write_low_bytes=16 * 1024, stall_timeout_s=60)
    async with serving(limit=limit) as server:
        slow = await Wire.connect(server.port, receive_bytes=4096)
        await slow.upgrade()
        await slow.send('@sync(node:"/unit/1",lane:blob)')
        peer = await only_peer(server)
        for number in range(1000):
            await server.host.command("/unit/1", "blob", f"{number} {BIG}")
            await asyncio.sleep(0)
            if peer.is_paused:
                break
        assert peer.is_paused
        await slow.texts(4)
        assert peers(server) == [peer]
        await slow.close()


#: the sweep is called by the tests themselves, with the time that they say it is
BY_HAND = Limit(sweep_s=1000, ping_after_s=25, dead_after_s=20)


async def test_a_silent_peer_gets_a_ping_and_is_kept_when_it_answers() -> None:
    async with serving(limit=BY_HAND) as server:
        wire = await Wire.open(server.port)
        peer = await only_peer(server)
        now_s = asyncio.get_running_loop().time()
        peer.sweep(now_s)
        for number in range(1, 4):
            now_s += 26
            peer.sweep(now_s)
            found = await wire.receive()
            assert found is not None
            assert found.op == PING
            assert server.counters["pings_sent"] == number
            await wire.send_bytes(frame(found.payload, PONG))
            await until(lambda: peer.is_heard)
            now_s += 19
            peer.sweep(now_s)
        assert server.counters["peers_dead"] == 0
        await wire.close()


async def test_a_peer_that_vanished_without_a_word_is_dropped() -> None:
    async with serving(limit=BY_HAND) as server:
        wire = await Wire.open(server.port)
        await wire.send('@sync(node:"/unit/1",lane:info)')
        await wire.texts(3)
        peer = await only_peer(server)
        now_s = asyncio.get_running_loop().time()
        for later_s in (0, 26, 45):
            peer.sweep(now_s + later_s)
        assert peers(server) == [peer]
        peer.sweep(now_s + 47)  # it is connected still, but answers nothing
        await until(lambda: not peers(server))
        assert server.counters["peers_dead"] == 1
        assert not sessions(server)
        await wire.close()


async def test_a_peer_that_says_something_gets_no_ping() -> None:
    async with serving(limit=BY_HAND) as server:
        wire = await Wire.open(server.port)
        peer = await only_peer(server)
        now_s = asyncio.get_running_loop().time()
        for number in range(10):
            await wire.send(f'@link(node:"/unit/{number}",lane:info)')
            await wire.text()
            now_s += 24
            peer.sweep(now_s)
        assert server.counters["pings_sent"] == 0
        await wire.close()


async def test_reading_stops_while_the_host_asks_for_it() -> None:
    async with serving(limit=BY_HAND) as server:
        wire = await Wire.open(server.port)
        peer = await only_peer(server)
        peer.pause_reading()
        await wire.send('@sync(node:"/unit/1",lane:info)')
        now_s = asyncio.get_running_loop().time()
        for later_s in range(0, 1000, 10):
            peer.sweep(now_s + later_s)
            await asyncio.sleep(0)
        assert host_of(server).counters.frames_in == 0
        assert peers(server) == [peer]  # nobody is called dead whom we do not hear
        assert server.counters["pings_sent"] == 0
        peer.resume_reading()
        assert (await wire.text()).startswith("@linked")
        assert server.counters["reads_paused"] == 1
        await wire.close()


class Careful(Agent, route="/careful/{id}"):
    """An agent that is busy for a while with each command."""

    seen = lane.list(int)

    @command
    async def take(self, number: int) -> None:
        await asyncio.sleep(0)
        self.seen.append(number)


async def test_commands_of_one_read_are_all_done_however_small_the_mailbox() -> None:
    def prepare(plane: Plane) -> None:
        plane.config = Config(mailbox_limit=10)

    for is_closing in (False, True):
        async with serving(Careful, prepare=prepare) as server:
            wire = await Wire.open(server.port)
            await wire.send(*(f'@command(node:"/careful/1",lane:take) {number}' for number in range(1000)))
            if is_closing:
                await wire.close()
            highest = 0
            agent: Any = host_of(server).kernel.require("/careful/1")
            while len(agent.seen) < 1000:
                highest = max(highest, len(agent._mail or ()))
                await asyncio.sleep(0)
            assert list(agent.seen) == list(range(1000))
            assert is_closing or highest <= 11
            await wire.close()


async def test_a_peer_that_does_not_answer_the_close_frame_is_cut() -> None:
    async with serving(limit=Limit(sweep_s=0.01, close_timeout_s=0.1)) as server:
        wire = await Wire.open(server.port)
        peer = await only_peer(server)
        peer.close(1008, "because")
        found = await wire.receive()
        assert found is not None
        assert (found.code, found.reason) == (1008, "because")
        assert await wire.at_end()
        await wire.close()
        assert not peers(server)


async def test_nothing_is_left_of_a_connection_that_ended() -> None:
    async with serving() as server:
        for _ in range(20):
            wire = await Wire.open(server.port)
            await wire.send('@sync(node:"/unit/1",lane:info)')
            await wire.text()
            wire.writer.transport.abort()
        await until(lambda: not server.service.table.members)
        assert not sessions(server)
        assert server.service.table.received_bytes == 0
        await asyncio.sleep(0)
        gc.collect()
        assert not [found for found in gc.get_objects() if isinstance(found, Peer)]
