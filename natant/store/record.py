"""Our own records in a store: a value sealed with a checksum over its key and itself.

A sealed value is the four bytes of ``crc32(key + value)``, lowest first, and then the value.  RocksDB has checksums
of its own on every block and on every entry of its log; this one also sees what went wrong above them: bytes that were
changed in memory, a value that came back under another key, a file that was put together by hand.

Called by :mod:`natant.store.rocks`, whose hot loops repeat the one line of :func:`seal` in place.
"""

from __future__ import annotations

from zlib import crc32

from natant.errors import StoreError

__all__ = ["SEAL_SIZE", "damaged", "seal", "successor", "unseal"]

#: Bytes in front of the value.
SEAL_SIZE = 4


def seal(key: bytes, value: bytes) -> bytes:
    """``value`` with its checksum in front."""
    return crc32(key + value).to_bytes(SEAL_SIZE, "little") + value


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """The value that :func:`seal` was given.

    :param place: the folder, for the error.
    :raises StoreError: ``NT-STORE-004`` where the checksum does not fit.
    """
    value = sealed[SEAL_SIZE:]
    if crc32(key + value) != int.from_bytes(sealed[:SEAL_SIZE], "little"):
        raise damaged(key, place)
    return value


def damaged(key: bytes, place: str, cause: str = "its checksum does not fit its key and value") -> StoreError:
    """The error for a record that cannot be trusted."""
    return StoreError(
        "NT-STORE-004",
        f"the record {key!r} in {place} is damaged: {cause}. Nothing was skipped; bring the folder back from a backup.",
        key=key.hex(),
        place=place,
    )


def successor(prefix: bytes) -> bytes | None:
    r"""The smallest byte string above every string that starts with ``prefix``; None where there is none.

    >>> successor(b"ab"), successor(b"a\xff"), successor(b"\xff")
    (b'ac', b'b', None)
    """
    stem = prefix.rstrip(b"\xff")
    if not stem:
        return None
    return stem[:-1] + bytes((stem[-1] + 1,))
