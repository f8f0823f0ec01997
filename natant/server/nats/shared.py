"""The NATS door of a worker: it takes what is asked of the partitions that work here, as they come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from natant.cluster.worker import Worker
    from natant.server.nats.door import NatsDoor

__all__ = ["SharedDoor"]


class SharedDoor:
    """A door beside a worker."""

    def __init__(self, door: NatsDoor, worker: Worker) -> None:
        self._door = door
        self._worker = worker
        self._owned: set[int] = set()
        self._is_open = False
        self._is_busy = False
        worker.watchers.append(self._look)

    def attach(self, host: Any) -> None:
        """Called with each partition's host before it starts."""
        self._door.attach(host)

    def counts(self) -> dict[str, int]:
        """What the door counted."""
        return self._door.counts()

    async def open(self) -> None:
        """Open the door for the partitions that are here by now."""
        await self._door.open(is_alone=False)
        self._is_open = True
        self._look()

    async def close(self) -> None:
        """Take nothing more."""
        self._is_open = False
        await self._door.close()

    def _look(self) -> None:
        if self._is_open and not self._is_busy:
            self._is_busy = True
            self._worker.env.spawn(self._follow())

    async def _follow(self) -> None:
        """Own what works here, until nothing is other than before."""
        try:
            while self._is_open and self._owned != (now := set(self._worker.hosts)):
                for partition in self._owned - now:
                    self._owned.discard(partition)
                    await self._door.disown(partition)
                for partition in now - self._owned:
                    self._owned.add(partition)
                    await self._door.own(partition)
        except Exception as error:
            self._worker.gate.broken("the NATS door", error)
        finally:
            self._is_busy = False
