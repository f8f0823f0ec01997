"""The fabric on NATS keeps the contract: the public kit, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from natant.fabric.contract import Fabric
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.nats.fabric import NatsFabric
from natant.testing.fabric_kit import FabricContract


class TestNatsFabric(FabricContract):
    async def start(self, folder: Path) -> None:
        self.engine = await Engine.start(EngineSpec(plane="test", folder=folder, partitions=self.partitions))
        self.workers: list[tuple[Engine, NatsFabric]] = []

    async def stop(self) -> None:
        for engine, fabric in self.workers:
            if not engine.nc.is_closed:
                await fabric.close()
            await engine.close()
        await self.engine.close()

    async def worker(self) -> Fabric:
        engine = await Engine.start(replace(self.engine.remote))
        fabric = NatsFabric(engine)
        self.workers.append((engine, fabric))
        return fabric

    async def kill(self, fabric: Fabric) -> None:
        engine = next(engine for engine, each in self.workers if each is fabric)
        await engine.courier.close()
        await engine.nc.close()

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_true():
                await asyncio.sleep(0.01)
