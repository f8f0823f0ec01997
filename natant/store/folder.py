"""The data folder: whose it is, which format it has, and that only one process has it open.

A folder is ours when it holds ``natant.format``.  A new one gets it before the database is made, so a folder that holds
anything else and not this file is somebody else's and is refused untouched.  ``natant.lock`` is locked as long as the
store is open and names the process that holds it.

Called by :mod:`natant.store.rocks`.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from natant.errors import StoreError
from natant.store import tail

if sys.platform != "win32":
    import fcntl

__all__ = ["DATABASE", "FORMAT", "NATS", "Folder", "explain", "is_full", "sync_directory"]

#: The format this code writes.  Another one is refused; format 1 was never released.
FORMAT = 2
#: The database's folder inside ours.
DATABASE = "db"

#: The folder of the plane's NATS server inside ours, where it has one; that is started before the store is opened.
NATS = "nats"

_FORMAT_NAME = "natant.format"
_LOCK_NAME = "natant.lock"
#: What a crash in the middle of making a folder can leave behind before it is ours.
_BEFORE_FORMAT = {NATS, _LOCK_NAME, tail.NAME, _FORMAT_NAME + ".new"}
_HEAD = "natant store, format "

#: Folders this process has open: a lock of POSIX is per process, so it does not keep a second opening of our own out.
_open_here: set[tuple[int, int]] = set()


class Folder:
    """A claimed data folder.  ``is_new`` is true until the format record is written."""

    def __init__(self, path: Path) -> None:
        """Make the folder where it is missing, check whose it is, and lock it.

        :raises StoreError: ``NT-STORE-001`` not a store or of a newer format, ``NT-STORE-002`` open elsewhere,
            ``NT-STORE-003`` cannot be written, ``NT-STORE-005`` the disk is full.
        """
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise StoreError("NT-STORE-001", f"{path} is not a folder; a store takes a folder of its own.") from None
        except OSError as error:
            raise explain(error, path) from error
        self.is_new = not self._check_format()
        status = path.stat()
        self._identity = (status.st_dev, status.st_ino)
        if self._identity in _open_here:
            raise self._is_held(os.getpid())
        try:
            self._lock = os.open(path / _LOCK_NAME, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            raise explain(error, path) from error
        try:
            self._take_lock()
        except BaseException:
            os.close(self._lock)
            raise
        _open_here.add(self._identity)

    def mark_format(self) -> None:
        """Make the folder ours for good."""
        fresh = self.path / (_FORMAT_NAME + ".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{_HEAD}{FORMAT}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path / _FORMAT_NAME)
        sync_directory(self.path)
        self.is_new = False

    def release(self) -> None:
        """Let others open the folder."""
        _open_here.discard(self._identity)
        os.close(self._lock)

    def _check_format(self) -> bool:
        """True where the folder is a store of our format, False where it is new."""
        try:
            text = (self.path / _FORMAT_NAME).read_text(encoding="ascii")
        except FileNotFoundError:
            foreign = sorted({path.name for path in self.path.iterdir()} - _BEFORE_FORMAT)
            if foreign:
                raise StoreError(
                    "NT-STORE-001",
                    f"{self.path} is not a store of natant: it has no {_FORMAT_NAME} but holds {foreign[0]!r}. "
                    "Name an empty folder or one that natant made.",
                ) from None
            return False
        except UnicodeDecodeError:
            text = ""
        except OSError as error:
            raise explain(error, self.path) from error
        number = text.strip().removeprefix(_HEAD)
        if not text.startswith(_HEAD) or not number.isdecimal() or int(number) < 1:
            raise StoreError(
                "NT-STORE-001",
                f"{self.path / _FORMAT_NAME} does not say which format the store has: it reads {text[:60]!r}, "
                f"expected {_HEAD + str(FORMAT)!r}.",
            )
        if int(number) > FORMAT:
            raise StoreError(
                "NT-STORE-001",
                f"{self.path} has format {number}, written by a newer natant; this one reads up to format {FORMAT}. "
                "Run the newer version.",
            )
        if int(number) < FORMAT:
            raise StoreError(
                "NT-STORE-001",
                f"{self.path} has format {number}, written by a natant before its first release; this one reads format {FORMAT}. "
                "Start with a new folder, or run that version.",
            )
        return True

    def _take_lock(self) -> None:
        if sys.platform != "win32":
            try:
                # Not flock: a forked child would go on holding that after its parent has died.
                fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN):
                    raise explain(error, self.path) from error
                holder = os.read(self._lock, 32).decode("ascii", "replace").strip()
                raise self._is_held(int(holder) if holder.isdecimal() else None) from None
        try:
            os.ftruncate(self._lock, 0)
            os.write(self._lock, f"{os.getpid()}\n".encode())
        except OSError as error:
            # The lock is ours all the same; on a full disk it only cannot tell others our number.
            if not is_full(error):
                raise explain(error, self.path) from error

    def _is_held(self, pid: int | None) -> StoreError:
        who = "this very process" if pid == os.getpid() else "another process"
        return StoreError(
            "NT-STORE-002",
            f"{self.path} is open in {who} (pid {pid if pid is not None else 'unknown'}); "
            "one process may have it at a time. Stop that one or name another folder.",
            pid=pid,
        )


def is_full(error: OSError) -> bool:
    """True where a later try can succeed once somebody has made room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def explain(error: OSError, path: Path) -> StoreError:
    """The store's error for what the system said about ``path``."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError(
            "NT-STORE-003",
            f"{path} cannot be written ({error.strerror}); a store needs a folder it may write to. "
            "Check its owner, its mode and how it is mounted.",
        )
    if is_full(error):
        return StoreError("NT-STORE-005", f"no room in {path} ({error.strerror}). Free some space and try again.")
    return StoreError("NT-STORE-006", f"{path} cannot be used: {error}.")


def sync_directory(path: Path) -> None:
    """Let the names in a folder survive a power cut."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
