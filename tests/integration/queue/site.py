"""A plane with a work queue, and workers in this process, for the tests beside."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from natant import Agent, Job, JobState, Plane, command, lane
from natant.fabric.nats.engine import Engine
from natant.host import Host
from natant.lane.base import to_value
from natant.loop import LoopEnv
from natant.queue.nats.service import QueueService
from natant.queue.nats.worker import Worker
from natant.store.memory import MemoryStore

__all__ = ["WAIT_S", "Clip", "Site", "double", "heard", "plane", "site", "until"]

#: for what must happen soon on a busy machine
WAIT_S = 30.0


@dataclass
class Clip:
    number: int
    what: str = ""


class Call(Agent, route="/call/{id}"):
    clips = lane.jobs("asr", Clip, int, keep=1000)
    heard = lane.list(int)
    lost = lane.list(str)

    @command
    def record(self, clip: Clip) -> str:
        return self.clips.submit(clip)

    @command
    def record_in_order(self, clip: Clip) -> str:
        return self.clips.submit(clip, key=clip.what)

    @command
    def record_with(self, priority: str) -> str:
        return self.clips.submit(Clip(0, priority), priority=priority)  # type: ignore[arg-type]

    @command
    def hang_up(self, name: str) -> bool:
        return self.clips.cancel(name)

    @clips.done
    def on_done(self, name: str, job: JobState[int]) -> None:
        assert job.result is not None
        self.heard.append(job.result)

    @clips.failed
    def on_failed(self, name: str, job: JobState[int]) -> None:
        self.lost.append(job.error)


def plane(**options: Any) -> Plane:
    app = Plane("test", [Call])
    app.queue("asr", **options)
    return app


class Site:
    """A plane at work, and workers of its queue."""

    def __init__(self, engine: Engine, app: Plane, store: MemoryStore) -> None:
        self.engine = engine
        self.service = QueueService(engine, app)
        self.host = Host(app, store=store, env=LoopEnv(), attachments=[self.service.attach])
        self._stack = contextlib.AsyncExitStack()

    async def get(self, lane: str, node: str = "/call/1") -> Any:
        """The plain value of a lane."""
        value: Any = await self.host.read(node, lane)
        return list(value.items) if lane != "clips" else {slot.key: slot.value for slot in value.items}

    async def record(self, clip: Clip, how: str = "record", node: str = "/call/1") -> str:
        outcome = await self.host.command(node, how, to_value(clip))
        return str(outcome.value)

    async def work(self, function: Any, **options: Any) -> Worker:
        """Start a worker in this process; it stops with the site."""
        stop = asyncio.Event()
        worker = Worker(self.engine, "asr", function, **options)
        task = asyncio.create_task(worker.run(stop))

        async def end() -> None:
            stop.set()
            await task

        self._stack.push_async_callback(end)
        return worker


@contextlib.asynccontextmanager
async def site(engine: Engine, app: Plane, store: MemoryStore | None = None) -> AsyncIterator[Site]:
    made = Site(engine, app, store or MemoryStore())
    await made.service.open()
    await made.host.start()
    try:
        yield made
    finally:
        await made._stack.aclose()
        await made.service.close()
        await made.host.stop()


async def until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a condition, which may be a coroutine function."""
    deadline_s = time.monotonic() + WAIT_S
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        assert time.monotonic() < deadline_s, f"it did not happen: {what}"
        await asyncio.sleep(0.01)


async def heard(at: Site, count: int, node: str = "/call/1") -> list[int]:
    async def is_there() -> bool:
        return len(await at.get("heard", node)) >= count

    await until(is_there, f"{count} results")
    return [int(number) for number in await at.get("heard", node)]


async def double(job: Job[Clip]) -> int:
    return 2 * job.input.number
