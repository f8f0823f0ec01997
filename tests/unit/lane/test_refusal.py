"""What lanes refuse: declarations and writes that make no sense, each with its code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import natant.testing
from natant import Agent, Plane, command, lane
from natant.errors import LaneError, NatantError
from natant.testing import TestPlane


class Box(Agent, route="/box/{id}"):
    map = lane.map(str, int)
    list = lane.list(int)
    value = lane.value(int, 0)
    joined = lane.join_value(str, int)
    union = lane.join_map(str, int)

    @command
    def do(self, name: str) -> None:
        WRONG[name](self)


def _assign_map(box: Any) -> None:
    box.map = {}


def _assign_list(box: Any) -> None:
    box.list = []


def _slice(box: Any) -> None:
    box.list[0:1] = [1]


def _write_join(box: Any) -> None:
    box.joined["a"] = 1


def _write_union(box: Any) -> None:
    box.union["a"] = 1


def _delete_join(box: Any) -> None:
    del box.joined["a"]


def _delete_union(box: Any) -> None:
    del box.union["a"]


WRONG: dict[str, Callable[[Any], object]] = {
    "NT-LANE-008 map": _assign_map,
    "NT-LANE-008 list": _assign_list,
    "NT-LANE-009 map": lambda box: box.map.take(-1),
    "NT-LANE-009 list": lambda box: box.list.drop(-1),
    "NT-LANE-010": _slice,
    "NT-LANE-012 map key": lambda box: box.map.update({1: 1}),
    "NT-LANE-012 map value": lambda box: box.map.update({"a": "b"}),
    "NT-LANE-012 list": lambda box: box.list.append("a"),
    "NT-LANE-012 value": lambda box: setattr(box, "value", float("nan")),
    "NT-LANE-013 join": _write_join,
    "NT-LANE-013 union": _write_union,
    "NT-LANE-013 delete": _delete_join,
    "NT-LANE-013 delete from union": _delete_union,
}


async def _codes_of_parked(p: TestPlane) -> list[str]:
    return [str(entry.get("code")) for entry in (await p.get("/box/a", "parked")).values()]


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_write_fails_the_turn_with_its_code(name: str) -> None:
    async with natant.testing.plane(Plane("boxes", [Box])) as p:
        with pytest.raises(NatantError):
            await p.command("/box/a", "do", name)
        assert await _codes_of_parked(p) == [name[:11]]
        assert await p.get("/box/a", "map") == {}
        assert await p.get("/box/a", "list") == []


async def _later(self: Any) -> str:
    return "later"


async def _later_keys(self: Any) -> list[str]:
    return []


@pytest.mark.parametrize(
    ("code", "declare"),
    [
        ("NT-LANE-005", lambda: lane.supply(int, queue=0)),
        ("NT-LANE-005", lambda: lane.supply(int, overflow="explode")),
        ("NT-LANE-006", lambda: lane.demand(str).cue(_later)),  # type: ignore[arg-type]
        ("NT-LANE-006", lambda: lane.demand_map(str, int).keys(_later_keys)),  # type: ignore[arg-type]
        ("NT-LANE-007", lambda: lane.map(str, int, keep=0)),
        ("NT-LANE-007", lambda: lane.map(str, int, keep=timedelta(0))),
        ("NT-LANE-007", lambda: lane.list(int, keep=0)),
    ],
)
def test_a_wrong_declaration_is_refused_at_once(code: str, declare: Callable[[], object]) -> None:
    with pytest.raises(LaneError, match=code):
        declare()
