"""Jobs out of a queue, the most urgent first.

A worker with room asks the consumer of each priority in order for what is there now.  Where nothing is anywhere it leaves a request of one
job with each of them and waits.  So two jobs more than there is room for may come when work arrives for an idle worker; those it gives back at once.
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
        self._polls: dict[str, asyncio.TimerHandle] = {}

    async def open(self) -> None:
        """Listen for jobs."""
        nc = self._engine.nc
        self._inbox = nc.new_inbox()
        self._subscriptions.append(await nc.subscribe(f"{self._inbox}.now", cb=self._on_now))
        for priority in PRIORITIES:

            async def on_poll(message: Any, priority: str = priority) -> None:
                self._end_poll(priority)
                if not _status(message):
                    self._take(message)
                self._on_end()

            self._subscriptions.append(await nc.subscribe(f"{self._inbox}.{priority}", cb=on_poll))
        self._engine.on_change.append(self._on_change)

    async def close(self) -> None:
        """Take no more jobs; what the server sends all the same comes to another worker after ``lost_s``."""
        if self._on_change in self._engine.on_change:
            self._engine.on_change.remove(self._on_change)
        for handle in self._polls.values():
            handle.cancel()
        self._polls.clear()
        for subscription in self._subscriptions:
            await subscription.unsubscribe()

    @property
    def is_polling(self) -> bool:
        """True while requests wait at all priorities."""
        return len(self._polls) == len(PRIORITIES)

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

    async def poll(self) -> None:
        """Leave a request with each priority that has none."""
        loop = asyncio.get_running_loop()
        for priority in PRIORITIES:
            if priority not in self._polls:
                self._polls[priority] = loop.call_later(POLL_S + LATE_S, self._poll_is_late, priority)
                await self._ask(priority, priority, {"batch": 1, "expires": int(POLL_S * 1e9)})

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

    def _end_poll(self, priority: str) -> None:
        handle = self._polls.pop(priority, None)
        if handle is not None:
            handle.cancel()

    def _poll_is_late(self, priority: str) -> None:
        self._polls.pop(priority, None)
        self._on_end()

    def _on_change(self, is_up: bool) -> None:
        """Requests do not outlive their connection."""
        if is_up:
            for priority in list(self._polls):
                self._end_poll(priority)
            self._on_end()


def _status(message: Any) -> str:
    """The status of a message that is no job; empty for one that is."""
    if message.reply:  # where its acknowledgement goes
        return ""
    headers = message.headers or {}
    return str(headers.get("Status", "none"))
