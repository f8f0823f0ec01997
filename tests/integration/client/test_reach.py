"""Agents of one host that follow, join and command agents of another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from natant import Agent, Plane, command, lane
from natant.client.reach import reach
from natant.host import Host
from natant.loop import LoopEnv
from natant.server import Server
from natant.store.memory import MemoryStore
from tests.support.serving import serving, until


class Watcher(Agent, route="/watcher/{id}"):
    """Keeps views of agents of another host."""

    counts = lane.join_value(str, int)
    names = lane.join_map(str, str)
    seen = lane.list(int)

    @command
    def watch(self, host: str) -> None:
        self.counts.join("one", "/unit/1", "count", host=host)
        self.names.join("/unit/1", "names", host=host)
        self.downlink_value("/unit/1", "count", int, changed=self.saw, host=host)

    def saw(self, new: int, old: int | None) -> None:
        self.seen.append(new)

    @command
    def add(self, host: str) -> None:
        self.send("/unit/1", "add", 5, host=host)


@asynccontextmanager
async def reaching(*agents: type[Agent]) -> AsyncIterator[Host]:
    env = LoopEnv()
    host = Host(Plane("near", list(agents)), store=MemoryStore(), env=env, connect=reach)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()
        env.close()


async def read(host: Host, lane_name: str) -> Any:
    return await host.read("/watcher/1", lane_name)


async def test_lanes_of_another_host_are_joined_and_commanded() -> None:
    async with serving() as far, reaching(Watcher) as near:
        watcher: Any = near.kernel.require("/watcher/1")
        await near.command("/watcher/1", "watch", far.url)
        await until(lambda: dict(watcher.counts) == {"one": 0})
        await near.command("/watcher/1", "add", far.url)
        await until(lambda: dict(watcher.counts) == {"one": 5})
        await until(lambda: list(watcher.seen)[-1:] == [5])
        assert isinstance(far, Server)
        await far.host.command("/unit/1", "names", _update("a", "b"))
        await until(lambda: dict(watcher.names) == {"a": "b"})
        assert watcher.counts.age("one") < 60


def _update(key: str, value: str) -> Any:
    from natant.codec import recon

    return recon.decode(f"@update(key:{key}) {value}")
