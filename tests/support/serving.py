"""A plane behind a real server on a port of loopback, for tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from natant import Agent, Plane, command, lane
from natant.host import Host
from natant.loop import LoopEnv
from natant.server import Limit, Server
from natant.store.memory import MemoryStore

__all__ = ["Unit", "host_of", "serving", "until"]


class Unit(Agent, route="/unit/{id}"):
    """An agent with a lane of most kinds."""

    info = lane.value(str)
    count = lane.value(int, default=0)
    speeds = lane.map(int, float)
    names = lane.map(str, str)
    notes = lane.list(str)
    alarms = lane.supply(str)
    blob = lane.value(str, volatile=True)
    broken = lane.demand(int)

    @broken.cue
    def divide(self) -> int:
        """Raise."""
        return 1 // 0

    @command
    def add(self, by: int) -> int:
        """Add to the count."""
        self.count += by
        return self.count

    @command
    def fail(self) -> None:
        """Raise."""
        self.count = 1000
        raise ValueError("as asked")

    @command
    def alarm(self, text: str) -> None:
        """Push to the supply lane."""
        self.alarms.push(text)


@contextlib.asynccontextmanager
async def serving(
    *agents: type[Agent],
    limit: Limit | None = None,
    store: Any = None,
    prepare: Callable[[Plane], object] | None = None,
    **options: Any,
) -> AsyncIterator[Server]:
    """A running server; see :func:`host_of`."""
    plane = Plane("test", list(agents) or [Unit])
    if prepare is not None:
        prepare(plane)
    env = LoopEnv()
    host = Host(plane, store=store or MemoryStore(), env=env)
    await host.start()
    server = Server(host, limit=limit or Limit(sweep_s=0.02, close_timeout_s=1.0), **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(grace_s=2.0)
        await host.stop()
        env.close()


def host_of(server: Server) -> Host:
    """The host behind a server."""
    assert isinstance(server.host, Host)
    return server.host


async def until(condition: Callable[[], object], wait_s: float = 10.0) -> None:
    """Let the loop run until ``condition()`` is true."""
    async with asyncio.timeout(wait_s):
        while not condition():
            await asyncio.sleep(0.005)
