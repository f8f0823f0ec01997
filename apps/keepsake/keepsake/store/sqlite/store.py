"""Reading, and opening: `SqliteStores` gives a `SqliteStore` a person."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey, Ring
from keepsake.record import Fact, Memory, Message
from keepsake.store.codec import PART_BITS, decode_fact, decode_memory, decode_message, digest, plain
from keepsake.store.contract import Filter, Vectors
from keepsake.store.near import nearest
from keepsake.store.seal import fingerprint
from keepsake.store.sqlite.file import FILE, File
from keepsake.store.sqlite.search import places
from keepsake.store.sqlite.writer import SqliteWriter
from keepsake.words.term import terms

__all__ = ["SqliteStore", "SqliteStores"]

#: vectors read at a time
VECTOR_BLOCK: Final = 4096

#: terms of a question that are looked for; more of them say little more
QUERY_TERMS: Final = 64


class SqliteStore:
    """What is kept of one person, in one file; see `keepsake.store.contract.Store`.

    :ivar person: whose it is.
    """

    def __init__(self, path: Path, key: PersonKey) -> None:
        self.person = key.person
        self._key = key
        self._file = File(path, key)
        self._is_writing = False
        self._keep_terms()

    def _keep_terms(self) -> None:
        """Index anew where terms are made by other rules than when the full text was written."""
        probe = fingerprint()
        if self._file.one("select 1 from about where name = 'terms' and value = ?", (probe,)) is None:
            with self.write() as writer:
                writer.index_anew()
                self._file.do("insert or replace into about values('terms', ?)", (probe,))

    @contextlib.contextmanager
    def write(self) -> Iterator[SqliteWriter]:
        """Begin a transaction; other processes' transactions wait for its end.

        :raises KeepsakeError: ``KS-STORE-006`` where the store was erased meanwhile or is writing already, ``KS-STORE-007`` where
            another transaction takes too long, ``KS-STORE-008`` where the disk refuses.
        """
        if self._is_writing:
            raise KeepsakeError(
                "KS-STORE-006", f"the store of {self.person} is writing already; end that transaction first"
            )
        self._check_there()
        writer = SqliteWriter(self._file, self._key)
        self._file.do("begin immediate")
        self._is_writing = True
        try:
            yield writer
            self._check_there()
            self._file.do("commit")
        except BaseException:
            if self._file.database.in_transaction:
                self._file.do("rollback")
            raise
        finally:
            self._is_writing = False
        if writer.has_removed:
            self._file.truncate()

    def _check_there(self) -> None:
        if not self._file.is_there():
            raise KeepsakeError(
                "KS-STORE-006", f"the store of {self.person} was erased while it was open; nothing was stored"
            )

    def head(self) -> int:
        """The sequence of the newest message."""
        return self._number("select coalesce(max(seq), 0) from message")

    def _number(self, question: str, values: tuple[Any, ...] = ()) -> int:
        found = self._file.one(question, values)
        return 0 if found is None else int(found[0])

    def message(self, message: str) -> Message | None:
        """A message by its id."""
        found = self._file.one("select body, seq from message where id = ?", (plain(message),))
        return None if found is None else decode_message(*found)

    def messages(self, *, after: int = 0, limit: int = 1000) -> list[Message]:
        """Messages in the order of their sequence."""
        found = self._file.all("select body, seq from message where seq > ? order by seq limit ?", (after, limit))
        return [decode_message(body, seq) for body, seq in found]

    def memory(self, memory: str) -> Memory | None:
        """A memory by its id."""
        found = self._file.one("select body, row, folds_into from memory where id = ?", (plain(memory),))
        return None if found is None else _memory(*found)

    def memories(self, *, after: int = 0, limit: int = 1000) -> list[Memory]:
        """Memories of the messages after a sequence; more than ``limit`` where the last message has more."""
        first = (after + 1) << PART_BITS
        last = self._file.one("select row from memory where row >= ? order by row limit 1 offset ?", (first, limit - 1))
        end = (1 << 63) - 1 if last is None else last[0] | (1 << PART_BITS) - 1
        question = "select body, row, folds_into from memory where row >= ? and row <= ? order by row"
        return [_memory(*found) for found in self._file.all(question, (first, end))]

    def timeline(self, wanted: Filter, *, limit: int = 100) -> list[Memory]:
        """The newest that fit, newest first."""
        conditions, values = ["true"], []
        for value, condition in (
            (wanted.since, "said_at >= ?"),
            (wanted.until, "said_at < ?"),
            (wanted.stream or None, "stream = ?"),
            (plain(wanted.name.casefold()) or None, "row in (select row from named where name = ?)"),
            (plain(wanted.area.casefold()) or None, "row in (select row from area where name = ?)"),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if not wanted.is_folded:
            conditions.append("folds_into = ''")
        question = f"select body, row, folds_into from memory where {' and '.join(conditions)} order by said_at desc, row desc limit ?"  # noqa: S608  conditions from above
        return [_memory(*found) for found in self._file.all(question, (*values, limit))]

    def search(self, words: str, *, limit: int = 50) -> list[tuple[str, float]]:
        """Memories that have any of the words, by BM25."""
        wanted = list(dict.fromkeys(terms(plain(words))))[:QUERY_TERMS]
        if not wanted:
            return []
        question = (
            "select memory.id, -found.rank from (select rowid, rank from words where words match ? order by rank, rowid limit ?)"
            " found join memory on memory.row = found.rowid order by found.rank, memory.row"
        )
        return self._file.all(question, (" OR ".join(f'"{term}"' for term in wanted), limit))

    def vectors(self, model: str, *, after: int = 0) -> Iterator[tuple[list[str], list[int], Vectors]]:
        """Ids, sequences and vectors of a model, in blocks."""
        found = self._file.one("select number, dimension from model where name = ?", (plain(model),))
        if found is None:
            return
        number, dimension = found
        row = ((after + 1) << PART_BITS) - 1
        question = (
            "select memory.id, vector.row, vector.data from vector join memory on memory.row = vector.row"
            " where vector.model = ? and vector.row > ? order by vector.row limit ?"
        )
        while block := self._file.all(question, (number, row, VECTOR_BLOCK)):
            row = block[-1][1]
            data = np.frombuffer(b"".join(data for _, _, data in block), np.float16).reshape(len(block), dimension)
            yield [name for name, _, _ in block], [at >> PART_BITS for _, at, _ in block], data.astype(np.float32)

    def nearest(self, vector: Vectors, model: str, *, limit: int = 50) -> list[tuple[str, float]]:
        """Memories by cosine, all of them looked at."""
        return nearest(self.vectors(model), vector, limit)

    def facts(self, *, as_of: float | None = None, subject: str = "") -> list[Fact]:
        """Facts that held at a time as far as was known then, newest first."""
        question = (
            "select fact.body, case when ender.said_at > :at then null else fact.ended end as ended,"
            " case when ender.said_at > :at then '' else fact.ended_by end"
            " from fact left join fact ender on ender.id = fact.ended_by"
            " where (:subject = '' or fact.subject = :subject) and (case when :at is null then fact.ended is null else"
            " fact.said_at <= :at and fact.since <= :at and (fact.ended is null or fact.ended > :at or ender.said_at > :at) end)"
            " order by fact.since desc, fact.said_at desc, fact.seq desc, fact.id"
        )
        found = self._file.all(question, {"at": as_of, "subject": plain(subject)})
        return [decode_fact(body, ended, ended_by) for body, ended, ended_by in found]

    def document(self, kind: str, name: str) -> bytes | None:
        """A named thing."""
        found = self._file.one("select data from document where kind = ? and name = ?", (plain(kind), plain(name)))
        return None if found is None else bytes(found[0])

    def documents(self, kind: str) -> list[str]:
        """The names of a kind, in order."""
        return [
            name for (name,) in self._file.all("select name from document where kind = ? order by name", (plain(kind),))
        ]

    def built(self, part: str) -> int:
        """Up to which message a derived part is built."""
        return self._number("select seq from mark where part = ?", (plain(part),))

    def records(self, start: int = 0, limit: int = 1000) -> list[bytes]:
        """Records of the custody log."""
        found = self._file.all("select body from record where number >= ? order by number limit ?", (start, limit))
        return [bytes(body) for (body,) in found]

    def record_count(self) -> int:
        """How many records the custody log has."""
        return self._number("select coalesce(max(number), -1) + 1 from record")

    def find(self, needle: str) -> list[str]:
        """Where a text is still to be found: in any row, any term, any document, any page of the file, used or free."""
        return places(self._file, needle)

    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self._file.path.parent.glob(f"{FILE}*"))

    def close(self) -> None:
        """Let go of it."""
        self._file.database.close()


def _memory(body: bytes, row: int, folds_into: str) -> Memory:
    return decode_memory(body, row >> PART_BITS, folds_into)


class SqliteStores:
    """A folder of files, ``FOLDER/DIGEST/memory.db``, each sealed by its person's key.

    Several processes may have the same person open; a writer waits for another one.
    """

    def __init__(self, folder: Path, ring: Ring) -> None:
        self.folder = folder
        self._ring = ring

    def open(self, person: str) -> SqliteStore:
        """The store of a person, made where it is not there."""
        return SqliteStore(self.folder / digest(person) / FILE, self._ring.key(person))

    def erase(self, person: str) -> None:
        """Remove a person's folder."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.folder / digest(person))

    def people(self) -> list[str]:
        """Persons who have a store here, and a key."""
        return [person for person in self._ring.people() if (self.folder / digest(person) / FILE).exists()]
