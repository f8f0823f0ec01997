"""A store that keeps everything in memory and forgets it at the end: for tests, trials and ``--volatile`` planes.

Invariants: a key is in ``_values`` exactly while it is in ``_index`` or in ``_fresh``, never in both.  Keys that are
new wait in ``_fresh``, unordered, until somebody asks for an order: a plane that only writes never sorts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock

from sortedcontainers import SortedList

from natant.errors import StoreError
from natant.store.contract import DELETE, PUT, Operation
from natant.store.record import successor
from natant.store.window import gather

__all__ = ["MemoryStore"]


class MemoryStore:
    """An ordered map of bytes in memory, safe to read while another thread applies a batch."""

    is_durable = False

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        # One list of a million keys would move megabytes at each insertion; a SortedList moves a thousand entries.
        self._index: SortedList[bytes] = SortedList()
        # A dict for its order: keys that come sorted are sorted at no cost.
        self._fresh: dict[bytes, None] = {}
        self._lock = Lock()
        self._is_closed = False

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``, or None."""
        with self._lock:
            self._check()
            return self._values.get(key)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key starts with ``prefix`` in the order of their keys, as of now (they are copied)."""
        with self._lock:
            self._check()
            values = self._values
            return iter([(key, values[key]) for key in self._keys(prefix)])

    def apply(self, batch: Sequence[Operation]) -> None:
        """Make all operations of ``batch`` true at once."""
        latest = gather(batch)
        with self._lock:
            self._check()
            if latest is not None and None not in latest.values():
                known = self._values
                if not latest.keys() <= known.keys():
                    self._fresh.update(dict.fromkeys([key for key in latest if key not in known]))
                known.update(latest)  # type: ignore[arg-type]  # no value is None
                return
            for kind, key, value in batch:
                if kind == PUT:
                    if key not in self._values:
                        self._fresh[key] = None
                    self._values[key] = value
                elif kind == DELETE:
                    if self._values.pop(key, None) is not None:
                        self._forget(key)
                else:
                    for found in list(self._keys(key)):
                        del self._values[found]
                        self._index.remove(found)

    def fill(self, values: dict[bytes, bytes]) -> None:
        """Take all pairs of ``values``, best in the order of their keys, into a store that is empty; the dict is the store's from now on."""
        with self._lock:
            self._check()
            assert not self._values, "only an empty store is filled"
            self._values, self._fresh = values, dict.fromkeys(values)

    def copy(self) -> dict[bytes, bytes]:
        """All pairs as of now, in no order."""
        with self._lock:
            self._check()
            return dict(self._values)

    def close(self) -> None:
        """End the store; what it held is gone."""
        with self._lock:
            self._is_closed = True
            self._values, self._index, self._fresh = {}, SortedList(), {}

    def _check(self) -> None:
        if self._is_closed:
            raise StoreError("NT-STORE-008", "the memory store was closed; it cannot be used any more. Make a new one.")

    def _forget(self, key: bytes) -> None:
        if key in self._fresh:
            del self._fresh[key]
        else:
            self._index.remove(key)

    def _keys(self, prefix: bytes) -> Iterator[bytes]:
        if self._fresh:
            self._index.update(self._fresh)
            self._fresh.clear()
        found: Iterator[bytes] = self._index.irange(prefix, successor(prefix), inclusive=(True, False))
        return found
