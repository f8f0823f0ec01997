"""The log: where a batch goes first, and what an acknowledgement waits for.

Two files take turns.  One *lap* fills one of them, from its start, with the entries of one window (:mod:`natant.store.window`); the file is used
again once all of the lap before is in the database's tables.  So the files are written in place, where a sync has nothing but data to
write, and are as long as they ever were: what lies behind the last entry is zeros or left over from an earlier lap.

Nothing is ever repaired here: a start reads the laps, brings what the database has not yet there, and begins a lap of its own.

Called by :mod:`natant.store.rocks`.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from natant.store.entry import MAGIC, spans, whole
from natant.store.folder import sync_directory

__all__ = ["LAP_BYTES", "NAMES", "Lap", "Log", "break_of", "laps"]

#: the two files
NAMES = ("natant-0.log", "natant-1.log")
#: entries of one lap; one more may begin as long as there are fewer
LAP_BYTES = 8 << 20
#: by so many zeros a file grows ahead of its entries
STEP_BYTES = 256 << 10

#: on Linux a write to such a file is itself the sync: one call, for which Python's global lock is given back and asked for once
_FLAGS = os.O_DSYNC if sys.platform == "linux" else 0


class Lap(NamedTuple):
    """What one file holds: the entries of commits ``first`` to ``last``, which end at byte ``end``.

    :ivar later: the first commit of an entry behind a place where there is no whole one; 0 where there is none.
    """

    path: Path
    data: bytes
    first: int
    last: int
    end: int
    later: int

    def starts(self, after: int) -> list[int]:
        """Where the entries of the commits behind ``after`` begin."""
        return [start for commit, start, _ in spans(self.data) if commit > after]


def laps(folder: Path) -> list[Lap]:
    """The laps in ``folder``, oldest first.  A file without a whole entry at its start has none.

    :raises OSError: where a file cannot be read.
    """
    found = []
    for path in files(folder):
        data = path.read_bytes()
        first = last = end = 0
        for commit, _, stop in spans(data):
            first, last, end = first or commit, commit, stop
        if first:
            found.append(Lap(path, data, first, last, end, _later(data, end, last)))
    return sorted(found, key=lambda lap: lap.first)


def files(folder: Path) -> list[Path]:
    """The files of the log that are there."""
    return [path for name in NAMES if (path := folder / name).exists()]


def break_of(folder: Path, found: list[Lap]) -> tuple[Path, str]:
    """Where the log of ``folder`` stops too early: the file, and the place in words."""
    bad = [path for path in files(folder) if path.stat().st_size and all(lap.path != path for lap in found)]
    if bad:
        return bad[0], f"{bad[0]}, byte 0: no entry is whole there"
    if not found:
        return folder / NAMES[0], f"{folder / NAMES[0]} is missing or empty"
    lap = found[-1]
    if lap.end >= len(lap.data):
        return lap.path, f"{lap.path} ends at byte {lap.end}: it was cut short, or the other file of the log removed"
    return lap.path, f"{lap.path}, byte {lap.end}: no entry is whole there"


def _later(data: bytes, at: int, last: int) -> int:
    """The commit of a whole entry behind the break at ``at`` that is later than ``last``, or 0.

    Each entry was synced before the next was written, so there is none but for damage.
    """
    while (at := data.find(MAGIC, at)) >= 0:
        found = whole(data, at)
        if found is not None and found[0] > last:
            return found[0]
        at = found[1] if found is not None else at + 1
    return 0


class Log:
    """The files, open for writing.  A new one begins with :meth:`turn`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[int] = [-1, -1]
        self._current = 1
        self._size = 0
        #: bytes of this lap
        self.end = 0

    def turn(self) -> None:
        """Begin a lap in the other file.  All of the lap before the present one must be in the database.

        :raises OSError: where the file cannot be opened or made.
        """
        other = 1 - self._current
        if self._files[other] < 0:
            self._files[other] = self._open(self._folder / NAMES[other])
        size = os.fstat(self._files[other]).st_size
        if size > 2 * LAP_BYTES:  # a batch of its time was very large
            os.ftruncate(self._files[other], LAP_BYTES)
            size = LAP_BYTES
        self._current, self._size, self.end = other, size, 0

    def _open(self, path: Path) -> int:
        is_new = not path.exists()
        flags = os.O_RDWR | os.O_CREAT | _FLAGS | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        file = os.open(path, flags, 0o644)
        if is_new:
            sync_directory(self._folder)
        return file

    def append(self, entry: bytes) -> None:
        """Write ``entry`` and return when it would survive a power cut.  After an error the same place is written again.

        :raises OSError: what the system says, a full disk among it.
        """
        file = self._files[self._current]
        end = self.end + len(entry)
        _write(file, entry, self.end)
        if end > self._size:
            with suppress(OSError):  # room that is not there yet is not needed yet either
                _write(file, bytes(STEP_BYTES), end)
            self._size = os.fstat(file).st_size
        if not _FLAGS:
            os.fsync(file)
        self.end = end

    def close(self) -> None:
        """Release the files."""
        for file in self._files:
            if file >= 0:
                os.close(file)
        self._files = [-1, -1]


def _write(file: int, data: bytes, at: int) -> None:
    done = 0
    while done < len(data):
        if hasattr(os, "pwrite"):
            done += os.pwrite(file, data[done:] if done else data, at + done)
        else:
            os.lseek(file, at + done, os.SEEK_SET)
            done += os.write(file, data[done:])
