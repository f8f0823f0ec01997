"""A virtual clock: time passes only when a test says so, and then all at once."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, Final

__all__ = ["VirtualClock", "VirtualEnv"]

#: turns of the loop after which a plane that still has something to do is said to be in endless talk
SETTLE_LIMIT: Final = 100_000
#: turns of the loop without anything to do after which all is quiet
QUIET_TURNS: Final = 8


class _Handle:
    __slots__ = ("args", "function", "is_cancelled")

    def __init__(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class VirtualEnv:
    """An environment for a host whose time is turned by hand.

    Callbacks and coroutines run on the real asyncio loop, so handlers may await anything; only the clock is virtual.  Store writes
    run at once, in order.
    """

    def __init__(self, start_s: float = 1_000_000_000.0, seed: int = 0) -> None:
        self.random = Random(seed)
        self.jump_hooks: list[Callable[[], None]] = []
        self.time_s = start_s
        self.busy = 0
        self._heap: list[tuple[float, int, _Handle]] = []
        self._number = 0
        self._jobs: set[asyncio.Task[Any]] = set()

    def now(self) -> float:
        """The virtual time in seconds since 1970-01-01 UTC."""
        return self.time_s

    def call_soon(self, function: Callable[..., object], *args: Any) -> object:
        """Call in the next turn of the loop."""
        self.busy += 1
        return asyncio.get_running_loop().call_soon(self._run, function, args)

    def call_threadsafe(self, function: Callable[..., object], *args: Any) -> object:
        """As :meth:`call_soon`; test planes log from the loop's thread only."""
        return self.call_soon(function, *args)

    def _run(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.busy -= 1
        function(*args)

    def call_at(self, when_s: float, function: Callable[..., object], *args: Any) -> _Handle:
        """Call when the clock has been turned to ``when_s``."""
        handle = _Handle(function, args)
        self._number += 1
        heapq.heappush(self._heap, (when_s, self._number, handle))
        return handle

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine on the loop."""
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job

    def current(self) -> asyncio.Task[Any] | None:
        """The task that runs now."""
        return asyncio.current_task()

    def future(self) -> asyncio.Future[Any]:
        """A new future of the loop."""
        return asyncio.get_running_loop().create_future()

    async def run_blocking(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run in a thread; the clock does not wait for it unless the test settles."""
        self.busy += 1
        try:
            return await asyncio.to_thread(function, *args)
        finally:
            self.busy -= 1

    def write(self, function: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        """Run now, tell in the next turn of the loop."""
        error: BaseException | None = None
        try:
            function()
        except Exception as raised:
            error = raised
        self.call_soon(done, error)

    def next_due(self) -> float | None:
        """When the next callback is due, None where there is none."""
        while self._heap and self._heap[0][2].is_cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def fire_next(self) -> None:
        """Turn the clock to the next callback and run it."""
        due_s, _, handle = heapq.heappop(self._heap)
        self.time_s = max(self.time_s, due_s)
        if not handle.is_cancelled:
            handle.function(*handle.args)


class VirtualClock:
    """The clock of a test plane."""

    def __init__(self, env: VirtualEnv) -> None:
        self._env = env

    @property
    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return self._env.time_s

    async def settle(self) -> None:
        """Let everything run that can run without time passing.

        :raises AssertionError: where it does not come to rest.
        """
        quiet = 0
        for _ in range(SETTLE_LIMIT):
            await asyncio.sleep(0)
            quiet = 0 if self._env.busy else quiet + 1
            if quiet >= QUIET_TURNS:
                return
        raise AssertionError("the plane does not come to rest: agents talk to each other without end")

    async def jump(self, seconds: float) -> None:
        """Let ``seconds`` pass; every timer that falls due runs at its own time, in order."""
        end_s = self._env.time_s + seconds
        await self.settle()
        while (due_s := self._env.next_due()) is not None and due_s <= end_s:
            self._env.fire_next()
            await self.settle()
        self._env.time_s = end_s
        await self.settle()
