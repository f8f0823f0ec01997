"""One scan under way.

A cursor holds an iterator of RocksDB, which shows the database as of the moment the cursor was made and keeps the
database open as long as it lives.  The store therefore drops the iterators of all its cursors before it closes or
reopens the database; a scan that was still going on then ends with an error, never early.

``rocksdict``'s own ``items()`` is not used: it takes damage for the end.  Called by :mod:`natant.store.rocks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from zlib import crc32

from rocksdict import Rdict, RdictIter, ReadOptions

from natant.errors import StoreError
from natant.store.record import SEAL_SIZE, damaged

__all__ = ["Cursor"]

#: Pairs read under one hold of the store's lock: few at first, since most scans are of one small agent.
FIRST_CHUNK = 32
LARGEST_CHUNK = 1024


class Cursor:
    """The pairs with ``start <= key < end``, as of now."""

    __slots__ = ("__weakref__", "_bounds", "_iterator", "_last", "_lock", "_place")

    def __init__(
        self, database: Rdict, start: bytes, end: bytes, lock: AbstractContextManager[object], place: str
    ) -> None:
        bounds = ReadOptions()
        bounds.set_iterate_upper_bound(end)
        self._bounds = bounds  # RocksDB keeps a pointer into it
        self._iterator: RdictIter | None = database.iter(bounds)
        self._iterator.seek(start)
        self._last = start
        self._lock = lock
        self._place = place

    def drop(self) -> None:
        """Let the database go.  The caller holds the lock."""
        self._iterator = None

    def sealed(self) -> Iterator[tuple[bytes, bytes]]:
        """The pairs as they are stored: whole keys and sealed values."""
        size = FIRST_CHUNK
        while chunk := self._take(size):
            yield from chunk
            size = min(2 * size, LARGEST_CHUNK)

    def pairs(self) -> Iterator[tuple[bytes, bytes]]:
        """The pairs as their user knows them: keys without the first byte, values whose checksum fits."""
        for key, sealed in self.sealed():
            value = sealed[SEAL_SIZE:]
            if crc32(key + value) != int.from_bytes(sealed[:SEAL_SIZE], "little"):
                raise damaged(key[1:], self._place)
            yield key[1:], value

    def _take(self, size: int) -> list[tuple[bytes, bytes]]:
        with self._lock:
            iterator = self._iterator
            if iterator is None:
                raise StoreError(
                    "NT-STORE-005",
                    f"the store in {self._place} was closed or opened again in the middle of a scan. Scan again.",
                )
            chunk: list[tuple[bytes, bytes]] = []
            trouble = _read(iterator, size, chunk)
            if chunk:
                self._last = chunk[-1][0]
            if trouble:
                # Whoever keeps the error keeps this frame: it must not keep the database open.
                self._iterator = None
                del iterator
                raise damaged(self._last[1:], self._place, f"reading on from here failed: {trouble}")
            return chunk


def _read(iterator: RdictIter, size: int, chunk: list[tuple[bytes, bytes]]) -> str:
    """Move up to ``size`` pairs into ``chunk``; what went wrong, or nothing."""
    key_of, value_of, move = iterator.key, iterator.value, iterator.next
    for _ in range(size):
        key = key_of()
        if key is None:
            # The end, or damage: only the status tells which.
            try:
                iterator.status()
            except Exception as error:
                return str(error)
            return ""
        chunk.append((key, value_of()))
        move()
    return ""
