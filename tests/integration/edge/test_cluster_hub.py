"""A hub over a cluster of three servers, one of which is killed while edges forward."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from natant.edge.edge import EdgeSide
from natant.edge.hub import HubSide
from natant.fabric.nats.leaf import leaf_url
from natant.host import Host
from natant.lane.base import to_value
from natant.loop import LoopEnv
from natant.store.rocks import RocksStore
from tests.integration.edge.test_edge import plane
from tests.support.nats import Cluster, engine, engine_of


async def test_a_server_of_the_hub_is_killed_while_an_edge_forwards(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        cluster = stack.enter_context(Cluster("edge"))
        hub_engine = await stack.enter_async_context(engine_of(cluster.url, "edge"))
        assert hub_engine.replicas == 3
        env = LoopEnv()
        hub = Host(plane(), store=RocksStore(tmp_path / "hub"), env=env)
        hub_side = HubSide(hub_engine, hub)
        hub_side.attach(hub)
        await hub.start()
        await hub_side.open()

        url = leaf_url("engine", "engine", f"127.0.0.1:{cluster.leaf_port}")
        leaf = await stack.enter_async_context(engine("edge", folder=tmp_path / "edge", leaf=url))
        side = EdgeSide(leaf, "e1")
        edge = Host(plane(), store=RocksStore(tmp_path / "data"), env=env, attachments=[side.attach])
        await edge.start()
        await side.open()

        async def emit(start: int, count: int) -> None:
            for number in range(start, start + count):
                await edge.command("/sensor/1", "emit", to_value(number))
                await asyncio.sleep(0.005)

        depot: Any = hub.kernel.require("/depot/1")
        await emit(0, 100)
        async with asyncio.timeout(30):
            while len(depot.got) < 100:
                await asyncio.sleep(0.05)
        await asyncio.gather(emit(100, 300), asyncio.to_thread(cluster.servers[await leader(hub_side, cluster)].kill))
        async with asyncio.timeout(60):
            while len(depot.got) < 400:
                await asyncio.sleep(0.05)

        assert list(depot.got) == list(range(400))
        await side.close()
        await edge.stop()
        await hub_side.close()
        await hub.stop()
        env.close()


async def leader(side: HubSide, cluster: Cluster) -> int:
    """Which server leads the hub's stream; never the one edges come in at, which has no leaf listener beside it."""
    facts = await side.stream._api(f"STREAM.INFO.{side.stream.name}", b"")
    names = [server.folder.name for server in cluster.servers]
    number = names.index(facts["cluster"]["leader"])
    return number or 1
