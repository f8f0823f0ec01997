"""Faults of the simulated ground: what workers see of them, and what the fence does."""

from __future__ import annotations

from natant.fabric.contract import DEPOSED
from natant.store.contract import PUT
from natant.testing.clock import VirtualClock, VirtualEnv
from natant.testing.fabric import MemoryFabric, SimulatedGround
from natant.testing.fabric_kit import Heard, commit

PUT_K = [(PUT, b"k", b"v")]


class Scene:
    """A ground with two workers, and what they heard."""

    def __init__(self, latency_s: float = 0.0) -> None:
        self.env = VirtualEnv()
        self.clock = VirtualClock(self.env)
        self.ground = SimulatedGround(self.env, partitions=4, latency_s=latency_s)
        self.one, self.two = self.ground.worker(), self.ground.worker()
        self.heard = {fabric.worker: Heard(fabric) for fabric in (self.one, self.two)}

    async def open(self) -> tuple[MemoryFabric, MemoryFabric]:
        for fabric in (self.one, self.two):
            self.env.spawn(fabric.open({}))
        await self.clock.jump(0.1)
        assert self.one.members.keys() == self.two.members.keys() == {"w1", "w2"}
        return self.one, self.two


async def test_a_paused_worker_is_deposed_and_comes_back_as_a_member() -> None:
    scene = Scene()
    one, two = await scene.open()
    assert await one.claim(0)
    old = await one.open_store(0)
    await commit(old, PUT_K)

    scene.ground.pause("w1")
    await scene.clock.jump(3)
    assert {*two.members} == {"w2"}
    assert await two.claim(0)
    new = await two.open_store(0)
    assert new.get(b"k") == b"v"
    two.send("w1", b"while it was away")
    await scene.clock.jump(20)
    scene.ground.resume("w1")
    errors: list[BaseException | None] = []
    old.commit(PUT_K, errors.append)
    await scene.clock.jump(1)

    assert [getattr(error, "code", None) for error in errors] == [DEPOSED]
    assert one.members.keys() == two.members.keys() == {"w1", "w2"}
    assert one.owners[0] == two.owners[0]
    assert one.owners[0] is not None
    assert one.owners[0].worker == "w2"
    one.send("w2", b"back again")
    await scene.clock.jump(1)
    assert scene.heard["w2"].messages == [("w1", b"back again")]


async def test_what_nobody_claimed_meanwhile_is_still_ones_own() -> None:
    scene = Scene()
    one, two = await scene.open()
    for partition in one.wanted():
        assert await one.claim(partition)
    kept = one.wanted()
    assert len(kept) == 2
    scene.ground.pause("w1")
    await scene.clock.jump(3)
    assert two.owners == [None] * 4
    scene.ground.resume("w1")
    await scene.clock.jump(1)

    assert one.wanted() == kept
    assert [owner.worker for owner in two.owners if owner] == ["w1", "w1"]


async def test_a_short_pause_is_not_noticed_and_nothing_is_lost() -> None:
    scene = Scene()
    _, two = await scene.open()
    scene.ground.pause("w1")
    two.send("w1", b"early")
    await scene.clock.jump(1)
    assert scene.heard["w1"].messages == []

    scene.ground.resume("w1")
    await scene.clock.jump(5)

    assert scene.heard["w1"].messages == [("w2", b"early")]
    assert not scene.heard["w1"].gaps
    assert {*two.members} == {"w1", "w2"}


async def test_an_isolated_worker_waits_and_finds_itself_deposed() -> None:
    scene = Scene()
    one, two = await scene.open()
    old = await one.open_store(1)
    scene.ground.isolate("w1")
    errors: list[BaseException | None] = []
    old.commit(PUT_K, errors.append)
    await scene.clock.jump(1)
    assert errors == []
    assert {*two.members} == {"w2"}
    assert {*one.members} == {"w1", "w2"}
    await two.open_store(1)

    scene.ground.rejoin("w1")
    await scene.clock.jump(1)

    assert [getattr(error, "code", None) for error in errors] == [DEPOSED]
    assert scene.ground.content(1) == {}
    assert {*two.members} == {"w1", "w2"}


async def test_lost_frames_and_cut_wires_become_gaps_on_both_sides() -> None:
    scene = Scene()
    one, _ = await scene.open()
    scene.ground.lose("w1", "w2")
    one.send("w2", b"lost")
    one.send("w2", b"late")
    await scene.clock.jump(1)
    assert scene.heard["w1"].gaps == ["w2"]
    assert scene.heard["w2"].gaps == ["w1"]
    assert scene.heard["w2"].messages == []

    scene.ground.cut("w1", "w2")
    one.send("w2", b"lost, too")
    await scene.clock.jump(5)
    scene.ground.mend("w1", "w2")
    await scene.clock.jump(1)
    assert scene.heard["w1"].gaps == ["w2", "w2"]
    one.send("w2", b"whole")
    await scene.clock.jump(1)
    assert scene.heard["w2"].messages == [("w1", b"whole")]


async def test_what_was_under_way_when_a_worker_died_is_whole_or_not_there() -> None:
    outcomes = set()
    for seed in range(20):
        env = VirtualEnv()
        clock = VirtualClock(env)
        ground = SimulatedGround(env, partitions=1, latency_s=0.01, seed=seed)
        fabric = ground.worker()
        env.spawn(fabric.open({}))
        await clock.jump(0.1)
        job = env.spawn(fabric.open_store(0))
        await clock.jump(0.1)
        told: list[BaseException | None] = []
        job.result().commit([(PUT, b"a", b"1"), (PUT, b"b", b"2")], told.append)
        ground.kill(fabric.worker)
        await clock.jump(1)
        assert told == []
        outcomes.add(tuple(ground.content(0)))

    assert outcomes == {(), (b"a", b"b")}


async def test_what_takes_time_takes_it() -> None:
    scene = Scene(latency_s=0.002)
    one, two = await scene.open()
    one.send("w2", b"x")
    await scene.clock.jump(0.001)
    assert scene.heard["w2"].messages == []
    await scene.clock.jump(0.002)
    assert scene.heard["w2"].messages == [("w1", b"x")]
    job = scene.env.spawn(two.open_store(3))
    await scene.clock.jump(0.01)
    told: list[BaseException | None] = []
    job.result().commit(PUT_K, told.append)
    await scene.clock.jump(0.003)
    assert told == []
    await scene.clock.jump(0.002)
    assert told == [None]


async def test_callbacks_of_a_worker_end_with_it() -> None:
    scene = Scene()
    one, _ = await scene.open()
    ran: list[str] = []
    one.env.call_at(one.env.now() + 1, ran.append, "before")
    one.env.call_at(one.env.now() + 3, ran.append, "while paused")
    one.env.call_at(one.env.now() + 9, ran.append, "after")
    await scene.clock.jump(2)
    scene.ground.pause("w1")
    await scene.clock.jump(2)
    assert ran == ["before"]
    scene.ground.resume("w1")
    await scene.clock.jump(1)
    assert ran == ["before", "while paused"]

    scene.ground.kill("w1")
    await scene.clock.jump(10)

    assert ran == ["before", "while paused"]
