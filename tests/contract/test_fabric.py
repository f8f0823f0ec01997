"""The fabric in memory keeps the contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from natant.fabric.contract import Fabric
from natant.testing.clock import VirtualClock, VirtualEnv
from natant.testing.fabric import SimulatedGround
from natant.testing.fabric_kit import FabricContract


class TestMemoryFabric(FabricContract):
    async def start(self, folder: Path) -> None:
        self.env = VirtualEnv()
        self.clock = VirtualClock(self.env)
        self.ground = SimulatedGround(self.env, partitions=self.partitions)

    async def worker(self) -> Fabric:
        return self.ground.worker()

    async def kill(self, fabric: Fabric) -> None:
        self.ground.kill(fabric.worker)

    async def until(self, is_true: Callable[[], bool]) -> None:
        await self.clock.settle()
        for _ in range(50):
            if is_true():
                return
            await self.clock.jump(0.1)
        raise AssertionError("it did not come true in 5 s")
