"""Map lanes: entries in the order of their keys, what is kept, callbacks, records."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import natant.testing
from natant import Agent, Plane, Record, Refused, command, lane
from natant.errors import LaneError, TurnError
from natant.lane import MapLane
from natant.testing import Peer, TestPlane

SEEN: list[tuple[object, ...]] = []
N = 'node:"/box/1"'


class Box(Agent, route="/box/{id}"):
    plain = lane.map(str, int)
    numbers = lane.map(int, str)
    anything = lane.map()
    newest = lane.map(str, int, keep=3)
    recent = lane.map(str, int, keep=timedelta(seconds=60))
    fleeting = lane.map(str, int, volatile=True)
    watched = lane.map(str, int)
    wild = lane.map(str, int)

    @command
    def put(self, pairs: dict[str, int]) -> None:
        self.plain.update(pairs)

    @command
    def number(self, pairs: list[int]) -> None:
        for key in pairs:
            self.numbers[key] = "x"

    @command
    def see(self, key: str) -> None:
        self.newest[key] = len(self.newest)
        self.recent[key] = 1
        self.fleeting[key] = 1

    @command
    def do(self, steps: list[tuple[str, str, int]]) -> None:
        for op, key, number in steps:
            self.step(op, key, number)

    def step(self, op: str, key: str, number: int) -> None:
        target: Any = getattr(self, key.partition(".")[0])
        name = key.partition(".")[2]
        if op == "put":
            target[name] = number
        elif op == "del":
            del target[name]
        elif op == "fail":
            raise RuntimeError("planned")
        else:
            getattr(target, op)(*([number] if op in ("take", "drop") else []))

    @command
    def assign(self) -> None:
        self.plain = {"a": 1}

    @command
    def merge(self) -> None:
        self.plain |= {"a": 1, "b": 2}  # type: ignore[operator]

    @command
    def cut_below_nothing(self) -> None:
        self.plain.take(-1)

    @watched.updating
    def limit(self, key: str, new: int, old: int | None) -> int:
        SEEN.append(("updating", key, new, old))
        if new < 0:
            raise Refused("negative")
        return min(new, 10)

    @watched.updated
    def tell(self, key: str, new: int, old: int | None) -> None:
        SEEN.append(("updated", key, new, old))

    @watched.removing
    def may_go(self, key: str, old: int) -> None:
        SEEN.append(("removing", key, old, key in self.watched))
        if key == "keep":
            raise Refused("not this one")

    @watched.removed
    def gone(self, key: str, old: int) -> None:
        SEEN.append(("removed", key, old, key in self.watched))

    @watched.clearing
    def may_clear(self) -> None:
        SEEN.append(("clearing", len(self.watched)))

    @watched.cleared
    def all_gone(self) -> None:
        SEEN.append(("cleared", len(self.watched)))

    @wild.removing
    def write_meanwhile(self, key: str, old: int) -> None:
        if key == "b":
            self.wild["A"] = 1
        if key == "c":
            self.wild.pop("d", None)


PLANE = Plane("boxes", [Box])


async def lines(p: TestPlane, peer: Peer[Any]) -> list[str]:
    await p.clock.settle()
    texts = [payload.decode().partition(")")[2] for payload in peer.received]
    peer.received.clear()
    return texts


async def same_after_crash(p: TestPlane, name: str) -> dict[Any, Any]:
    before: dict[Any, Any] = await p.get("/box/1", name)
    await p.crash()
    assert await p.get("/box/1", name) == before
    return before


async def test_it_is_a_mapping_in_the_order_of_its_keys() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/box/1", "put", {"b": 2, "a": 1, "c": 3})
        await p.command("/box/1", "number", [10, 9, -1])
        box: Any = p.host.kernel.require("/box/1")
        assert isinstance(box.plain, Mapping)
        assert list(box.plain.items()) == [("a", 1), ("b", 2), ("c", 3)]
        assert list(box.numbers) == [-1, 9, 10]
        assert (box.plain["a"], box.plain.get("z"), "b" in box.plain, len(box.plain)) == (1, None, True, 3)
        assert repr(box.plain) == "{'a': 1, 'b': 2, 'c': 3}"
        await same_after_crash(p, "plain")


async def test_take_drop_and_clear_go_by_key_order_and_are_told() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/box/1", "put", dict.fromkeys("edcba", 1))
        peer = p.connect()
        peer.session.receive(f"@link({N},lane:plain)")
        await lines(p, peer)
        await p.command("/box/1", "do", [("drop", "plain", 1), ("take", "plain", 2), ("take", "plain", 9)])
        assert await lines(p, peer) == ["@drop(1)", "@remove(key:d)", "@remove(key:e)"]
        assert await p.get("/box/1", "plain") == {"b": 1, "c": 1}
        await p.command("/box/1", "do", [("clear", "plain", 0)])
        await p.command("/box/1", "do", [("clear", "plain", 0)])
        assert await lines(p, peer) == ["@clear", "@clear"]
        assert await same_after_crash(p, "plain") == {}
        with pytest.raises(TurnError, match="NT-LANE-009"):
            await p.command("/box/1", "cut_below_nothing")


async def test_peers_may_update_remove_cut_and_clear() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        for body in (
            "@update(key:a) 1", "@update(key:b) 2", "@update(key:c) 3", "@remove(key:b)", "@remove(key:z)", "@drop(1)",
            "@update(key:d) x", "nonsense", "@update(key:{x:1}) 5", "@move(from:0,to:1)",
        ):  # fmt: skip
            peer.session.receive(f"@command({N},lane:plain){body if body[0] == '@' else ' ' + body}")
        await p.clock.settle()
        assert await p.get("/box/1", "plain") == {"c": 3}
        assert p.host.counters.form_errors == 2
        peer.session.receive(f"@command({N},lane:plain)@clear")
        assert await same_after_crash(p, "plain") == {}


async def test_keep_by_count_forgets_the_keys_written_longest_ago() -> None:
    async with natant.testing.plane(PLANE) as p:
        for key in "abcadae":
            await p.command("/box/1", "see", key)
        assert list(await same_after_crash(p, "newest")) == ["a", "d", "e"]
        await p.command("/box/1", "see", "f")
        assert list(await p.get("/box/1", "newest")) == ["a", "e", "f"]


async def test_keep_by_age_forgets_what_nobody_wrote_for_so_long() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/box/1", "see", "a")
        await p.clock.jump(30)
        await p.command("/box/1", "see", "b")
        await p.command("/box/1", "see", "a")
        await p.clock.jump(45)
        assert list(await same_after_crash(p, "recent")) == ["a", "b"]
        await p.clock.jump(20)
        assert await p.get("/box/1", "recent") == {}


async def test_what_is_kept_is_the_same_after_a_turn_was_rolled_back() -> None:
    async with natant.testing.plane(PLANE) as p:
        for key in "abc":
            await p.command("/box/1", "see", key)
        steps = [("put", "newest.a", 1), ("put", "newest.x", 1), ("del", "newest.c", 0), ("fail", "", 0)]
        with pytest.raises(TurnError):
            await p.command("/box/1", "do", steps)
        await p.command("/box/1", "see", "d")
        assert list(await same_after_crash(p, "newest")) == ["b", "c", "d"]


async def test_a_rolled_back_clear_does_not_forget_that_entries_were_lost() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/box/1", "put", {"a": 1, "b": 1})
        await p.command("/box/1", "do", [("del", "plain.a", 0)])
        with pytest.raises(TurnError):
            await p.command("/box/1", "do", [("clear", "plain", 0), ("fail", "", 0)])
        peer = p.connect()
        peer.session.receive(f"@sync({N},lane:plain)")
        assert (await lines(p, peer))[1] == "@clear"


async def test_callbacks_see_each_change_before_and_after() -> None:
    SEEN.clear()
    async with natant.testing.plane(PLANE) as p:
        await p.command("/box/1", "do", [("put", "watched.a", 99), ("put", "watched.a", 2), ("del", "watched.a", 0)])
        await p.command("/box/1", "do", [("put", "watched.b", 1), ("clear", "watched", 0)])
        await p.command("/box/1", "do", [("put", "watched.c", 1), ("put", "watched.d", 1), ("drop", "watched", 1)])
    assert SEEN == [
        ("updating", "a", 99, None), ("updated", "a", 10, None), ("updating", "a", 2, 10), ("updated", "a", 2, 10),
        ("removing", "a", 2, True), ("removed", "a", 2, False),
        ("updating", "b", 1, None), ("updated", "b", 1, None), ("clearing", 1), ("cleared", 0),
        ("updating", "c", 1, None), ("updated", "c", 1, None), ("updating", "d", 1, None), ("updated", "d", 1, None),
        ("removing", "c", 1, True), ("removed", "c", 1, False),
    ]  # fmt: skip


async def test_callbacks_refuse_by_raising_and_nothing_of_the_turn_stays() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/box/1", "do", [("put", "watched.keep", 1), ("put", "watched.x", 1)])
        for steps in (
            [("put", "watched.y", 5), ("put", "watched.z", -1)],
            [("put", "watched.y", 5), ("del", "watched.keep", 0)],
            [("take", "watched", 0)],
        ):
            with pytest.raises(TurnError, match="NT-TURN-010"):
                await p.command("/box/1", "do", steps)
        assert await same_after_crash(p, "watched") == {"keep": 1, "x": 1}


async def test_a_callback_that_writes_while_entries_are_cut_does_not_lead_links_astray() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/box/1", "do", [("put", f"wild.{key}", 1) for key in "abcde"])
        peer = p.connect()
        from natant.codec.form import form
        from natant.link.downlink import MapDownlink

        shown: MapDownlink[str, int] = MapDownlink("/box/1", "wild", (form(str), form(int)))
        await p.open(shown, peer)
        await p.command("/box/1", "do", [("drop", "wild", 4)])
        assert dict(shown) == await p.get("/box/1", "wild")
        assert await same_after_crash(p, "wild") == {"A": 1, "e": 1}


async def test_a_callback_that_writes_its_own_key_first_leaves_it_there_once() -> None:
    class Own(Agent, route="/own/{id}"):
        entries = lane.map(str, int)

        @command
        def put(self, key: str) -> None:
            self.entries[key] = 1

        @command
        def fail(self, key: str) -> None:
            self.entries[key] = 1
            raise RuntimeError("no")

        @entries.updating
        def before(self, key: str, new: int, old: int | None) -> int:
            if new == 1:
                self.entries[key] = 0
            return new

    async with natant.testing.plane(Plane("own", [Own])) as p:
        own: Any = p.host.kernel.require("/own/1")
        assert list(own.entries) == []
        with pytest.raises(TurnError):
            await p.command("/own/1", "fail", "a")
        assert list(own.entries) == []
        await p.command("/own/1", "put", "a")
        assert list(own.entries) == ["a"]


async def test_a_map_lane_is_merged_and_never_assigned() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-LANE-008"):
            await p.command("/box/1", "assign")
        await p.command("/box/1", "merge")
        assert await same_after_crash(p, "plain") == {"a": 1, "b": 2}


async def test_keys_of_all_kinds_are_told_apart_and_survive() -> None:
    keys: list[Any] = [1, True, "1", "true", 1.5, b"\x00", Record([1]), Record.of({"a": 1}), "", natant.Extant, -1]
    async with natant.testing.plane(PLANE) as p:
        cell: Any = p.host.kernel.require("/box/1")

        def fill(agent: Any, _: Any) -> None:
            for number, key in enumerate(keys):
                agent.anything[key] = number

        from natant.kernel.turn import Work

        p.host.kernel.deliver(cell, Work(fill, None, "fill"))
        await p.clock.settle()
        assert len(cell.anything) == len(keys)
        peer = p.connect()
        await p.crash()
        peer = p.connect()
        cell = p.host.kernel.require("/box/1")
        assert {repr(key): cell.anything[key] for key in keys} == {repr(key): n for n, key in enumerate(keys)}
        peer.session.receive(f"@command({N},lane:anything)@remove(key:)")
        await p.clock.settle()
        assert natant.Extant not in cell.anything


def declared(keep: Any) -> Plane:
    class Kept(Agent, route="/box/{id}"):
        entries: MapLane[str, int] = lane.map(str, int, keep=keep)

        @command
        def put(self, key: str) -> None:
            self.entries[key] = 1

    return Plane("boxes", [Kept])


@pytest.mark.parametrize("first", [None, 5, timedelta(seconds=60)])
@pytest.mark.parametrize("second", [None, 3, timedelta(seconds=60)])
async def test_keep_may_come_and_go_between_two_lives_of_a_program(first: Any, second: Any) -> None:
    async with natant.testing.plane(declared(first)) as p:
        for key in "abcd":
            await p.command("/box/1", "put", key)
        p.app = declared(second)
        await p.crash()
        assert list(await p.get("/box/1", "entries")) == list("abcd")
        await p.command("/box/1", "put", "e")
        expected = list("cde") if second == 3 and first is not None else None
        shown = list(await p.get("/box/1", "entries"))
        assert len(shown) == (3 if second == 3 else 5)
        assert expected is None or shown == expected
        await p.clock.jump(100)
        if isinstance(second, timedelta):
            assert await p.get("/box/1", "entries") == {}


@pytest.mark.parametrize("keep", [0, -1, timedelta(0)])
def test_keeping_nothing_is_refused(keep: Any) -> None:
    with pytest.raises(LaneError, match="NT-LANE-007"):
        lane.map(str, int, keep=keep)


async def test_another_kind_of_lane_in_the_store_is_told() -> None:
    def kind(made: Any) -> Plane:
        return Plane("boxes", [type("Kind", (Agent,), {"x": made}, route="/box/{id}")])

    async with natant.testing.plane(kind(lane.list(str))) as p:
        cell: Any = p.host.kernel.require("/box/1")
        p.host.kernel.command(cell, p.host.lane("/box/1", "x"), Record([natant.Attr("update", Record()), "word"]))
        await p.clock.settle()
        assert await p.get("/box/1", "x") == ["word"]
        p.app = kind(lane.map(str, str))
        await p.crash()
        with pytest.raises(LaneError, match="NT-LANE-014"):
            await p.get("/box/1", "x")
    async with natant.testing.plane(kind(lane.map(str, str))) as p:
        p.connect().session.receive(f"@command({N},lane:x)@update(key:a)word")
        await p.clock.settle()
        p.app = kind(lane.list(str))
        await p.crash()
        with pytest.raises(LaneError, match="NT-LANE-014"):
            await p.get("/box/1", "x")


STEP = st.tuples(
    st.sampled_from(["put", "put", "del", "take", "drop", "clear", "fail"]), st.sampled_from("abcde"), st.integers(0, 4)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(STEP, min_size=1, max_size=5), max_size=8))
async def test_memory_and_store_agree_whatever_is_done(turns: list[list[tuple[str, str, int]]]) -> None:
    async with natant.testing.plane(PLANE) as p:
        for turn in turns:
            steps = [(op, f"newest.{key}", number) for op, key, number in turn]
            with contextlib.suppress(TurnError):
                await p.command("/box/1", "do", steps)
        cell: Any = p.host.kernel.require("/box/1")
        before = (dict(cell.newest), dict(cell.newest.stamp), cell.newest.has_lost)
        assert list(cell.newest) == sorted(before[0])
        assert len(before[0]) <= 3
        await p.crash()
        cell = p.host.kernel.require("/box/1")
        assert (dict(cell.newest), dict(cell.newest.stamp), cell.newest.has_lost) == before
