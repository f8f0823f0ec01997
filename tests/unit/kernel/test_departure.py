"""Agents that end themselves: what goes, what stays, and that it is one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

import natant.testing
from natant import Agent, Plane, command, every, lane
from natant.codec.form import form
from natant.errors import NatantError, StoreError, TurnError
from natant.kernel import key
from natant.link.downlink import MapDownlink, ValueDownlink
from natant.store.contract import Operation
from natant.store.memory import MemoryStore

GATES: list[asyncio.Event] = []
HEARD: list[str] = []


class Shop(Agent, route="/shop/{id}"):
    """Has a bit of everything."""

    open_since = lane.value(int)
    goods = lane.map(str, int)
    notes = lane.list(str)
    sign = lane.value(str, volatile=True)
    picture = lane.blob(bytes)
    starts = lane.value(int, volatile=True, default=0)
    seen = lane.join_value(str, int)

    def on_start(self) -> None:
        self.starts += 1

    def on_stop(self) -> None:
        HEARD.append("stopped")

    @command
    def stock(self, name: str) -> int:
        self.goods[name] = len(self.goods)
        self.notes.append(name)
        self.sign = name
        self.open_since = 7
        self.after(50, self.ring, name=f"ring-{name}")
        return len(self.goods)

    @command
    async def paint(self, picture: bytes) -> None:
        await self.picture.put(picture)

    @command
    def watch(self, node: str) -> None:
        self.seen.join("town", node=node, lane="size")
        self.downlink_value(node, "size", int, changed=self.heard)

    @command
    def close(self) -> str:
        self.notes.append("the last one")
        self.remove()
        self.send("/town/1", "closed", self.node)
        self.goods["after the end"] = 1
        self.after(10, self.ring, name="late")
        return "closed"

    @command
    def close_twice(self) -> None:
        self.remove()
        self.remove()

    @command
    def fail_to_close(self) -> None:
        self.remove()
        raise ValueError("not today")

    @command
    async def wait(self) -> None:
        self.notes.append("waiting")
        try:
            await self.task(GATES[0].wait)
        except TurnError as error:
            HEARD.append(error.code)
            raise
        self.notes.append("never")

    @command
    async def hold(self) -> None:
        await GATES[0].wait()
        self.remove()

    @command
    def fetch(self) -> None:
        self.spawn(GATES[0].wait, then=self.fetched)

    def fetched(self, _: object) -> None:
        HEARD.append("fetched")

    def heard(self, new: int, old: int | None) -> None:
        HEARD.append(f"size {new}")

    def ring(self) -> None:
        HEARD.append("rang")

    @every(seconds=20)
    def tick(self) -> None:
        HEARD.append("tick")


class Town(Agent, route="/town/{id}"):
    """Hears of shops."""

    gone = lane.list(str)
    size = lane.value(int, default=1)

    @command
    def closed(self, node: str) -> None:
        self.gone.append(node)

    @command
    def end(self, node: str) -> None:
        self.send(node, "close")
        self.send(node, "stock", "of a new life")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    HEARD.clear()
    GATES[:] = [asyncio.Event()]


def records_of(store: MemoryStore, node: str) -> list[bytes]:
    """What a store has of an agent."""
    starts = (key.LANE, key.ID, key.TIMER, key.NODE, key.WAKE)
    found = [stored for start in starts for stored, _ in store.scan(start + node.encode())]
    return found + [stored for stored, _ in store.scan(key.BLOB) if node.encode() in stored]


def shops(*, idle_s: float = 300.0) -> Plane:
    """The plane."""
    return Plane("shops", [Shop, Town], config=natant.Config(idle_timeout_s=idle_s))


async def test_nothing_is_left_but_what_was_sent() -> None:
    store = MemoryStore()
    async with natant.testing.plane(shops(), store=store) as plane:
        await plane.command("/shop/1", "stock", "tea", command_id="a")
        await plane.command("/shop/1", "paint", b"a picture")
        await plane.command("/shop/1", "watch", "/town/1")
        await plane.command("/shop/10", "stock", "salt")
        assert records_of(store, "/shop/1\0")
        other = records_of(store, "/shop/10")

        outcome = await plane.command("/shop/1", "close", command_id="b")

        assert outcome.value == "closed"
        assert outcome.sequence > 0
        assert records_of(store, "/shop/1\0") == []
        assert store.get(key.node_key("/shop/1")) is None
        assert store.get(key.wake_key("/shop/1")) is None
        assert records_of(store, "/shop/10") == other
        assert await plane.get("/town/1", "gone") == ["/shop/1"]
        assert "/shop/1" not in plane.host.kernel.agents
        assert plane.host.counters.removals == 1
        await plane.clock.jump(200)
        assert "rang" not in HEARD or HEARD.count("rang") == 1, "only /shop/10 rings"
        HEARD.clear()
        await plane.crash()
        await plane.clock.jump(100)
        assert "stopped" not in HEARD
        assert not plane.host.kernel.leaving


async def test_who_comes_later_is_new() -> None:
    async with natant.testing.plane(shops()) as plane:
        await plane.command("/shop/1", "stock", "tea")
        await plane.command("/shop/1", "close", command_id="x")

        assert await plane.get("/shop/1", "goods") == {}
        assert await plane.get("/shop/1", "open_since") is None
        assert await plane.get("/shop/1", "starts") == 1
        assert (await plane.command("/shop/1", "stock", "rice")).value == 1
        await plane.crash()
        assert await plane.get("/shop/1", "goods") == {"rice": 0}


async def test_a_turn_that_fails_removes_nothing() -> None:
    async with natant.testing.plane(shops()) as plane:
        await plane.command("/shop/1", "stock", "tea")
        with pytest.raises(TurnError):
            await plane.command("/shop/1", "fail_to_close")
        assert await plane.get("/shop/1", "goods") == {"tea": 0}
        await plane.command("/shop/1", "close_twice")
        assert await plane.get("/shop/1", "goods") == {}


async def test_links_see_the_last_turn_then_end() -> None:
    async with natant.testing.plane(shops()) as plane:
        await plane.command("/shop/1", "stock", "tea")
        events: list[str] = []
        told = {"unlinked": lambda reason: events.append(f"unlinked {reason}")}
        value: ValueDownlink[int] = ValueDownlink("/shop/1", "open_since", form(int), on=told)
        goods: MapDownlink[str, int] = MapDownlink(
            "/shop/1",
            "goods",
            (form(str), form(int)),
            on={**told, "updated": lambda name, new, old: events.append(name)},
        )
        await plane.open(value)
        await plane.open(goods)
        events.clear()
        await plane.command("/shop/1", "close")
        assert events[0] == "after the end"
        assert [event for event in events if event.startswith("unlinked")] == ["unlinked nodeRemoved"] * 2
        assert not plane.host.hub.awaits("/shop/1")


async def test_timers_downlinks_and_spawned_work_end() -> None:
    async with natant.testing.plane(shops()) as plane:
        await plane.command("/shop/1", "stock", "tea")
        await plane.command("/shop/1", "watch", "/town/1")
        await plane.command("/shop/1", "fetch")
        HEARD.clear()
        await plane.command("/shop/1", "close")
        GATES[0].set()
        await plane.command("/town/1", "size", 5)
        await plane.clock.jump(500)
        assert HEARD == []
        assert "/shop/1" not in plane.host.kernel.agents
        assert plane.host.counters.faults == 0


async def test_a_handler_in_a_task_ends_and_its_asker_is_told() -> None:
    async with natant.testing.plane(shops()) as plane:
        waiting = asyncio.ensure_future(plane.command("/shop/1", "wait", command_id="w"))
        again = asyncio.ensure_future(plane.command("/shop/1", "wait", command_id="w"))
        await plane.clock.settle()
        await plane.command("/shop/1", "close")
        GATES[0].set()
        await plane.clock.settle()
        for asked in (waiting, again):
            with pytest.raises(TurnError, match="NT-TURN-016"):
                await asked
        assert HEARD == ["NT-TURN-019"]
        assert await plane.get("/shop/1", "notes") == []
        assert plane.host.kernel.async_turns.is_idle


async def test_a_handler_on_its_way_back_behind_the_removal_ends_as_well() -> None:
    async with natant.testing.plane(shops()) as plane:
        first, second = GATES[0], asyncio.Event()
        waiting = asyncio.ensure_future(plane.command("/shop/1", "wait"))
        await plane.clock.settle()
        GATES[0] = second
        holding = asyncio.ensure_future(plane.command("/shop/1", "hold"))
        await plane.clock.settle()
        first.set()  # the first handler wants to come back, and the agent is busy
        await plane.clock.settle()
        second.set()
        await plane.clock.settle()
        await holding
        with pytest.raises(TurnError, match="NT-TURN-016"):
            await waiting
        assert await plane.get("/shop/1", "notes") == []


async def test_what_waits_in_the_mailbox_is_done_by_the_new_agent_in_its_order() -> None:
    async with natant.testing.plane(shops()) as plane:
        holding = asyncio.ensure_future(plane.command("/shop/1", "hold"))
        await plane.clock.settle()
        later = [asyncio.ensure_future(plane.command("/shop/1", "stock", name)) for name in ("a", "b")]
        await plane.clock.settle()
        GATES[0].set()
        await plane.clock.settle()
        await holding
        assert [(await each).value for each in later] == [1, 2]
        await plane.crash()
        assert await plane.get("/shop/1", "notes") == ["a", "b"]


async def test_commands_behind_the_removal_meet_a_new_agent_before_it_is_durable() -> None:
    async with natant.testing.plane(shops()) as plane:
        await plane.command("/shop/1", "stock", "old")
        await plane.command("/town/1", "end", "/shop/1")
        assert await plane.get("/shop/1", "goods") == {"of a new life": 0}
        await plane.crash()
        assert await plane.get("/shop/1", "goods") == {"of a new life": 0}
        assert not plane.host.kernel.leaving


class Held(MemoryStore):
    """Refuses to write while it is told to."""

    is_full = False

    def apply(self, batch: Sequence[Operation]) -> None:
        if self.is_full:
            raise StoreError("NT-STORE-005", "full")
        super().apply(batch)


async def test_nobody_sees_the_end_before_it_is_durable() -> None:
    store = Held()
    async with natant.testing.plane(shops(), store=store) as plane:
        await plane.command("/shop/1", "stock", "tea")
        store.is_full = True
        closing = asyncio.ensure_future(plane.host.command("/shop/1", "close", natant.Absent))
        reading = asyncio.ensure_future(plane.host.read("/shop/1", "goods"))
        await plane.clock.settle()
        assert not closing.done()
        assert not reading.done()
        store.is_full = False
        await plane.clock.jump(5)
        await closing
        await reading
        assert await plane.get("/shop/1", "goods") == {}
        assert plane.host.kernel.agents["/shop/1"]._pending == 0


async def test_an_end_that_was_not_durable_never_happened() -> None:
    store = Held()
    async with natant.testing.plane(shops(), store=store) as plane:
        await plane.command("/shop/1", "stock", "tea")
        store.is_full = True
        closing = asyncio.ensure_future(plane.host.command("/shop/1", "close", natant.Absent))
        await plane.clock.settle()
        store.is_full = False
        await plane.crash()
        closing.cancel()
        assert await plane.get("/shop/1", "goods") == {"tea": 0}
        assert await plane.get("/town/1", "gone") == []


async def test_one_that_was_never_stored_goes_without_a_trace() -> None:
    store = MemoryStore()
    async with natant.testing.plane(shops(), store=store) as plane:
        await plane.command("/shop/1", "close_twice")
        assert records_of(store, "/shop/1") == []


async def test_agents_of_a_volatile_plane_end_too() -> None:
    async with natant.testing.plane(shops(), volatile=True) as plane:
        await plane.command("/shop/1", "stock", "tea")
        await plane.command("/shop/1", "close")
        assert await plane.get("/shop/1", "goods") == {}
        assert not plane.host.kernel.leaving


async def test_large_values_go_with_the_sweep() -> None:
    async with natant.testing.plane(shops()) as plane:
        await plane.command("/shop/1", "paint", b"a picture")
        blobs = plane.host.kernel.blobs
        assert blobs is not None
        await plane.command("/shop/1", "close")
        await plane.clock.jump(2000)
        assert blobs.removed == 1


async def test_an_agent_that_has_its_own_remove_keeps_it() -> None:
    class Old(Agent, route="/old/{id}"):
        """Has a command of that name."""

        rows = lane.map(str, int)

        @command
        def remove(self, name: str) -> None:  # type: ignore[override]
            """Remove a row."""
            self.rows.pop(name)

        @command
        def end(self) -> None:
            """End the agent."""
            Agent.remove(self)

    async with natant.testing.plane(Plane("old", [Old])) as plane:
        await plane.command("/old/1", "end")
        assert "/old/1" not in plane.host.kernel.agents


async def test_one_that_removes_itself_as_it_comes_to_life_lives_nowhere() -> None:
    class Shy(Agent, route="/shy/{id}"):
        """Is never there."""

        size = lane.value(int)

        def on_start(self) -> None:
            self.size = 1
            self.remove()

        @command
        def grow(self) -> None:
            """Never runs."""

    async with natant.testing.plane(Plane("shy", [Shy])) as plane:
        with pytest.raises(NatantError, match="NT-PLANE-004"):
            await plane.command("/shy/1", "grow")
        await plane.clock.settle()
        assert not plane.host.kernel.leaving


async def test_outside_a_turn_it_is_refused() -> None:
    async with natant.testing.plane(shops()) as plane:
        await plane.command("/shop/1", "stock", "tea")
        shop = plane.host.kernel.agents["/shop/1"]
        assert isinstance(shop, Shop)
        with pytest.raises(NatantError, match="NT-LANE-001"):
            shop.remove()
