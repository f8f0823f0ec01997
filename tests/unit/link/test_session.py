"""What peers see: links, syncs, conflation, bounds, rates, and the answers to what makes no sense."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import natant.testing
from natant import Agent, Config, Identity, Plane, Refusal, command, lane
from natant.errors import WarpError
from natant.testing import Peer, TestPlane


class Zoo(Agent, route="/zoo/{id}"):
    value = lane.value(int, 0)
    any = lane.value()
    text = lane.value(str, volatile=True)
    map = lane.map(str, int)
    list = lane.list(str)
    supply = lane.supply(int, queue=4)
    newest = lane.supply(int, queue=2, overflow="drop_newest")
    strict = lane.supply(int, queue=2, overflow="disconnect")
    state = lane.demand(str)
    parts = lane.demand_map(str, int)

    @command
    def set(self, value: int) -> None:
        self.value = value

    @command
    def put(self, pairs: dict[str, int]) -> None:
        self.map.update(pairs)

    @command
    def drop(self, count: int) -> None:
        self.map.drop(count)

    @command
    def clear(self) -> None:
        self.map.clear()

    @command
    def push(self, value: int) -> None:
        self.supply.push(value)
        self.newest.push(value)
        self.strict.push(value)

    @command
    def append(self, text: str) -> None:
        self.list.append(text)

    @command
    async def write_then_wait(self) -> None:
        self.value = -1
        await asyncio.Event().wait()

    @state.cue
    def tell(self) -> str:
        return f"value is {self.value}"

    @parts.cue
    def part(self, key: str) -> int | None:
        return self.map.get(key)

    @parts.keys
    def part_keys(self) -> Iterator[str]:
        return iter(self.map)

    @command
    def cue(self, key: str) -> None:
        self.state.cue()
        self.parts.cue(key)


PLANE = Plane("zoo", [Zoo])
N = 'node:"/zoo/1"'


async def say(p: TestPlane, peer: Peer[Any], *messages: str) -> list[str]:
    """Send messages; what came back."""
    peer.received.clear()
    for message in messages:
        peer.session.receive(message)
    await p.clock.settle()
    return [payload.decode() for payload in peer.received]


async def test_link_sync_and_unlink_as_the_protocol_says() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        assert await say(p, peer, f"@link({N},lane:value)") == [f"@linked({N},lane:value)"]
        assert await say(p, peer, f"@command({N},lane:value) 5") == [f"@event({N},lane:value) 5"]
        assert await say(p, peer, f"@sync({N},lane:value)") == [f"@event({N},lane:value) 5", f"@synced({N},lane:value)"]
        assert await say(p, peer, f"@link({N},lane:value)") == [f"@linked({N},lane:value)"]
        assert await say(p, peer, f"@unlink({N},lane:value)") == [f"@unlinked({N},lane:value)"]
        assert await say(p, peer, f"@unlink({N},lane:value)") == []
        assert await say(p, peer, f"@command({N},lane:value) 6") == []


async def test_unknown_nodes_and_lanes_are_answered_each_time() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        for _ in range(2):
            assert await say(p, peer, '@sync(node:"/none",lane:x)') == ['@unlinked(node:"/none",lane:x)@nodeNotFound']
            assert await say(p, peer, f"@link({N},lane:none)") == [f"@unlinked({N},lane:none)@laneNotFound"]
        assert await say(p, peer, f"@command({N},lane:none) 1", '@command(node:"/none",lane:x) 1') == []
        assert (p.host.counters.unknown_lanes, p.host.counters.unknown_nodes) == (3, 3)


async def test_a_wrong_body_is_dropped_and_counted_and_the_link_lives() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        await say(p, peer, f"@sync({N},lane:value)")
        assert await say(p, peer, f"@command({N},lane:value) word") == []
        assert p.host.counters.form_errors == 1
        assert await say(p, peer, f"@command({N},lane:value) 7") == [f"@event({N},lane:value) 7"]


@pytest.mark.parametrize(
    "message", ["garbage", "@link(lane:x)", "@SYNC(node:a,lane:b)", "", '@command(node:"/zoo/1",lane:any)"a']
)
async def test_what_is_no_envelope_ends_the_connection(message: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        with pytest.raises(WarpError):
            peer.session.receive(message)
        assert p.host.counters.warp_errors == 1


async def test_a_resync_clears_only_where_something_was_lost() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer, late = p.connect(), p.connect()
        await p.command("/zoo/1", "put", {"a": 1, "b": 2})
        assert f"@event({N},lane:map)@clear" not in await say(p, peer, f"@sync({N},lane:map)")
        await p.command("/zoo/1", "drop", 1)
        assert await say(p, late, f"@sync({N},lane:map)") == [
            f"@linked({N},lane:map)",
            f"@event({N},lane:map)@clear",
            f"@event({N},lane:map)@update(key:b) 2",
            f"@synced({N},lane:map)",
        ]
        await p.crash()
        assert f"@event({N},lane:map)@clear" in await say(p, p.connect(), f"@sync({N},lane:map)")


async def test_a_slow_peer_gets_the_newest_state_of_each_lane() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        await say(p, peer, f"@sync({N},lane:value)", f"@sync({N},lane:map)", f"@sync({N},lane:list)")
        peer.is_paused = True
        for number in range(50):
            await p.command("/zoo/1", "set", number)
            await p.command("/zoo/1", "put", {"a": number, f"k{number % 3}": number})
        await p.command("/zoo/1", "drop", 1)
        await p.command("/zoo/1", "append", "x")
        peer.received.clear()
        peer.is_paused = False
        peer.session.resume()
        await p.clock.settle()
        texts = [payload.decode() for payload in peer.received]
        assert f"@event({N},lane:value) 49" in texts
        assert len(texts) == 1 + 4 + 1
        assert f"@event({N},lane:map)@remove(key:a)" in texts
        assert p.host.counters.conflated > 50


async def test_a_supply_lane_keeps_to_its_bound_and_policy() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer, strict = p.connect(), p.connect()
        await say(p, peer, f"@link({N},lane:supply)", f"@link({N},lane:newest)")
        await say(p, strict, f"@link({N},lane:strict)")
        peer.is_paused = strict.is_paused = True
        for number in range(6):
            await p.command("/zoo/1", "push", number)
        peer.received.clear()
        peer.is_paused = False
        peer.session.resume()
        await p.clock.settle()
        texts = [payload.decode() for payload in peer.received]
        assert [text for text in texts if "supply" in text] == [f"@event({N},lane:supply) {n}" for n in (2, 3, 4, 5)]
        assert [text for text in texts if "newest" in text] == [f"@event({N},lane:newest) {n}" for n in (0, 1)]
        assert strict.closed is not None
        assert strict.closed[0] == 1008
        assert "NT-LINK-003" in strict.closed[1]


async def test_a_list_link_that_overflows_gets_the_whole_list_anew() -> None:
    app = Plane("zoo", [Zoo], config=Config(queue_limit=3))
    async with natant.testing.plane(app) as p:
        peer = p.connect()
        await say(p, peer, f"@sync({N},lane:list)")
        peer.is_paused = True
        for number in range(9):
            await p.command("/zoo/1", "append", f"t{number}")
        peer.received.clear()
        peer.is_paused = False
        peer.session.resume()
        await p.clock.settle()
        texts = [payload.decode() for payload in peer.received]
        assert texts[0].endswith("@clear")
        assert [text.rsplit(" ", 1)[1] for text in texts[1:]] == [f"t{number}" for number in range(9)]


async def test_rate_is_kept() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        assert await say(p, peer, f"@link({N},lane:value,rate:2)") == [f"@linked({N},lane:value,rate:2)"]
        for number in range(10):
            await p.command("/zoo/1", "set", number)
        assert len(peer.received) == 2
        await p.clock.jump(1)
        assert [payload.decode() for payload in peer.received[1:]] == [
            f"@event({N},lane:value) 0",
            f"@event({N},lane:value) 9",
        ]


async def test_higher_priority_leaves_first() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        await say(p, peer, f"@link({N},lane:value)", f"@link({N},lane:map,prio:1)")
        peer.is_paused = True
        await p.command("/zoo/1", "set", 1)
        await p.command("/zoo/1", "put", {"a": 1})
        peer.received.clear()
        peer.is_paused = False
        peer.session.resume()
        await p.clock.settle()
        assert [b"lane:map" in payload for payload in peer.received] == [True, False]


async def test_demand_lanes_compute_when_asked() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        await p.command("/zoo/1", "put", {"a": 1})
        assert await say(p, peer, f"@sync({N},lane:state)", f"@sync({N},lane:parts)") == [
            f"@linked({N},lane:state)",
            f"@linked({N},lane:parts)",
            f'@event({N},lane:state)"value is 0"',
            f"@synced({N},lane:state)",
            f"@event({N},lane:parts)@update(key:a) 1",
            f"@synced({N},lane:parts)",
        ]
        peer.received.clear()
        await p.command("/zoo/1", "cue", "a")
        await p.command("/zoo/1", "cue", "gone")
        assert [payload.decode() for payload in peer.received] == [
            f'@event({N},lane:state)"value is 0"',
            f"@event({N},lane:parts)@update(key:a) 1",
            f'@event({N},lane:state)"value is 0"',
            f"@event({N},lane:parts)@remove(key:gone)",
        ]


async def test_nobody_sees_a_turn_that_is_not_over() -> None:
    async with natant.testing.plane(PLANE) as p:
        waiting = asyncio.ensure_future(p.host.command("/zoo/1", "write_then_wait", natant.Absent))
        await asyncio.sleep(0)
        peer = p.connect()
        assert await say(p, peer, f"@sync({N},lane:value)") == []
        await p.clock.jump(60)
        texts = [payload.decode() for payload in peer.received]
        assert texts == [f"@linked({N},lane:value)", f"@event({N},lane:value) 0", f"@synced({N},lane:value)"]
        with pytest.raises(natant.NatantError):
            await waiting


async def test_a_large_map_is_synced_in_parts_with_what_changes_meanwhile() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/zoo/1", "put", {f"k{number:05}": number for number in range(3000)})
        peer = p.connect()
        peer.session.receive(f"@sync({N},lane:map)")
        p.host.kernel.command(
            p.host.kernel.require("/zoo/1"), p.host.lane("/zoo/1", "put"), natant.Record.of({"k02999": -1, "zz": 5})
        )
        await p.clock.settle()
        shown: dict[str, int] = {}
        for payload in peer.received:
            text = payload.decode()
            if "@update" in text:
                key, _, value = text.partition("@update(key:")[2].partition(") ")
                shown[key] = int(value)
        assert len(shown) == 3001
        assert (shown["k02999"], shown["zz"]) == (-1, 5)
        assert peer.received[-1].decode() == f"@synced({N},lane:map)"


async def test_links_of_a_connection_are_bounded() -> None:
    app = Plane("zoo", [Zoo], config=Config(link_limit=2))
    async with natant.testing.plane(app) as p:
        peer = p.connect()
        answers = await say(p, peer, *(f'@link(node:"/zoo/{number}",lane:value)' for number in range(3)))
        assert answers[2] == '@unlinked(node:"/zoo/2",lane:value)@linkLimit'


async def test_spelling_is_echoed_and_means_the_same_node() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        await say(p, peer, '@link(node:"/zoo/%31",lane:value)', '@link(node:"warp:/zoo/1",lane:value)')
        assert await say(p, peer, f"@command({N},lane:value) 3") == [
            f"@event({N},lane:value) 3",
            '@event(node:"warp:/zoo/1",lane:value) 3',
        ]


def check(credentials: Any, _uri: str) -> Identity | Refusal | None:
    token = credentials.get("token") if isinstance(credentials, natant.Record) else None
    if token == "forbid":
        return Refusal(is_forbidden=True)
    return Identity("ann") if token == "s3cret" else None


async def test_credentials_and_policy() -> None:
    app = Plane(
        "zoo",
        [Zoo],
        authenticator=check,
        policy=lambda identity, verb, node, lane: identity.name == "ann" or verb == "link",
    )
    async with natant.testing.plane(app) as p:
        peer = p.connect()
        assert await say(p, peer, f"@sync({N},lane:value)") == [f"@unlinked({N},lane:value)"]
        assert await say(p, peer, "@auth{token:s3cret}") == ["@authed"]
        assert len(await say(p, peer, f"@sync({N},lane:value)")) == 3
        assert await say(p, peer, "@deauth") == ["@deauthed"]
        denied, barred = p.connect(), p.connect()
        assert await say(p, denied, "@auth{token:wrong}") == ["@deauthed"]
        assert denied.closed == (1008, "Unauthorized")
        assert await say(p, barred, "@auth{token:forbid}") == []
        assert barred.closed == (1008, "Forbidden")
        with pytest.raises(natant.NatantError, match="NT-LINK-008"):
            await p.host.command("/zoo/1", "set", 1)
