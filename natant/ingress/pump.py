"""Reading a source: items become commands, and the position goes into the commit that holds their effects.

The pump takes items in order.  At each cut of the commit group it journals the position after the last item it has handed over: what
that item and all before it did is in this batch or an earlier one, or stands in the outbox, which is part of the batch too.
So nothing is lost and nothing is done twice, whenever the process dies.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon, uri
from natant.errors import SourceError
from natant.kernel import key
from natant.kernel.turn import Send
from natant.lane.base import to_value

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.env import Job
    from natant.kernel.kernel import Kernel
    from natant.plane import Item, SourceSpec

__all__ = ["Pump"]

#: items that are handed over before the loop gets its turn
BURST: Final = 256
#: how long a source that raised waits before it is opened again; doubled each time, up to the longest
RETRY_FIRST_S: Final = 1.0
RETRY_LONGEST_S: Final = 60.0

_log = logging.getLogger("natant.source")


class Pump:
    """Drives one source of a host."""

    def __init__(self, kernel: Kernel, spec: SourceSpec) -> None:
        self._kernel = kernel
        self.spec = spec
        self.position: int | str = spec.start
        self._stored: int | str = spec.start
        self.count = 0
        self.is_ended = False
        self.error: SourceError | None = None
        self._job: Job | None = None
        self._is_stopped = False
        self._speed = 0.0
        self._first_at: float | None = None
        self._first_s = 0.0
        #: the agent of the last item, where its mailbox is full
        self._busy: Cell | None = None

    def start(self) -> None:
        """Go on where the journal says."""
        text = self._kernel.store.get(key.source_key(self.spec.name))
        if text is not None:
            position = recon.decode(text)
            assert isinstance(position, (int, str))
            self.position = self._stored = position
        self._kernel.cut_hooks.append(self._journal)
        self._job = self._kernel.env.spawn(self._run())

    def stop(self) -> None:
        """Take no more items."""
        self._is_stopped = True
        if self._job is not None:
            self._job.cancel()

    def _journal(self, batch: list[tuple[int, bytes, bytes]]) -> None:
        if self.position != self._stored:
            self._stored = self.position
            batch.append((0, key.source_key(self.spec.name), recon.encode(self.position, exact=True).encode()))

    async def _run(self) -> None:
        speed = self.spec.speed
        wait_s = RETRY_FIRST_S
        while not self._is_stopped:
            before = self.count
            try:
                self._speed = speed() if callable(speed) else speed
                await self._read()
            except Exception as error:
                self.error = SourceError(
                    "NT-SOURCE-001",
                    f"source {self.spec.name!r} raised {type(error).__name__} after position {self.position!r}: {error}; "
                    f"it is opened again in {wait_s:g} s",
                )
                _log.error("%s", self.error, exc_info=error)
                wait_s = RETRY_FIRST_S if self.count > before else wait_s
                await self._sleep(wait_s)
                wait_s = min(wait_s * 2, RETRY_LONGEST_S)
            else:
                break
        self.is_ended = not self._is_stopped
        if self.is_ended and self.spec.ended is not None:
            try:
                self.spec.ended()
            except Exception as error:
                self._kernel.broken(f"what follows the end of source {self.spec.name}", error)

    async def _read(self) -> None:
        opened: Any = self.spec.open(self.position)
        if inspect.isawaitable(opened):
            opened = await opened
        if hasattr(opened, "__aiter__"):
            await self._read_async(opened.__aiter__())
        else:
            await self._read_plain(iter(opened))

    async def _read_plain(self, items: Iterator[Item]) -> None:
        burst = 0
        for item in items:
            if item.at is not None and self._speed > 0:
                burst = 0 if await self._pace(item.at) else burst
            self._hand_over(item)
            burst += 1
            if burst >= BURST or self._busy is not None or self._kernel.pressure.is_high:
                burst = 0
                await self._yield()

    async def _read_async(self, items: AsyncIterator[Item]) -> None:
        burst = 0
        async for item in items:
            if item.at is not None and self._speed > 0:
                await self._pace(item.at)
            self._hand_over(item)
            burst += 1
            if burst >= BURST or self._busy is not None or self._kernel.pressure.is_high:
                burst = 0
                await self._yield()

    def _hand_over(self, item: Item) -> None:
        kernel = self._kernel
        position = item.position
        if isinstance(position, bool) or not isinstance(position, (int, str)):
            raise TypeError(f"the position of an item is {position!r}; it is an int or a str")
        node = item.node
        if node not in kernel.agents:
            node = uri.resolve(node)[1]
        kernel.outbox.take_in(Send(node, item.lane, to_value(item.value)))
        self.position = position
        self.count += 1
        cell = kernel.agents.get(node)
        if cell is not None and cell._mail is not None and kernel.pressure.is_full(cell):
            self._busy = cell

    async def _pace(self, at: float) -> bool:
        """Wait until it is time for an item of ``at``; True where that took time."""
        now = self._kernel.env.now()
        if self._first_at is None:
            self._first_at, self._first_s = at, now
        due_s = self._first_s + (at - self._first_at) / self._speed
        if due_s <= now:
            return False
        await self._sleep(due_s - now)
        return True

    async def _yield(self) -> None:
        """Let the loop run, and wait while the host is congested, or the agent of the last item has too much to do."""
        kernel = self._kernel
        gate = kernel.env.future()

        def open_gate() -> None:
            if not gate.done():
                gate.set_result(None)

        busy, self._busy = self._busy, None
        if busy is not None and busy.node not in kernel.async_turns.stuck:
            kernel.pressure.wait_for_room(busy, self, open_gate)
        elif kernel.pressure.is_high:
            kernel.pressure.wait(self, open_gate)
        else:
            kernel.env.call_soon(open_gate)
        await gate

    async def _sleep(self, seconds: float) -> None:
        env = self._kernel.env
        gate = env.future()
        env.call_at(env.now() + seconds, lambda: None if gate.done() else gate.set_result(None))
        await gate
