"""Value lanes: one value, its callbacks, its default, its record."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import natant.testing
from natant import Absent, Agent, Plane, Refused, command, lane
from natant.errors import LaneError, TurnError
from natant.testing import TestPlane

SEEN: list[tuple[object, ...]] = []


@dataclass(frozen=True)
class Place:
    lat: float
    name: str | None = None


class Thing(Agent, route="/thing/{id}"):
    plain = lane.value(int)
    counted = lane.value(int, 7)
    maybe = lane.value(int | None, 5)
    place = lane.value(Place)
    anything = lane.value()
    listed = lane.value(list[int], [])
    fleeting = lane.value(str, volatile=True)
    limited = lane.value(int, 0)
    even = lane.value(int, 0)

    @command
    def put(self, pairs: dict[str, object]) -> None:
        for name, value in pairs.items():
            setattr(self, name, value)

    @command
    def set_place(self, place: Place) -> None:
        self.place = place

    @command
    def unset(self, name: str) -> None:
        setattr(self, name, None)

    @command
    def set_absent(self) -> None:
        self.anything = Absent

    @command
    def set_then_fail(self, name: str) -> None:
        setattr(self, name, None)
        raise RuntimeError("no")

    @limited.changing
    def limit(self, new: int, old: int) -> int:
        SEEN.append(("changing", new, old, self.limited))
        if new < 0:
            raise Refused("no less than nothing")
        return min(new, 100)

    @limited.changed
    def tell(self, new: int, old: int) -> None:
        SEEN.append(("changed", new, old, self.limited))

    @even.changed
    def make_even(self, new: int, old: int) -> None:
        if new % 2:
            self.even = new + 1


PLANE = Plane("things", [Thing])


async def fresh(p: TestPlane, name: str) -> object:
    """The value after a crash."""
    await p.crash()
    return await p.get("/thing/1", name)


async def test_a_lane_reads_as_its_default_until_it_is_set() -> None:
    async with natant.testing.plane(PLANE) as p:
        assert [await p.get("/thing/1", name) for name in ("plain", "counted", "listed")] == [None, 7, []]
        await p.command("/thing/1", "put", {"plain": 1, "counted": 2})
        await p.command("/thing/1", "listed", [3])
        assert [await fresh(p, name) for name in ("plain", "counted", "listed")] == [1, 2, [3]]
        assert await p.get("/thing/2", "listed") == []


async def test_no_value_is_kept_as_such_and_not_taken_for_the_default() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/1", "unset", "maybe")
        assert await p.get("/thing/1", "maybe") is None
        assert await fresh(p, "maybe") is None
        assert await p.get("/thing/2", "maybe") == 5


async def test_an_absent_body_brings_the_default_back() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/1", "put", {"counted": 2})
        await p.command("/thing/1", "counted", Absent)
        assert await p.get("/thing/1", "counted") == 7


@pytest.mark.parametrize("value", [1, -1.5, True, "text", "true", b"\x00\xff", [1, "a"], {"a": {"b": [None, 1]}}, ""])
async def test_any_value_survives_a_crash_with_its_type(value: object) -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/1", "put", {"anything": value})
        before = await p.get("/thing/1", "anything")
        after = await fresh(p, "anything")
        assert before == after
        assert type(before) is type(after)


async def test_absent_is_no_value() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/1", "put", {"anything": 1})
        await p.command("/thing/1", "set_absent")
        assert await p.host.read("/thing/1", "anything") is Absent


async def test_typed_values_are_held_to_their_type() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/1", "set_place", Place(59.0, None))
        assert await fresh(p, "place") == Place(59.0)
        with pytest.raises(TurnError, match=r'NT-LANE-012|lane "plain"'):
            await p.command("/thing/1", "put", {"plain": "x", "counted": 1})
        assert await p.get("/thing/1", "counted") == 7


async def test_a_volatile_value_is_gone_after_a_crash() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/1", "put", {"fleeting": "here"})
        assert await p.get("/thing/1", "fleeting") == "here"
        assert await fresh(p, "fleeting") is None


@pytest.mark.parametrize("name", ["plain", "maybe", "fleeting"])
async def test_what_was_rolled_back_was_never_there(name: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/1", "put", {"plain": 1, "maybe": 2, "fleeting": "x"})
        before = await p.get("/thing/1", name)
        with pytest.raises(TurnError):
            await p.command("/thing/1", "set_then_fail", name)
        assert await p.get("/thing/1", name) == before
        if name != "fleeting":
            assert await fresh(p, name) == before


async def test_callbacks_see_the_change_before_and_after_and_may_alter_or_refuse_it() -> None:
    SEEN.clear()
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/1", "limited", 5)
        await p.command("/thing/1", "limited", 500)
        with pytest.raises(TurnError, match="NT-TURN-010"):
            await p.command("/thing/1", "limited", -1)
        assert await p.get("/thing/1", "limited") == 100
    assert SEEN == [
        ("changing", 5, 0, 0),
        ("changed", 5, 0, 5),
        ("changing", 500, 5, 5),
        ("changed", 100, 5, 100),
        ("changing", -1, 100, 100),
    ]


async def test_a_callback_may_set_the_lane_again() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        peer.session.receive('@link(node:"/thing/1",lane:even)')
        await p.command("/thing/1", "even", 3)
        assert await fresh(p, "even") == 4
        assert peer.received[-1] == b'@event(node:"/thing/1",lane:even) 4'


def changed(**lanes: object) -> Plane:
    return Plane("things", [type("Thing", (Agent,), {**lanes}, route="/thing/{id}")])


async def test_a_type_that_no_longer_fits_is_told_parks_work_and_can_be_put_right() -> None:
    old, new = changed(x=lane.value(str), y=lane.value(int, 0)), changed(x=lane.value(int), y=lane.value(int, 0))
    async with natant.testing.plane(old) as p:
        await p.command("/thing/1", "x", "word")
        p.app = new
        await p.crash()
        with pytest.raises(LaneError, match="NT-LANE-014"):
            await p.get("/thing/1", "x")
        peer = p.connect()
        peer.session.receive('@sync(node:"/thing/1",lane:x)')
        await p.clock.settle()
        assert peer.received == [b'@unlinked(node:"/thing/1",lane:x)@failed(NT-LANE-014)']
        with pytest.raises(TurnError, match="NT-LANE-014"):
            await p.command("/thing/1", "x", 5)
        await p.command("/thing/1", "y", 1)
        (name,) = await p.get("/thing/1", "parked")
        p.app = changed(x=lane.value(int | str), y=lane.value(int, 0))
        await p.crash()
        assert await p.get("/thing/1", "x") == "word"
        await p.command("/thing/1", "parked.retry", name)
        assert await p.get("/thing/1", "x") == 5


async def test_a_lane_that_the_program_gave_up_keeps_its_value_for_the_next_one() -> None:
    both, one = changed(x=lane.value(str), y=lane.value(int, 0)), changed(y=lane.value(int, 0))
    async with natant.testing.plane(both) as p:
        await p.command("/thing/1", "x", "word")
        p.app = one
        await p.crash()
        with pytest.raises(natant.NatantError, match="NT-LINK-001"):
            await p.get("/thing/1", "x")
        await p.command("/thing/1", "y", 1)
        p.app = both
        await p.crash()
        assert await p.get("/thing/1", "x") == "word"


async def test_names_may_hold_anything_but_a_zero_byte() -> None:
    for name in ("phase/state", "ä ö", "a#b", "true", "7", "%41"):
        app = changed(x=lane.value(int, name=name), other=lane.value(int, name=name + "2"))
        async with natant.testing.plane(app) as p:
            from natant.codec.recon import encode

            peer = p.connect()
            cell = p.host.kernel.require("/thing/1")
            p.host.kernel.command(cell, cell._schema.lanes[name], 3)
            await p.clock.settle()
            await p.crash()
            peer = p.connect()
            spelled = name.replace("%", "%25").replace("#", "%23")
            peer.session.receive(f'@sync(node:"/thing/1",lane:{encode(spelled)})')
            await p.clock.settle()
            assert peer.received[1].decode().endswith(") 3"), name
    with pytest.raises(LaneError, match="NT-LANE-003"):
        lane.value(int, name="a\0b")
