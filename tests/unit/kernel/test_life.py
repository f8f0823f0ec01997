"""Agents come to life when touched, stop when idle, and come back with their state."""

from __future__ import annotations

from datetime import timedelta

import pytest

import natant.testing
from natant import Agent, Config, Plane, command, lane
from natant.errors import LaneError, PlaneError

LIVES: list[str] = []


class Thing(Agent, route="/thing/{id}"):
    id: str
    count = lane.value(int, 0)
    cache = lane.value(int, volatile=True)
    starts = lane.value(int, 0)
    recent = lane.map(str, int, keep=timedelta(seconds=60))

    def on_start(self) -> None:
        LIVES.append(f"start {self.id}")

    def on_stop(self) -> None:
        LIVES.append(f"stop {self.id}")
        self.starts += 1

    @command
    def add(self, amount: int) -> None:
        self.count += amount
        self.cache = amount

    @command
    def see(self, name: str) -> None:
        self.recent[name] = 1


class Quiet(Agent, route="/quiet/{id}"):
    count = lane.value(int, 0)

    @command
    def add(self, amount: int) -> None:
        self.count += amount


PLANE = Plane("things", [Thing, Quiet], config=Config(idle_timeout_s=80))


async def test_an_idle_agent_is_stopped_and_comes_back_with_its_state() -> None:
    LIVES.clear()
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/a", "add", 4)
        await p.clock.jump(60)
        assert p.host.health()["agents"] == 1
        await p.clock.jump(60)
        assert p.host.health()["agents"] == 0
        assert LIVES == ["start a", "stop a"]
        assert await p.get("/thing/a", "count") == 4
        assert await p.get("/thing/a", "starts") == 1
        assert await p.get("/thing/a", "cache") is None


async def test_a_linked_agent_is_not_stopped() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/a", "add", 4)
        peer = p.connect()
        peer.session.receive('@sync(node:"/thing/a",lane:cache)')
        await p.clock.jump(500)
        assert await p.get("/thing/a", "cache") == 4
        peer.session.receive('@unlink(node:"/thing/a",lane:cache)')
        await p.clock.jump(500)
        assert p.host.health()["agents"] == 0


async def test_agents_that_were_only_looked_at_are_not_listed_for_ever() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.get("/quiet/seen", "count")
        await p.command("/quiet/used", "add", 1)
        await p.clock.jump(500)
        assert [node["node"] for node in await p.host.nodes()] == ["/quiet/used"]


async def test_keep_by_age_forgets_without_being_touched() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/a", "see", "x")
        await p.clock.jump(40)
        await p.command("/thing/a", "see", "y")
        await p.clock.jump(30)
        assert await p.get("/thing/a", "recent") == {"y": 1}
        await p.crash()
        await p.clock.jump(40)
        assert await p.get("/thing/a", "recent") == {}


async def test_listing_is_paged_and_in_order() -> None:
    async with natant.testing.plane(PLANE) as p:
        for name in ("c", "a", "b"):
            await p.command(f"/thing/{name}", "add", 1)
        await p.crash()
        await p.command("/thing/b", "add", 1)
        first = await p.host.nodes("/thing/", limit=2)
        rest = await p.host.nodes("/thing/", limit=2, after=first[-1]["node"])
        assert [n["node"] for n in first + rest] == ["/thing/a", "/thing/b", "/thing/c"]
        assert [n["resident"] for n in first + rest] == [False, True, False]


async def test_a_node_without_a_route_is_told_apart_from_a_missing_lane() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(PlaneError, match="NT-PLANE-004"):
            await p.host.command("/nothing", "add", 1)
        with pytest.raises(natant.NatantError, match=r"NT-LINK-001.*it has add"):
            await p.host.command("/thing/a", "nothing", 1)


def test_wrong_declarations_say_what_to_do() -> None:
    with pytest.raises(PlaneError, match="NT-PLANE-001"):

        class _NoRoute(Agent, route="no route"): ...

    with pytest.raises(PlaneError, match="NT-PLANE-003"):

        class _Taken(Agent, route="/x/{send}"): ...

    with pytest.raises(PlaneError, match="NT-PLANE-007"):

        class _Options(Agent, route="/x", colour="red"): ...

    class NoRoute(Agent):
        pass

    class Same(Agent, route="/thing/{name}"):
        pass

    with pytest.raises(PlaneError, match="NT-PLANE-008"):
        Plane("p", [NoRoute])
    with pytest.raises(PlaneError, match="NT-PLANE-002"):
        Plane("p", [Thing, Same])
    with pytest.raises(PlaneError, match="NT-PLANE-010"):
        Plane("p", [Thing]).static("/", "no such folder")
    with pytest.raises(LaneError, match="NT-LANE-003"):
        lane.value(int, name="")
    with pytest.raises(LaneError, match="NT-LANE-011"):

        class _Twice(Agent, route="/x"):
            a = lane.value(int, name="same")
            b = lane.value(int, name="same")

    with pytest.raises(LaneError, match="NT-LANE-004"):

        class _Two(Agent, route="/x"):
            @command
            def report(self, a: int, b: int) -> None: ...
