"""What one link sends while its lane changes, its peer is slow, and commits take their time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import natant.testing
from natant import Agent, Config, Plane, command, lane
from natant.codec.form import form
from natant.errors import StoreError
from natant.link.downlink import ListDownlink, MapDownlink
from natant.link.hub import BURST_CHARACTERS, BURST_EVENTS, HEADER_LIMIT, SYNC_ENTRIES
from natant.link.uplink import LONGEST_GAP_S, LatestUplink
from natant.store.contract import Operation
from natant.store.memory import MemoryStore
from natant.testing import Peer, TestPlane

N = 'node:"/unit/1"'


class Unit(Agent, route="/unit/{id}"):
    value = lane.value(int, 0)
    entries = lane.map(int, int)
    items = lane.list(str)
    tail = lane.list(int, keep=50)
    text = lane.value(str, "")

    @command
    def fill(self, count: int) -> None:
        for number in range(count):
            self.entries[number] = number
            self.items.append(f"t{number}")

    @command
    def set(self, number: int) -> None:
        self.value = number

    @command
    def count_to(self, number: int) -> None:
        for step in range(number + 1):
            self.value = step
            self.entries[0] = step

    @command
    def write(self, size: int) -> None:
        self.text = "x" * size

    @command
    def put(self, pair: tuple[int, int]) -> None:
        self.entries[pair[0]] = pair[1]

    @command
    def shuffle(self, pairs: list[tuple[int, int]]) -> None:
        for source, target in pairs:
            self.items.move(source % len(self.items), target % len(self.items))

    @command
    def add(self, numbers: list[int]) -> None:
        for number in numbers:
            self.tail.append(number)

    @command
    def change(self, steps: list[tuple[str, int]]) -> None:
        for op, number in steps:
            if op == "put":
                self.entries[number] = -number
            elif op == "pop":
                self.entries.pop(number, None)
            else:
                getattr(self.entries, op)(*([] if op == "clear" else [number]))


class Held(MemoryStore):
    """Takes batches only while it is told to."""

    is_held = False

    def apply(self, batch: Sequence[Operation]) -> None:
        if self.is_held:
            raise StoreError("NT-STORE-005", "disk full")
        super().apply(batch)


PLANE = Plane("units", [Unit], config=Config(queue_limit=5))


def give(p: TestPlane, name: str, body: Any) -> None:
    from natant.lane.base import to_value

    p.host.kernel.command(p.host.kernel.require("/unit/1"), p.host.lane("/unit/1", name), to_value(body))


async def test_a_long_sync_never_shows_what_is_not_durable() -> None:
    store = Held()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/unit/1", "fill", 4 * SYNC_ENTRIES)
        peer = p.connect()
        peer.session.receive(f"@sync({N},lane:entries)")
        await asyncio.sleep(0)
        store.is_held = True
        give(p, "change", [("put", number) for number in range(1, 4 * SYNC_ENTRIES, 10)])
        for _ in range(20):
            await asyncio.sleep(0)
            give(p, "set", 1)
        assert not any(b") -" in payload for payload in peer.received)
        assert not any(b"@synced" in payload for payload in peer.received)
        store.is_held = False
        await p.clock.jump(2)
        assert any(b") -" in payload for payload in peer.received)
        assert peer.received[-1] == f"@synced({N},lane:entries)".encode()


async def test_a_second_sync_in_the_middle_of_the_first_is_answered_too() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/unit/1", "fill", 3 * SYNC_ENTRIES)
        peer = p.connect()
        peer.session.receive(f"@sync({N},lane:entries)")
        await asyncio.sleep(0)
        peer.session.receive(f"@sync({N},lane:entries)")
        await p.clock.settle()
        assert peer.received.count(f"@synced({N},lane:entries)".encode()) == 2


async def test_a_sync_that_the_host_began_does_not_swallow_that_of_the_peer() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/unit/1", "fill", 3 * SYNC_ENTRIES)
        peer = p.connect()
        peer.session.receive(f"@link({N},lane:entries)")
        await p.clock.settle()
        (link,) = peer.session.links.values()
        peer.session.resync(link, is_told=False)
        await asyncio.sleep(0)
        peer.session.receive(f"@sync({N},lane:entries)")
        await p.clock.settle()
        assert peer.received.count(f"@synced({N},lane:entries)".encode()) == 1


@pytest.mark.parametrize("seed", range(6))
async def test_a_list_that_overflows_in_the_middle_of_a_turn_is_shown_right(seed: int) -> None:
    from random import Random

    random = Random(seed)
    async with natant.testing.plane(PLANE) as p:
        await p.command("/unit/1", "fill", 10)
        peer = p.connect()
        shown: ListDownlink[str] = ListDownlink("/unit/1", "items", form(str))
        await p.open(shown, peer)
        peer.is_paused = True
        for _ in range(3):
            await p.command("/unit/1", "shuffle", [(random.randrange(10), random.randrange(10)) for _ in range(9)])
        peer.is_paused = False
        peer.session.resume()
        await p.clock.settle()
        assert list(shown) == await p.get("/unit/1", "items")
        assert p.host.counters.resyncs > 0


async def test_a_long_list_that_keeps_changing_reaches_a_slow_peer_in_the_end() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/unit/1", "fill", 10 * SYNC_ENTRIES)
        peer = p.connect()
        shown: ListDownlink[str] = ListDownlink("/unit/1", "items", form(str))
        peer.channel.open(shown)
        for turn in range(200):
            give(p, "shuffle", [(turn, 0)] * 2)
            await asyncio.sleep(0)
            if shown.is_synced:
                break
        assert shown.is_synced
        await p.clock.settle()
        assert list(shown) == await p.get("/unit/1", "items")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.lists(st.integers(0, 99), max_size=9), st.booleans()), max_size=12))
async def test_a_kept_list_on_a_slow_link_ends_right(turns: list[tuple[list[int], bool]]) -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        shown: ListDownlink[int] = ListDownlink("/unit/1", "tail", form(int))
        await p.open(shown, peer)
        for numbers, is_paused in turns:
            peer.is_paused = is_paused
            peer.session.resume()
            await p.command("/unit/1", "add", numbers)
        peer.is_paused = False
        peer.session.resume()
        await p.clock.settle()
        assert list(shown) == await p.get("/unit/1", "tail")


CHANGE = st.tuples(st.sampled_from(["put", "put", "pop", "drop", "take", "clear"]), st.integers(0, 600))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(CHANGE, max_size=4), max_size=8))
async def test_a_map_that_changes_during_its_sync_is_shown_right(turns: list[list[tuple[str, int]]]) -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/unit/1", "fill", 2 * SYNC_ENTRIES)
        peer = p.connect()
        shown: MapDownlink[int, int] = MapDownlink("/unit/1", "entries", (form(int), form(int)))
        peer.channel.open(shown)
        for steps in turns:
            give(p, "change", steps)
            await asyncio.sleep(0)
        await p.clock.settle()
        assert dict(shown) == await p.get("/unit/1", "entries")


# --- rates


@pytest.mark.parametrize("rate", ["1e-300", "0.0000001", "-1", "1e300", "word"])
async def test_no_rate_harms_anybody(rate: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        peer, other = p.connect(), p.connect()
        peer.session.receive(f"@link({N},lane:value,rate:{rate})")
        other.session.receive(f"@link({N},lane:value)")
        for number in range(3):
            await p.command("/unit/1", "set", number)
        assert other.received[-1] == f"@event({N},lane:value) 2".encode()
        await p.clock.jump(LONGEST_GAP_S)
        assert peer.received[-1] == f"@event({N},lane:value) 2".encode()


async def test_a_link_that_ended_while_it_was_held_back_leaves_nothing_behind() -> None:
    async with natant.testing.plane(PLANE) as p:
        for _ in range(50):
            peer = p.connect()
            peer.session.receive(f"@link({N},lane:value,rate:0.001)")
            await p.command("/unit/1", "set", 1)
            await p.command("/unit/1", "set", 2)
            (link,) = peer.session.links.values()
            held = link.held
            assert held is not None
            peer.session.close()
            assert link.held is None
            assert held.is_cancelled  # type: ignore[attr-defined]
        assert p.host.kernel.require("/unit/1")._links is None


async def test_a_peer_may_ask_for_another_rate_later() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        peer.session.receive(f"@link({N},lane:value,rate:1)")
        await p.command("/unit/1", "set", 1)
        await p.command("/unit/1", "set", 2)
        assert peer.received[-1] == f"@event({N},lane:value) 1".encode()
        peer.session.receive(f"@link({N},lane:value)")
        await p.command("/unit/1", "set", 3)
        assert peer.received[-1] == f"@event({N},lane:value) 3".encode()
        await p.clock.jump(2)
        peer.session.receive(f"@link({N},lane:value,rate:1)")
        for number in (4, 5):
            await p.command("/unit/1", "set", number)
        assert peer.received[-1] == f"@event({N},lane:value) 4".encode()


# --- quick ones


@pytest.mark.parametrize("is_held", [False, True])
async def test_links_that_come_and_go_quickly_are_answered_in_order(is_held: bool) -> None:
    store = Held()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/unit/1", "set", 1)
        store.is_held = is_held
        give(p, "set", 2)
        peer = p.connect()
        for message in ("sync", "unlink", "link", "sync", "unlink", "sync"):
            peer.session.receive(f"@{message}({N},lane:value)")
        store.is_held = False
        await p.clock.jump(2)
        assert peer.received[-3:] == [
            f"@linked({N},lane:value)".encode(),
            f"@event({N},lane:value) 2".encode(),
            f"@synced({N},lane:value)".encode(),
        ]
        links = p.host.kernel.require("/unit/1")._links
        assert links is not None
        assert sum(map(len, links.values())) == 1


async def test_a_peer_that_leaves_before_its_link_is_there_leaves_nothing() -> None:
    store = Held()
    async with natant.testing.plane(PLANE, store=store) as p:
        store.is_held = True
        give(p, "set", 2)
        peer: Peer[Any] = p.connect()
        peer.session.receive(f"@sync({N},lane:value)")
        peer.session.close()
        store.is_held = False
        await p.clock.jump(2)
        assert p.host.kernel.require("/unit/1")._links is None
        assert peer.received == []


async def test_spellings_of_addresses_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert HEADER_LIMIT > 10
    monkeypatch.setattr("natant.link.hub.HEADER_LIMIT", 10)
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        for number in range(50):
            peer.session.receive(f'@link({N},lane:"value#{number}")')
        await p.clock.settle()
        await p.command("/unit/1", "set", 3)
        assert sum(b") 3" in payload for payload in peer.received) == 50
        assert len(p.host.hub._headers) <= 10


def states(peer: Peer[Any], lane_text: str = "value") -> list[int]:
    """The states of a value lane that a peer got."""
    start = f"@event({N},lane:{lane_text}) "
    texts = [payload.decode() for payload in peer.received]
    return [int(text.removeprefix(start)) for text in texts if text.startswith(start)]


async def linked(p: TestPlane, options: str = "") -> Peer[Any]:
    peer = p.connect()
    peer.session.receive(f"@link({N},lane:value{options})")
    await p.clock.settle()
    return peer


async def test_a_link_that_keeps_up_gets_each_state_of_a_value_in_turn() -> None:
    async with natant.testing.plane(PLANE, volatile=True) as p:
        peer = await linked(p)
        for number in range(BURST_EVENTS):
            give(p, "set", number)
        await p.clock.settle()
        assert states(peer) == list(range(BURST_EVENTS))
        assert p.host.counters.conflated == 0


async def test_a_turn_shows_the_state_that_it_leaves_and_none_before() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = await linked(p)
        await p.command("/unit/1", "count_to", 5)
        await p.command("/unit/1", "count_to", 7)
        assert states(peer) == [5, 7]


async def test_more_states_than_a_link_may_hold_become_the_newest() -> None:
    async with natant.testing.plane(PLANE, volatile=True) as p:
        peer = await linked(p)
        count = 2 * BURST_EVENTS + 3
        for number in range(count):
            give(p, "set", number)
        await p.clock.settle()
        assert states(peer) == [2 * BURST_EVENTS, 2 * BURST_EVENTS + 1, 2 * BURST_EVENTS + 2]
        assert p.host.counters.conflated == count - len(states(peer))


async def test_large_states_that_wait_become_the_newest_early() -> None:
    async with natant.testing.plane(PLANE, volatile=True) as p:
        peer = p.connect()
        peer.session.receive(f"@link({N},lane:text)")
        await p.clock.settle()
        for size in range(1, 6):
            give(p, "write", BURST_CHARACTERS // 4 + size)
        await p.clock.settle()
        sizes = [len(payload) for payload in peer.received if b"@event" in payload]
        assert len(sizes) == 2
        assert sizes[1] == max(sizes)
        assert p.host.counters.conflated == 3


async def test_a_link_whose_peer_takes_no_more_holds_one_state() -> None:
    async with natant.testing.plane(PLANE, volatile=True) as p:
        peer = await linked(p)
        peer.is_paused = True
        give(p, "set", 0)
        await p.clock.settle()
        for number in range(1, 20):
            give(p, "set", number)
        (link,) = peer.session.links.values()
        assert isinstance(link, LatestUplink)
        assert len(link.queue) == 1
        peer.is_paused = False
        peer.session.resume()
        await p.clock.settle()
        assert states(peer) == [19]
        give(p, "set", 20)
        give(p, "set", 21)
        await p.clock.settle()
        assert states(peer) == [19, 20, 21]


async def test_states_that_waited_when_a_rate_was_asked_for_become_the_newest() -> None:
    async with natant.testing.plane(PLANE, volatile=True) as p:
        peer = await linked(p)
        for number in range(5):
            give(p, "set", number)
        peer.session.receive(f"@link({N},lane:value,rate:1)")
        await p.clock.settle()
        assert states(peer) == [4]
        assert p.host.counters.conflated == 4


async def test_a_queue_with_a_rate_empties_without_further_events() -> None:
    async with natant.testing.plane(PLANE, volatile=True) as p:
        peer = p.connect()
        peer.session.receive(f"@sync({N},lane:entries,rate:2)")
        await p.clock.settle()
        for number in range(4):
            give(p, "put", (number, number))
        await p.clock.jump(10)
        assert sum(b"@update" in payload for payload in peer.received) == 4


@pytest.mark.parametrize("watchers", [1, 40])
async def test_syncs_share_what_one_tick_may_send(watchers: int) -> None:
    async with natant.testing.plane(PLANE, volatile=True) as p:
        await p.command("/unit/1", "fill", 3000)
        peers = [p.connect() for _ in range(watchers)]
        for peer in peers:
            peer.session.receive(f"@sync({N},lane:entries)")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        counts = [len(peer.received) for peer in peers]
        assert max(counts) - min(counts) <= SYNC_ENTRIES // watchers + 2
        assert sum(counts) <= 3 * SYNC_ENTRIES
        await p.clock.settle()
        assert p.host.hub.syncs == 0
        assert all(len(peer.received) == 3002 for peer in peers)


async def test_a_sync_that_is_cut_short_leaves_its_share_to_the_others() -> None:
    async with natant.testing.plane(PLANE, volatile=True) as p:
        await p.command("/unit/1", "fill", 3000)
        peer, other = p.connect(), p.connect()
        for session in (peer.session, other.session):
            session.receive(f"@sync({N},lane:entries)")
        await asyncio.sleep(0)
        assert p.host.hub.syncs == 2
        peer.session.close("gone")
        assert p.host.hub.syncs == 1
        await p.clock.settle()
        assert p.host.hub.syncs == 0
        assert len(other.received) == 3002
