"""A hub on two workers: what an edge sends reaches agents of all partitions once, while the partition that reads it moves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from natant import Agent, Plane, command, lane
from natant.cluster.worker import Worker
from natant.edge.edge import EdgeSide
from natant.edge.hub import HubSide
from natant.fabric.nats.engine import Engine
from natant.fabric.nats.fabric import NatsFabric
from natant.fabric.nats.leaf import Edges, leaf_url
from natant.host import Host
from natant.lane.base import to_value
from natant.loop import LoopEnv
from natant.store.rocks import RocksStore
from tests.support.nats import engine

PARTITIONS = 8
DEPOTS = 12


class Depot(Agent, route="/depot/{id}"):
    got = lane.list(int)

    @command
    def take(self, number: int) -> None:
        self.got.append(number)


class Sensor(Agent, route="/sensor/{id}"):
    @command
    def emit(self, number: int) -> None:
        self.send(f"/depot/{number % DEPOTS}", "take", number, host="hub:")


def plane() -> Plane:
    return Plane("edge", agents=[Depot, Sensor])


@contextlib.asynccontextmanager
async def working(one: Engine) -> AsyncIterator[tuple[Worker, HubSide]]:
    """A worker of the hub; it hands over when it is left."""
    env = LoopEnv()
    worker = Worker(plane(), fabric=NatsFabric(one), env=env)
    side = HubSide(one, worker)
    worker.attach(side.attach)
    await worker.start()
    await side.open()
    try:
        yield worker, side
    finally:
        await side.close()
        await worker.stop()
        env.close()


async def total(worker: Worker) -> list[list[int]]:
    found: list[list[int]] = []
    for number in range(DEPOTS):
        value: Any = await worker.read(f"/depot/{number}", "got")
        found.append([int(each) for each in value.items])
    return found


async def test_what_edges_send_reaches_all_partitions_once_while_they_move(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    password = Edges(tmp_path / "hub").add("e1")
    sent = 0
    async with contextlib.AsyncExitStack() as stack:
        hub = await stack.enter_async_context(
            engine("edge", folder=tmp_path / "hub", leafs=True, partitions=PARTITIONS)
        )
        assert hub.server is not None
        second = await Engine.start(hub.remote)
        stack.push_async_callback(second.close)
        worker, _ = await stack.enter_async_context(working(second))

        url = leaf_url("e1", password, f"127.0.0.1:{hub.server.ports.leafs}")
        leaf = await stack.enter_async_context(engine("edge", folder=tmp_path / "edge", leaf=url))
        side = EdgeSide(leaf, "e1")
        env = LoopEnv()
        edge = Host(plane(), store=RocksStore(tmp_path / "data"), env=env, attachments=[side.attach])
        await edge.start()
        await side.open()

        async def emit(count: int) -> None:
            nonlocal sent
            await asyncio.gather(*(edge.command("/sensor/1", "emit", to_value(sent + each)) for each in range(count)))
            sent += count

        for _ in range(2):
            async with working(hub) as (first, _):
                for _ in range(5):
                    await emit(60)
                    await asyncio.sleep(0.1)
                async with asyncio.timeout(20):
                    while not first.hosts:
                        await asyncio.sleep(0.05)
                await emit(60)
            await emit(60)
        async with asyncio.timeout(30):
            while sum(map(len, await total(worker))) < sent:
                await asyncio.sleep(0.1)

        assert await total(worker) == [list(range(number, sent, DEPOTS)) for number in range(DEPOTS)]
        await side.close()
        await edge.stop()
        env.close()
