"""Lanes shown in buckets: what a process has for it, one object for all its hosts.

Made by :mod:`natant.server.run` where a plane over NATS has a lane with ``bucket=``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from natant.egress.feed import Feed
from natant.egress.show import Show
from natant.errors import FabricError
from natant.fabric.nats.bucket import LaneBucket

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine
    from natant.host import Host
    from natant.plane import Plane

__all__ = ["ReadModels", "bucket_lanes"]

#: how long a stop waits for the buckets to show what was committed last
GRACE_S: Final = 3.0
LOOK_S: Final = 0.02


def bucket_lanes(plane: Plane) -> dict[str, Any]:
    """The lanes of a plane that are shown in buckets, by the buckets' names.

    :raises FabricError: ``NT-FABRIC-403`` where two different lanes name one bucket.
    """
    found: dict[str, Any] = {}
    lane: Any
    for kind in plane.agents:
        for lane in kind._schema.ordered:
            bucket = getattr(lane, "bucket", None)
            if bucket is None:
                continue
            other = found.setdefault(bucket, lane)
            if (other.name, other.kind, other.owner) != (lane.name, lane.kind, lane.owner):
                raise FabricError(
                    "NT-FABRIC-403",
                    f'lanes "{other.name}" of {other.owner} and "{lane.name}" of {lane.owner} name one bucket, {bucket!r}; '
                    "give each a bucket of its own",
                )
    return found


class ReadModels:
    """The buckets of a process.

    :raises FabricError: as :func:`bucket_lanes`.
    """

    def __init__(self, plane: Plane, engine: Engine, *, make: Callable[[Engine, str], Any] = LaneBucket) -> None:
        self._engine = engine
        self._lanes = bucket_lanes(plane)
        self._make = make
        self._feeds: dict[int, Feed] = {}
        self._counts = {"bucket_entries": 0, "bucket_failures": 0}

    def attach(self, host: Host) -> None:
        """Feed the buckets from a host, from its start to its end."""
        if not self._lanes or host.kernel.is_volatile:
            return
        kernel = host.kernel
        buckets = {name: (self._make(self._engine, name), Show(lane)) for name, lane in self._lanes.items()}
        feed = kernel.feed = self._feeds[id(host)] = Feed(kernel, buckets, self._counts)

        def close() -> None:
            feed.close()
            self._feeds.pop(id(host), None)

        host.closers.append(close)

    async def open(self) -> None:
        """The hosts have begun by themselves."""

    async def close(self) -> None:
        """Show what was committed last, as far as the buckets can be reached."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                for feed in self._feeds.values():
                    while feed.behind:  # noqa: ASYNC110 - it may begin to be behind again at any time
                        await asyncio.sleep(LOOK_S)
        for feed in self._feeds.values():
            feed.close()

    def counts(self) -> dict[str, int]:
        """Entries put, failed attempts, and entries that wait."""
        return {**self._counts, "bucket_behind": sum(feed.behind for feed in self._feeds.values())}
