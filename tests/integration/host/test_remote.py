"""Two real servers on loopback: agents of one follow and command those of the other, which is killed and comes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from natant import Agent, Plane, command, lane
from natant.client.reach import reach
from natant.client.timing import Timing
from natant.codec import recon
from natant.host import Host
from natant.loop import LoopEnv
from natant.store.memory import MemoryStore
from tests.support.process import ServerProcess
from tests.support.serving import until


class Watcher(Agent, route="/watcher/{id}"):
    """Follows ``/unit/1`` of the plane in ``tests/conformance/plane.py``."""

    values = lane.join_value(str, Any)
    entries = lane.join_map(Any, Any)
    seen = lane.list(Any)
    sent = lane.value(int, 0)

    @command
    def watch(self, host: str) -> None:
        self.values.join("info", "/unit/1", "info", host=host)
        self.values.join("nobody", "/none/1", "info", host=host)
        self.entries.join("/unit/1", "history", host=host)
        self.link = self.downlink_value("/unit/1", "info", Any, changed=self.saw, host=host)

    def saw(self, new: Any, old: Any) -> None:
        self.seen.append(new)

    @command
    def say(self, host: str) -> None:
        self.sent += 1
        self.send("/unit/1", "publish", {"t": self.sent, "v": 10 * self.sent}, host=host)


class Store(MemoryStore):
    """Outlives its host."""

    def close(self) -> None:
        """Stay."""


async def _soon(wait_s: float) -> None:
    """Tries again soon, so that the test need not wait."""
    await asyncio.sleep(min(wait_s, 0.05))


@contextlib.asynccontextmanager
async def near(store: Store) -> AsyncIterator[Host]:
    env = LoopEnv()
    plane = Plane("near", [Watcher])
    host = Host(plane, store=store, env=env, connect=lambda uri: reach(uri, Timing(sleep=_soon)))
    await host.start()
    try:
        yield host
    finally:
        await host.stop()
        env.close()


async def _told(far: ServerProcess, lane_name: str, body: str) -> None:
    """Have something done on the other host, by a client of its own."""
    channel, close = reach(far.uri, Timing(sleep=_soon))
    await until(lambda: channel.is_connected, 30)
    channel.command("/unit/1", lane_name, body_text=body)
    await close()


async def test_what_is_shown_grows_stale_while_the_other_host_is_down_and_is_current_again_after(
    tmp_path: Path,
) -> None:
    far = await asyncio.to_thread(ServerProcess(data=tmp_path).start)
    try:
        async with near(Store()) as host:
            watcher: Any = host.kernel.require("/watcher/1")
            await host.command("/watcher/1", "watch", far.uri)
            await host.command("/watcher/1", "say", far.uri)
            await until(lambda: dict(watcher.entries) == {1: 10}, 30)
            await until(lambda: watcher.values.get("info") == recon.decode("{t:1,v:10}"), 30)
            assert watcher.values.age("info") < 60
            assert "nobody" not in watcher.values
            await until(lambda: len(watcher.seen) == 1)

            await asyncio.to_thread(far.kill)
            await until(lambda: not watcher.link.is_linked, 30)
            before = (watcher.values.age("info"), watcher.entries.age(), watcher.link.age())
            await host.command("/watcher/1", "say", far.uri)
            await host.command("/watcher/1", "say", far.uri)
            await until(lambda: watcher.values.age("info") > before[0])
            assert (watcher.entries.age(), watcher.link.age()) > before[1:]
            assert dict(watcher.entries) == {1: 10}

            await asyncio.to_thread(far.start)
            await until(lambda: dict(watcher.entries) == {1: 10, 2: 20, 3: 30}, 30)
            await until(lambda: watcher.values.get("info") == recon.decode("{t:3,v:30}"))
            await until(lambda: watcher.link.is_synced and watcher.link.age() < 60)
            await _told(far, "history", "@remove(key:1)")
            await until(lambda: dict(watcher.entries) == {2: 20, 3: 30})
            assert [(value.get("t"), value.get("v")) for value in watcher.seen][-1] == (3, 30)
    finally:
        await asyncio.to_thread(far.stop)


async def test_what_vanished_while_a_host_was_away_goes_here_too() -> None:
    far = await asyncio.to_thread(ServerProcess().start)
    try:
        async with near(Store()) as host:
            watcher: Any = host.kernel.require("/watcher/1")
            await host.command("/watcher/1", "watch", far.uri)
            await host.command("/watcher/1", "say", far.uri)
            await until(lambda: dict(watcher.entries) == {1: 10}, 30)
            await asyncio.to_thread(far.restart)  # it keeps nothing
            await until(lambda: dict(watcher.entries) == {}, 30)
            await until(lambda: watcher.values.get("info") is None)
    finally:
        await asyncio.to_thread(far.stop)


async def test_joins_and_commands_outlive_the_host_that_made_them(tmp_path: Path) -> None:
    store = Store()
    far = ServerProcess(data=tmp_path)
    async with near(store) as host:
        await host.command("/watcher/1", "watch", far.uri)
        await host.command("/watcher/1", "say", far.uri)
    await asyncio.to_thread(far.start)
    try:
        async with near(store) as host:
            await host.command("/watcher/1", "say", far.uri)
            watcher: Any = host.kernel.agents["/watcher/1"]
            await until(lambda: dict(watcher.entries) == {1: 10, 2: 20}, 30)
            assert watcher.values.get("info") in (None, recon.decode("{t:2,v:20}"))
            await until(lambda: watcher.values.get("info") == recon.decode("{t:2,v:20}"))
    finally:
        await asyncio.to_thread(far.stop)
