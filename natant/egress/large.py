"""Where hosts keep the contents of large values: what a process has for it, one object for all its hosts.

Made by :mod:`natant.server.run` where a plane has a blob lane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from natant.kernel.blob import BlobPort, Blobs
from natant.store.blob import FolderBlobs, MemoryBlobs

if TYPE_CHECKING:
    from pathlib import Path

    from natant.fabric.nats.engine import Engine
    from natant.host import Host
    from natant.plane import Plane

__all__ = ["LargeValues", "has_blobs", "large_values"]


def has_blobs(plane: Plane) -> bool:
    """True where a lane of the plane holds large values."""
    return any(getattr(lane, "content", None) is not None for kind in plane.agents for lane in kind._schema.ordered)


class LargeValues:
    """The contents of large values of a process.

    :param ports: for the name of a store, where its contents are kept; further ones are read where the first has not got something.
    """

    def __init__(self, ports: Callable[[str], tuple[BlobPort, ...]]) -> None:
        self._ports = ports
        self._removed = 0
        self._members: dict[int, Blobs] = {}

    def attach(self, host: Host) -> None:
        """Let the lanes of a host keep large values."""
        kernel: Any = host.kernel
        blobs = kernel.blobs = self._members[id(host)] = Blobs(kernel, *self._ports(kernel.outbox.identity))

        def close() -> None:
            blobs.close()
            self._removed += blobs.removed
            self._members.pop(id(host), None)

        host.closers.append(close)

    async def open(self) -> None:
        """The hosts have begun by themselves."""

    async def close(self) -> None:
        """The hosts end by themselves."""

    def counts(self) -> dict[str, int]:
        """Contents that were removed since nothing named them."""
        return {"large_values_removed": self._removed + sum(blobs.removed for blobs in self._members.values())}


def large_values(engine: Engine | None, folder: Path | None) -> LargeValues:
    """The large values of a process: in the object store where there is an engine, else in a folder, else in memory.

    What an earlier life without NATS has put into the folder is found there.
    """
    kept: tuple[BlobPort, ...] = () if folder is None else (FolderBlobs(folder),)
    if engine is None:
        kept = kept or (MemoryBlobs(),)
        return LargeValues(lambda source: kept)
    from natant.fabric.nats.object import ObjectBlobs

    return LargeValues(lambda source: (ObjectBlobs(engine, source), *kept))
