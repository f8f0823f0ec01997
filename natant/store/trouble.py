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
from natant.store import wal
from natant.store.folder import DATABASE, is_full

__all__ = ["Kind", "check_room", "kind_of", "lost", "translate"]

#: Room beyond the batch and the logs that a database needs to be opened again.
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
            f"the store in {folder} is damaged: {_with_place(str(error), folder)}. "
            "Nothing was skipped and nothing was changed; bring the folder back from a backup.",
            place=str(folder),
        )
    return StoreError("NT-STORE-006", f"the store in {folder} cannot go on: {error}.", place=str(folder))


def lost(database: Path, fact: str) -> StoreError:
    """The error for acknowledged commits that are not there."""
    damage = wal.find_damage(database)
    place = str(damage) if damage else _end_of_logs(database)
    return StoreError(
        "NT-STORE-004",
        f"commits are missing in {database}: {fact} ({place}). "
        "Nothing was changed; bring the whole folder back from a backup.",
        place=str(damage.file if damage else database),
    )


def check_room(database: Path, need_bytes: int = 0) -> None:
    """Look for the room that a database wants when it is opened, and a batch of ``need_bytes`` after that.

    What the logs hold becomes a table then.  A try that fails for want of room leaves half a table behind, which makes the
    want worse: so look first.

    :raises StoreError: ``NT-STORE-005`` where there is less.
    """
    log_bytes = sum(file.stat().st_size for file in wal.logs(database))
    if not log_bytes and not need_bytes:
        return
    wanted = SPARE_BYTES + need_bytes + log_bytes
    missing = wanted - shutil.disk_usage(database.parent).free
    if missing > 0 or not _can_take(database.parent / "natant.probe", wanted):
        raise StoreError(
            "NT-STORE-005",
            f"no room in {database.parent}: {wanted / 2**20:.1f} MiB are wanted to go on, of which "
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


def _end_of_logs(database: Path) -> str:
    files = wal.logs(database)
    if not files:
        return "there is no log with anything in it, so it was emptied or removed"
    return f"the newest log, {files[-1]}, ends at byte {files[-1].stat().st_size}: it was cut short, or a newer one removed"


def _with_place(text: str, folder: Path) -> str:
    """``text`` with the file and byte of the damage, where RocksDB did not name them itself."""
    text = text.strip().rstrip(".")
    if str(folder) in text:
        return text
    damage = wal.find_damage(folder / DATABASE)
    return f"{text} ({damage})" if damage else text
