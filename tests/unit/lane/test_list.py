"""List lanes: values in an order of their own, each under a key that stays with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import natant.testing
from natant import Agent, Plane, Record, Refused, command, lane
from natant.codec.form import form
from natant.errors import LaneError, TurnError
from natant.lane.list_lane import _LAST
from natant.link.downlink import ListDownlink
from natant.testing import TestPlane

SEEN: list[tuple[object, ...]] = []
N = 'node:"/row/1"'


class Row(Agent, route="/row/{id}"):
    plain = lane.list(str)
    tail = lane.list(str, keep=3)
    fleeting = lane.list(str, volatile=True)
    watched = lane.list(int)
    wild = lane.list(str)

    @command
    def do(self, steps: list[Record]) -> None:
        for step in steps:
            self.step(*step)

    def step(self, name: str, op: str, *arguments: Any) -> None:
        target: Any = getattr(self, name)
        if op == "set":
            target[arguments[0]] = arguments[1]
        elif op == "del":
            del target[arguments[0]]
        elif op == "cut":
            del target[arguments[0] : arguments[1]]
        elif op == "slice":
            target[0:1] = [arguments[0]]
        elif op == "add":
            target += list(arguments)
        elif op == "fail":
            raise RuntimeError("planned")
        else:
            getattr(target, op)(*arguments)

    @command
    def assign(self) -> None:
        self.plain = ["a"]

    @command
    def lengthen(self) -> None:
        self.plain += ["x", "y"]  # type: ignore[operator]

    @watched.updating
    def limit(self, index: int, new: int, old: int | None) -> int:
        SEEN.append(("updating", index, new, old))
        if new < 0:
            raise Refused("negative")
        return min(new, 10)

    @watched.updated
    def tell(self, index: int, new: int, old: int | None) -> None:
        SEEN.append(("updated", index, new, old))

    @watched.moved
    def shifted(self, source: int, target: int, value: int) -> None:
        SEEN.append(("moved", source, target, value))

    @watched.removing
    def may_go(self, index: int, old: int) -> None:
        SEEN.append(("removing", index, old))
        if old == 7:
            raise Refused("not this one")

    @watched.removed
    def gone(self, index: int, old: int) -> None:
        SEEN.append(("removed", index, old))

    @watched.clearing
    def may_clear(self) -> None:
        SEEN.append(("clearing", len(self.watched)))

    @watched.cleared
    def all_gone(self) -> None:
        SEEN.append(("cleared", len(self.watched)))

    @wild.removing
    def write_meanwhile(self, index: int, old: str) -> None:
        if old == "b":
            self.wild.insert(0, "new")
        if old == "c" and "e" in self.wild:
            self.wild.remove("e")

    @wild.updating
    def move_meanwhile(self, index: int, new: str, old: str | None) -> str:
        if new == "z":
            self.wild.insert(0, "front")
        return new


PLANE = Plane("rows", [Row])


async def do(p: TestPlane, *steps: tuple[Any, ...]) -> None:
    await p.command("/row/1", "do", [Record(step) for step in steps])


async def kept(p: TestPlane, name: str) -> list[Any]:
    before: list[Any] = await p.get("/row/1", name)
    keys = [entry.key for entry in state(p, name).entries]
    await p.crash()
    assert await p.get("/row/1", name) == before
    assert [entry.key for entry in state(p, name).entries] == keys
    return before


def state(p: TestPlane, name: str) -> Any:
    return getattr(p.host.kernel.require("/row/1"), name)


async def test_it_is_a_sequence() -> None:
    async with natant.testing.plane(PLANE) as p:
        await do(
            p, *(("plain", "append", text) for text in "abc"), ("plain", "insert", 1, "x"), ("plain", "set", -1, "z")
        )
        row = state(p, "plain")
        assert (list(row), row[0], row[-1], row[1:3], len(row), "x" in row) == (
            list("axbz"),
            "a",
            "z",
            ["x", "b"],
            4,
            True,
        )
        assert repr(row) == "['a', 'x', 'b', 'z']"
        assert (row.index("b"), row.count("a"), list(reversed(row))) == (2, 1, list("zbxa"))
        with pytest.raises(IndexError):
            row[9]
        await kept(p, "plain")


async def test_every_change_is_kept() -> None:
    async with natant.testing.plane(PLANE) as p:
        await do(p, ("plain", "add", *"abcdefgh"))
        await do(
            p, ("plain", "del", 0), ("plain", "cut", 1, 3), ("plain", "insert", 99, "i"), ("plain", "insert", -99, "0")
        )
        assert await kept(p, "plain") == list("0befghi")
        await do(p, ("plain", "move", 0, 3), ("plain", "drop", 1), ("plain", "take", 4), ("plain", "move", 1, 1))
        assert await kept(p, "plain") == list("ef0g")
        await do(p, ("plain", "pop"), ("plain", "remove", "f"), ("plain", "reverse"))
        assert await kept(p, "plain") == list("0e")
        await do(p, ("plain", "clear"), ("plain", "append", "last"))
        assert await kept(p, "plain") == ["last"]
        await p.command("/row/1", "lengthen")
        assert await kept(p, "plain") == ["last", "x", "y"]


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([("plain", "slice", "x")], "NT-LANE-010"),
        ([("plain", "take", -1)], "NT-LANE-009"),
        ([("plain", "set", 5, "x")], "IndexError"),
        ([("plain", "append", 5)], "NT-LANE-012"),
    ],
)
async def test_what_makes_no_sense_is_refused(steps: list[tuple[Any, ...]], code: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match=code):
            await do(p, ("plain", "append", "a"), *steps)
        assert await kept(p, "plain") == []


async def test_a_list_lane_is_never_assigned() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-LANE-008"):
            await p.command("/row/1", "assign")
    with pytest.raises(LaneError, match="NT-LANE-007"):
        lane.list(str, keep=0)


async def test_only_the_last_ones_are_kept() -> None:
    async with natant.testing.plane(PLANE) as p:
        await do(p, *(("tail", "append", text) for text in "abcde"))
        assert await kept(p, "tail") == list("cde")
        await do(p, ("tail", "insert", 2, "x"))
        assert await kept(p, "tail") == list("dxe")


async def test_a_list_that_is_appended_to_for_ever_never_runs_out_of_places() -> None:
    async with natant.testing.plane(PLANE) as p:
        await do(p, ("tail", "add", *"abc"))
        entries = state(p, "tail").entries
        for at, entry in enumerate(entries):
            entry.place = _LAST + at
        await do(p, ("tail", "append", "d"))
        await do(p, ("tail", "append", "e"))
        assert await p.get("/row/1", "tail") == list("cde")
        assert all(entry.place < _LAST for entry in state(p, "tail").entries)


async def test_inserting_at_one_place_again_and_again_numbers_the_list_anew() -> None:
    async with natant.testing.plane(PLANE) as p:
        await do(p, ("plain", "add", "first", "last"))
        for number in range(80):
            await do(p, ("plain", "insert", 1, str(number)))
        assert (await kept(p, "plain"))[:3] == ["first", "79", "78"]
        steps = [("plain", "insert", 1, str(number)) for number in range(80)]
        with pytest.raises(TurnError):
            await do(p, *steps, ("plain", "fail"))
        assert len(await kept(p, "plain")) == 82


async def test_callbacks_see_each_change_before_and_after() -> None:
    SEEN.clear()
    async with natant.testing.plane(PLANE) as p:
        await do(
            p, ("watched", "append", 99), ("watched", "append", 2), ("watched", "set", 0, 3), ("watched", "move", 0, 1)
        )
        await do(p, ("watched", "del", 0), ("watched", "append", 5), ("watched", "drop", 1), ("watched", "clear"))
    assert SEEN == [
        ("updating", 0, 99, None), ("updated", 0, 10, None), ("updating", 1, 2, None), ("updated", 1, 2, None),
        ("updating", 0, 3, 10), ("updated", 0, 3, 10), ("moved", 0, 1, 3),
        ("removing", 0, 2), ("removed", 0, 2), ("updating", 1, 5, None), ("updated", 1, 5, None),
        ("removing", 0, 3), ("removed", 0, 3), ("clearing", 1), ("cleared", 0),
    ]  # fmt: skip


async def test_callbacks_refuse_by_raising_and_nothing_of_the_turn_stays() -> None:
    async with natant.testing.plane(PLANE) as p:
        await do(p, ("watched", "append", 1), ("watched", "append", 7))
        for steps in (
            [("watched", "append", 2), ("watched", "append", -1)],
            [("watched", "del", 0), ("watched", "del", 0)],
            [("watched", "take", 0)],
        ):
            with pytest.raises(TurnError, match="NT-TURN-010"):
                await do(p, *steps)
        assert await kept(p, "watched") == [1, 7]


async def test_a_callback_that_writes_too_does_not_lead_links_astray() -> None:
    async with natant.testing.plane(PLANE) as p:
        await do(p, ("wild", "add", *"abcdef"))
        shown: ListDownlink[str] = ListDownlink("/row/1", "wild", form(str))
        await p.open(shown, p.connect())
        await do(p, ("wild", "del", 1))
        assert list(shown) == await p.get("/row/1", "wild") == ["new", *"acdef"]
        await do(p, ("wild", "set", 1, "z"))
        assert list(shown) == await kept(p, "wild")
        shown = ListDownlink("/row/1", "wild", form(str))
        await p.open(shown, p.connect())
        await do(p, ("wild", "drop", 5))
        assert list(shown) == await kept(p, "wild")


async def test_peers_may_change_it_by_index_or_key() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()

        async def say(body: str) -> list[str]:
            peer.session.receive(f"@command({N},lane:plain){body}")
            await p.clock.settle()
            shown: list[str] = await p.get("/row/1", "plain")
            return shown

        assert await say("@update(index:0,key:k0)a") == ["a"]
        assert await say("@update(key:k1,index:1)b") == list("ab")
        assert await say("@update(index:1,key:k2)c") == list("acb")
        assert await say("@update(index:0)A") == list("Acb")
        assert await say("@update(key:k1)B") == list("AcB")
        assert await say("@update(index:9,key:k9)z") == list("AcB")
        assert await say("@update()d") == list("AcBd")
        assert await say("@update(index:-1)e") == list("AcBd")
        assert await say("@move(from:0,to:2,key:k0)") == list("cBAd")
        assert await say("@move(from:0,to:9)") == list("cBAd")
        assert await say("@remove(index:0,key:k1)") == list("cAd")
        assert await say("@remove(index:7)") == list("cAd")
        assert await say("@remove(key:unknown)") == list("cAd")
        assert await say("@update(index:0,key:k3) 5") == list("cAd")
        assert await say("@drop(1)") == list("Ad")
        assert await say("@take(1)") == ["A"]
        assert await say("@clear") == []
        assert p.host.counters.form_errors == 1


async def test_a_rolled_back_clear_does_not_forget_that_entries_were_lost() -> None:
    async with natant.testing.plane(PLANE) as p:
        await do(p, ("plain", "add", *"ab"), ("plain", "del", 0))
        with pytest.raises(TurnError):
            await do(p, ("plain", "clear"), ("plain", "fail"))
        peer = p.connect()
        peer.session.receive(f"@sync({N},lane:plain)")
        await p.clock.settle()
        assert peer.received[1].endswith(b"@clear")


INDEX = st.integers(0, 6)
STEP = st.one_of(
    st.tuples(st.just("append"), st.sampled_from("abc")),
    st.tuples(st.just("insert"), INDEX, st.sampled_from("abc")),
    st.tuples(st.just("del"), INDEX),
    st.tuples(st.just("set"), INDEX, st.sampled_from("abc")),
    st.tuples(st.just("move"), INDEX, INDEX),
    st.tuples(st.sampled_from(["drop", "take"]), INDEX),
    st.tuples(st.just("clear")),
    st.tuples(st.just("fail")),
)


def apply(model: list[str], step: tuple[Any, ...]) -> None:
    op, *arguments = step
    if op == "fail":
        raise RuntimeError("planned")
    if op == "set":
        model[arguments[0]] = arguments[1]
    elif op == "del":
        del model[arguments[0]]
    elif op == "move":
        model[arguments[1]]
        model.insert(arguments[1], model.pop(arguments[0]))
    elif op == "drop":
        del model[: arguments[0]]
    elif op == "take":
        del model[arguments[0] :]
    else:
        getattr(model, op)(*arguments)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(STEP, min_size=1, max_size=5), max_size=8))
async def test_lane_links_and_store_agree_with_a_plain_list(turns: list[list[tuple[Any, ...]]]) -> None:
    model: list[str] = []
    async with natant.testing.plane(PLANE) as p:
        shown: ListDownlink[str] = ListDownlink("/row/1", "plain", form(str))
        await p.open(shown, p.connect())
        for turn in turns:
            after = list(model)
            try:
                for step in turn:
                    apply(after, step)
                model = after
            except (RuntimeError, IndexError):
                with pytest.raises(TurnError):
                    await do(p, *(("plain", *step) for step in turn))
            else:
                await do(p, *(("plain", *step) for step in turn))
            assert list(state(p, "plain")) == model
        await p.clock.settle()
        assert list(shown) == model
        assert await kept(p, "plain") == model
