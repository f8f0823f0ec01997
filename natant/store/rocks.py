r"""The durable store: RocksDB, so set up and so watched that it never goes on without something it has acknowledged.

Invariants:

* :meth:`RocksStore.apply` returns after the fsync of the log that holds its batch, and after the tail mark moved.
* What cannot be read is an error with its place, never a key that is not there.
* A folder with damage is refused before anything in it is changed: it is opened for reading first.

RocksDB's keys: first byte ``\0`` are ours (:mod:`natant.store.chain`), first byte ``d`` are the user's; each value is
sealed (:mod:`natant.store.record`).  Called by the host through :mod:`natant.store.contract`.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from zlib import crc32

from rocksdict import AccessType, Cache, Rdict, WriteBatch

from natant.errors import StoreError
from natant.store import chain, tuning
from natant.store.contract import DELETE, PUT, Operation
from natant.store.cursor import Cursor
from natant.store.folder import DATABASE, Folder, explain, sync_directory
from natant.store.record import SEAL_SIZE, damaged, successor
from natant.store.tail import Tail
from natant.store.trouble import Kind, check_room, kind_of, lost, translate

__all__ = ["RocksStore"]

#: First byte of the keys of the store's user.
_DATA = b"d"
#: RocksDB may ask for a pause while it writes its memory to tables; we wait this long at most.
STALL_LIMIT_S = 30.0
#: Time between two tries.
STALL_PAUSE_S = 0.002
#: A prefix with at most so many keys is deleted key by key: a range tombstone slows down all reads until it is compacted.
FEW_KEYS = 128
#: Comparisons of earlier keys of a batch with the prefixes it deletes, before range tombstones are the lesser cost.
COMPARISON_LIMIT = 65_536


class RocksStore:
    """An ordered map of bytes in a folder, durable when :meth:`apply` returns.

    :param path: the folder; it is made where it is missing.
    :param cache_bytes: memory for blocks, indexes and filters.
    :param buffer_bytes: size of one buffer for fresh writes; up to ``tuning.WRITE_BUFFERS`` of them exist.
    :raises StoreError: ``NT-STORE-001`` to ``NT-STORE-006`` where the folder cannot be opened; see the catalogue.
    """

    is_durable = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        cache_bytes: int = tuning.CACHE_BYTES,
        buffer_bytes: int = tuning.BUFFER_BYTES,
    ) -> None:
        self._path = Path(path).absolute()
        self._place = str(self._path)
        self._database_path = self._path / DATABASE
        self._cache = Cache(cache_bytes)
        self._buffer_bytes = buffer_bytes
        self._write_options = tuning.write_options()
        self._lock = Lock()
        self._cursors: weakref.WeakSet[Cursor] = weakref.WeakSet()
        self._database: Rdict | None = None
        #: A write failed: the database has to be opened again before the next one.
        self._is_doubtful = False
        self._is_closed = False
        self._folder = Folder(self._path)
        try:
            self._tail = Tail(self._path, is_new=self._folder.is_new)
            if self._folder.is_new:
                self._folder.mark_format()
            self._commit = self._open()
        except OSError as error:
            self._release()
            raise explain(error, self._path) from error
        except BaseException:
            self._release()
            raise

    # Reading ---------------------------------------------------------------------------------------------------------

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``, or None.

        :raises StoreError: ``NT-STORE-004`` where the record or what holds it is damaged.
        """
        whole = _DATA + key
        try:
            sealed = self._database.get(whole)  # type: ignore[union-attr]  # closed: see _get_with_care
        except Exception:
            sealed = self._get_with_care(key)
        if sealed is None:
            return None
        value: bytes = sealed[SEAL_SIZE:]
        if crc32(whole + value) != int.from_bytes(sealed[:SEAL_SIZE], "little"):
            raise damaged(key, self._place)
        return value

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key starts with ``prefix``, in the order of their keys, as of the time of the call.

        :raises StoreError: ``NT-STORE-004`` as for :meth:`get`; ``NT-STORE-005`` where the store was closed or opened
            again meanwhile.
        """
        return self._cursor(_DATA + prefix).pairs()

    def _get_with_care(self, key: bytes) -> bytes | None:
        """After a failure: wait for a reopening that may be going on, and tell what is wrong."""
        with self._lock:
            database = self._readable()
            try:
                found: bytes | None = database.get(_DATA + key)
            except Exception as error:
                raise damaged(key, self._place, f"it cannot be read: {error}") from error
            return found

    def _cursor(self, prefix: bytes) -> Cursor:
        end = successor(prefix)
        assert end is not None, "each prefix starts with a byte below 0xff"
        with self._lock:
            cursor = Cursor(self._readable(), prefix, end, self._lock, self._place)
            self._cursors.add(cursor)
            return cursor

    def _readable(self) -> Rdict:
        if self._is_closed:
            raise self._closed()
        if self._database is None:
            raise StoreError(
                "NT-STORE-005", f"the store in {self._place} could not be opened again yet, so it cannot be read."
            )
        return self._database

    # Writing ---------------------------------------------------------------------------------------------------------

    def apply(self, batch: Sequence[Operation]) -> None:
        """Make all operations of ``batch`` true at once, and durable before returning.

        Called from one thread at a time.  Python's global lock is free during the fsync.

        :raises StoreError: ``NT-STORE-005`` where nothing was made true and the same batch may be tried again (disk
            full); ``NT-STORE-006`` or ``NT-STORE-004`` where the store may not recover: a later call opens it again and
            finds out; ``NT-STORE-008`` after :meth:`close`.
        """
        if not batch:
            return
        if self._is_closed:
            raise self._closed()
        if self._is_doubtful:
            self._reopen(batch)
        database = self._database
        assert database is not None, "either the database is open or the reopening has raised"
        commit = self._commit + 1
        try:
            self._write(database, batch, commit)
            database.flush_wal(True)
            self._tail.move(commit)
        except StoreError:
            raise
        except Exception as error:
            self._is_doubtful = True
            raise translate(error, self._path) from error
        self._commit = commit
        if commit % chain.FLUSH_EVERY == 0:
            self._shorten_logs(database)

    def _write(self, database: Rdict, batch: Sequence[Operation], commit: int) -> None:
        deadline: float | None = None
        while True:
            encoded = self._encode(batch, commit)
            try:
                database.write(encoded, self._write_options)
                return
            except Exception as error:
                if kind_of(error) is not Kind.STALL:
                    raise
                now = time.monotonic()
                deadline = deadline or now + STALL_LIMIT_S
                if now > deadline:
                    raise StoreError(
                        "NT-STORE-005",
                        f"the store in {self._place} did not take a batch for {STALL_LIMIT_S:.0f} s: the disk is too slow "
                        "for what is written. Nothing was made true; try again.",
                    ) from error
                time.sleep(STALL_PAUSE_S)

    def _encode(self, batch: Sequence[Operation], commit: int) -> WriteBatch:
        encoded = WriteBatch(raw_mode=True)
        put, delete = encoded.put, encoded.delete
        put(*chain.link(commit))
        compared = 0
        for index, (kind, key, value) in enumerate(batch):
            if kind == PUT:
                whole = _DATA + key
                put(whole, crc32(whole + value).to_bytes(SEAL_SIZE, "little") + value)
            elif kind == DELETE:
                delete(_DATA + key)
            else:
                compared += index
                few = None if compared > COMPARISON_LIMIT else self._few_keys(key)
                if few is None:
                    encoded.delete_range(_DATA + key, successor(_DATA + key))  # type: ignore[arg-type]  # not 0xff
                    continue
                for found in few:
                    delete(found)
                for earlier, name, _ in batch[:index]:
                    if earlier == PUT and name.startswith(key):
                        delete(_DATA + name)
        return encoded

    def _few_keys(self, prefix: bytes) -> list[bytes] | None:
        """The stored keys under ``prefix``, or None where there are many."""
        keys: list[bytes] = []
        for key, _ in self._cursor(_DATA + prefix).sealed():
            if len(keys) == FEW_KEYS:
                return None
            keys.append(key)
        return keys

    def _shorten_logs(self, database: Rdict) -> None:
        """Keep the commits that live only in logs within the ring, see :mod:`natant.store.chain`."""
        # The batch itself is durable: what goes wrong here comes back as the error of the next write.
        with suppress(Exception):
            database.flush(False)
        with suppress(OSError):
            self._tail.sync()

    # Opening and closing ---------------------------------------------------------------------------------------------

    def _open(self) -> int:
        """Verify the folder, then open it for writing; the number of the last commit."""
        has_database = (self._database_path / "CURRENT").exists()
        if not has_database and self._tail.commit:
            raise lost(self._database_path, f"{self._tail.commit} were acknowledged, but there is no file CURRENT")
        try:
            last = self._verify() if has_database else 0
            check_room(self._database_path)
            self._database = self._open_database(AccessType.read_write(), is_new=not has_database)
        except StoreError:
            raise
        except Exception as error:
            raise translate(error, self._path, is_opening=True) from error
        if not has_database:
            sync_directory(self._path)
        if last != self._tail.commit:
            self._tail.move(last)
        self._tail.sync()
        return last

    def _open_database(self, access: AccessType, *, is_new: bool) -> Rdict:
        options = tuning.options(is_new=is_new, cache=self._cache, buffer_bytes=self._buffer_bytes)
        # Named in full, or rocksdict takes most options from a file in the folder, and a small cache of its own.
        return Rdict(str(self._database_path), options, {"default": options}, access)

    def _verify(self) -> int:
        """Open the database for reading and check that every acknowledged commit is in it."""
        database = self._open_database(AccessType.read_only(False), is_new=False)
        try:
            end = successor(chain.PREFIX)
            assert end is not None
            ring = Cursor(database, chain.PREFIX, end, Lock(), self._place)
            try:
                last, missing = chain.read(ring.sealed(), self._place)
            finally:
                ring.drop()
        finally:
            database.close()
        if missing:
            raise lost(self._database_path, f"{len(missing)} up to the last, {last}; the first of them is {missing[0]}")
        if last < self._tail.commit:
            raise lost(self._database_path, f"{self._tail.commit} were acknowledged, the last one there is {last}")
        return last

    def _reopen(self, batch: Sequence[Operation]) -> None:
        """After a failed write: open the database again where there is room, and find out what became of the batch.

        RocksDB takes no writes after a failed one.  What it has in its logs it writes to a new table when it is opened, so
        nothing depends on a sync that failed.

        :raises StoreError: ``NT-STORE-005`` where there still is no room.
        """
        check_room(self._database_path, sum(len(key) + len(value) for _, key, value in batch))
        with self._lock:
            self._let_go()
            # Where the batch is there already, doing it once more changes nothing.
            self._commit = self._open()
            self._is_doubtful = False

    def _let_go(self) -> None:
        """Close the database.  The caller holds the lock."""
        for cursor in self._cursors:
            cursor.drop()
        database, self._database = self._database, None
        if database is not None:
            # It tries to turn its memory into a table first; where that fails the log still has everything.
            with suppress(Exception):
                database.close()

    def close(self) -> None:
        """Release the files.  What was applied stays."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._release()

    def _release(self) -> None:
        """Close all files and give the folder back, however far the opening came."""
        self._let_go()
        if hasattr(self, "_tail"):
            with suppress(OSError):
                self._tail.close()
        self._folder.release()

    def _closed(self) -> StoreError:
        return StoreError("NT-STORE-008", f"the store in {self._place} was closed; open it again to go on.")
