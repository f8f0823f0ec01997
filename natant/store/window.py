"""The newest records, in memory: those that are in the log and not yet in the database.

A record that is written again and again stands here once, and goes to the database once for each window.  A value of None is a deletion.
Keys are found by what they start with through their *stem*, all up to the first zero byte: a scan for a prefix that holds one looks at the
keys of one stem and no others.

Invariant: where there is an index, each key of ``values`` is once in the list of its stem.  Lookups in ``values`` need no lock; all else is done under the store's.

A hot module: types for Cython are in ``window.pxd``.  Called by :mod:`natant.store.rocks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final
from zlib import crc32

from natant.store.contract import Operation

__all__ = ["DATA", "WINDOW_KEYS", "Value", "Window", "encode", "gather", "merge"]

#: keys of one window
WINDOW_KEYS: Final = 65_536
#: first byte of the keys of the store's user in the database
DATA: Final = b"d"
_STEM_END: Final = b"\0"
_PUT: Final = 0
_DELETE: Final = 1

Value = bytes | None


class Window:
    """Records by key.

    :param is_indexed: keep the index from the start.  It is made at the first scan otherwise: a plane whose agents all live does not scan.
    :ivar was_scanned: somebody asked for a prefix.
    """

    __slots__ = ("stems", "values", "was_scanned")

    def __init__(self, *, is_indexed: bool = False) -> None:
        self.values: dict[bytes, Value] = {}
        self.stems: dict[bytes, list[bytes]] | None = {} if is_indexed else None
        self.was_scanned = False

    def take(self, latest: dict[bytes, Value]) -> None:
        """Add the records of a batch, all at once."""
        if self.stems is not None:
            self._index(latest, self.values)
        self.values.update(latest)

    def _index(self, keys: dict[bytes, Value], known: dict[bytes, Value]) -> None:
        stems = self.stems
        assert stems is not None
        for key in keys:
            if key not in known:
                stem = key[: key.find(_STEM_END) + 1]
                found = stems.get(stem)
                if found is None:
                    stems[stem] = [key]
                else:
                    found.append(key)

    def under(self, prefix: bytes) -> dict[bytes, Value]:
        """The records whose keys start with ``prefix``."""
        self.was_scanned = True
        if self.stems is None:
            self.stems = {}
            self._index(self.values, {})
        found: dict[bytes, Value] = {}
        cut = prefix.find(_STEM_END) + 1
        if cut:
            self._pick(self.stems.get(prefix[:cut]), prefix, found)
        else:
            for stem, keys in self.stems.items():
                if not stem or stem.startswith(prefix):
                    self._pick(keys, prefix, found)
        return found

    def _pick(self, keys: list[bytes] | None, prefix: bytes, found: dict[bytes, Value]) -> None:
        if keys is not None:
            values = self.values
            for key in keys:
                if key.startswith(prefix):
                    found[key] = values[key]


def gather(batch: Sequence[Operation]) -> dict[bytes, Value] | None:
    """What ``batch`` leaves of each key; None where it deletes by prefix, which concerns keys that it does not name."""
    latest: dict[bytes, Value] = {}
    for kind, key, value in batch:
        if kind == _PUT:
            latest[key] = value
        elif kind == _DELETE:
            latest[key] = None
        else:
            return None
    return latest


def encode(
    pairs: Iterable[tuple[bytes, Value]], put: Callable[[bytes, bytes], object], delete: Callable[[bytes], object]
) -> None:
    """Write records into a batch of the database, sealed (:mod:`natant.store.record`)."""
    for key, value in pairs:
        whole = DATA + key
        if value is None:
            delete(whole)
        else:
            put(whole, crc32(whole + value).to_bytes(4, "little") + value)


def merge(stored: Iterable[tuple[bytes, bytes]], newer: dict[bytes, Value]) -> Iterator[tuple[bytes, bytes]]:
    """The pairs of ``stored``, which are in order, as ``newer`` records have changed them."""
    names = sorted(newer)
    at = 0
    for key, value in stored:
        while at < len(names) and names[at] < key:
            fresh = newer[names[at]]
            if fresh is not None:
                yield names[at], fresh
            at += 1
        if at < len(names) and names[at] == key:
            fresh = newer[key]
            if fresh is not None:
                yield key, fresh
            at += 1
        else:
            yield key, value
    for name in names[at:]:
        fresh = newer[name]
        if fresh is not None:
            yield name, fresh
