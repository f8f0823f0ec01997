"""Agent classes that derive from each other: lanes, callbacks, timers, routes."""

from __future__ import annotations

from typing import Any

import pytest

import natant.testing
from natant import Agent, Plane, command, every, lane
from natant.errors import LaneError, PlaneError

SEEN: list[tuple[object, ...]] = []


class Base(Agent, route="/base/{id}"):
    count = lane.value(int, 0)
    notes = lane.list(str)

    @command
    def add(self, amount: int) -> None:
        self.count += amount

    @count.changed
    def tell(self, new: int, old: int) -> None:
        SEEN.append(("base", new))

    @every(seconds=10)
    def tick(self) -> None:
        self.notes.append("base tick")


class Child(Base, route="/child/{id}"):
    extra = lane.map(str, int)

    def tell(self, new: int, old: int) -> None:
        super().tell(new, old)
        SEEN.append(("child", new))

    @command
    def add(self, amount: int) -> None:
        super().add(2 * amount)

    @every(seconds=5)
    def tick(self) -> None:
        self.notes.append("child tick")


class Other(Base, route="/other/{id}"):
    @Base.count.changing
    def limit(self, new: int, old: int) -> int:
        return min(new, 3)

    @Base.count.changed
    def tell_other(self, new: int, old: int) -> None:
        SEEN.append(("other", new))

    tick = None  # type: ignore[assignment]  # this one does not run by the clock


class Grandchild(Other, route="/grandchild/{id}"):
    def limit(self, new: int, old: int) -> int:
        return min(new, 2)


class Overridden(Base, route="/overridden/{id}"):
    count = lane.value(str, "none")  # type: ignore[assignment]

    @command
    def add(self, text: str) -> None:  # type: ignore[override]
        self.count = text


class Mixin:
    """Lanes may come from a class that is no agent."""

    marks = lane.list(str)

    @command
    def mark(self, text: str) -> None:
        self.marks.append(text)  # type: ignore[call-overload]

    @marks.updated
    def marked(self, index: int, new: str, old: str | None) -> None:
        SEEN.append((type(self).__name__, new))


class Mixed(Mixin, Base, route="/mixed/{id}"):
    first = lane.value(int)


class AlsoMixed(Base, Mixin, route="/also/{id}"):
    pass


PLANE = Plane("family", [Base, Child, Other, Grandchild, Overridden, Mixed, AlsoMixed])


async def test_each_class_calls_its_own_callbacks() -> None:
    async with natant.testing.plane(PLANE) as p:
        for node, seen, count in (
            ("/base/1", [("base", 5)], 5),
            ("/child/1", [("base", 10), ("child", 10)], 10),
            ("/other/1", [("other", 3)], 3),
            ("/grandchild/1", [("other", 2)], 2),
            ("/base/2", [("base", 5)], 5),
        ):
            SEEN.clear()
            await p.command(node, "add", 5)
            assert seen == SEEN, node
            assert await p.get(node, "count") == count, node


async def test_lanes_of_bases_are_the_subclasss_own() -> None:
    async with natant.testing.plane(PLANE) as p:
        for kind in ("mixed", "also"):
            SEEN.clear()
            await p.command(f"/{kind}/1", "mark", "x")
            await p.command(f"/{kind}/1", "add", 1)
            await p.crash()
            assert await p.get(f"/{kind}/1", "marks") == ["x"]
            assert await p.get(f"/{kind}/1", "count") == 1
            assert len(SEEN) == 2
        assert await p.get("/mixed/1", "first") is None


async def test_a_lane_may_be_declared_anew() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/overridden/1", "add", "word")
        assert await p.get("/overridden/1", "count") == "word"
        await p.command("/base/1", "add", 1)
        assert await p.get("/base/1", "count") == 1


async def test_timers_are_inherited_overridden_and_given_up() -> None:
    async with natant.testing.plane(PLANE) as p:
        for kind, notes in (("base", ["base tick"]), ("child", ["child tick"] * 2), ("other", [])):
            await p.command(f"/{kind}/1", "add", 1)
            await p.clock.jump(12)
            assert await p.get(f"/{kind}/1", "notes") == notes


def test_a_lane_does_not_take_the_place_of_what_every_agent_has() -> None:
    for name in ("send", "node", "now", "parked", "_turn"):
        with pytest.raises(LaneError, match="NT-LANE-003"):
            type("Wrong", (Agent,), {name: lane.value(int)}, route="/wrong")
    with pytest.raises(LaneError, match="NT-LANE-011"):
        type("Wrong", (Agent,), {"mine": lane.map(str, int, name="parked")}, route="/wrong")
    with pytest.raises(PlaneError, match="NT-PLANE-003"):
        type("Wrong", (Agent,), {"count": lane.value(int)}, route="/wrong/{count}")


async def test_a_lane_may_be_called_what_an_attribute_may_not() -> None:
    app = Plane(
        "log", [type("Logged", (Agent,), {"log": lane.value(int), "sent": lane.value(int, name="send")}, route="/x")]
    )
    async with natant.testing.plane(app) as p:
        await p.command("/x", "log", 1)
        await p.command("/x", "send", 2)
        assert (await p.get("/x", "log"), await p.get("/x", "send")) == (1, 2)


async def test_route_parameters_are_decoded_attributes() -> None:
    class Pair(Agent, route="/pair/{left}/{right}"):
        left: str
        right: str
        state = lane.demand(str)

        @state.cue
        def tell(self) -> str:
            return f"{self.left}|{self.right}|{self.node}"

    async with natant.testing.plane(Plane("pairs", [Pair])) as p:
        assert await p.host.read("/pair/a/b%2Fc", "state") == "a|b/c|/pair/a/b%2fc"
        assert await p.host.read("/pair/%C3%A9/x", "state") == "é|x|/pair/%c3%a9/x"
        assert await p.host.read("/pair/%41/x", "state") == "A|x|/pair/A/x"


class Sender(Agent, route="/sender"):
    @command
    def say(self, node: str) -> None:
        self.send(node, "add", 1)


@pytest.mark.parametrize(
    "spelled", ["/base/A", "/base/%41", "base/A", "/base/./A", "/base/A?x=1", "warp://host/base/A"]
)
async def test_however_a_node_is_spelled_it_is_one_agent(spelled: str) -> None:
    async with natant.testing.plane(Plane("family", [Base, Sender])) as p:
        await p.command("/sender", "say", spelled)
        await p.command(spelled, "add", 1)
        assert await p.get("/base/A", "count") == 2
        assert [row["node"] for row in await p.host.nodes("/base/")] == ["/base/A"]


@pytest.mark.parametrize("wrong", ["/base/é", "/base/a b", "http://[x/"])
async def test_a_send_to_what_is_no_uri_fails_its_turn(wrong: str) -> None:
    async with natant.testing.plane(Plane("family", [Base, Sender])) as p:
        with pytest.raises(natant.NatantError, match="NT-WARP-004"):
            await p.command("/sender", "say", wrong)


async def test_agents_tell_their_name() -> None:
    async with natant.testing.plane(PLANE) as p:
        assert repr(p.host.kernel.require("/child/7")) == "<Child /child/7>"
        told: Any = p.host.kernel.require("/child/7")
        assert told.log.extra == {"node": "/child/7"}
