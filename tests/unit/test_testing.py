"""``natant.testing`` itself: time, crashes, randomness, clients without sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import natant.testing
from natant import Agent, Config, Plane, command, every, lane
from natant.codec.form import form
from natant.errors import NatantError
from natant.link.downlink import ValueDownlink
from natant.store.memory import MemoryStore
from natant.testing import VirtualClock, VirtualEnv


class Die(Agent, route="/die/{id}"):
    value = lane.value(int)
    maybe = lane.value(str)
    throws = lane.list(int)
    counts = lane.map(int, int)
    ticks = lane.list(float)
    fleeting = lane.value(int, volatile=True)

    @command
    def throw(self) -> int:
        number = self.random.randrange(1, 7)
        self.value = self.fleeting = number
        self.throws.append(number)
        self.counts[number] = self.counts.get(number, 0) + 1
        return number

    @command
    async def in_a_thread(self) -> int:
        return await self.task(sum, [1, 2, 3])

    @command
    def for_ever(self) -> None:
        self.send(self.node, "for_ever")

    @every(seconds=60)
    def tick(self) -> None:
        self.ticks.append(self.now())


PLANE = Plane("dice", [Die])


async def test_time_passes_only_when_told_and_timers_run_at_their_own() -> None:
    async with natant.testing.plane(PLANE, start_s=1000.0) as p:
        await p.command("/die/1", "throw")
        assert p.clock.now == 1000.0
        await p.clock.jump(150)
        assert p.clock.now == 1150.0
        assert await p.get("/die/1", "ticks") == [1060.0, 1120.0]


async def test_a_seed_makes_the_same_run_again() -> None:
    runs = []
    for seed in (1, 1, 2):
        async with natant.testing.plane(PLANE, seed=seed) as p:
            runs.append([(await p.command("/die/1", "throw")).value for _ in range(20)])
    assert runs[0] == runs[1] != runs[2]


async def test_a_crash_loses_memory_and_keeps_what_was_stored() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/die/1", "throw")
        value = await p.get("/die/1", "value")
        for lose in (p.crash, p.restart):
            await lose()
            assert (await p.get("/die/1", "value"), await p.get("/die/1", "fleeting")) == (value, None)
            await p.command("/die/1", "throw")
            value = await p.get("/die/1", "value")


async def test_what_had_no_time_to_be_stored_is_lost_in_a_crash() -> None:
    async with natant.testing.plane(PLANE) as p:
        waiting = asyncio.ensure_future(p.host.command("/die/1", "throw", natant.Absent))
        await asyncio.sleep(0)
        await p.crash()
        assert await p.get("/die/1", "value") is None
        waiting.cancel()


async def test_a_store_goes_from_one_test_plane_to_the_next() -> None:
    store = MemoryStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        value = (await p.command("/die/1", "throw")).value
    async with natant.testing.plane(PLANE, store=store) as p:
        assert await p.get("/die/1", "value") == value


async def test_lanes_are_read_as_what_they_are() -> None:
    async with natant.testing.plane(PLANE) as p:
        value = (await p.command("/die/1", "throw")).value
        shown: list[Any] = [await p.get("/die/1", name) for name in ("value", "maybe", "throws", "counts")]
        assert shown == [value, None, [value], {value: 1}]
        with pytest.raises(NatantError, match="NT-LINK-001"):
            await p.get("/die/1", "nothing")
        with pytest.raises(NatantError, match="NT-PLANE-004"):
            await p.get("/nobody", "value")


async def test_a_client_links_without_a_socket() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect("a test")
        link: ValueDownlink[int] = ValueDownlink("/die/1", "value", form(int))
        assert await p.open(link, peer) is link
        value = (await p.command("/die/1", "throw")).value
        assert (link.get(), link.age(), peer.session.remote) == (value, 0.0, "a test")
        peer.session.end(1001, "bye")
        assert peer.closed == (1001, "bye")
        assert not link.is_linked


async def test_threads_are_waited_for() -> None:
    async with natant.testing.plane(PLANE) as p:
        assert (await p.command("/die/1", "in_a_thread")).value == 6


async def test_endless_talk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natant.testing.clock.SETTLE_LIMIT", 50)
    async with natant.testing.plane(Plane("dice", [Die], config=Config(tick_budget=5))) as p:
        p.host.kernel.command(p.host.kernel.require("/die/1"), p.host.lane("/die/1", "for_ever"), natant.Absent)
        with pytest.raises(AssertionError, match="does not come to rest"):
            await p.clock.settle()
        p.host.kernel.halt()


async def test_a_failing_test_does_not_wait_for_its_plane() -> None:
    async def fail() -> None:
        async with natant.testing.plane(PLANE) as p:
            await p.command("/die/1", "throw")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()


async def test_a_volatile_plane_keeps_nothing() -> None:
    async with natant.testing.plane(PLANE, volatile=True) as p:
        outcome = await p.command("/die/1", "throw")
        assert outcome.sequence == 0
        await p.clock.jump(10_000)
        assert await p.get("/die/1", "value") == outcome.value
        assert list(p.store.scan(b"")) == []


async def test_what_was_taken_back_does_not_run() -> None:
    env = VirtualEnv(0.0)
    clock = VirtualClock(env)
    ran: list[str] = []
    env.call_at(5, ran.append, "late")
    env.call_at(1, ran.append, "early").cancel()
    env.call_at(3, lambda: env.call_at(3, ran.append, "at once"))
    await clock.jump(4)
    assert ran == ["at once"]
    await clock.jump(1)
    assert ran == ["at once", "late"]
    assert env.next_due() is None
