r"""The durable store: a log, RocksDB, and what is on its way from the one to the other.

A batch is written to the log (:mod:`natant.store.log`) and synced; then it is acknowledged, and its records stand in the *window*
(:mod:`natant.store.window`) in memory.  When the window is full it is moved into RocksDB in small steps, a few records with each batch,
while the next one fills.  Reads look at the windows first.

Invariants:

* :meth:`RocksStore.apply` returns after the sync of the log that holds its batch, and after the tail mark moved.
* A lap of the log is written over only when RocksDB has all of it in tables (:mod:`natant.store.move`).
* What cannot be read is an error with its place, never a key that is not there.
* A folder with damage is refused before anything in it is changed: it is opened for reading first.

RocksDB's keys: first byte ``\0`` is ours (the mark of :mod:`natant.store.move`), first byte ``d`` are the user's; each value is
sealed (:mod:`natant.store.record`).  Called by the host through :mod:`natant.store.contract`.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any, Final
from zlib import crc32

from rocksdict import AccessType, Cache, Rdict, WriteBatch

from natant.errors import StoreError
from natant.store import log, tuning
from natant.store.contract import DELETE, PUT, Operation
from natant.store.cursor import Cursor
from natant.store.entry import pack
from natant.store.folder import DATABASE, Folder, explain, sync_directory
from natant.store.log import Lap, Log
from natant.store.move import Move, mark, marked
from natant.store.record import SEAL_SIZE, damaged, successor
from natant.store.recovery import batches, check
from natant.store.tail import Tail
from natant.store.trouble import Kind, check_room, kind_of, lost, translate
from natant.store.window import DATA, WINDOW_KEYS, Value, Window, encode, gather, merge

__all__ = ["RocksStore"]

#: RocksDB may ask for a pause while it writes its memory to tables; we wait this long at most.
STALL_LIMIT_S = 30.0
#: Time between two tries.
STALL_PAUSE_S = 0.002
#: A prefix with at most so many keys is deleted key by key: a range tombstone slows down all reads until it is compacted.
FEW_KEYS = 128
#: Comparisons of earlier keys of a batch with the prefixes it deletes, before range tombstones are the lesser cost.
COMPARISON_LIMIT = 65_536
#: Records that are moved with a batch: so many, or this many times those of the batch where that is more.
STEP_KEYS = 128
STEP_FACTOR = 2
#: Records written to RocksDB at a time where somebody waits for all of them.
CHUNK_KEYS = 4096
_ABSENT: Final = object()


class RocksStore:
    """An ordered map of bytes in a folder, durable when :meth:`apply` returns.

    :param path: the folder; it is made where it is missing.
    :param cache_bytes: memory for blocks, indexes and filters.
    :param buffer_bytes: size of one buffer for fresh writes; up to ``tuning.WRITE_BUFFERS`` of them exist.
    :param lap_bytes: log that gathers before its records are moved into RocksDB; twice as much is read at a start after a crash.
    :raises StoreError: ``NT-STORE-001`` to ``NT-STORE-006`` where the folder cannot be opened; see the catalogue.
    """

    is_durable = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        cache_bytes: int = tuning.CACHE_BYTES,
        buffer_bytes: int = tuning.BUFFER_BYTES,
        lap_bytes: int = log.LAP_BYTES,
    ) -> None:
        self._path = Path(path).absolute()
        self._place = str(self._path)
        self._database_path = self._path / DATABASE
        self._cache = Cache(cache_bytes)
        self._buffer_bytes = buffer_bytes
        self._lap_bytes = lap_bytes
        self._write_options = tuning.write_options()
        self._fresh = Window()
        #: the window before, as long as RocksDB has not all of it in tables
        self._moving: Move | None = None
        self._lock = RLock()
        self._cursors: weakref.WeakSet[Cursor] = weakref.WeakSet()
        self._database: Rdict | None = None
        #: A write failed: everything has to be opened again before the next one.
        self._is_doubtful = False
        self._is_closed = False
        self._folder = Folder(self._path)
        self._log = Log(self._path)
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
        value: Any = self._fresh.values.get(key, _ABSENT)
        if value is _ABSENT and (moving := self._moving) is not None:
            value = moving.window.values.get(key, _ABSENT)
        if value is not _ABSENT:
            return value  # type: ignore[no-any-return]
        whole = DATA + key
        try:
            sealed = self._database.get(whole)  # type: ignore[union-attr]  # closed: see _get_with_care
        except Exception:
            sealed = self._get_with_care(key)
        if sealed is None:
            return None
        stored: bytes = sealed[SEAL_SIZE:]
        if crc32(whole + stored) != int.from_bytes(sealed[:SEAL_SIZE], "little"):
            raise damaged(key, self._place)
        return stored

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key starts with ``prefix``, in the order of their keys, as of the time of the call.

        :raises StoreError: ``NT-STORE-004`` as for :meth:`get`; ``NT-STORE-005`` where the store was closed or opened
            again meanwhile.
        """
        cursor, newer = self._look(prefix)
        return merge(cursor.pairs(), newer) if newer else cursor.pairs()

    def _look(self, prefix: bytes) -> tuple[Cursor, dict[bytes, Value]]:
        """What RocksDB has under ``prefix``, and what the windows have, at one moment."""
        whole = DATA + prefix
        end = successor(whole)
        assert end is not None, "each of our keys starts with a byte below 0xff"
        with self._lock:
            cursor = Cursor(self._readable(), whole, end, self._lock, self._place)
            self._cursors.add(cursor)
            newer = self._fresh.under(prefix)
            if self._moving is not None and (older := self._moving.window.under(prefix)):
                older.update(newer)
                newer = older
        return cursor, newer

    def _get_with_care(self, key: bytes) -> bytes | None:
        """After a failure: wait for a reopening that may be going on, and tell what is wrong."""
        with self._lock:
            database = self._readable()
            try:
                found: bytes | None = database.get(DATA + key)
            except Exception as error:
                raise damaged(key, self._place, f"it cannot be read: {error}") from error
            return found

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

        Called from one thread at a time.  Python's global lock is free while the log is written and synced.

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
        commit = self._commit + 1
        try:
            if self._log.end >= self._lap_bytes or len(self._fresh.values) >= WINDOW_KEYS:
                self._turn()
            latest = gather(batch)
            if latest is None:
                latest = self._gather_prefixes(batch)
            if latest is None:
                self._settle()
            self._is_doubtful = True  # until all of it has gone well
            self._log.append(pack(commit, batch))
            self._tail.move(commit)
            if latest is None:
                self._write(lambda: self._encode(batch))
            self._is_doubtful = False
        except StoreError:
            raise
        except Exception as error:
            self._is_doubtful = True
            raise translate(error, self._path) from error
        self._commit = commit
        if latest:
            with self._lock:
                self._fresh.take(latest)
        self._go_on(max(STEP_KEYS, STEP_FACTOR * len(batch)))

    def _gather_prefixes(self, batch: Sequence[Operation]) -> dict[bytes, Value] | None:
        """What ``batch`` leaves of each key, with those that its prefixes concern; None where they are too many."""
        latest: dict[bytes, Value] = {}
        compared = 0
        for kind, key, value in batch:
            if kind == PUT:
                latest[key] = value
            elif kind == DELETE:
                latest[key] = None
            else:
                compared += len(latest)
                few = None if compared > COMPARISON_LIMIT else self._few_keys(key)
                if few is None:
                    return None
                latest.update((name, None) for name in [*few, *latest] if name.startswith(key))
        return latest

    def _few_keys(self, prefix: bytes) -> list[bytes] | None:
        """The keys under ``prefix``, or None where there are many."""
        cursor, newer = self._look(prefix)
        keys = list(newer)
        for key, _ in cursor.sealed():
            if len(keys) >= FEW_KEYS:
                return None
            keys.append(key[len(DATA) :])
        return keys if len(keys) <= FEW_KEYS else None

    def _encode(self, batch: Sequence[Operation]) -> WriteBatch:
        """``batch`` as RocksDB takes it.  The windows hold nothing."""
        encoded = WriteBatch(raw_mode=True)
        put, delete = encoded.put, encoded.delete
        compared = 0
        for index, (kind, key, value) in enumerate(batch):
            if kind == PUT:
                encode(((key, value),), put, delete)
            elif kind == DELETE:
                delete(DATA + key)
            else:
                compared += index
                few = None if compared > COMPARISON_LIMIT else self._few_keys(key)
                if few is None:
                    encoded.delete_range(DATA + key, successor(DATA + key))  # type: ignore[arg-type]  # not 0xff
                    continue
                for found in few:
                    delete(DATA + found)
                for earlier, name, _ in batch[:index]:
                    if earlier == PUT and name.startswith(key):
                        delete(DATA + name)
        return encoded

    def _write(self, make: Callable[[], WriteBatch]) -> None:
        """Write into RocksDB's memory, with the pauses it asks for; ``make`` is called for each try."""
        database = self._database
        assert database is not None, "either the database is open or the reopening has raised"
        deadline: float | None = None
        while True:
            try:
                database.write(make(), self._write_options)
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

    def _write_pairs(self, pairs: Iterable[tuple[bytes, Value]]) -> None:
        """Write records into RocksDB's memory, some at a time."""
        rest = iter(pairs)
        while chunk := list(islice(rest, CHUNK_KEYS)):
            self._write(lambda chunk=chunk: _encoded(chunk))  # type: ignore[misc]

    # From the window to the tables -----------------------------------------------------------------------------------

    def _turn(self) -> None:
        """The window is full: begin the next one, and move this one.  The move before ends first."""
        self._finish()
        self._log.turn()
        with suppress(OSError):
            self._tail.sync()
        with self._lock:
            self._moving = Move(self._fresh, self._commit)
            self._fresh = Window(is_indexed=self._fresh.was_scanned)

    def _go_on(self, count: int) -> None:
        """Move the next ``count`` records; what is not possible now is tried again with the next batch."""
        move = self._moving
        if move is None:
            return
        try:
            if not move.is_written:
                self._step(move, count)
            elif move.is_flushed:
                self._finish()
        except Exception as error:
            # The batch itself is durable: what goes wrong here comes back as the error of the next one.
            self._is_doubtful = kind_of(error) is not Kind.STALL

    def _step(self, move: Move, count: int, *, is_patient: bool = False) -> None:
        """Write the next records of a move, or its mark where there are no more."""
        assert self._database is not None
        chunk = move.chunk(count)

        def make() -> WriteBatch:
            encoded = _encoded(chunk)
            if not chunk:
                encoded.put(*mark(move.commit))
            return encoded

        if is_patient:
            self._write(make)
        else:
            self._database.write(make(), self._write_options)
        move.written()
        if not chunk:
            move.flush(self._database)

    def _finish(self) -> None:
        """Bring the move that is under way to its end."""
        move = self._moving
        if move is None:
            return
        while not move.is_written:
            self._step(move, CHUNK_KEYS, is_patient=True)
        move.wait()
        with self._lock:
            self._moving = None

    def _settle(self) -> None:
        """Bring all records of the windows into RocksDB's memory."""
        move = self._moving
        while move is not None and not move.is_written:
            self._step(move, CHUNK_KEYS, is_patient=True)
        self._write_pairs(self._fresh.values.items())
        with self._lock:
            self._fresh = Window(is_indexed=self._fresh.was_scanned)
            if move is not None:
                move.window = Window()

    # Opening and closing ---------------------------------------------------------------------------------------------

    def _open(self) -> int:
        """Verify the folder, open it for writing, and bring what only the log has into tables; the number of the last commit."""
        has_database = (self._database_path / "CURRENT").exists()
        if not has_database and self._tail.commit:
            raise lost(
                self._path, f"{self._tail.commit} were acknowledged, but there is no file {DATABASE}/CURRENT", []
            )
        try:
            laps = log.laps(self._path)
            applied = self._verify() if has_database else 0
            last = check(self._path, laps, applied, self._tail.commit)
            laps = [lap for lap in laps if lap.last > applied]
            check_room(self._path, sum(lap.end for lap in laps))
            self._database = self._open_database(AccessType.read_write(), is_new=not has_database)
            if laps:
                self._replay(laps, applied)
        except StoreError:
            raise
        except Exception as error:
            raise translate(error, self._path, is_opening=True) from error
        if not has_database:
            sync_directory(self._path)
        self._log.turn()
        if last != self._tail.commit:
            self._tail.move(last)
        self._tail.sync()
        return last

    def _open_database(self, access: AccessType, *, is_new: bool) -> Rdict:
        options = tuning.options(is_new=is_new, cache=self._cache, buffer_bytes=self._buffer_bytes)
        # Named in full, or rocksdict takes most options from a file in the folder, and a small cache of its own.
        return Rdict(str(self._database_path), options, {"default": options}, access)

    def _verify(self) -> int:
        """Open the database for reading; the last commit that it has all of."""
        database = self._open_database(AccessType.read_only(False), is_new=False)
        try:
            return marked(database, self._place)
        finally:
            database.close()

    def _replay(self, laps: list[Lap], applied: int) -> None:
        """Bring the commits behind ``applied`` into tables."""
        assert self._database is not None
        latest: dict[bytes, Value] = {}
        for batch in batches(laps, applied):
            part = gather(batch)
            if part is not None:
                latest.update(part)
            if part is None or len(latest) >= WINDOW_KEYS:
                self._write_pairs(latest.items())
                latest = {}
            if part is None:
                self._write(lambda batch=batch: self._encode(batch))  # type: ignore[misc]
        self._write_pairs(latest.items())
        done = WriteBatch(raw_mode=True)
        done.put(*mark(laps[-1].last))
        self._write(lambda: done)
        self._database.flush(True)

    def _reopen(self, batch: Sequence[Operation]) -> None:
        """After a failed write: open everything again where there is room, and find out what became of the batch.

        RocksDB takes no writes after a failed one.  What the log has is brought into tables, and a new lap begun, so nothing
        depends on a sync that failed.

        :raises StoreError: ``NT-STORE-005`` where there still is no room.
        """
        check_room(self._path, sum(len(key) + len(value) for _, key, value in batch) + self._log.end)
        with self._lock:
            self._let_go()
            # Where the batch is there already, doing it once more changes nothing.
            self._commit = self._open()
            self._is_doubtful = False

    def _let_go(self) -> None:
        """Close database and log.  The caller holds the lock."""
        for cursor in self._cursors:
            cursor.drop()
        if self._moving is not None:
            with suppress(Exception):
                self._moving.wait()  # the database cannot be closed under it
        self._moving = None
        self._fresh = Window()
        database, self._database = self._database, None
        if database is not None:
            # It tries to turn its memory into a table first; where that fails the log still has everything.
            with suppress(Exception):
                database.close()
        self._log.close()
        self._log = Log(self._path)

    def close(self) -> None:
        """Release the files.  What was applied stays."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        if not self._is_doubtful:
            with suppress(Exception):  # the log has everything
                self._finish()
                if self._log.end:
                    self._moving = Move(self._fresh, self._commit)
                    self._finish()
        with self._lock:
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


def _encoded(pairs: list[tuple[bytes, Value]]) -> WriteBatch:
    encoded = WriteBatch(raw_mode=True)
    encode(pairs, encoded.put, encoded.delete)
    return encoded
