"""Command, supply, demand and demand-map lanes: what they take, echo, compute and refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

import natant.testing
from natant import Absent, Agent, Extant, Plane, command, lane
from natant.errors import LaneError, StoreError, TurnError
from natant.store.contract import Operation
from natant.store.memory import MemoryStore
from natant.testing import Peer, TestPlane

N = 'node:"/zoo/1"'


@dataclass(frozen=True)
class Fix:
    lat: float
    lon: float = 0.0


class Zoo(Agent, route="/zoo/{id}"):
    seen = lane.list(str)
    count = lane.value(int, 0)
    alarms = lane.supply(str)
    state = lane.demand(str)
    parts = lane.demand_map(str, int)
    silent = lane.demand(int)
    nothing = lane.demand_map(str, int)

    @command
    def fix(self, fix: Fix) -> None:
        self.seen.append(f"{fix.lat} {fix.lon}")

    @command
    def bare(self) -> str:
        self.seen.append("bare")
        return "done"

    @command
    def perhaps(self, number: int = 7) -> int:
        return number

    @command
    def raw(self, body: Any) -> Any:
        return body

    @command(name="do/it")
    def named(self, text: str) -> None:
        self.seen.append(text)

    @command
    async def later(self, text: str) -> str:
        self.seen.append(text)
        await asyncio.sleep(0)
        return text * 2

    @command
    def by_hand(self) -> None:
        self.named("by hand")

    @command
    def push(self, text: str) -> None:
        self.alarms.push(text)

    @command
    def push_wrong(self) -> None:
        self.alarms.push(5)  # type: ignore[arg-type]

    @command
    def set(self, number: int) -> None:
        self.count = number
        self.state.cue()
        self.parts.cue("count")
        self.parts.cue("gone")

    @state.cue
    def tell(self) -> str | None:
        return f"count {self.count}" if self.count < 100 else None

    @parts.cue
    def part(self, key: str) -> int | None:
        return self.count if key == "count" else None

    @parts.keys
    def keys(self) -> Iterator[str]:
        yield "count"
        yield "gone"


PLANE = Plane("zoo", [Zoo])


async def say(p: TestPlane, peer: Peer[Any], *messages: str) -> list[str]:
    peer.received.clear()
    for message in messages:
        peer.session.receive(message)
    await p.clock.settle()
    return [payload.decode() for payload in peer.received]


# --- commands


async def test_commands_take_one_typed_argument_or_none_and_answer() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/zoo/1", "fix", Fix(1.5, 2.5))
        await p.command("/zoo/1", "fix", {"lat": 3})
        assert (await p.command("/zoo/1", "bare")).value == "done"
        assert (await p.command("/zoo/1", "bare", "whatever")).value == "done"
        assert [(await p.command("/zoo/1", "perhaps", body)).value for body in (Absent, Extant, 3)] == [7, 7, 3]
        assert (await p.command("/zoo/1", "raw", {"a": [1]})).value == natant.Record.of({"a": natant.Record([1])})
        await p.command("/zoo/1", "do/it", "named")
        assert (await p.command("/zoo/1", "later", "ab")).value == "abab"
        await p.command("/zoo/1", "by_hand")
        assert await p.get("/zoo/1", "seen") == ["1.5 2.5", "3.0 0.0", "bare", "bare", "named", "ab", "by hand"]


async def test_commands_are_echoed_to_those_who_are_linked_once_they_have_had_effect() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        await say(p, peer, f"@link({N},lane:fix)", f"@link({N},lane:bare)")
        assert await say(p, peer, f"@command({N},lane:fix){{lat:1}}", f"@command({N},lane:bare)") == [
            f"@event({N},lane:fix){{lat:1}}",
            f"@event({N},lane:bare)",
        ]
        assert await say(p, peer, f"@command({N},lane:fix)word") == []


def test_a_command_takes_its_value_by_position() -> None:
    for wrong in (lambda self, a, b: None, lambda self, *, a: None, lambda self, **a: None):
        with pytest.raises(LaneError, match="NT-LANE-004"):
            command(wrong)


# --- supply


async def test_a_supply_lane_keeps_nothing_and_holds_to_its_type() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        await p.command("/zoo/1", "push", "nobody hears")
        assert await say(p, peer, f"@sync({N},lane:alarms)") == [
            f"@linked({N},lane:alarms)",
            f"@synced({N},lane:alarms)",
        ]
        await p.command("/zoo/1", "push", "heard")
        assert peer.received[-1] == f"@event({N},lane:alarms)heard".encode().replace(b")h", b") h")
        with pytest.raises(TurnError, match="NT-LANE-012"):
            await p.command("/zoo/1", "push_wrong")
        assert await p.host.read("/zoo/1", "alarms") is Absent


@pytest.mark.parametrize("options", [{"overflow": "explode"}, {"queue": 0}])
def test_a_queue_has_a_policy_and_a_length(options: dict[str, Any]) -> None:
    with pytest.raises(LaneError, match="NT-LANE-005"):
        lane.supply(str, **options)


# --- demand


async def test_values_on_demand_are_computed_for_reads_syncs_and_cues() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/zoo/1", "set", 3)
        assert await p.host.read("/zoo/1", "state") == "count 3"
        assert await p.get("/zoo/1", "parts") == {"count": 3}
        peer = p.connect()
        await say(p, peer, f"@sync({N},lane:state)", f"@sync({N},lane:parts)")
        peer.received.clear()
        await p.command("/zoo/1", "set", 100)
        assert [payload.decode() for payload in peer.received] == [
            f"@event({N},lane:state)",
            f"@event({N},lane:parts)@update(key:count) 100",
            f"@event({N},lane:parts)@remove(key:gone)",
        ]
        assert await p.host.read("/zoo/1", "silent") is Absent
        assert await p.get("/zoo/1", "nothing") == {}


class Held(MemoryStore):
    """Takes batches only while it is told to."""

    is_held = False

    def apply(self, batch: Sequence[Operation]) -> None:
        if self.is_held:
            raise StoreError("NT-STORE-005", "disk full")
        super().apply(batch)


@pytest.mark.parametrize("name", ["state", "parts", "count"])
async def test_nothing_that_is_computed_from_a_change_is_shown_before_its_commit(name: str) -> None:
    store = Held()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/zoo/1", "set", 1)
        store.is_held = True
        p.host.kernel.command(p.host.kernel.require("/zoo/1"), p.host.lane("/zoo/1", "set"), 2)
        peer = p.connect()
        assert await say(p, peer, f"@sync({N},lane:{name})") == []
        reading = asyncio.ensure_future(p.host.read("/zoo/1", name))
        await p.clock.settle()
        assert not reading.done()
        store.is_held = False
        await p.clock.jump(2)
        assert reading.done()
        assert any("2" in payload.decode() for payload in peer.received)


# --- what is called must be plain, and only one for each event


def test_what_a_lane_calls_is_a_plain_function() -> None:
    async def later(self: Any, *_: Any) -> Any: ...

    for made in (lane.demand(str), lane.demand_map(str, str)):
        with pytest.raises(LaneError, match="NT-LANE-006"):
            made.cue(later)  # type: ignore[arg-type]
    with pytest.raises(LaneError, match="NT-LANE-006"):
        lane.value(int).changed(later)
    with pytest.raises(LaneError, match="NT-LANE-006"):
        lane.map(str, int).updating(later)  # type: ignore[arg-type]


def test_a_second_method_for_one_event_is_refused() -> None:
    with pytest.raises(LaneError, match="NT-LANE-016"):

        class _Twice(Agent, route="/x"):
            count = lane.value(int, 0)

            @count.changed
            def one(self, new: int, old: int) -> None: ...

            @count.changed
            def two(self, new: int, old: int) -> None: ...


async def test_methods_of_one_name_are_told_apart() -> None:
    class Same(Agent, route="/same/{id}"):
        state = lane.demand(str)
        parts = lane.demand_map(str, int)

        @state.cue
        def _(self) -> str:
            return "state"

        @parts.cue
        def _(self, key: str) -> int:
            return len(key)

        @parts.keys
        def _(self) -> list[str]:
            return ["abc"]

    async with natant.testing.plane(Plane("same", [Same])) as p:
        assert await p.host.read("/same/1", "state") == "state"
        assert await p.get("/same/1", "parts") == {"abc": 3}


# --- what is said of them


async def test_lanes_describe_themselves() -> None:
    async with natant.testing.plane(PLANE) as p:
        facts = {fact["name"]: fact for fact in (await p.host.describe("/zoo/1"))["lanes"]}
        assert facts["fix"] == {"name": "fix", "kind": "command", "volatile": False, "input": "Fix"}
        assert facts["bare"] == {"name": "bare", "kind": "command", "volatile": False}
        assert facts["do/it"]["input"] == "str"
        assert facts["seen"] == {"name": "seen", "kind": "list", "volatile": False, "value": "str"}
        assert facts["parts"]["kind"] == "demandMap"
        assert (facts["parts"]["key"], facts["parts"]["value"]) == ("str", "int")
        assert facts["alarms"]["volatile"]
        assert repr(Zoo.seen) == "<list lane Zoo.seen>"
