"""The tail mark: the number of the last commit that was acknowledged, in a small file beside the database.

A log that ends early looks like one whose last entry was torn by a power cut.  The mark tells the two apart.  It is written after the fsync of the log and before the acknowledgement, but not
synced itself, so it costs a microsecond: after a crash of the process it is exact; after a power cut it may be older than
the log, never newer.  A log that ends before its mark has lost something that was acknowledged.

Layout: one sealed record of 8 bytes, ``crc32 | commit`` (see :mod:`natant.store.record`), at the start of the file.
Called by :mod:`natant.store.rocks`.
"""

from __future__ import annotations

import os
from pathlib import Path

from natant.errors import StoreError
from natant.store.record import SEAL_SIZE, seal, unseal

__all__ = ["NAME", "Tail"]

NAME = "natant.tail"
_KEY = NAME.encode()
_SIZE = SEAL_SIZE + 8


class Tail:
    """The open file of the mark.  ``commit`` is the number it holds."""

    def __init__(self, folder: Path, *, is_new: bool) -> None:
        """Open the mark of ``folder``, or make it where the folder is new.

        :raises StoreError: ``NT-STORE-004`` where it is missing or damaged.
        :raises OSError: where the file cannot be written.
        """
        path = folder / NAME
        if is_new and not _is_whole(path):
            path.write_bytes(seal(_KEY, bytes(8)))
        self._file = self._open(path)
        self.commit = self._read(path)
        if is_new:
            self.sync()

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
        except FileNotFoundError:
            raise StoreError(
                "NT-STORE-004",
                f"{path} is missing: without it nobody can tell whether acknowledged commits are missing too. "
                "Bring the whole folder back from a backup.",
                place=str(path),
            ) from None

    def _read(self, path: Path) -> int:
        try:
            data = os.read(self._file, _SIZE + 1)
            if len(data) != _SIZE:
                raise StoreError(
                    "NT-STORE-004", f"{path} is damaged: it has {len(data)} bytes, expected {_SIZE}.", place=str(path)
                )
            return int.from_bytes(unseal(_KEY, data, str(path)), "big")
        except StoreError:
            os.close(self._file)
            raise

    def move(self, commit: int) -> None:
        """Note that ``commit`` was acknowledged (not yet synced)."""
        mark = seal(_KEY, commit.to_bytes(8, "big"))
        if hasattr(os, "pwrite"):
            os.pwrite(self._file, mark, 0)
        else:
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, mark)
        self.commit = commit

    def sync(self) -> None:
        """Let the mark survive a power cut."""
        os.fsync(self._file)

    def close(self) -> None:
        """Sync and release the file."""
        try:
            self.sync()
        finally:
            os.close(self._file)


def _is_whole(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == _SIZE
