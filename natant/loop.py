"""The real environment: an asyncio loop, the system's clock, threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, Final

__all__ = ["LoopEnv", "new_loop"]

#: threads for blocking work of agents
WORKERS: Final = 16
#: how often the clock is compared with the wall clock, and by how much that must be ahead to be followed
LOOK_EVERY_S: Final = 10.0
JUMP_S: Final = 1.0


class LoopEnv:
    """Runs a host on the loop that is running when it is made.

    Time is the wall clock at the start plus the monotonic time since, so that it never goes back.  Where the wall clock turns out
    to be ahead (the machine slept, or its clock was put right) time jumps after it; where it is behind, time goes its own way.

    :param wall: the wall clock, in epoch seconds.
    """

    def __init__(self, random: Random | None = None, wall: Callable[[], float] = time.time) -> None:
        self.random = random or Random()
        #: called when time has jumped
        self.jump_hooks: list[Callable[[], None]] = []
        self._wall = wall
        self._loop = asyncio.get_running_loop()
        self._offset_s = wall() - self._loop.time()
        self._watch = self._loop.call_later(LOOK_EVERY_S, self._look)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="natant-store")
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="natant-work")
        self._jobs: set[asyncio.Task[Any]] = set()

    def _look(self) -> None:
        self._watch = self._loop.call_later(LOOK_EVERY_S, self._look)
        self.look_at_clock()

    def look_at_clock(self) -> None:
        """Follow the wall clock where it has jumped ahead."""
        ahead_s = self._wall() - self.now()
        if ahead_s > JUMP_S:
            self._offset_s += ahead_s
            for hook in list(self.jump_hooks):
                hook()

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return self._loop.time() + self._offset_s

    def call_soon(self, function: Callable[..., object], *args: Any) -> asyncio.Handle:
        """Call after what runs now."""
        return self._loop.call_soon(function, *args)

    def call_threadsafe(self, function: Callable[..., object], *args: Any) -> object:
        """Call in the loop's thread; dropped where the loop has been closed."""
        if self._loop.is_closed():
            return None
        return self._loop.call_soon_threadsafe(function, *args)

    def call_at(self, when_s: float, function: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        """Call when the clock says ``when_s``."""
        return self._loop.call_at(when_s - self._offset_s, function, *args)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine concurrently."""
        job = self._loop.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job

    def current(self) -> asyncio.Task[Any] | None:
        """The task that runs now."""
        return asyncio.current_task(self._loop)

    def future(self) -> asyncio.Future[Any]:
        """A new future of the loop."""
        return self._loop.create_future()

    def run_blocking(self, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Run in a thread."""
        return self._loop.run_in_executor(self._workers, function, *args)

    def write(self, function: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        """Run in the store's thread, tell the loop."""
        loop = self._loop

        def work() -> None:
            error: BaseException | None = None
            try:
                function()
            except BaseException as raised:
                error = raised
            loop.call_soon_threadsafe(done, error)

        self._writer.submit(work)

    def close(self) -> None:
        """Let the threads go; what they run ends first."""
        self._watch.cancel()
        self._writer.shutdown(wait=True)
        self._workers.shutdown(wait=False, cancel_futures=True)


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop where that exists, else the standard one."""
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
