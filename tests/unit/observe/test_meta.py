"""Meta nodes show the plane at work, as SwimOS tools expect it."""

from __future__ import annotations

from typing import Any

import natant.testing
from natant import Agent, Plane, command, lane
from natant.testing import Peer, TestPlane


class Unit(Agent, route="/unit/{id}"):
    info = lane.value(int, 0)
    history = lane.map(int, int)

    @command
    def publish(self, value: int) -> None:
        self.info = value
        if value < 0:
            raise ValueError(value)


PLANE = Plane("units", [Unit])
NODE = "swim:meta:node/%2funit%2fa"


async def say(p: TestPlane, peer: Peer[Any], *messages: str) -> list[str]:
    peer.received.clear()
    for message in messages:
        peer.session.receive(message)
    await p.clock.settle()
    return [payload.decode() for payload in peer.received]


async def test_lanes_of_a_node_are_listed_without_bringing_it_to_life() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        assert await say(p, peer, f'@sync(node:"{NODE}",lane:lanes)') == [
            f'@unlinked(node:"{NODE}",lane:lanes)@nodeNotFound'
        ]
        await p.command("/unit/a", "publish", 1)
        texts = await say(p, peer, '@sync(node:"swim:meta:node/%2Funit%2Fa",lane:lanes)')
        assert sorted(texts) == [
            f'@event(node:"{NODE}",lane:lanes)@update(key:history){{laneUri:history,laneType:map}}',
            f'@event(node:"{NODE}",lane:lanes)@update(key:info){{laneUri:info,laneType:value}}',
            f'@event(node:"{NODE}",lane:lanes)@update(key:publish){{laneUri:publish,laneType:command}}',
            f'@linked(node:"{NODE}",lane:lanes)',
            f'@synced(node:"{NODE}",lane:lanes)',
        ]


async def test_nodes_are_listed_and_followed() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/unit/a", "publish", 1)
        peer = p.connect()
        texts = await say(
            p, peer, '@sync(node:"swim:meta:host",lane:nodes)', '@sync(node:"swimos:meta:mesh",lane:"nodes#/unit/")'
        )
        assert sum('@update(key:"/unit/a")' in text for text in texts) == 2
        texts = await say(p, peer, '@sync(node:"swim:meta:host",lane:"nodes#/")')
        assert (
            texts[1]
            == '@event(node:"swim:meta:host",lane:"nodes#/")@update(key:"/unit"){nodeUri:"/unit",created:0,childCount:1}'
        )
        await p.clock.jump(1.5)
        await p.command("/unit/b", "publish", 1)
        peer.received.clear()
        await p.clock.jump(2)
        assert any(b'@update(key:"/unit/b")' in payload for payload in peer.received)


async def test_a_pulse_beats_while_somebody_listens() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        await p.command("/unit/a", "publish", 1)
        texts = await say(p, peer, '@sync(node:"swim:meta:host",lane:pulse)', f'@sync(node:"{NODE}",lane:pulse)')
        assert any("nodeCount:1" in text and "memTotal" in text for text in texts)
        peer.received.clear()
        await p.clock.jump(3.5)
        assert sum(b"nodeCount" in payload for payload in peer.received) == 3
        await say(p, peer, '@unlink(node:"swim:meta:host",lane:pulse)', f'@unlink(node:"{NODE}",lane:pulse)')
        peer.received.clear()
        await p.clock.jump(3.5)
        assert peer.received == []


async def test_log_lines_reach_those_who_follow_them() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        await p.command("/unit/a", "publish", 1)
        await say(p, peer, '@sync(node:"swim:meta:host",lane:errorLog)')
        peer.received.clear()
        p.host.kernel.command(p.host.kernel.require("/unit/a"), p.host.lane("/unit/a", "publish"), -1)
        await p.clock.settle()
        (line,) = [payload.decode() for payload in peer.received]
        assert line.startswith('@event(node:"swim:meta:host",lane:errorLog)@error(time:')
        assert "rolled back" in line


async def test_a_plane_may_do_without() -> None:
    async with natant.testing.plane(Plane("units", [Unit], meta=False)) as p:
        assert (await say(p, p.connect(), '@sync(node:"swim:meta:host",lane:nodes)'))[0].endswith("@nodeNotFound")
