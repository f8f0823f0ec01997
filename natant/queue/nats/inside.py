"""Workers inside the process that runs the plane, for small machines: ``natant run --work asr``.

They are the workers that ``natant worker`` starts, with the same promises; jobs are theirs as they are anybody's.  What computes runs in
threads beside the plane's loop, so a plane that answers many people gives its queues processes of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from natant.errors import QueueError
from natant.queue.nats.worker import Worker

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine
    from natant.host import Host
    from natant.plane import Plane

__all__ = ["InsideWorkers"]


class InsideWorkers:
    """A worker for each of some queues of a plane (`natant.server.run.Feature`).

    :param queues: their names; empty: all that have a function.
    :param slots: jobs that each does at a time.
    :raises QueueError: ``NT-QUEUE-017`` for a queue that the plane has not, or that has no function.
    """

    def __init__(self, engine: Engine, plane: Plane, queues: Sequence[str] = (), *, slots: int = 1) -> None:
        functions = {spec.name: spec.functions[-1] for spec in plane.queues if spec.functions}
        for name in queues:
            if name not in functions:
                known = ", ".join(functions) or "none"
                raise QueueError(
                    "NT-QUEUE-017",
                    f"plane {plane.name!r} has no queue {name!r} with a function; those with one: {known}",
                )
        self._workers = [Worker(engine, name, functions[name], slots=slots) for name in queues or functions]
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def attach(self, host: Host) -> None:
        """Workers reach agents through the queue."""

    async def open(self) -> None:
        """Begin to take jobs."""
        self._tasks = [asyncio.ensure_future(worker.run(self._stop)) for worker in self._workers]

    async def close(self) -> None:
        """Take no more, and let what runs end within its grace."""
        self._stop.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
