"""The file: how it is made, opened with its key, and asked.

Each page is sealed by ChaCha20-Poly1305 (SQLite3 Multiple Ciphers), pages of the write-ahead log too; temporary tables stay in memory.
A commit is synced before it returns.  What is removed is overwritten with zeros, in the tables and in the full text.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import apsw

from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey

__all__ = ["FILE", "File"]

FILE: Final = "memory.db"

#: of what is written below; a file of a later one is refused
SCHEMA: Final = 1

PAGE_BYTES: Final = 8192

#: pages kept in memory for each open store
CACHE_KIBIBYTES: Final = 8192

#: how long one process waits for another one's transaction
BUSY_TIMEOUT_MS: Final = 30_000

#: how long the end of a removal waits for readers before it leaves the log's old pages to the next checkpoint
TRUNCATE_TIMEOUT_MS: Final = 200

_TABLES: Final = """
create table about(name text primary key, value) without rowid;
create table message(seq integer primary key autoincrement, id text not null unique, body blob not null);
create table removed(digest blob primary key) without rowid;
create table memory(
    row integer primary key, id text not null unique, stream text not null, said_at real not null,
    folds_into text not null default '', body blob not null);
create index memory_said on memory(said_at, row);
create index memory_folds on memory(folds_into) where folds_into <> '';
create table named(name text not null, row integer not null, primary key(name, row)) without rowid;
create index named_row on named(row);
create table area(name text not null, row integer not null, primary key(name, row)) without rowid;
create index area_row on area(row);
create table model(number integer primary key, name text not null unique, dimension integer not null);
create table vector(model integer not null, row integer not null, data blob not null, primary key(model, row)) without rowid;
create table fact(
    id text primary key, message text not null, subject text not null, seq integer not null, said_at real not null,
    since real not null, ended real, ended_by text not null default '', body blob not null) without rowid;
create index fact_message on fact(message);
create index fact_ended on fact(ended_by) where ended_by <> '';
create table document(number integer primary key, kind text not null, name text not null, data blob not null, unique(kind, name));
create table record(number integer primary key, body blob not null);
create table mark(part text primary key, seq integer not null) without rowid;
"""

#: Terms are stems already (`keepsake.words.term`), parted by blanks.
_WORDS: Final = "create virtual table words using fts5(terms, tokenize='ascii')"


class translated:  # noqa: N801  it is used as a word: with translated(path)
    """Errors of SQLite as coded ones."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, (apsw.BusyError, apsw.LockedError)):
            waited = f"for more than {BUSY_TIMEOUT_MS // 1000} s"
            raise KeepsakeError(
                "KS-STORE-007", f"{self._path} is held by another transaction {waited}: {fault}"
            ) from None
        if isinstance(fault, (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.PermissionsError)):
            raise KeepsakeError(
                "KS-STORE-008", f"{self._path} cannot be written or read: {fault}; nothing was stored"
            ) from None
        if isinstance(fault, (apsw.CorruptError, apsw.NotADBError, apsw.CantOpenError)):
            raise KeepsakeError(
                "KS-STORE-001", f"{self._path} cannot be opened with the person's key: {fault}"
            ) from None


class File:
    """One person's file, open.

    :ivar path: where it is.
    :ivar log: its write-ahead log.
    :ivar secret: its key.
    :raises KeepsakeError: ``KS-STORE-001`` where it is damaged or sealed by another key, ``KS-STORE-002`` where a later Keepsake
        wrote it.
    """

    def __init__(self, path: Path, key: PersonKey) -> None:
        self.path = path
        self.log = path.with_name(f"{path.name}-wal")
        self.secret = key.derive("store")
        if not path.exists():
            self._make(key.person)
        with translated(path):
            self.database = self._connect(path)
            try:
                self._check(key.person)
            except BaseException:
                self.database.close()
                raise
        self._inode = path.stat().st_ino

    def _connect(self, path: Path) -> apsw.Connection:
        database = apsw.Connection(str(path))
        database.pragma("cipher", "chacha20")
        database.pragma("key", f"raw:{self.secret.hex()}")
        database.set_busy_timeout(BUSY_TIMEOUT_MS)
        for name, value in (("page_size", PAGE_BYTES), ("journal_mode", "wal"), ("synchronous", "full")):
            database.pragma(name, value)
        for name, value in (("secure_delete", 1), ("temp_store", 2), ("cache_size", -CACHE_KIBIBYTES)):
            database.pragma(name, value)
        return database

    def _make(self, person: str) -> None:
        """Write an empty file whole or not at all, once, however many processes begin at the same time."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if self.path.exists():
                return
            draft = self.path.with_suffix(".new")
            for leftover in self.path.parent.glob(f"{draft.name}*"):
                leftover.unlink()
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            with translated(draft):
                database = self._connect(draft)
                with database:
                    database.execute(_TABLES)
                    make_words(database)
                    database.execute("insert into about values('person', ?)", (person,))
                    database.pragma("user_version", SCHEMA)
                database.close()
            draft.rename(self.path)
            os.fsync(folder)
        finally:
            os.close(folder)

    def _check(self, person: str) -> None:
        version = self.database.pragma("user_version")
        if version != SCHEMA:
            raise KeepsakeError(
                "KS-STORE-002",
                f"{self.path} has the layout {version}; this Keepsake reads {SCHEMA}: use the one that wrote it, or a later one",
            )
        found = self.one("select value from about where name = 'person'")
        if found is None or found[0] != person:
            raise KeepsakeError("KS-STORE-001", f"{self.path} belongs to somebody else than {person!r}")

    def is_there(self) -> bool:
        """Whether the file is still the one that was opened; another process may have erased it."""
        try:
            return self.path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def all(self, question: str, values: tuple[Any, ...] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows that answer."""
        with translated(self.path):
            return self.database.execute(question, values).fetchall()

    def each(self, question: str) -> Iterator[tuple[Any, ...]]:
        """Rows that answer, one after the other, where all would be too many at once."""
        with translated(self.path):
            yield from self.database.execute(question)

    def one(self, question: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        """The first row that answers."""
        with translated(self.path):
            return self.database.execute(question, values).fetchone()

    def do(self, command: str, values: tuple[Any, ...] = ()) -> int:
        """Change something; gives how many rows were changed."""
        with translated(self.path):
            self.database.execute(command, values)
            return self.database.changes()

    def many(self, command: str, values: list[tuple[Any, ...]]) -> None:
        """The same change for many values."""
        with translated(self.path):
            self.database.executemany(command, values)

    def truncate(self) -> bool:
        """Move all of the log into the file and empty it; False where a reader holds it."""
        self.database.set_busy_timeout(TRUNCATE_TIMEOUT_MS)
        try:
            found = self.database.execute("pragma wal_checkpoint(truncate)").fetchone()
        except apsw.BusyError:
            return False
        finally:
            self.database.set_busy_timeout(BUSY_TIMEOUT_MS)
        return found is not None and not found[0]


def make_words(database: apsw.Connection) -> None:
    """Make the full text, which overwrites what is removed."""
    database.execute(_WORDS)
    database.execute("insert into words(words, rank) values('secure-delete', 1)")
