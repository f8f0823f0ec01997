"""Entries of the log: one for each batch.

====================  ======================================================================
bytes                 what
====================  ======================================================================
4                     ``MAGIC``
4                     crc32 of all that follows
4                     bytes behind the head
8                     number of the commit
4                     operations
one each              kind of each operation
4 + 4 each            how long its key and its value are
the rest              keys and values, one behind the other
====================  ======================================================================

Numbers stand lowest byte first.  The commits of a log go up by one; with the checksum that makes a chain, in which whatever is
missing, changed or left over from an earlier use of the file is seen.

A hot module: types for Cython are in ``entry.pxd``.  Called by :mod:`natant.store.log` and :mod:`natant.store.rocks`.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Final
from zlib import crc32

from natant.store.contract import Operation

__all__ = ["HEAD_SIZE", "MAGIC", "pack", "spans", "unpack", "whole"]

MAGIC: Final = b"ntL\x01"
_HEAD: Final = Struct("<4sIIQI")
_CHECKED: Final = Struct("<IQI")
#: bytes of an entry's head
HEAD_SIZE: Final = _HEAD.size
#: where the part begins that the checksum is over
_CHECKED_AT: Final = 8
_IS_SWAPPED: Final = sys.byteorder == "big"


def pack(commit: int, batch: Sequence[Operation]) -> bytes:
    """The entry of a batch."""
    kinds = bytearray()
    sizes: list[int] = []
    parts: list[bytes] = []
    for kind, key, value in batch:
        kinds.append(kind)
        sizes.append(len(key))
        sizes.append(len(value))
        parts.append(key)
        parts.append(value)
    lengths = array("I", sizes)
    if _IS_SWAPPED:
        lengths.byteswap()
    body = b"".join((bytes(kinds), lengths.tobytes(), *parts))
    count = len(kinds)
    checksum = crc32(body, crc32(_CHECKED.pack(len(body), commit, count)))
    return _HEAD.pack(MAGIC, checksum, len(body), commit, count) + body


def unpack(data: bytes, start: int) -> list[Operation]:
    """The batch whose entry begins at ``start`` of ``data``; the entry is a whole one."""
    count = _HEAD.unpack_from(data, start)[4]
    at = start + HEAD_SIZE
    kinds = data[at : at + count]
    at += count
    lengths = array("I", data[at : at + 8 * count])
    if _IS_SWAPPED:
        lengths.byteswap()
    at += 8 * count
    batch: list[Operation] = []
    for index in range(count):
        middle = at + lengths[2 * index]
        end = middle + lengths[2 * index + 1]
        batch.append((kinds[index], data[at:middle], data[middle:end]))
        at = end
    return batch


def spans(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Commit, start and end of each entry from the start of ``data`` on, as long as they are whole and go up by one."""
    at, expected = 0, None
    while (found := whole(data, at)) is not None:
        commit, end = found
        if expected is not None and commit != expected:
            return
        yield commit, at, end
        at, expected = end, commit + 1


def whole(data: bytes, at: int) -> tuple[int, int] | None:
    """Commit and end of the entry at ``at``, None where there is no whole one."""
    if len(data) - at < HEAD_SIZE:
        return None
    magic, checksum, size, commit, _ = _HEAD.unpack_from(data, at)
    end = at + HEAD_SIZE + size
    if magic != MAGIC or end > len(data) or crc32(data[at + _CHECKED_AT : end]) != checksum:
        return None
    return commit, end
