"""Whole clusters under faults by chance: workers killed, paused, cut off and stopped, messages lost, while commands come in everywhere.

What was acknowledged is there, once; what was not is there once or not at all; what agents send each other arrives once, timers ring
once, each item of a source has its effect once; who follows a lane sees it to its end and never what is taken back; who reads afresh
sees all that was acknowledged before.  A seed tells the whole run: ``python -m tests.simulation.test_cluster 1 1000`` runs many.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import pytest

import natant.testing
from natant import Agent, Item, Plane, command, lane
from natant.cluster.crossing import Arrivals
from natant.cluster.worker import Worker
from natant.codec.form import form
from natant.errors import NatantError
from natant.kernel.idwindow import IdWindows
from natant.lane.base import to_value
from natant.link.map_downlink import MapDownlink
from natant.link.value_downlink import ValueDownlink
from natant.store.contract import Operation
from natant.testing import Peer, TestCluster
from natant.testing.fabric import MemoryPartitionStore

NODES = [f"/account/{number}" for number in range(10)]
#: of one run
STEPS = 60
#: who may take part at a time
WORKERS = 4


#: a bug that is planted is found within so many runs
PLANTED_RUNS = 12


class Account(Agent, route="/account/{id}"):
    """Keeps the name of each command it did, and hands some on."""

    done = lane.map(str, int)
    heard = lane.map(str, int)
    count = lane.value(int, 0)
    rang = lane.map(str, int)
    read = lane.map(str, int)

    @command
    def do(self, order: dict[str, str]) -> int:
        name = order["name"]
        self.done[name] = self.done.get(name, 0) + 1
        self.count += 1
        if order["to"]:
            self.send(order["to"], "hear", name)
        self.after(self.random.random() * 5, self.ring, name)
        return len(self.done)

    @command
    def hear(self, name: str) -> None:
        self.heard[name] = self.heard.get(name, 0) + 1

    def ring(self, name: str) -> None:
        self.rang[name] = self.rang.get(name, 0) + 1

    @command
    def take(self, item: str) -> None:
        self.read[item] = self.read.get(item, 0) + 1


APP = Plane("accounts", [Account])
#: items that the source gives
ITEMS = 40


@APP.source("items", speed=1)
async def items(position: int) -> AsyncIterator[Item]:
    """One item each 0.3 s, each for an account; what follows the last never comes."""
    while True:
        if position == ITEMS:
            await asyncio.get_running_loop().create_future()
        position += 1
        yield Item(position, NODES[position % len(NODES)], "take", f"i{position}", at=position * 0.3)


class Watcher:
    """A client of one worker that follows every account, and sees that nothing is shown and taken back."""

    def __init__(self, cluster: TestCluster, worker: Worker) -> None:
        self.worker = worker
        self.peer = Peer(worker, "watcher")
        self.seen: dict[str, list[int]] = {node: [] for node in NODES}
        self.done = {node: MapDownlink(node, "done", (form(str), form(int))) for node in NODES}
        self.count = {
            node: ValueDownlink(
                node, "count", form(int), on={"changed": lambda new, old, node=node: self.seen[node].append(new)}
            )
            for node in NODES
        }
        for link in (*self.done.values(), *self.count.values()):
            self.peer.channel.open(link)

    def audit(self, node: str, done: dict[str, int]) -> None:
        assert self.peer.closed is None
        assert dict(self.done[node].items()) == done, f"the link of {self.worker.fabric.worker} to {node}"
        assert (self.count[node].get() or 0) == len(done)
        assert self.seen[node] == sorted(self.seen[node]), f"{node} went back: {self.seen[node]}"


class Run:
    """One run: what was asked, what was answered, what was done to the workers."""

    def __init__(self, cluster: TestCluster, seed: int) -> None:
        self.cluster = cluster
        self.random = Random(seed)
        self.asked: dict[str, tuple[str, str]] = {}
        self.acknowledged: set[str] = set()
        self.errors: dict[str, str] = {}
        self.paused: list[Worker] = []
        self.isolated: list[Worker] = []
        self.cuts: list[tuple[str, str]] = []
        self.story: list[str] = []
        #: fresh reads that were answered, and those that showed the past
        self.reads = 0
        self.stale: list[str] = []
        self.watchers = [Watcher(cluster, worker) for worker in cluster.workers]

    @property
    def well(self) -> list[Worker]:
        return [each for each in self.cluster.workers if each not in self.paused and each not in self.isolated]

    async def go(self) -> None:
        for step in range(STEPS):
            for _ in range(self.random.randrange(6)):
                self.ask(f"{step}.{len(self.asked)}")
            for _ in range(self.random.randrange(8)):
                self.look()
            await self.fault()
            await self.cluster.clock.jump(self.random.choice((0.0, 0.001, 0.05, 0.3, 1.0)))
        self.mend()
        await self.cluster.clock.jump(60)
        await self.cluster.settle()
        await self.cluster.clock.jump(30)

    def ask(self, name: str) -> None:
        worker = self.random.choice(self.cluster.workers)
        node = self.random.choice(NODES)
        target = self.random.choice(["", *NODES])
        self.asked[name] = (node, target)
        # By its id a command may come twice, through different workers.
        for _ in range(self.random.choice((1, 1, 1, 2))):
            worker.env.spawn(self.command(worker, name, node, target))
            worker = self.random.choice(self.cluster.workers)

    def look(self) -> None:
        """Read a lane afresh: it shows at least what was acknowledged before."""
        worker, node = self.random.choice(self.cluster.workers), self.random.choice(NODES)
        worker.env.spawn(self.read(worker, node))

    async def read(self, worker: Worker, node: str) -> None:
        known = sum(self.asked[name][0] == node for name in self.acknowledged)
        try:
            found: Any = await worker.read(node, "count", fresh=True)
        except NatantError as error:
            self.errors[node] = error.code
        else:
            self.reads += 1
            if found < known:
                self.stale.append(f"{worker.fabric.worker} read {found} of {node}, {known} were acknowledged")

    async def command(self, worker: Worker, name: str, node: str, target: str) -> None:
        try:
            await worker.command(node, "do", to_value({"name": name, "to": target}), command_id=name)
        except NatantError as error:
            self.errors[name] = error.code
        else:
            self.acknowledged.add(name)

    async def fault(self) -> None:
        ground, random, well = self.cluster.ground, self.random, self.well
        kind = random.choice(["", "", "", "kill", "pause", "isolate", "stop", "add", "cut", "lose", "mend", "mend"])
        one = random.choice(self.cluster.workers)
        name = one.fabric.worker
        if kind in ("kill", "pause", "isolate", "stop") and (one not in well or len(well) == 1):
            return
        other = random.choice(self.cluster.workers).fabric.worker
        self.story.append(f"{self.cluster.env.now():.3f} {kind} {name} {other}")
        if kind == "kill":
            self.cluster.kill(one)
        elif kind == "pause":
            self.paused.append(one)
            self.cluster.pause(one)
        elif kind == "isolate":
            self.isolated.append(one)
            ground.isolate(name)
        elif kind == "stop":
            await self.cluster.stop(one)
        elif kind == "add" and len(self.cluster.workers) < WORKERS:
            self.watchers.append(Watcher(self.cluster, await self.cluster.add()))
        elif kind == "cut" and name != other:
            self.cuts.append((name, other))
            ground.cut(name, other)
        elif kind == "lose" and name != other:
            ground.lose(name, other, random.randrange(1, 4))
        elif kind == "mend":
            self.mend()

    def mend(self) -> None:
        for worker in self.paused:
            self.cluster.resume(worker)
        for worker in self.isolated:
            self.cluster.ground.rejoin(worker.fabric.worker)
        for one, other in self.cuts:
            self.cluster.ground.mend(one, other)
        self.paused, self.isolated, self.cuts = [], [], []

    async def audit(self) -> None:
        done: dict[str, tuple[str, int]] = {}
        heard: dict[str, tuple[str, int]] = {}
        for node in NODES:
            found = await self.cluster.get(node, "done", fresh=True)
            for watcher in self.watchers:
                if watcher.worker in self.cluster.workers:
                    watcher.audit(node, found)
            for name, count in found.items():
                assert name not in done, f"{name} was done by {done[name][0]} and {node}"
                done[name] = (node, count)
            for name, count in (await self.cluster.get(node, "heard")).items():
                assert name not in heard, f"{name} was heard by {heard[name][0]} and {node}"
                heard[name] = (node, count)
        assert not self.stale, self.stale
        lost = self.acknowledged - done.keys()
        assert not lost, f"acknowledged and not there: {sorted(lost)}"
        assert all(count == 1 for _, count in done.values()), f"done twice: {done}"
        assert all(node == self.asked[name][0] for name, (node, _) in done.items())
        await self.audit_rest(done)
        sent = {name: (self.asked[name][1], 1) for name in done if self.asked[name][1]}
        assert heard == sent, f"differ: {sorted(set(heard.items()) ^ set(sent.items()))}"
        for worker in self.cluster.workers:
            assert worker.counters.faults == 0, worker.log

    async def audit_rest(self, done: dict[str, tuple[str, int]]) -> None:
        """What timers and the source have done."""
        rang: dict[str, tuple[str, int]] = {}
        read: dict[str, int] = {}
        for node in NODES:
            rang |= {name: (node, count) for name, count in (await self.cluster.get(node, "rang")).items()}
            read |= await self.cluster.get(node, "read")
        assert rang == done, f"timers differ: {sorted(set(rang.items()) ^ set(done.items()))}"
        given = {f"i{number}": 1 for number in range(1, ITEMS + 1)}
        assert read == given, f"the source differs: {sorted(set(read.items()) ^ set(given.items()))}"


async def run(seed: int) -> Run:
    """One run, from its seed."""
    async with natant.testing.cluster(APP, workers=2, seed=seed, partitions=6, latency_s=(seed % 3) * 0.001) as cluster:
        found = Run(cluster, seed)
        try:
            await found.go()
            await found.audit()
        except BaseException:
            print(*found.story, sep="\n")
            raise
        return found


@pytest.mark.parametrize("seed", range(12))
async def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(seed: int) -> None:
    found = await run(seed)

    assert len(found.acknowledged) > len(found.asked) / 3
    assert found.reads > STEPS / 3


def no_fence(patch: pytest.MonkeyPatch) -> None:
    """Everybody who ever had a partition may commit to it."""

    def append(self: MemoryPartitionStore, batch: list[Operation] | None) -> None:
        if batch is not None:
            self._journal.state.apply(batch)

    patch.setattr(MemoryPartitionStore, "_append", append)


def no_gaps(patch: pytest.MonkeyPatch) -> None:
    """Lost messages and dead workers are not told of."""
    patch.setattr(Worker, "_gap", lambda self, worker: None)


def no_ids(patch: pytest.MonkeyPatch) -> None:
    """Ids of commands are forgotten with the host."""
    patch.setattr(IdWindows, "_write", lambda *arguments: None)


def no_positions(patch: pytest.MonkeyPatch) -> None:
    """What came from other partitions is not noted with its effect."""
    patch.setattr(Arrivals, "_journal", lambda self, batch: None)


def early_answers(patch: pytest.MonkeyPatch) -> None:
    """Commits are told before they are made."""

    def commit(
        self: MemoryPartitionStore, batch: list[Operation], done: Callable[[BaseException | None], None]
    ) -> None:
        self._fabric.env.call_soon(done, None)
        self._seen.apply(batch)
        self._is_busy = False
        self._fabric._reach(self._append, list(batch), lambda error: None)

    patch.setattr(MemoryPartitionStore, "commit", commit)


def no_barrier(patch: pytest.MonkeyPatch) -> None:
    """A fresh read does not ask the journal."""
    patch.setattr(MemoryPartitionStore, "barrier", lambda self, done: self._fabric.env.call_soon(done, None))


@pytest.mark.parametrize("plant", [no_barrier, no_fence, no_gaps, no_ids, no_positions, early_answers])
async def test_the_audit_finds_what_is_planted(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)

    for seed in range(PLANTED_RUNS):
        try:
            async with asyncio.timeout(60):
                await run(seed)
        except (AssertionError, NatantError, TimeoutError):
            return
    raise AssertionError(f"{PLANTED_RUNS} runs did not find it")


def main(first: int, last: int) -> None:
    """Run seeds until one fails."""
    for seed in range(first, last):
        found = asyncio.run(run(seed))
        print(seed, len(found.asked), "asked", len(found.acknowledged), "acknowledged", set(found.errors.values()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
