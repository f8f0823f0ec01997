"""Edges of two tenants at one server: each reaches the hub of its own tenant, in its own name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from natant.edge.edge import EdgeSide
from natant.edge.hub import HubSide
from natant.fabric.nats.engine import Engine
from natant.host import Host
from natant.lane.base import to_value
from natant.loop import LoopEnv
from natant.store.memory import MemoryStore
from tests.integration.edge.test_edge import at_hub, plane
from tests.support.edge import until
from tests.support.nats import engine, engine_of
from tests.support.tenant import Tenants, tenants


class Hub:
    """Holds a host where ``at_hub`` looks for it."""

    def __init__(self, host: Host) -> None:
        self.hub = host


@contextlib.asynccontextmanager
async def a_hub(one: Engine) -> AsyncIterator[Any]:
    env = LoopEnv()
    host = Host(plane(), store=MemoryStore(), env=env)
    side = HubSide(one, host)
    side.attach(host)
    await host.start()
    await side.open()
    yield Hub(host)
    await side.close()
    await host.stop()
    env.close()


@contextlib.asynccontextmanager
async def an_edge(
    world: Tenants, folder: Path, tenant: str, user: str, name: str
) -> AsyncIterator[tuple[Host, EdgeSide]]:
    assert world.engine.server is not None
    creds = folder / f"{tenant}-{user}.creds"
    world.user(tenant, user, "edge").write(creds)
    leaf = f"nats-leaf://127.0.0.1:{world.engine.server.ports.leafs}"
    async with engine("edge", folder=folder / f"{tenant}-{user}", leaf=leaf, leaf_credentials=creds) as one:
        env = LoopEnv()
        side = EdgeSide(one, name)
        host = Host(plane(), store=MemoryStore(), env=env, attachments=[side.attach])
        await host.start()
        await side.open()
        yield host, side
        await side.close()
        await host.stop()
        env.close()


async def test_an_edge_reaches_the_hub_of_its_tenant_and_only_in_its_own_name(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        world = await enter(tenants("acme", "bolt", plane="edge", spec={"leafs": True}))
        acme = await enter(a_hub(world.engine))
        bolt_engine = await enter(engine_of(world.url, "edge", credentials=world.folder.engine_creds("bolt")))
        bolt = await enter(a_hub(bolt_engine))
        truck, truck_side = await enter(an_edge(world, tmp_path, "acme", "truck", "truck"))
        ship, _ = await enter(an_edge(world, tmp_path, "bolt", "ship", "ship"))
        liar, liar_side = await enter(an_edge(world, tmp_path, "bolt", "liar", "ship"))

        await truck.command("/sensor/1", "emit", to_value(1))
        await ship.command("/sensor/1", "emit", to_value(2))
        await liar.command("/sensor/1", "emit", to_value(3))
        await until(lambda: at_hub(acme) == [1] and at_hub(bolt) == [2])
        await until(lambda: truck_side.facts()["connected"])
        await asyncio.sleep(1.0)

        assert (at_hub(acme), at_hub(bolt)) == ([1], [2])
        assert not liar_side.facts()["connected"]
        assert "NT-EDGE-001" in liar_side.facts()["trouble"]
