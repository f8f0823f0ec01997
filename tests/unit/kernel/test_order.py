"""Work for one agent is done in the order of its delivery, and by one agent: no two lives of a node at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

import natant.testing
from natant import Agent, Config, Item, Plane, command, lane
from natant.errors import LaneError, StoreError, TurnError
from natant.kernel.pressure import Pressure
from natant.store.contract import Operation
from natant.store.memory import MemoryStore
from natant.testing import Peer, TestPlane

GATES: list[asyncio.Event] = []
N = 'node:"/unit/1"'


class Unit(Agent, route="/unit/{id}"):
    taken = lane.list(int)
    total = lane.value(int, 0)

    @command
    async def wait(self) -> None:
        await GATES[0].wait()

    @command
    def take(self, number: int) -> int:
        self.taken.append(number)
        return number

    @command
    async def with_task(self, number: int) -> int:
        self.total += number
        await self.task(self.outside)
        self.total += number
        return self.total

    async def outside(self) -> None:
        await GATES[0].wait()

    @command
    async def task_is_cancelled(self) -> str:
        try:
            await self.task(self.cancelled)
        except asyncio.CancelledError:
            return "cancelled"
        return "not"

    async def cancelled(self) -> None:
        raise asyncio.CancelledError

    @command
    async def task_stops_iterating(self) -> None:
        await self.task(next, iter(()))

    @command
    async def ignore_cancellation(self) -> None:
        while True:
            try:
                await GATES[0].wait()
            except asyncio.CancelledError:
                continue
            return

    @command
    async def write_from_a_task(self) -> None:
        async def other() -> None:
            self.total = 5

        async def another() -> None:
            self.send("/unit/2", "take", 1)

        for work in (other, another):
            with pytest.raises(LaneError, match="NT-LANE-002"):
                await asyncio.ensure_future(work())

    @command
    def task_in_a_plain_handler(self) -> None:
        work = self.task(self.outside)
        try:
            work.send(None)
        finally:
            work.close()

    @command
    def spawn_to_a_stranger(self) -> None:
        self.spawn(self.outside, then=lambda _: None)

    @command
    def spawn_much(self) -> None:
        self.total = 1
        self.spawn(self.outside)

    @command
    def link_outside(self) -> None:
        async def work() -> None:
            self.downlink_value("/unit/2", "total", int)

        self.spawn(work)


PLANE = Plane("units", [Unit], config=Config(idle_timeout_s=80, mailbox_limit=4))


def give(p: TestPlane, lane_name: str, body: Any = natant.Absent, node: str = "/unit/1") -> None:
    p.host.kernel.command(p.host.kernel.require(node), p.host.lane(node, lane_name), body)


async def test_new_work_does_not_overtake_what_waited_for_a_busy_agent() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        give(p, "wait")
        await asyncio.sleep(0)
        for number in range(3):
            give(p, "take", number)
        GATES[0].set()
        cell = p.host.kernel.require("/unit/1")
        while cell._is_busy:
            await asyncio.sleep(0)
        give(p, "take", 3)
        await p.clock.settle()
        assert await p.get("/unit/1", "taken") == [0, 1, 2, 3]


async def test_reads_keep_their_place_behind_commands() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        give(p, "wait")
        await asyncio.sleep(0)
        give(p, "take", 1)
        reading = asyncio.ensure_future(p.host.read("/unit/1", "taken"))
        await asyncio.sleep(0)
        GATES[0].set()
        await p.clock.settle()
        assert await reading == natant.Record([1])


async def test_an_agent_with_a_task_outside_is_not_stopped() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        give(p, "with_task", 1)
        await p.clock.jump(1000)
        await p.command("/unit/1", "take", 7)
        GATES[0].set()
        await p.clock.settle()
        assert await p.get("/unit/1", "total") == 2
        await p.clock.jump(1000)
        assert p.host.health()["agents"] == 0
        assert await p.get("/unit/1", "total") == 2


async def test_a_task_may_end_by_cancellation_without_ending_its_handler() -> None:
    async with natant.testing.plane(PLANE) as p:
        assert (await p.command("/unit/1", "task_is_cancelled")).value == "cancelled"


async def test_a_task_that_raises_what_no_future_can_carry_ends_all_the_same() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-TURN-001"):
            await p.command("/unit/1", "task_stops_iterating")


async def test_a_stop_answers_whoever_waits_for_a_task() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        waiting = asyncio.ensure_future(p.host.command("/unit/1", "with_task", 1))
        await asyncio.sleep(0)
        stopping = asyncio.ensure_future(p.restart())
        await p.clock.settle()
        await p.clock.jump(6)
        await stopping
        with pytest.raises(TurnError, match="NT-TURN-016"):
            await waiting
        assert await p.get("/unit/1", "total") == 1


async def test_a_stop_refuses_what_waits_in_mailboxes() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        give(p, "ignore_cancellation")
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(p.host.command("/unit/1", "take", 1))
        reading = asyncio.ensure_future(p.host.read("/unit/1", "taken"))
        await asyncio.sleep(0)
        stopping = asyncio.ensure_future(p.restart())
        await p.clock.settle()
        await p.clock.jump(6)
        await stopping
        for asked in (waiting, reading):
            with pytest.raises(TurnError, match="NT-TURN-008"):
                await asked
        GATES[0].set()


async def test_an_agent_that_is_stuck_refuses_and_forgets_what_it_refused() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        give(p, "ignore_cancellation")
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(p.host.command("/unit/1", "take", 1))
        await p.clock.jump(60)
        with pytest.raises(TurnError, match="NT-TURN-005"):
            await waiting
        GATES[0].set()
        await p.clock.settle()
        assert await p.get("/unit/1", "taken") == []


# --- what an author may not do


async def test_only_the_handler_itself_acts_for_its_turn() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/unit/1", "write_from_a_task")
        assert await p.get("/unit/1", "total") == 0


@pytest.mark.parametrize(
    ("name", "code"), [("task_in_a_plain_handler", "NT-TURN-011"), ("spawn_to_a_stranger", "NT-TURN-014")]
)
async def test_tasks_are_for_handlers_and_their_own_methods(name: str, code: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match=code):
            await p.command("/unit/1", name)


async def test_tasks_are_bounded_and_the_turn_that_starts_one_more_did_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natant.kernel.asyncturn.TASK_LIMIT", 0)
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-TURN-012"):
            await p.command("/unit/1", "spawn_much")
        assert await p.get("/unit/1", "total") == 0


async def test_downlinks_are_opened_in_turns() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/unit/1", "link_outside")
        (entry,) = (await p.get("/unit/1", "parked")).values()
        assert entry.get("code") == "NT-TURN-015"


# --- who brings too much


class Reader(Peer[Any]):
    """A peer that stops when it is told to."""

    is_reading = True

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True


async def test_a_peer_that_floods_a_busy_agent_is_held_until_there_is_room() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        peer = Reader(p.host, "flood")
        give(p, "wait")
        await asyncio.sleep(0)
        count = 0
        while peer.is_reading:
            peer.session.receive(f"@command({N},lane:take) {count}")
            count += 1
        assert count == 4
        await p.command("/unit/2", "take", 1)  # a commit elsewhere makes no room here
        assert not peer.is_reading
        GATES[0].set()
        await p.clock.settle()
        assert peer.is_reading
        assert await p.get("/unit/1", "taken") == [0, 1, 2, 3]


async def test_links_to_a_busy_agent_are_held_too() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        peer = Reader(p.host, "flood")
        give(p, "wait")
        await asyncio.sleep(0)
        count = 0
        while peer.is_reading:
            peer.session.receive(f"@sync({N},lane:taken)")
            count += 1
        assert count == 4
        GATES[0].set()
        await p.clock.settle()
        assert peer.is_reading
        assert peer.received[-1] == f"@synced({N},lane:taken)".encode()


async def test_a_peer_that_went_away_while_it_was_held_is_forgotten() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        peer = Reader(p.host, "flood")
        give(p, "wait")
        await asyncio.sleep(0)
        while peer.is_reading:
            peer.session.receive(f"@command({N},lane:take) 1")
        peer.session.close()
        pressure: Pressure = p.host.kernel.pressure
        assert not pressure._for_room
        assert not pressure._waiting
        GATES[0].set()


async def test_a_stuck_agent_holds_nobody() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        peer = Reader(p.host, "flood")
        give(p, "ignore_cancellation")
        await asyncio.sleep(0)
        while peer.is_reading:
            peer.session.receive(f"@command({N},lane:take) 1")
        await p.clock.jump(60)
        assert peer.is_reading
        for _ in range(10):
            peer.session.receive(f"@command({N},lane:take) 1")
        assert peer.is_reading
        assert p.host.counters.deliveries_refused == 10
        GATES[0].set()


async def test_a_source_waits_for_the_agent_it_floods() -> None:
    GATES[:] = [asyncio.Event()]
    app = Plane("units", [Unit], config=Config(mailbox_limit=4))
    given: list[int] = []

    @app.source("flood")
    async def flood(position: int) -> AsyncIterator[Item]:
        yield Item(1, "/unit/1", "wait")
        for number in range(2, 20):
            given.append(number)
            yield Item(number, "/unit/1", "take", number)

    async with natant.testing.plane(app, volatile=True) as p:
        assert len(given) < 8
        GATES[0].set()
        await p.clock.settle()
        assert await p.get("/unit/1", "taken") == list(range(2, 20))


class FullStore(MemoryStore):
    is_full = False

    def apply(self, batch: Sequence[Operation]) -> None:
        if self.is_full:
            raise StoreError("NT-STORE-005", "disk full")
        super().apply(batch)


@pytest.mark.parametrize("speed", [0.0, 1.0])
async def test_a_source_waits_while_the_store_is_full_also_where_it_keeps_its_own_time(speed: float) -> None:
    app = Plane("units", [Unit])
    given: list[int] = []

    @app.source("clock", speed=speed)
    async def clock(position: int) -> AsyncIterator[Item]:
        for number in range(position + 1, 1000):
            given.append(number)
            yield Item(number, "/unit/1", "take", number, at=float(number))

    store = FullStore()
    store.is_full = True
    async with natant.testing.plane(app, store=store, start_s=0.0) as p:
        await p.clock.jump(100)
        assert len(given) < 300
        assert speed == 0.0 or len(given) < 5
        store.is_full = False
        await p.clock.jump(2000)
        assert given == list(range(1, 1000))
        assert len(await p.get("/unit/1", "taken")) == 999
