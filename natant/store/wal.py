"""Where a log file of RocksDB is damaged.  Read only after RocksDB has refused: its message does not say.

A log is a row of blocks of 32 KiB, a block a row of fragments: ``masked crc32c (4) | length (2) | kind (1) | data``,
numbers lowest byte first; the crc covers kind and data.  A batch is one FULL fragment or a FIRST, MIDDLE..., LAST row,
and begins with the number of its first operation (8 bytes) and how many it has (4); so one batch says where the next
has to go on.  Source: RocksDB's wiki, "Write Ahead Log File Format".

Called by :mod:`natant.store.rocks` and the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

__all__ = ["Damage", "batch_ends", "find_damage", "logs"]

_BLOCK = 32 << 10
_HEADER = 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_MASK = 0xA282EAD8


class Damage(NamedTuple):
    """What is wrong, and at which byte of which file."""

    file: Path
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, byte {self.offset}: {self.reason}"


class _Batch(NamedTuple):
    offset: int
    end: int
    first: int
    operations: int


def logs(folder: Path) -> list[Path]:
    """The log files of a database that hold something, oldest first."""
    return sorted((path for path in folder.glob("*.log") if path.stat().st_size), key=lambda path: int(path.stem))


def find_damage(folder: Path) -> Damage | None:
    """The first place in the logs of ``folder`` that no crash explains, or None.

    An unfinished batch at the end of the newest log is what a crash leaves behind; anywhere else it is damage.
    """
    files = logs(folder)
    expected: int | None = None
    for file in files:
        try:
            for batch in _batches(file):
                if expected is not None and batch.first != expected:
                    return Damage(file, batch.offset, f"operation {expected} should follow, found {batch.first}")
                expected = batch.first + batch.operations
        except _DamageError as error:
            if not (error.is_torn and file == files[-1]):
                return Damage(file, error.offset, str(error))
    return None


def batch_ends(file: Path) -> list[int]:
    """The byte after each complete batch of a log, up to the first thing that is not one."""
    ends: list[int] = []
    with suppress(_DamageError):
        for batch in _batches(file):
            ends.append(batch.end)
    return ends


class _DamageError(Exception):
    def __init__(self, offset: int, reason: str, *, is_torn: bool = False) -> None:
        super().__init__(reason)
        self.offset = offset
        self.is_torn = is_torn


def _batches(file: Path) -> Iterator[_Batch]:
    start: int | None = None
    head = b""
    for offset, end, kind, data in _fragments(file.read_bytes()):
        if kind in (_FULL, _FIRST):
            if start is not None:
                raise _DamageError(start, "a batch begins and does not end")
            start, head = offset, data[:12]
        elif start is None:
            raise _DamageError(offset, "a batch goes on that did not begin")
        elif len(head) < 12:
            head += data[: 12 - len(head)]
        if kind in (_FULL, _LAST):
            yield _Batch(start, end, int.from_bytes(head[:8], "little"), int.from_bytes(head[8:12], "little"))
            start = None
    if start is not None:
        raise _DamageError(start, "the last batch does not end", is_torn=True)


def _fragments(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Offset, end, kind and data of each fragment."""
    offset = 0
    while offset < len(data):
        room = _BLOCK - offset % _BLOCK
        if room < _HEADER:
            offset += room
            continue
        header = data[offset : offset + _HEADER]
        if len(header) < _HEADER:
            raise _DamageError(offset, "the file ends inside the head of an entry", is_torn=True)
        length, kind = int.from_bytes(header[4:6], "little"), header[6]
        end = offset + _HEADER + length
        if _HEADER + length > room or not _FULL <= kind <= _LAST:
            raise _DamageError(offset, "the head of an entry is damaged")
        if end > len(data):
            raise _DamageError(offset, "the file ends inside an entry", is_torn=True)
        if _masked_crc(data[offset + 6 : end]) != int.from_bytes(header[:4], "little"):
            raise _DamageError(offset, "the checksum of an entry does not fit")
        yield offset, end, kind, data[offset + _HEADER : end]
        offset = end


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _crc_table()


def _masked_crc(data: bytes) -> int:
    """CRC-32C (RFC 3720), turned as RocksDB stores it.  Slow; it runs over one damaged folder, once."""
    crc = 0xFFFFFFFF
    table = _TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF
