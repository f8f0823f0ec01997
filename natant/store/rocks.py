"""The durable store, on RocksDB.

A batch is written to RocksDB's log and memory, the log is synced, the tail mark is moved: then it is acknowledged.  Every value
carries our own checksum, every batch its number.  What a crash tore off the end of the log was never acknowledged and is dropped;
anything else that is missing or changed is refused with its place, never passed over.  ``docs/explanation/durability.md``
says what is found out how.

Keys of the store's user stand under the first byte 1, our own under 0 (:mod:`natant.store.chain`).
Invariant: one thread at a time calls :meth:`RocksStore.apply`; ``get`` and ``scan`` may run beside it.
"""

from __future__ import annotations

import errno
import gc
import shutil
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Final
from zlib import crc32

from rocksdict import Cache, Rdict, WriteBatch

from natant.errors import StoreError
from natant.store import chain, tuning
from natant.store.contract import DELETE, PUT, Operation
from natant.store.cursor import Cursor
from natant.store.folder import Folder, explain
from natant.store.record import successor, unseal
from natant.store.tail import Tail

__all__ = ["RocksStore"]

#: first byte of the keys of the store's user
USER: Final = b"\x01"
DATABASE: Final = "db"
#: room that must be free beside what the log takes before the database is opened again after a failed write
ROOM_BYTES: Final = 4 << 20
#: how long a write waits in all while RocksDB asks for a pause
STALL_WAIT_S: Final = 30.0
STALL_STEP_S: Final = 0.005
#: what RocksDB says when there is no room
_FULL: Final = ("No space left", "File too large", "Disk quota exceeded", "no space")
_STALL: Final = ("Write stall", "Incomplete")


class RocksStore:
    """An ordered map of bytes in a folder.

    :param path: the folder; it is made where it is missing.
    :raises StoreError: ``NT-STORE-001`` not a store or of a newer format, ``NT-STORE-002`` open elsewhere, ``NT-STORE-003``
        cannot be written, ``NT-STORE-004`` damaged, ``NT-STORE-005`` the disk is full.
    """

    is_durable = True

    def __init__(self, path: str | Path, *, buffer_bytes: int = tuning.BUFFER_BYTES) -> None:
        self.path = Path(path)
        self._place = str(self.path)
        self._buffer_bytes = buffer_bytes
        self._cache = Cache(tuning.CACHE_BYTES)
        self._write_options = tuning.write_options()
        self._lock = Lock()
        self._cursors: weakref.WeakSet[Cursor] = weakref.WeakSet()
        self._must_reopen = False
        self._is_closed = False
        #: the database could not be opened again after a failed write
        self._is_away = False
        self._folder = Folder(self.path)
        try:
            self._begin()
        except BaseException:
            self._folder.release()
            raise

    # --- opening --------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        is_new = self._folder.is_new
        try:
            self._tail = Tail(self.path, is_new=is_new)
            if is_new:
                self._folder.mark_format()
        except OSError as error:
            raise explain(error, self.path) from error
        try:
            self._database = self._open_database()
            self._commit = self._check_chain()
        except BaseException:
            self._tail.close()
            raise

    def _open_database(self) -> Rdict:
        folder = self.path / DATABASE
        is_new = not folder.exists()
        if is_new and self._tail.commit:
            raise StoreError(
                "NT-STORE-004",
                f"{folder} is missing, and with it {self._tail.commit} acknowledged commits. Bring the whole folder back from a backup.",
                place=str(folder),
            )
        options = tuning.options(is_new=is_new, cache=self._cache, buffer_bytes=self._buffer_bytes)
        try:
            return Rdict(str(folder), options)
        except Exception as error:
            raise self._explain_open(error) from error

    def _check_room(self) -> None:
        """Opening replays the log into a table, and a try that fails for want of room leaves litter: so look first.

        :raises StoreError: ``NT-STORE-005`` where there is less room than the log takes.
        """
        log_bytes = sum(path.stat().st_size for path in (self.path / DATABASE).glob("*.log"))
        free_bytes = shutil.disk_usage(self.path).free
        if free_bytes < log_bytes + ROOM_BYTES:
            missing = (log_bytes + ROOM_BYTES - free_bytes) / 2**20
            raise StoreError(
                "NT-STORE-005",
                f"no room in {self._place}: at least {missing:.1f} MiB more are needed. Free some space and try again.",
            )

    def _explain_open(self, error: Exception) -> StoreError:
        text = str(error)
        if any(word in text for word in _FULL):
            return StoreError("NT-STORE-005", f"no room in {self._place} ({text}). Free some space and try again.")
        if "Permission denied" in text or "Read-only file system" in text:
            return explain(OSError(errno.EACCES, "Permission denied"), self.path)
        return StoreError(
            "NT-STORE-004",
            f"the database in {self._place} is damaged: {text}. Nothing was skipped; bring the folder back from a backup.",
            place=self._place,
        )

    def _check_chain(self) -> int:
        """The number of the last commit.

        :raises StoreError: ``NT-STORE-004`` where an acknowledged commit is missing.
        """
        cursor = Cursor(self._database, chain.PREFIX, USER, self._lock, self._place)
        last, missing = chain.read(cursor.sealed(), self._place)
        cursor.drop()
        if missing:
            raise self._lost(f"commit {missing[0]} is missing, though {last} is there")
        if last < self._tail.commit:
            raise self._lost(f"it ends at commit {last}, but {self._tail.commit} was acknowledged")
        return last

    def _lost(self, what: str) -> StoreError:
        return StoreError(
            "NT-STORE-004",
            f"the log in {self.path / DATABASE} is damaged: {what}. Nothing was changed; bring the folder back from a backup.",
            place=str(self.path / DATABASE),
        )

    # --- reading --------------------------------------------------------------------------------------------------

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``, or None."""
        whole = USER + key
        with self._lock:
            self._check_open()
            try:
                sealed = self._database.get(whole)
            except Exception as error:
                raise self._explain_read(key, error) from error
        return None if sealed is None else unseal(whole, sealed, self._place)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key starts with ``prefix``, in order, as of now."""
        start = USER + prefix
        end = successor(start)
        assert end is not None
        with self._lock:
            self._check_open()
            cursor = Cursor(self._database, start, end, self._lock, self._place)
            self._cursors.add(cursor)
        return cursor.pairs()

    def _explain_read(self, key: bytes, error: Exception) -> StoreError:
        return StoreError(
            "NT-STORE-004",
            f"the record {key!r} in {self._place} cannot be read: {error}. Nothing was skipped; bring the folder back from a backup.",
            key=key.hex(),
            place=self._place,
        )

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreError("NT-STORE-008", f"the store in {self._place} was closed; it cannot be used any more.")
        if self._is_away:
            raise StoreError(
                "NT-STORE-005", f"the store in {self._place} is being opened again after a failed write. Try again."
            )

    # --- writing --------------------------------------------------------------------------------------------------

    def apply(self, batch: Sequence[Operation]) -> None:
        """Make all operations of ``batch`` true at once, and durable before returning."""
        if self._must_reopen:
            self._reopen()
        with self._lock:
            self._check_open()
        commit = self._commit + 1
        prepared = self._prepare(batch, commit)
        try:
            self._write(prepared)
            self._database.flush_wal(True)
            self._tail.move(commit)
        except Exception as error:
            self._must_reopen = True
            raise self._explain_write(error) from error
        self._commit = commit
        if commit % chain.FLUSH_EVERY == 0:
            self._tidy(self._database.flush)

    def _prepare(self, batch: Sequence[Operation], commit: int) -> WriteBatch:
        prepared = WriteBatch(raw_mode=True)
        put, delete = prepared.put, prepared.delete
        for kind, key, value in batch:
            whole = USER + key
            if kind == PUT:
                put(whole, crc32(value, crc32(whole)).to_bytes(4, "little") + value)
            elif kind == DELETE:
                delete(whole)
            else:
                end = successor(whole)
                assert end is not None
                prepared.delete_range(whole, end)
        put(*chain.link(commit))
        return prepared

    def _write(self, prepared: WriteBatch) -> None:
        deadline_s = time.monotonic() + STALL_WAIT_S
        while True:
            try:
                self._database.write(prepared, self._write_options)
                return
            except Exception as error:
                if not any(word in str(error) for word in _STALL) or time.monotonic() > deadline_s:
                    raise
            time.sleep(STALL_STEP_S)

    def _tidy(self, work: Callable[[], object]) -> None:
        """Work of RocksDB that may be late; its failure shows at the next write."""
        try:
            work()
        except Exception:
            self._must_reopen = True

    def _explain_write(self, error: Exception) -> StoreError:
        if isinstance(error, StoreError):
            return error
        if isinstance(error, OSError):
            return explain(error, self.path)
        text = str(error)
        if any(word in text for word in (*_FULL, *_STALL)):
            return StoreError("NT-STORE-005", f"no room in {self._place} ({text}). Free some space and try again.")
        return StoreError("NT-STORE-006", f"the store in {self._place} cannot be written: {text}.")

    def _reopen(self) -> None:
        """After a failed write RocksDB refuses further ones; what is on the disk is the truth.

        While this fails, reads are refused too, and the next :meth:`apply` tries again.
        """
        with self._lock:
            self._check_room()
            for cursor in list(self._cursors):
                cursor.drop()
            if not self._is_away:
                self._is_away = True
                self._tidy(self._database.close)
                del self._database  # a database that could not close lets its files go with its last reference
                gc.collect()
            self._database = self._open_database()
            self._is_away = False
        self._commit = self._check_chain()
        self._must_reopen = False

    # --- the end --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Release the folder.  What was applied stays.  Closing twice does nothing."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            for cursor in list(self._cursors):
                cursor.drop()
        try:
            if not self._is_away:
                self._tidy(self._database.close)
            self._tail.close()
        finally:
            self._folder.release()
