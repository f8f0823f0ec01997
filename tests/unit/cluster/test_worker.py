"""A plane on several workers: every node answers from every worker, whoever has it, and whatever happens to its owner."""

from __future__ import annotations

import natant.testing
from natant import Agent, Plane, command, lane
from natant.codec.form import form
from natant.link.value_downlink import ValueDownlink


class Counter(Agent, route="/counter/{id}"):
    count = lane.value(int, 0)
    seen = lane.map(str, int)

    @command
    def add(self, amount: int) -> int:
        self.count += amount
        return self.count

    @command
    def tell(self, to: str) -> None:
        self.count += 1
        self.send(to, "hear", self.node)

    @command
    def hear(self, who: str) -> None:
        self.seen[who] = self.seen.get(who, 0) + 1


class Watcher(Agent, route="/watcher/{id}"):
    about = lane.value(str, "")
    last = lane.value(int, 0)

    def on_start(self) -> None:
        if self.about:
            self.downlink_value(self.about, "count", int, changed=self.see)

    @command
    def watch(self, node: str) -> None:
        self.about = node
        self.downlink_value(node, "count", int, changed=self.see)

    def see(self, new: int, _old: int | None) -> None:
        self.last = new


APP = Plane("cluster", [Counter])
WATCHING = Plane("cluster", [Counter, Watcher])
NODES = [f"/counter/{number}" for number in range(12)]


async def test_every_node_answers_from_every_worker() -> None:
    async with natant.testing.cluster(APP, workers=3) as c:
        for through in range(3):
            for node in NODES:
                await c.command(node, "add", 1, through=through)
        for through in range(3):
            for node in NODES:
                assert await c.get(node, "count", through=through) == 3
        assert {len(worker.hosts) for worker in c.workers} == {2, 3}


async def test_partitions_move_to_a_worker_that_joins_and_back() -> None:
    async with natant.testing.cluster(APP, workers=1) as c:
        for node in NODES:
            await c.command(node, "add", 1)
        await c.add()
        await c.settle()
        assert [len(worker.hosts) for worker in c.workers] == [4, 4]
        for node in NODES:
            assert await c.get(node, "count") == 1
            await c.command(node, "add", 1, through=1)
        await c.stop(c.workers[0])
        await c.settle()
        for node in NODES:
            assert await c.get(node, "count") == 2


async def test_what_was_acknowledged_survives_a_kill() -> None:
    async with natant.testing.cluster(APP, workers=2) as c:
        for node in NODES:
            await c.command(node, "add", 7, through=1)
        c.kill(c.workers[0])
        for node in NODES:
            assert (await c.command(node, "add", 1)).value == 8


async def test_commands_between_partitions_are_done_once() -> None:
    async with natant.testing.cluster(APP, workers=2, latency_s=0.001) as c:
        for node in NODES:
            await c.command(node, "tell", "/counter/hub")
        await c.clock.jump(1)
        assert await c.get("/counter/hub", "seen") == dict.fromkeys(NODES, 1)


async def test_a_link_follows_its_lane_from_owner_to_owner() -> None:
    async with natant.testing.cluster(APP, workers=2, latency_s=0.001) as c:
        peer = c.connect(1)
        states: list[int] = []
        nodes = NODES[:6]
        links = [
            ValueDownlink(node, "count", form(int), on={"changed": lambda new, old: states.append(new)})
            for node in nodes
        ]
        for link in links:
            peer.channel.open(link)
        await c.clock.jump(0.1)
        for node in nodes:
            await c.command(node, "add", 5)
        await c.clock.jump(0.1)
        assert [link.get() for link in links] == [5] * 6
        c.kill(c.workers[0])
        await c.settle()
        for node in nodes:
            await c.command(node, "add", 1)
        await c.clock.jump(0.1)
        assert [link.get() for link in links] == [6] * 6
        tags = [payload.partition(b"(")[0] for payload in peer.received]
        assert tags.count(b"@linked") == tags.count(b"@synced") == 6


async def test_a_worker_counts_what_comes_and_goes() -> None:
    async with natant.testing.cluster(APP, workers=1) as c:
        await c.add()
        await c.settle()
        first = c.workers[0]
        assert first.counts() == {
            "cluster_taken": 8,
            "cluster_given": 4,
            "cluster_lost": 0,
            "fabric_verdicts": 0,
            "fabric_gaps": 0,
        }
        assert first.health()["partitions"] == 4
        assert first.health()["members"] == 2


async def test_who_was_replaced_by_a_worker_that_died_since_takes_its_partitions_up_anew() -> None:
    async with natant.testing.cluster(APP, workers=2, latency_s=0.001) as c:
        one, two = c.workers
        for node in NODES:
            await c.command(node, "add", 1)
        c.pause(one)
        await c.clock.jump(5)
        assert len(two.hosts) == 8
        for node in NODES:
            await c.command(node, "add", 1, through=1)
        c.kill(two)
        await c.clock.jump(5)
        c.resume(one)
        await c.clock.jump(5)
        assert [await c.get(node, "count") for node in NODES] == [2] * len(NODES)
        assert all(owner and owner.worker == one.fabric.worker for owner in one.fabric.owners)


async def test_a_fresh_read_is_never_answered_by_an_owner_that_was_deposed() -> None:
    async with natant.testing.cluster(APP, workers=2, latency_s=0.001) as c:
        one = c.workers[0]
        node = next(node for node in NODES if c.owner(node) is one)
        await c.command(node, "add", 1, through=1)
        c.pause(one)
        await c.command(node, "add", 1, through=1)
        assert c.owner(node) is not None
        c.resume(one)
        # It does not know yet: in its memory the node has the old state.
        old = one.hosts.get(one.gate.partition(node))
        assert old is not None
        assert await c.get(node, "count", through=0, fresh=True) == 2
        assert one.hosts.get(one.gate.partition(node)) is not old


async def test_commands_of_a_link_are_not_lost_when_their_partition_is_handed_over() -> None:
    async with natant.testing.cluster(APP, workers=2, latency_s=0.002) as c:
        peer = c.connect(1)
        nodes = [node for node in NODES if c.owner(node) is c.workers[0]]
        assert nodes
        for _ in range(50):
            for node in nodes:
                peer.channel.command(node, "add", 1)
        leaving = c.workers[0]
        job = c.env.spawn(leaving.stop())
        c.workers.remove(leaving)
        for _ in range(50):
            for node in nodes:
                peer.channel.command(node, "add", 1)
            await c.clock.jump(0.001)
        while not job.done():
            await c.clock.jump(0.05)
        await c.settle()
        await c.clock.jump(1)
        for node in nodes:
            assert await c.get(node, "count") == 100
        assert not peer.is_held


async def test_an_agent_watches_another_one_wherever_it_goes() -> None:
    async with natant.testing.cluster(WATCHING, workers=2, latency_s=0.001) as c:
        for number in range(4):
            await c.command(f"/watcher/{number}", "watch", f"/counter/{number}")
        for number in range(4):
            await c.command(f"/counter/{number}", "add", 3)
        await c.clock.jump(1)
        assert [await c.get(f"/watcher/{number}", "last") for number in range(4)] == [3] * 4
        c.kill(c.workers[0])
        await c.settle()
        for number in range(4):
            await c.command(f"/counter/{number}", "add", 1)
        await c.clock.jump(3)
        assert [await c.get(f"/watcher/{number}", "last") for number in range(4)] == [4] * 4


async def test_a_link_to_another_worker_tells_its_age() -> None:
    async with natant.testing.cluster(WATCHING, workers=2, latency_s=0.001) as c:
        one, two = c.workers
        watcher = next(f"/watcher/{n}" for n in range(20) if c.owner(f"/watcher/{n}") is one)
        node = next(f"/counter/{n}" for n in range(20) if c.owner(f"/counter/{n}") is two)
        await c.command(watcher, "watch", node)
        await c.clock.jump(5)
        host = one.hosts[one.gate.partition(watcher)]
        channel = host.downlinks.near.channel(node)
        assert c.env.now() - channel.heard_s <= 1.1
        c.pause(two)
        await c.clock.jump(2.2)
        assert c.env.now() - channel.heard_s > 1.5
        c.resume(two)
        await c.clock.jump(1.2)
        assert c.env.now() - channel.heard_s <= 1.1
        local = next(f"/counter/{n}" for n in range(20) if c.owner(f"/counter/{n}") is one)
        await c.command(watcher, "watch", local)
        await c.clock.jump(0.5)
        assert host.downlinks.near.channel(local).heard_s == c.env.now()
