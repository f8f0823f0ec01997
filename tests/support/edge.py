"""A hub and an edge in one process, with real servers and a cable between them that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Self

from natant import Plane
from natant.edge.edge import EdgeSide
from natant.edge.hub import HubSide
from natant.fabric.nats.engine import Engine
from natant.fabric.nats.leaf import Edges, leaf_url
from natant.host import Host
from natant.lane.base import to_value
from natant.loop import LoopEnv
from natant.store.rocks import RocksStore
from tests.support.cable import Cable
from tests.support.nats import engine

__all__ = ["Pair", "until"]

WAIT_S = 30.0


async def until(condition: Callable[[], Any], what: str = "the condition") -> float:
    """Wait until ``condition()`` is true; returns how long that took, in seconds."""
    start_s = time.monotonic()
    while not condition():
        assert time.monotonic() - start_s < WAIT_S, f"{what} did not come about within {WAIT_S:g} s"
        await asyncio.sleep(0.01)
    return time.monotonic() - start_s


class Pair:
    """One hub and one edge that run the same plane.

    :ivar hub: the hub's host.
    :ivar edge: the edge's host.
    """

    def __init__(self, make: Callable[[], Plane], *, copies: Sequence[tuple[str, str]] = ()) -> None:
        self._make = make
        self._copies = copies
        self._stack = contextlib.AsyncExitStack()
        self._edge_stack = contextlib.AsyncExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="natant-edge-"))
        self.cable: Cable
        self.hub: Host
        self.hub_side: HubSide
        self.hub_engine: Engine
        self.edge: Host
        self.edge_side: EdgeSide
        self.edge_engine: Engine
        self._url = ""

    async def __aenter__(self) -> Self:
        try:
            await self._stack.enter_async_context(self._open_hub())
            self.cable = await self._stack.enter_async_context(Cable(self._leaf_port))
            await self.start_edge()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_edge()
        await self._stack.aclose()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _leaf_port(self) -> int:
        assert self.hub_engine.server is not None
        return self.hub_engine.server.ports.leafs

    @contextlib.asynccontextmanager
    async def _open_hub(self) -> AsyncIterator[None]:
        place = self.folder / "hub-nats"
        place.mkdir(parents=True)
        self._password = Edges(place).add("e1")
        plane = self._make()
        async with engine(plane.name, folder=place, leafs=True) as self.hub_engine:

            def attach(host: Host) -> None:
                self.hub_side = HubSide(self.hub_engine, host)
                self.hub_side.attach(host)

            async with _running(plane, self.folder / "hub", attach) as self.hub:
                await self.hub_side.open()
                yield
                await self.hub_side.close()

    async def start_edge(self) -> None:
        """Start the edge on what it stored."""
        await self._edge_stack.enter_async_context(self._open_edge())

    async def stop_edge(self) -> None:
        """Stop it as SIGTERM would."""
        await self._edge_stack.aclose()

    @contextlib.asynccontextmanager
    async def _open_edge(self) -> AsyncIterator[None]:
        plane = self._make()
        url = leaf_url("e1", self._password, f"127.0.0.1:{self.cable.port}")
        async with engine(plane.name, folder=self.folder / "edge-nats", leaf=url) as self.edge_engine:
            self.edge_side = EdgeSide(self.edge_engine, "e1", copies=self._copies)
            async with _running(plane, self.folder / "edge", self.edge_side.attach) as self.edge:
                await self.edge_side.open()
                yield
                await self.edge_side.close()

    async def send(self, node: str, lane: str, value: Any) -> None:
        """Command an agent of the edge; returns after its commit."""
        await self.edge.command(node, lane, to_value(value))


@contextlib.asynccontextmanager
async def _running(plane: Plane, folder: Path, attach: Callable[[Host], object]) -> AsyncIterator[Host]:
    env = LoopEnv()
    host = Host(plane, store=RocksStore(folder), env=env, attachments=[attach])
    await host.start()
    try:
        yield host
    finally:
        await host.stop()
        env.close()
