"""Jobs out of a queue, the most urgent first.

A worker that was full and has room again asks the consumer of each priority in order for what is there now.  Where nothing is anywhere it leaves a
request for a few jobs with each of them, and they come as they are submitted.  When it is full before these requests are, what comes
besides is given back at once, and goes to another worker.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from natant.queue.message import PRIORITIES
from natant.queue.nats.place import QueuePlace

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["Puller"]

#: how long a request waits at the server for work
POLL_S: Final = 20.0
#: how much later its end is believed where the server has not told of it
LATE_S: Final = 2.0
#: how long the answer to a request that does not wait may take
PULL_S: Final = 2.0
#: jobs that one request may bring
BATCH: Final = 256
#: the same for one that waits: what it has not brought when the worker is full comes in vain
WAIT_BATCH: Final = 4


class _Request:
    """Jobs that were asked for, under a subject of their own."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.got = 0
        self.ended = asyncio.Event()


class Puller:
    """Asks for jobs.

    :param take: called with each message that is a job.
    :param on_end: called when a request that waited has ended.
    """

    def __init__(
        self, engine: Engine, place: QueuePlace, take: Callable[[Any], None], on_end: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._place = place
        self._take = take
        self._on_end = on_end
        self._now: _Request | None = None
        self._subscriptions: list[Any] = []
        self._inbox = ""
        #: by priority: how many jobs the request that waits may still bring, and the timer of its end
        self._waits: dict[str, list[Any]] = {}

    async def open(self) -> None:
        """Listen for jobs."""
        nc = self._engine.nc
        self._inbox = nc.new_inbox()
        self._subscriptions.append(await nc.subscribe(f"{self._inbox}.now", cb=self._on_now))
        for priority in PRIORITIES:

            async def on_wait(message: Any, priority: str = priority) -> None:
                if _status(message):
                    self._end_wait(priority)
                else:
                    self._take(message)
                    self._count(priority)
                self._on_end()

            self._subscriptions.append(await nc.subscribe(f"{self._inbox}.{priority}", cb=on_wait))
        self._engine.on_change.append(self._on_change)

    async def close(self) -> None:
        """Take no more jobs; what the server sends all the same comes to another worker after ``lost_s``."""
        if self._on_change in self._engine.on_change:
            self._engine.on_change.remove(self._on_change)
        for priority in list(self._waits):
            self._end_wait(priority)
        for subscription in self._subscriptions:
            await subscription.unsubscribe()

    async def pull(self, priority: str, count: int) -> int:
        """Ask for up to ``count`` jobs that are there now; returns how many came."""
        request = self._now = _Request(min(count, BATCH))
        await self._ask(priority, "now", {"batch": request.left, "no_wait": True})
        try:
            async with asyncio.timeout(PULL_S):
                await request.ended.wait()
        except TimeoutError:
            pass
        return request.got

    async def wait(self, count: int) -> None:
        """Leave a request for up to ``count`` jobs with each priority that has none."""
        loop = asyncio.get_running_loop()
        count = min(count, WAIT_BATCH)
        for priority in PRIORITIES:
            if priority not in self._waits:
                late = loop.call_later(POLL_S + LATE_S, self._wait_is_late, priority)
                self._waits[priority] = [count, late]
                await self._ask(priority, priority, {"batch": count, "expires": int(POLL_S * 1e9)})

    async def _ask(self, priority: str, reply: str, request: dict[str, Any]) -> None:
        js = self._engine.js
        subject = f"{js._prefix}.CONSUMER.MSG.NEXT.{self._place.stream}.{priority}"
        await self._engine.nc.publish(subject, json.dumps(request).encode(), reply=f"{self._inbox}.{reply}")

    async def _on_now(self, message: Any) -> None:
        request = self._now
        if _status(message):
            if request is not None:
                request.ended.set()
            return
        if request is not None:
            request.got += 1
            request.left -= 1
            if request.left <= 0:
                request.ended.set()
        self._take(message)

    def _count(self, priority: str) -> None:
        """One job has come for a request that waits."""
        wait = self._waits.get(priority)
        if wait is not None:
            wait[0] -= 1
            if wait[0] <= 0:
                self._end_wait(priority)

    def _end_wait(self, priority: str) -> None:
        wait = self._waits.pop(priority, None)
        if wait is not None:
            wait[1].cancel()

    def _wait_is_late(self, priority: str) -> None:
        self._waits.pop(priority, None)
        self._on_end()

    def _on_change(self, is_up: bool) -> None:
        """Requests do not outlive their connection."""
        if is_up:
            for priority in list(self._waits):
                self._end_wait(priority)
            self._on_end()


def _status(message: Any) -> str:
    """The status of a message that is no job; empty for one that is."""
    if message.reply:  # where its acknowledgement goes
        return ""
    headers = message.headers or {}
    return str(headers.get("Status", "none"))
