"""What a store must do.  Any class that passes ``natant.testing.store_kit`` is a store.

A store is an ordered map from bytes to bytes with atomic batches.  It knows nothing of agents: the layout of the
keys belongs to ``natant.kernel.key``.  ``apply`` is called from one thread at a time (never the event loop's);
``get`` and ``scan`` may be called from the event loop's thread at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

__all__ = ["Operation", "Store"]

#: ``(PUT, key, value)``, ``(DELETE, key, b"")`` or ``(DELETE_PREFIX, prefix, b"")``; they take effect in their order.
Operation = tuple[int, bytes, bytes]

PUT = 0
DELETE = 1
DELETE_PREFIX = 2

#: the code of the error of a store that somebody else has taken over: nothing can be written to it ever again
DEPOSED = "NT-FABRIC-100"


class Store(Protocol):
    """An ordered, durable map of bytes with atomic batches."""

    #: True where ``apply`` returns only after the batch would survive a power cut.
    is_durable: bool

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``.

        :raises StoreError: ``NT-STORE-004`` where the record fails its checksum; the message names the key.
        """

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key starts with ``prefix``, in the order of their keys, as of the time of the call.

        The caller takes what it needs soon: a scan that is open keeps old data on the disk.

        :raises StoreError: ``NT-STORE-004`` as for :meth:`get`; ``NT-STORE-005`` where the store was closed or had to
            be opened again in the middle of the scan.
        """

    def apply(self, batch: Sequence[Operation]) -> None:
        """Make all operations of ``batch`` true at once, and durable before returning.

        After an error the caller tries the same batch again, as often as it takes, before any other: a batch that
        failed may have reached the disk, and doing it twice changes nothing.  An empty batch does nothing.

        :raises StoreError: ``NT-STORE-005`` where nothing was made true and a later try may succeed (disk full);
            ``NT-STORE-006`` or ``NT-STORE-004`` where it is not known whether one can; ``NT-STORE-008`` after
            :meth:`close`.
        """

    def close(self) -> None:
        """Release the files.  What was applied stays."""
