"""Timers fire when they should, once, also after restarts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import natant.testing
from natant import Agent, Plane, after, command, cron, every, lane
from natant.errors import PlaneError, TurnError

DAY = 86400.0


@dataclass(frozen=True)
class Reminder:
    text: str
    level: int


class Clock(Agent, route="/clock/{id}"):
    ticks = lane.list(float)
    once = lane.list(float)
    nightly = lane.list(float)
    notes = lane.list(str)
    touched = lane.value(int, 0)

    @command
    def touch(self) -> None:
        self.touched += 1

    @every(seconds=30)
    def tick(self) -> None:
        self.ticks.append(self.now())

    @after(seconds=10)
    def first(self) -> None:
        self.once.append(self.now())

    @cron("0 3 * * *")
    def night(self) -> None:
        self.nightly.append(self.now())

    @command
    def remind(self, reminder: Reminder) -> None:
        self.after(60, self.say, reminder, name=reminder.text)

    @command
    def forget(self, text: str) -> None:
        self.cancel(text)

    @command
    def remind_then_fail(self) -> None:
        self.after(60, self.say, Reminder("never", 0), name="never")
        raise RuntimeError("no")

    def say(self, reminder: Reminder) -> None:
        assert isinstance(reminder, Reminder)
        self.notes.append(f"{reminder.text} {reminder.level}")

    @command
    def other_function(self) -> None:
        self.after(1, print)


PLANE = Plane("clocks", [Clock])


async def test_periodic_timers_keep_their_rhythm() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/a", "touch")
        await p.clock.jump(100)
        assert await p.get("/clock/a", "ticks") == [30.0, 60.0, 90.0]
        assert await p.get("/clock/a", "once") == [10.0]


async def test_missed_ticks_are_one() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/a", "touch")
        p.env.time_s = 200.0  # the process sleeps over six ticks
        await p.clock.jump(0)
        assert await p.get("/clock/a", "ticks") == [200.0]
        await p.clock.jump(15)
        assert await p.get("/clock/a", "ticks") == [200.0, 210.0]


async def test_timers_survive_a_crash_and_wake_agents() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/a", "touch")
        await p.command("/clock/a", "remind", Reminder("tea", 2))
        await p.clock.jump(45)
        await p.crash()
        assert p.host.health()["agents"] == 0
        await p.clock.jump(45)
        assert await p.get("/clock/a", "ticks") == [30.0, 60.0, 90.0]
        assert await p.get("/clock/a", "notes") == ["tea 2"]
        assert await p.get("/clock/a", "once") == [10.0]
        await p.crash()
        await p.clock.jump(15)
        assert await p.get("/clock/a", "once") == [10.0]


async def test_cron_runs_at_its_hours() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/a", "touch")
        await p.clock.jump(2 * DAY)
        assert await p.get("/clock/a", "nightly") == [3 * 3600.0, DAY + 3 * 3600.0]


async def test_a_timer_can_be_cancelled_and_replaced() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        await p.command("/clock/a", "remind", Reminder("tea", 1))
        await p.clock.jump(30)
        await p.command("/clock/a", "remind", Reminder("tea", 2))
        await p.command("/clock/a", "remind", Reminder("milk", 1))
        await p.command("/clock/a", "forget", "milk")
        await p.clock.jump(45)
        assert await p.get("/clock/a", "notes") == []
        await p.crash()
        await p.clock.jump(60)
        assert await p.get("/clock/a", "notes") == ["tea 2"]


async def test_a_timer_of_a_turn_that_failed_was_never_set() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        with pytest.raises(TurnError):
            await p.command("/clock/a", "remind_then_fail")
        await p.clock.jump(100)
        assert await p.get("/clock/a", "notes") == []


async def test_a_timer_calls_methods_of_the_agent_only() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-TURN-014"):
            await p.command("/clock/a", "other_function")


async def test_an_agent_that_was_only_looked_at_leaves_no_timer() -> None:
    async with natant.testing.plane(PLANE, start_s=0.0) as p:
        assert await p.get("/clock/x", "touched") == 0
        assert [stored for stored, _ in p.store.scan(b"t")] == []


def test_declarations_that_make_no_sense_are_refused() -> None:
    with pytest.raises(PlaneError, match="NT-PLANE-005"):
        every(seconds=0)
    with pytest.raises(PlaneError, match="NT-PLANE-006"):
        cron("every day")
    with pytest.raises(PlaneError, match="NT-PLANE-006"):
        cron("0 3 * * *", tz="Nowhere/Land")
