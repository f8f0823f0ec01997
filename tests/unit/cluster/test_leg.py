"""A peer that reads slowly, or talks much, costs a bound and no more, wherever the node is."""

from __future__ import annotations

from typing import Any

import natant.testing
from natant.cluster.leg import HELD_LIMIT, WINDOW_BYTES
from natant.codec import warp
from natant.errors import FabricError
from natant.testing import Peer, TestCluster
from tests.unit.cluster.test_worker import APP, NODES


def remote_node(c: TestCluster) -> str:
    """A node that the second worker has."""
    return next(node for node in NODES if c.owner(node) is c.workers[1])


class Slow(Peer[Any]):
    """A peer that can be told to read nothing."""

    is_paused = False

    def halt(self) -> None:
        self.is_paused = True

    def go_on(self) -> None:
        self.is_paused = False
        self.session.resume()


async def test_a_peer_of_another_worker_that_reads_nothing_is_sent_a_window_and_then_the_newest() -> None:
    async with natant.testing.cluster(APP, workers=2, latency_s=0.001) as c:
        node = remote_node(c)
        peer = Slow(c.workers[0], "slow")
        peer.session.receive(warp.encode("sync", node, "seen").encode())
        await c.clock.jump(0.1)
        peer.halt()
        text = "x" * 2000
        for number in range(400):
            await c.command(node, "hear", f"{text}{number % 5}", through=1)
        guest = next(iter(c.workers[1].guests._guests.values()))
        assert guest.outstanding <= WINDOW_BYTES + 5 * 3000
        assert guest.is_paused
        before = len(peer.received)
        peer.go_on()
        await c.clock.jump(0.5)
        assert not guest.is_paused
        seen = await c.get(node, "seen")
        last = {payload.partition(b"@update")[2] for payload in peer.received[before:]}
        assert len(seen) == 5
        for key, count in seen.items():
            assert any(key.encode() in each and str(count).encode() in each.rpartition(b")")[2] for each in last)


async def test_a_peer_that_talks_to_a_partition_nobody_has_is_held_back_and_loses_nothing() -> None:
    async with natant.testing.cluster(APP, workers=2) as c:
        node = remote_node(c)
        peer = c.connect(0)
        survivor = c.workers[0]
        open_store = survivor.fabric.open_store

        async def broken(partition: int) -> object:
            raise FabricError("NT-FABRIC-106", "no server answers")

        survivor.fabric.open_store = broken  # type: ignore[method-assign, assignment]
        c.kill(c.workers[1])
        await c.clock.jump(2)
        for _ in range(HELD_LIMIT + 1):
            peer.channel.command(node, "add", 1)
        assert peer.is_held
        survivor.fabric.open_store = open_store  # type: ignore[method-assign]
        await c.settle()
        await c.clock.jump(1)
        assert not peer.is_held
        assert await c.get(node, "count") == HELD_LIMIT + 1


async def test_an_envelope_that_is_none_ends_the_connection_of_its_sender_alone() -> None:
    async with natant.testing.cluster(APP, workers=2) as c:
        node = remote_node(c)
        peer, other = c.connect(0), c.connect(0)
        peer.session.receive(f'@command(node:"{node}",lane:add){{{{'.encode())
        other.channel.command(node, "add", 1)
        await c.clock.jump(0.5)
        assert peer.closed is not None
        assert peer.closed[0] == 1002
        assert other.closed is None
        assert await c.get(node, "count") == 1


async def test_what_is_refused_is_told_once() -> None:
    async with natant.testing.cluster(APP, workers=2) as c:
        peer = c.connect(0)
        peer.session.receive(b'@sync(node:"/nowhere",lane:count)')
        peer.session.receive(f'@sync(node:"{remote_node(c)}",lane:nothing)'.encode())
        await c.clock.jump(0.5)
        c.kill(c.workers[1])
        await c.settle()
        await c.clock.jump(0.5)
        said = [payload for payload in peer.received if payload.startswith(b"@unlinked")]
        assert len(said) == 2
        assert b"@nodeNotFound" in said[0] + said[1]
        assert b"@laneNotFound" in said[0] + said[1]


async def test_an_unlink_is_answered_while_the_partition_is_away() -> None:
    async with natant.testing.cluster(APP, workers=2) as c:
        node = remote_node(c)
        peer = c.connect(0)
        peer.session.receive(f'@sync(node:"{node}",lane:count)'.encode())
        await c.clock.jump(0.5)
        c.kill(c.workers[1])
        await c.clock.jump(0.6)
        peer.session.receive(f'@unlink(node:"{node}",lane:count)'.encode())
        await c.settle()
        await c.clock.jump(0.5)
        assert peer.received[-1].startswith(b"@unlinked")
        await c.command(node, "add", 1)
        await c.clock.jump(0.5)
        assert peer.received[-1].startswith(b"@unlinked")
