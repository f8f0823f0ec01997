"""When Python's collector of cycles runs in a serving process.

Nearly all that natant makes is freed by counting references.  The collector's own rhythm (a look at the young after 700 new objects, at all there
is whenever a quarter has been added) costs a busy server a third of its time and one with a million agents a pause of a second again and
again.  So the young are looked at more rarely, and all there is only when memory in use has grown by half since the last such look: the
work stays in proportion to the growth, and a server in its steady state has no long pauses.

Called by :mod:`natant.server.run`, which owns the process; a host in somebody else's process changes nothing there.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import Final

__all__ = ["Collector"]

#: new objects, less those freed, before the young are looked at
YOUNG: Final = 50_000
#: looks at the young before those that survived one are looked at
MIDDLE: Final = 20
#: looks at those before everything is looked at: never by itself
OLD: Final = 1_000_000_000
#: how often growth is looked at
SWEEP_S: Final = 5.0
#: growth of the memory blocks in use that is worth a look at everything
GROWTH: Final = 1.5
#: below so many blocks a look at everything takes some milliseconds and is not worth thinking about
SMALL_BLOCKS: Final = 200_000


class Collector:
    """Sets the rhythm on :meth:`start`, gives the former one back on :meth:`stop`.

    :ivar collections: how often everything has been looked at.
    """

    def __init__(self) -> None:
        self.collections = 0
        self._threshold = gc.get_threshold()
        self._blocks = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Take over.  What exists by now stays: it is never looked at again while this runs."""
        self._threshold = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(YOUNG, MIDDLE, OLD)
        self._blocks = max(sys.getallocatedblocks(), SMALL_BLOCKS)
        self._arm()

    def stop(self) -> None:
        """Leave everything as it was."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gc.set_threshold(*self._threshold)
        gc.unfreeze()

    def sweep(self) -> None:
        """Look at everything where enough has been added."""
        if sys.getallocatedblocks() > self._blocks * GROWTH:
            self.collections += 1
            gc.collect()
            self._blocks = max(sys.getallocatedblocks(), SMALL_BLOCKS)

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(SWEEP_S, self._tick)

    def _tick(self) -> None:
        self.sweep()
        self._arm()
