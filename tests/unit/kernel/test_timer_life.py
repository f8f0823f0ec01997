"""Timers through cancellations, changed programs, clocks that jump, and stores that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

import natant.testing
from natant import Agent, Plane, after, command, cron, every, lane
from natant.errors import PlaneError, StoreError, TurnError
from natant.kernel.schema import Periodic
from natant.loop import LoopEnv
from natant.schedule import MARK
from natant.store.contract import Operation
from natant.store.memory import MemoryStore
from natant.testing import TestPlane

GATES: list[asyncio.Event] = []


class Clock(Agent, route="/clock/{id}"):
    fired = lane.list(str)
    touched = lane.value(int, 0)

    @command
    def touch(self) -> None:
        self.touched += 1

    @command
    async def wait_then_cancel(self, name: str) -> None:
        await GATES[0].wait()
        self.cancel(name)

    @command
    async def wait_then_move(self, name: str) -> None:
        await GATES[0].wait()
        self.after(100, self.say, "moved", name=name)

    @command
    def remind(self, text: str) -> None:
        self.after(10, self.say, text, name=text)

    @command
    def remind_unnamed(self) -> None:
        self.after(10, self.say, "unnamed")

    @command
    def set_and_cancel(self) -> None:
        self.after(10, self.say, "never", name="x")
        self.cancel("x")
        self.cancel("y")
        self.after(10, self.say, "ever", name="y")

    @command
    def without_value(self) -> None:
        self.after(10, self.see, None, 1)

    @command
    def wrong_name(self, name: str) -> None:
        self.touched += 1
        self.after(10, self.say, "x", name=name)

    @command
    def set_many(self, count: int) -> None:
        for _ in range(count):
            self.after(10, self.say, "x")

    @command
    def stop_ticking(self) -> None:
        self.cancel("tick")

    def say(self, text: str) -> None:
        self.fired.append(f"{text} {self.now():g}")

    def see(self, nothing: object, number: int) -> None:
        self.fired.append(f"{nothing!r} {number}")

    @every(seconds=30)
    @command
    def tick(self) -> None:
        self.fired.append(f"tick {self.now():g}")


PLANE = Plane("clocks", [Clock])


def give(p: TestPlane, name: str, body: object = natant.Absent) -> None:
    p.host.kernel.command(p.host.kernel.require("/clock/1"), p.host.lane("/clock/1", name), body)


async def fired(p: TestPlane) -> list[str]:
    return [text for text in await p.get("/clock/1", "fired") if not text.startswith("tick")]


@pytest.mark.parametrize(("name", "seen"), [("wait_then_cancel", []), ("wait_then_move", ["moved 115"])])
async def test_a_timer_that_waits_for_its_busy_agent_may_still_be_taken_back(name: str, seen: list[str]) -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/1", "remind", "tea")
        give(p, name, "tea")
        await p.clock.jump(15)
        GATES[0].set()
        await p.clock.jump(105)
        assert await fired(p) == seen
        await p.crash()
        await p.clock.jump(1000)
        assert await fired(p) == seen


async def test_setting_and_cancelling_in_one_turn_happen_in_order() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/1", "set_and_cancel")
        await p.crash()
        await p.clock.jump(20)
        assert await fired(p) == ["ever 10"]


async def test_arguments_without_a_value_come_back_as_such() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/1", "without_value")
        await p.crash()
        await p.clock.jump(20)
        assert await fired(p) == ["Extant 1"]


@pytest.mark.parametrize("name", ["tick", "a\0b"])
async def test_a_name_that_a_timer_cannot_have_is_refused(name: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-TURN-017"):
            await p.command("/clock/1", "wrong_name", name)
        assert await p.get("/clock/1", "touched") == 0


@pytest.mark.parametrize("name", ["!x", "ä ö", "at1-1"])
async def test_any_other_name_survives_a_crash(name: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/clock/1", "wrong_name", name)
        await p.crash()
        await p.clock.jump(20)
        assert len(await fired(p)) == 1


async def test_timers_without_names_do_not_replace_those_of_an_earlier_life() -> None:
    async with natant.testing.plane(PLANE) as p:
        for _ in range(3):
            await p.command("/clock/1", "remind_unnamed")
            await p.crash()
        await p.clock.jump(20)
        assert len(await fired(p)) == 3


async def test_an_agent_has_a_bounded_number_of_timers_also_within_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natant.kernel.timer.AGENT_LIMIT", 5)
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-TURN-013"):
            await p.command("/clock/1", "set_many", 6)
        assert len(p.host.kernel.timer.of("/clock/1")) == 1


async def test_timers_that_are_replaced_again_and_again_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natant.kernel.timer.SLACK", 10)
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        for _ in range(100):
            await p.command("/clock/1", "remind", "tea")
            await p.clock.jump(0.01)
        assert len(p.host.kernel.timer._heap) < 20
        await p.clock.jump(20)
        assert await fired(p) == ["tea 10.99"]


async def test_a_periodic_timer_that_was_cancelled_stays_so() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/1", "touch")
        await p.command("/clock/1", "stop_ticking")
        await p.clock.jump(100)
        await p.crash()
        await p.command("/clock/1", "touch")
        await p.clock.jump(100)
        assert await p.get("/clock/1", "fired") == []


async def test_a_command_may_run_by_the_clock_too() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/1", "tick")
        await p.clock.jump(35)
        assert await p.get("/clock/1", "fired") == ["tick 0", "tick 30"]


# --- the store


class FullStore(MemoryStore):
    is_full = False

    def apply(self, batch: Sequence[Operation]) -> None:
        if self.is_full:
            raise StoreError("NT-STORE-005", "disk full")
        super().apply(batch)


async def test_timers_wait_while_the_store_is_full() -> None:
    store = FullStore()
    async with natant.testing.plane(PLANE, store=store, start_s=0.0) as p:
        await p.command("/clock/1", "touch")
        store.is_full = True
        give(p, "touch")
        await p.clock.jump(100)
        before = p.host.counters.timers_fired
        await p.clock.jump(1000)
        assert p.host.counters.timers_fired == before
        store.is_full = False
        await p.clock.jump(40)
        assert p.host.counters.timers_fired > before
        assert await p.get("/clock/1", "touched") == 2


# --- a program that changed


def clocks(**timers: object) -> Plane:
    class Changing(Agent, route="/clock/{id}"):
        fired = lane.list(str)

        @command
        def touch(self) -> None:
            self.fired.append("touch")

        def beat(self) -> None:
            self.fired.append(f"beat {self.now():g}")

    body = {name: value for name, value in timers.items() if value is not None}
    kind = type("Changing", (Changing,), body)
    return Plane("clocks", [kind])


def beat(decorate: object) -> object:
    def beat(self: Agent) -> None:
        self.fired.append(f"beat {self.now():g}")  # type: ignore[attr-defined]

    return decorate(beat)  # type: ignore[operator]


async def change(p: TestPlane, app: Plane) -> None:
    p.app = app
    await p.crash()


async def test_a_timer_that_the_program_gave_up_does_not_run_and_leaves_no_record() -> None:
    async with natant.testing.plane(clocks(beat=beat(every(seconds=10))), start_s=0.0) as p:
        await p.command("/clock/1", "touch")
        await change(p, clocks())
        await p.clock.jump(100)
        assert await p.get("/clock/1", "fired") == ["touch"]
        assert list(p.store.scan(b"t")) == []


async def test_a_timer_that_the_program_got_is_kept_though_the_agent_sleeps() -> None:
    async with natant.testing.plane(clocks(), start_s=0.0) as p:
        await p.command("/clock/1", "touch")
        await change(p, clocks(beat=beat(every(seconds=50))))
        await p.get("/clock/1", "fired")
        await p.clock.jump(20)
        await change(p, p.app)
        await p.clock.jump(35)
        assert await p.get("/clock/1", "fired") == ["touch", "beat 50"]


async def test_a_period_that_the_program_made_shorter_counts_at_once() -> None:
    async with natant.testing.plane(clocks(beat=beat(every(days=1))), start_s=0.0) as p:
        await p.command("/clock/1", "touch")
        await change(p, clocks(beat=beat(every(seconds=10))))
        await p.command("/clock/1", "touch")
        await p.clock.jump(12)
        assert await p.get("/clock/1", "fired") == ["touch", "touch", "beat 10"]


async def test_once_means_once_also_where_the_first_write_came_late() -> None:
    app = clocks(beat=beat(after(seconds=10)))
    async with natant.testing.plane(app, start_s=0.0) as p:
        await p.get("/clock/1", "fired")  # brings the agent to life, and leaves no trace of it
        await p.clock.jump(20)
        await p.crash()
        await p.command("/clock/1", "touch")
        await p.clock.jump(20)
        assert await p.get("/clock/1", "fired") == ["beat 10", "touch"]


# --- clocks


async def test_time_follows_a_wall_clock_that_jumps_ahead_and_none_that_goes_back() -> None:
    wall = [1000.0]
    env = LoopEnv(wall=lambda: wall[0])
    try:
        jumps: list[float] = []
        env.jump_hooks.append(lambda: jumps.append(env.now()))
        wall[0] = 5000.0
        env.look_at_clock()
        assert env.now() >= 5000.0
        assert len(jumps) == 1
        wall[0] = 10.0
        env.look_at_clock()
        assert env.now() >= 5000.0
        assert len(jumps) == 1
    finally:
        env.close()


async def test_timers_are_looked_at_anew_when_time_jumped() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/1", "remind", "tea")
        p.env.time_s = 500.0
        p.env.jump_hooks[0]()
        await p.clock.jump(0)
        assert await fired(p) == ["tea 500"]


def times(expression: str, zone: str, start: datetime, count: int) -> list[datetime]:
    mark: Periodic = getattr(cron(expression, tz=zone)(lambda self: None), MARK)
    due_s = start.timestamp()
    found = []
    for _ in range(count):
        following = mark.next_after(due_s, due_s)
        assert following is not None
        assert following > due_s
        due_s = following
        found.append(datetime.fromtimestamp(due_s, ZoneInfo(zone)))
    return found


def test_cron_goes_through_the_change_of_the_clocks_once_a_day() -> None:
    zone = "Europe/Berlin"
    spring = times("30 2 * * *", zone, datetime(2024, 3, 30, 12, tzinfo=UTC), 3)
    assert [(t.day, t.hour) for t in spring] == [(31, 3), (1, 2), (2, 2)]
    autumn = times("30 2 * * *", zone, datetime(2024, 10, 26, 12, tzinfo=UTC), 3)
    assert [(t.day, t.hour) for t in autumn] == [(27, 2), (28, 2), (29, 2)]
    hourly = times("0 * * * *", zone, datetime(2024, 10, 26, 22, 30, tzinfo=UTC), 5)
    assert {b.timestamp() - a.timestamp() for a, b in pairwise(hourly)} == {3600.0}


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(PlaneError, match="NT-PLANE-006"):
        cron("0 0 30 2 *")
