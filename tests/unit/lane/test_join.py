"""Join lanes: views of lanes that others own, through joins, leaves, restarts, refusals and circles."""

from __future__ import annotations

from typing import Any

import pytest

import natant.testing
from natant import Agent, Config, Plane, command, lane
from natant.errors import TurnError
from natant.kernel import key
from natant.testing import Peer, TestPlane

SEEN: list[tuple[object, ...]] = []
N = 'node:"/hall/1"'


class Leaf(Agent, route="/leaf/{id}"):
    value = lane.value(int)
    entries = lane.map(str, int)
    text = lane.value(str, "text")

    @command
    def put(self, pairs: dict[str, int]) -> None:
        self.entries.update(pairs)

    @command
    def remove(self, name: str) -> None:  # type: ignore[override]
        del self.entries[name]


class Hall(Agent, route="/hall/{id}"):
    values = lane.join_value(str, int)
    all = lane.join_map(str, int)

    @command
    def join(self, pairs: dict[str, str]) -> None:
        for name, node in pairs.items():
            self.values.join(name, node, "value")

    @command
    def join_text(self, name: str) -> None:
        self.values.join(name, "/leaf/a", "text")

    @command
    def leave(self, name: str) -> None:
        self.values.leave(name)

    @command
    def join_all(self, node: str) -> None:
        self.all.join(node, "all" if node.startswith("/hall") else "entries")

    @command
    def leave_all(self, node: str) -> None:
        self.all.leave(node, "entries")

    @command
    def clear(self) -> None:
        self.values.clear()
        self.all.clear()

    @command
    def join_and_leave(self, node: str) -> None:
        self.values.join("x", node, "value")
        self.values.leave("x")
        self.all.join(node, "entries")
        self.all.leave(node, "entries")
        self.values.join("y", node, "value")

    @command
    def write(self, name: str) -> None:
        if name == "value":
            self.values[name] = 1
        elif name == "value del":
            del self.values[name]
        else:
            self.all[name] = 1

    @command
    def fail_after_join(self, node: str) -> None:
        self.values.join("x", node, "value")
        self.all.join(node, "entries")
        raise RuntimeError("planned")

    @values.updated
    def told(self, name: str, new: int | None, old: int | None) -> None:
        SEEN.append((name, new, old))


PLANE = Plane("halls", [Leaf, Hall])


async def values(p: TestPlane) -> dict[str, int | None]:
    shown: dict[str, int | None] = await p.get("/hall/1", "values")
    return shown


async def entries(p: TestPlane, node: str = "/hall/1") -> dict[str, int]:
    shown: dict[str, int] = await p.get(node, "all")
    return shown


async def test_a_join_follows_the_values_of_others() -> None:
    SEEN.clear()
    async with natant.testing.plane(PLANE) as p:
        await p.command("/leaf/a", "value", 1)
        await p.command("/hall/1", "join", {"a": "/leaf/a", "b": "/leaf/b"})
        hall: Any = p.host.kernel.require("/hall/1")
        assert dict(hall.values) == {"a": 1, "b": None}
        await p.command("/leaf/b", "value", 2)
        await p.command("/leaf/a", "value", 3)
        assert await values(p) == {"a": 3, "b": 2}
        await p.command("/hall/1", "leave", "a")
        await p.command("/hall/1", "leave", "never")
        await p.command("/leaf/a", "value", 4)
        assert await values(p) == {"b": 2}
        assert SEEN == [("a", 1, None), ("b", None, None), ("b", 2, None), ("a", 3, 1)]


async def test_a_join_shows_every_entry_of_others() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/leaf/a", "put", {"x": 1, "y": 2})
        await p.command("/hall/1", "join_all", "/leaf/a")
        await p.command("/hall/1", "join_all", "/leaf/b")
        await p.command("/leaf/b", "put", {"z": 3})
        assert await entries(p) == {"x": 1, "y": 2, "z": 3}
        await p.command("/leaf/a", "remove", "x")
        assert await entries(p) == {"y": 2, "z": 3}
        await p.command("/hall/1", "leave_all", "/leaf/a")
        assert await entries(p) == {"z": 3}
        p.connect().session.receive('@command(node:"/leaf/b",lane:entries)@clear')
        await p.clock.settle()
        assert await entries(p) == {}


async def test_a_key_that_several_have_is_shown_as_long_as_one_has_it() -> None:
    async with natant.testing.plane(PLANE) as p:
        for node in ("/leaf/a", "/leaf/b"):
            await p.command(node, "put", {"x": 1})
            await p.command("/hall/1", "join_all", node)
        await p.command("/leaf/b", "put", {"x": 2})
        assert await entries(p) == {"x": 2}
        await p.command("/leaf/b", "remove", "x")
        assert await entries(p) == {"x": 1}
        await p.command("/leaf/b", "put", {"x": 3})
        await p.command("/hall/1", "leave_all", "/leaf/b")
        assert await entries(p) == {"x": 1}
        await p.command("/leaf/a", "remove", "x")
        assert await entries(p) == {}


async def test_joins_are_taken_up_again_after_a_crash_and_followed_without_being_touched() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/hall/1", "join", {"a": "/leaf/a"})
        await p.command("/hall/1", "join_all", "/leaf/a")
        await p.command("/leaf/a", "value", 1)
        await p.command("/leaf/a", "put", {"x": 1})
        await p.crash()
        assert p.host.health()["agents"] == 2
        assert (await values(p), await entries(p)) == ({"a": 1}, {"x": 1})
        await p.clock.jump(10_000)
        await p.command("/leaf/a", "value", 2)
        hall: Any = p.host.kernel.agents["/hall/1"]
        assert hall.values["a"] == 2
        assert hall.values.age("a") == 0.0
        assert hall.values.age("never") == float("inf")
        assert (hall.values.age(), hall.all.age()) == (0.0, 0.0)


async def test_what_is_left_is_left_for_good_and_wakes_nobody() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/hall/1", "join", {"a": "/leaf/a"})
        await p.command("/hall/1", "join_all", "/leaf/a")
        await p.command("/hall/1", "clear")
        await p.crash()
        assert (await values(p), await entries(p)) == ({}, {})
        assert list(p.store.scan(key.WAKE)) == []
        await p.clock.jump(1000)
        assert p.host.health()["agents"] == 0


async def test_joining_and_leaving_in_one_turn_leaves_the_last_word() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/leaf/a", "value", 1)
        await p.command("/leaf/a", "put", {"x": 1})
        await p.command("/hall/1", "join_and_leave", "/leaf/a")
        for _ in range(2):
            assert (await values(p), await entries(p)) == ({"y": 1}, {})
            await p.crash()


async def test_a_join_of_a_turn_that_failed_was_never_made() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/leaf/a", "value", 1)
        with pytest.raises(TurnError):
            await p.command("/hall/1", "fail_after_join", "/leaf/a")
        assert (await values(p), await entries(p)) == ({}, {})
        await p.crash()
        assert (await values(p), await entries(p)) == ({}, {})


async def test_joining_another_lane_under_a_key_forgets_the_first() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/leaf/a", "value", 1)
        await p.command("/hall/1", "join", {"x": "/leaf/a"})
        await p.command("/hall/1", "join", {"x": "/leaf/b"})
        assert (await values(p)).get("x") is None
        await p.command("/leaf/a", "value", 2)
        assert (await values(p)).get("x") is None
        await p.command("/leaf/b", "value", 3)
        assert await values(p) == {"x": 3}


async def test_commands_on_entries_go_on_to_their_owners() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/hall/1", "join", {"a": "/leaf/a"})
        await p.command("/leaf/b", "put", {"x": 1, "y": 1})
        await p.command("/hall/1", "join_all", "/leaf/b")
        peer = p.connect()
        for lane_name, body in (
            ("values", "@update(key:a) 5"), ("values", "@update(key:z) 5"), ("values", "@remove(key:a)"), ("values", "@clear"),
            ("all", "@update(key:x) 7"), ("all", "@remove(key:y)"), ("all", "@clear"), ("all", "@update(key:{a:1}) 7"),
        ):  # fmt: skip
            peer.session.receive(f"@command({N},lane:{lane_name}){body}")
        await p.clock.settle()
        assert (await p.get("/leaf/a", "value"), await p.get("/leaf/b", "entries")) == (5, {"x": 7})
        assert (await values(p), await entries(p)) == ({"a": 5}, {"x": 7})
        assert p.host.counters.form_errors == 1


@pytest.mark.parametrize("name", ["value", "value del", "map"])
async def test_a_view_is_not_written(name: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-LANE-013"):
            await p.command("/hall/1", "write", name)


async def test_a_join_with_nobody_shows_nothing_and_harms_nothing() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/hall/1", "join", {"x": "/nobody/1", "a": "/leaf/a"})
        await p.command("/leaf/a", "value", 1)
        assert await values(p) == {"a": 1}
        await p.crash()
        assert await values(p) == {"a": 1}
        with pytest.raises(natant.NatantError, match="NT-WARP-004"):
            await p.command("/hall/1", "join", {"x": "no uri"})


async def test_a_value_of_another_type_is_left_out() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/hall/1", "join_text", "t")
        await p.command("/hall/1", "join", {"a": "/leaf/a"})
        await p.command("/leaf/a", "value", 1)
        assert (await values(p))["a"] == 1


async def test_circles_are_refused_however_long() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-LANE-015"):
            await p.command("/hall/1", "join_all", "/hall/1")
        for number in range(1, 5):
            await p.command(f"/hall/{number}", "join_all", f"/hall/{number + 1}")
        await p.crash()
        with pytest.raises(TurnError, match="NT-LANE-015"):
            await p.command("/hall/5", "join_all", "/hall/1")
        await p.command("/leaf/a", "put", {"x": 1})
        await p.command("/hall/5", "join_all", "/leaf/a")
        for number in range(1, 6):
            assert await entries(p, f"/hall/{number}") == {"x": 1}
        await p.command("/leaf/a", "remove", "x")
        assert await entries(p, "/hall/1") == {}


async def test_two_ways_to_one_source_show_it_once() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/leaf/a", "put", {"x": 1})
        for way in ("/hall/2", "/hall/3"):
            await p.command(way, "join_all", "/leaf/a")
            await p.command("/hall/1", "join_all", way)
        turns = p.host.counters.turns
        for number in range(5):
            await p.command("/leaf/a", "put", {"x": number})
        assert await entries(p) == {"x": 4}
        assert p.host.counters.turns - turns < 50
        await p.command("/leaf/a", "remove", "x")
        assert await entries(p) == {}


async def test_more_joins_than_a_peer_may_have_answers_waiting() -> None:
    app = Plane("halls", [Leaf, Hall], config=Config(downlink_limit=50_000))
    async with natant.testing.plane(app, volatile=True) as p:
        count = 12_000
        await p.command("/hall/1", "join", {f"k{number}": f"/leaf/{number}" for number in range(count)})
        await p.command("/leaf/11999", "value", 5)
        hall: Any = p.host.kernel.agents["/hall/1"]
        assert len(hall.values) == count
        assert hall.values["k11999"] == 5


async def test_links_to_a_join_resynchronise_what_went_away() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/leaf/a", "put", {"x": 1})
        await p.command("/hall/1", "join_all", "/leaf/a")
        await p.crash()
        peer: Peer[Any] = p.connect()
        peer.session.receive(f"@sync({N},lane:all)")
        await p.clock.settle()
        assert peer.received[1].endswith(b"@clear")
