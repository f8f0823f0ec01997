"""The chain of commits: every batch carries its number, so that one which went missing is missed.

RocksDB's log has a checksum on each entry, but none over their succession: a log file that was deleted or cut short in
the middle, or a block that reads as zeros, is passed over in silence.  So each batch also writes its number into slot
``number % SLOTS`` of a ring of records.  After a crash the last ``SLOTS`` numbers must all be there; a slot that holds an
older number names the commit that is gone.

The store makes RocksDB write its memory to a table at least every ``FLUSH_EVERY`` commits, and RocksDB keeps at most
``natant.store.tuning.WRITE_BUFFERS`` such memories: all commits that live only in logs are among the last ``SLOTS``.

Called by :mod:`natant.store.rocks`.
"""

from __future__ import annotations

from collections.abc import Iterable

from natant.store.record import seal, unseal
from natant.store.tuning import WRITE_BUFFERS

__all__ = ["FLUSH_EVERY", "PREFIX", "SLOTS", "link", "read"]

#: First byte of our own keys; those of the store's user start with another one.
PREFIX = b"\0"
#: commits whose numbers are kept in the ring
SLOTS = 65_536
#: commits after which memory is written to a table
FLUSH_EVERY = 7_168
assert (WRITE_BUFFERS + 1) * FLUSH_EVERY <= SLOTS, "a commit that is only in the log would leave the ring"


def link(commit: int) -> tuple[bytes, bytes]:
    """Key and sealed value of the record that says ``commit`` took place."""
    key = PREFIX + (commit % SLOTS).to_bytes(2, "big")
    return key, seal(key, commit.to_bytes(8, "big"))


def read(records: Iterable[tuple[bytes, bytes]], place: str) -> tuple[int, list[int]]:
    """The number of the last commit (0 where there was none), and those before it that are missing.

    :raises StoreError: ``NT-STORE-004`` where a record of the ring is damaged.
    """
    slots = [0] * SLOTS
    for key, sealed in records:
        slots[int.from_bytes(key[1:], "big")] = int.from_bytes(unseal(key, sealed, place), "big")
    last = max(slots)
    first = max(1, last - SLOTS + 1)
    return last, [number for number in range(first, last + 1) if slots[number % SLOTS] != number]
