"""What RocksDB's messages mean: which of our errors, and what may be done about it.

``rocksdict`` raises a plain ``Exception`` with RocksDB's text; there is nothing else to go by, so each text this module
relies on is provoked for real in ``tests/integration/store``.  Called by :mod:`natant.store.rocks`.
"""

from __future__ import annotations

import enum
import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from natant.errors import StoreError
from natant.store.folder import is_full
from natant.store.log import Lap, break_of

__all__ = ["Kind", "check_room", "kind_of", "lost", "translate"]

#: Room beyond the tables that a database needs to be opened again.
SPARE_BYTES = 2 << 20


class Kind(enum.Enum):
    """What sort of trouble a message tells of."""

    STALL = enum.auto()
    FULL = enum.auto()
    DENIED = enum.auto()
    HELD = enum.auto()
    DAMAGED = enum.auto()
    OTHER = enum.auto()


_SIGNS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    (Kind.STALL, ("Write stall",)),
    (Kind.DAMAGED, ("Corruption:", "Compaction sees")),
    (Kind.FULL, ("No space left on device", "File too large", "Disk quota exceeded", "NoSpace", "Space limit reached")),
    (Kind.HELD, ("While lock file", "lock hold by current process")),
    (Kind.DENIED, ("Permission denied", "Read-only file system", "Operation not permitted")),
)


def kind_of(error: Exception) -> Kind:
    """The kind of trouble ``error`` tells of."""
    text = str(error)
    return next((kind for kind, signs in _SIGNS if any(sign in text for sign in signs)), Kind.OTHER)


def translate(error: Exception, folder: Path, *, is_opening: bool = False) -> StoreError:
    """Our error for what RocksDB said about ``folder``."""
    kind = kind_of(error)
    if kind is Kind.FULL:
        return StoreError(
            "NT-STORE-005",
            f"no room in {folder} ({error}). Nothing was made true; free some space and try the same again.",
        )
    if kind is Kind.DENIED:
        return StoreError("NT-STORE-003", f"{folder} cannot be written ({error}); check its owner, mode and mount.")
    if kind is Kind.HELD:
        return StoreError("NT-STORE-002", f"{folder} is open in another process (pid unknown): {error}.", pid=None)
    if kind is Kind.DAMAGED or (is_opening and "No such file" in str(error)):
        return StoreError(
            "NT-STORE-004",
            f"the store in {folder} is damaged: {str(error).strip().rstrip('.')}. "
            "Nothing was skipped and nothing was changed; bring the folder back from a backup.",
            place=str(folder),
        )
    return StoreError("NT-STORE-006", f"the store in {folder} cannot go on: {error}.", place=str(folder))


def lost(folder: Path, fact: str, laps: list[Lap]) -> StoreError:
    """The error for acknowledged commits that are not there; ``laps`` is what the log holds."""
    file, place = break_of(folder, laps)
    return StoreError(
        "NT-STORE-004",
        f"commits are missing in {folder}: {fact} ({place}). "
        "Nothing was changed; bring the whole folder back from a backup.",
        place=str(file),
    )


def check_room(folder: Path, need_bytes: int) -> None:
    """Look for the room that tables of ``need_bytes`` want, which the log holds or a batch will bring.

    A try that fails for want of room leaves half a table behind, which makes the want worse: so look first.

    :raises StoreError: ``NT-STORE-005`` where there is less.
    """
    if not need_bytes:
        return
    wanted = SPARE_BYTES + need_bytes
    missing = wanted - shutil.disk_usage(folder).free
    if missing > 0 or not _can_take(folder / "natant.probe", wanted):
        raise StoreError(
            "NT-STORE-005",
            f"no room in {folder}: {wanted / 2**20:.1f} MiB are wanted to go on, of which "
            f"{max(missing, 1) / 2**20:.1f} MiB or more are missing. Nothing was made true; free some space and try again.",
        )


def _can_take(probe: Path, wanted: int) -> bool:
    """Whether the system grants a file of that size: there may be a quota."""
    try:
        handle = os.open(probe, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, wanted)
        finally:
            os.close(handle)
    except OSError as error:
        # Too large for one file is no sign of a full disk: the tables will be smaller.
        return not is_full(error) or error.errno == errno.EFBIG
    finally:
        with suppress(OSError):
            probe.unlink()
    return True
