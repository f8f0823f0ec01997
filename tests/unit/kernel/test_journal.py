"""A store that fails: nothing is published or acknowledged that is not durable, and work goes on when it recovers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

import natant.testing
from natant import Agent, Plane, command, lane
from natant.errors import NatantError, StoreError, TurnError
from natant.kernel.journal import MAX_OPEN_UNITS
from natant.store.contract import Operation
from natant.store.memory import MemoryStore


class Thing(Agent, route="/thing/{id}"):
    count = lane.value(int, 0)

    @command
    def add(self, amount: int) -> int:
        self.count += amount
        return self.count


PLANE = Plane("things", [Thing])


class FlakyStore(MemoryStore):
    """Fails while told to; each failure changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.corrupt: set[bytes] = set()

    def apply(self, batch: Sequence[Operation]) -> None:
        if self.failure is not None:
            raise self.failure
        super().apply(batch)

    def get(self, key: bytes) -> bytes | None:
        if key in self.corrupt:
            raise StoreError("NT-STORE-004", f"record {key!r} fails its checksum")
        return super().get(key)


async def test_nothing_is_told_until_the_store_has_it() -> None:
    store = FlakyStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        peer = p.connect()
        peer.session.receive('@link(node:"/thing/a",lane:count)')
        await p.command("/thing/a", "add", 1)
        peer.received.clear()
        store.failure = StoreError("NT-STORE-005", "disk full")
        waiting = asyncio.ensure_future(p.host.command("/thing/a", "add", 1))
        await p.clock.settle()
        assert not waiting.done()
        assert peer.received == []
        assert not p.host.is_ready
        with pytest.raises(StoreError, match="NT-STORE-005"):
            await p.host.command("/thing/a", "add", 1)
        await p.clock.jump(5)
        assert not waiting.done()
        store.failure = None
        await p.clock.jump(2)
        assert (await waiting).value == 2
        assert [payload.decode() for payload in peer.received] == ['@event(node:"/thing/a",lane:count) 2']
        assert p.host.is_ready


async def test_who_links_behind_a_commit_under_way_gets_the_changes_of_later_turns() -> None:
    """Though nobody was linked when they were made."""
    store = FlakyStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/thing/a", "add", 1)
        store.failure = StoreError("NT-STORE-005", "disk full")
        peer = p.connect()
        for message in ("command(node:", "link(node:", "command(node:"):
            lane_name = "count" if message.startswith("link") else "add"
            peer.session.receive(f'@{message}"/thing/a",lane:{lane_name})' + ("1" if lane_name == "add" else ""))
        await p.clock.settle()
        assert peer.received == []
        store.failure = None
        await p.clock.jump(2)
        assert [payload.decode() for payload in peer.received] == [
            '@linked(node:"/thing/a",lane:count)',
            '@event(node:"/thing/a",lane:count) 3',
        ]


async def test_who_links_behind_a_commit_is_not_forgotten_when_others_leave() -> None:
    store = FlakyStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        early, leaving, staying = p.connect(), p.connect(), p.connect()
        early.session.receive('@link(node:"/thing/a",lane:count)')
        await p.command("/thing/a", "add", 1)
        store.failure = StoreError("NT-STORE-005", "disk full")
        early.session.receive('@command(node:"/thing/a",lane:add)1')
        await p.clock.settle()
        for peer in (leaving, staying):
            peer.session.receive('@link(node:"/thing/a",lane:count)')
        early.session.close()
        leaving.session.receive('@unlink(node:"/thing/a",lane:count)')
        early.session.receive('@command(node:"/thing/a",lane:add)1')
        staying.session.receive('@command(node:"/thing/a",lane:add)1')
        await p.clock.settle()
        assert staying.received == []
        store.failure = None
        await p.clock.jump(2)
        assert [payload.decode() for payload in staying.received] == [
            '@linked(node:"/thing/a",lane:count)',
            '@event(node:"/thing/a",lane:count) 3',
        ]
        cell = p.host.kernel.require("/thing/a")
        assert cell._links, "one is linked"
        staying.session.close()
        assert cell._links is None


async def test_a_store_that_raises_anything_is_waited_for() -> None:
    store = FlakyStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        store.failure = OSError("strange")
        waiting = asyncio.ensure_future(p.host.command("/thing/a", "add", 1))
        await p.clock.jump(3)
        fault = p.host.kernel.journal.fault
        assert fault is not None
        assert fault.code == "NT-STORE-006"
        store.failure = None
        await p.clock.jump(3)
        assert (await waiting).value == 1


async def test_a_corrupt_record_is_told_and_harms_nobody_else() -> None:
    store = FlakyStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/thing/a", "add", 1)
        await p.command("/thing/b", "add", 1)
        await p.crash()
        store.corrupt = {b"l/thing/a\0count\0"}
        with pytest.raises(StoreError, match="NT-STORE-004"):
            await p.command("/thing/a", "add", 1)
        with pytest.raises(StoreError, match="NT-STORE-004"):
            await p.get("/thing/a", "count")
        peer = p.connect()
        peer.session.receive('@sync(node:"/thing/a",lane:count)')
        await p.clock.settle()
        assert peer.received == [b'@unlinked(node:"/thing/a",lane:count)@failed(NT-STORE-004)']
        assert (await p.command("/thing/b", "add", 1)).value == 2


async def test_a_host_that_stops_refuses_and_finishes() -> None:
    async with natant.testing.plane(PLANE) as p:
        waiting = asyncio.ensure_future(p.host.command("/thing/a", "add", 1))
        await asyncio.sleep(0)
        p.host.kernel.shut()
        with pytest.raises(TurnError, match="NT-TURN-008"):
            await p.host.command("/thing/a", "add", 1)
        assert (await waiting).value == 1


async def test_a_journal_that_is_far_behind_takes_no_more() -> None:
    async with natant.testing.plane(PLANE) as p:
        kernel = p.host.kernel
        cell, add = kernel.require("/thing/a"), p.host.lane("/thing/a", "add")
        for _ in range(MAX_OPEN_UNITS):
            kernel.command(cell, add, 1)
        refusal = kernel.admit()
        assert isinstance(refusal, NatantError)
        assert refusal.code == "NT-TURN-009"
        await p.clock.settle()
        assert kernel.admit() is None
        assert await p.get("/thing/a", "count") == MAX_OPEN_UNITS


async def test_a_stop_that_cannot_commit_tells_who_waits_that_nobody_knows() -> None:
    store = FlakyStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/thing/a", "add", 1)
        store.failure = StoreError("NT-STORE-005", "disk full")
        waiting = asyncio.ensure_future(p.host.command("/thing/a", "add", 1))
        reading = asyncio.ensure_future(p.host.read("/thing/a", "count"))
        await p.clock.settle()
        stopping = asyncio.ensure_future(p.restart())
        for _ in range(4):
            await p.clock.jump(10)
        await stopping
        for asked in (waiting, reading):
            with pytest.raises(TurnError, match="NT-TURN-018"):
                await asked
        store.failure = None
        assert await p.get("/thing/a", "count") == 1
        assert p.host.is_ready
