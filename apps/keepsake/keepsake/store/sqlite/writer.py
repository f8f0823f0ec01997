"""Writing, within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.record import Fact, Memory, Message
from keepsake.store.chain import heir
from keepsake.store.codec import (
    check_vectors,
    decode_memory,
    decode_message,
    encode_fact,
    encode_memory,
    encode_message,
    plain,
    refused,
    row,
    rows_of,
)
from keepsake.store.contract import Vectors
from keepsake.store.sqlite.file import File, make_words
from keepsake.words.term import terms

__all__ = ["SqliteWriter"]


class SqliteWriter:
    """What a transaction may do; see `keepsake.store.contract.Writer`.

    :ivar has_removed: whether something was, so that the log is emptied after the commit.
    """

    def __init__(self, file: File, key: PersonKey) -> None:
        self._file = file
        self._key = key
        self.has_removed = False

    def _digest(self, message: str) -> bytes:
        return bytes.fromhex(self._key.name(message.encode("utf-8", "surrogatepass")))

    def _is_removed(self, message: str) -> bool:
        return self._file.one("select 1 from removed where digest = ?", (self._digest(message),)) is not None

    def _seq(self, message: str) -> int | None:
        """The sequence of a message; None of one that was removed, whose memories nobody wants any more."""
        found = self._file.one("select seq from message where id = ?", (message,))
        if found is not None:
            return int(found[0])
        if self._is_removed(message):
            return None
        raise KeepsakeError(
            "KS-STORE-004", f"message {message[:120]!r} is not in the store; add it before its memories"
        )

    def add_message(self, message: Message) -> tuple[Message, bool]:
        """Store a message."""
        body = encode_message(message)
        found = self._file.one("select seq, body from message where id = ?", (message.id,))
        if found is not None:
            return decode_message(found[1], found[0]), False
        if self._is_removed(message.id):
            return replace(message, seq=0), False
        self._file.do("insert into message(id, body) values(?, ?)", (message.id, body))
        return replace(message, seq=self._file.database.last_insert_rowid()), True

    def put_memories(self, memories: Sequence[Memory], vectors: Vectors | None = None, model: str = "") -> None:
        """Store memories, and their vectors."""
        rows = None if vectors is None else check_vectors(vectors, len(memories), model)
        number = 0 if rows is None else self._model(model, rows.shape[1])
        bodies = [encode_memory(memory) for memory in memories]
        seqs = {message: self._seq(message) for message in {memory.message for memory in memories}}
        kept: list[tuple[int, int, bytes]] = []
        for place, memory in enumerate(memories):
            seq = seqs[memory.message]
            if seq is not None:
                at = row(seq, memory.part)
                self._put(memory, at, bodies[place])
                if rows is not None:
                    kept.append((number, at, rows[place].astype(np.float16).tobytes()))
        self._file.many("insert or replace into vector values(?, ?, ?)", kept)
        self._unfold_lost({memory.id for memory in memories if memory.folds_into})

    def _unfold_lost(self, folded: set[str]) -> None:
        """What folds into a memory that is gone stands for itself: else neither would be seen."""
        for name in folded:
            self._file.do(
                "update memory set folds_into = '' where id = ? and not exists (select 1 from memory other where other.id = memory.folds_into)",
                (name,),
            )

    def _model(self, name: str, dimension: int) -> int:
        self._file.do("insert or ignore into model(name, dimension) values(?, ?)", (plain(name), dimension))
        found = self._file.one("select number, dimension from model where name = ?", (plain(name),))
        assert found is not None
        if found[1] != dimension:
            raise refused("vectors", name, f"they have {dimension} numbers each; those that are here have {found[1]}")
        return int(found[0])

    def _put(self, memory: Memory, at: int, body: bytes) -> None:
        """Store one memory; where its text stays, so do its words, and vectors that are not given anew."""
        file = self._file
        old = file.one("select body from memory where row = ?", (at,))
        if old is not None:
            file.do("delete from named where row = ?", (at,))
            file.do("delete from area where row = ?", (at,))
        if old is None or decode_memory(old[0], 0).text != memory.text:
            if old is not None:
                self.has_removed = True
                file.do("delete from words where rowid = ?", (at,))
                self._drop_vectors(at, at + 1)
            file.do("insert into words(rowid, terms) values(?, ?)", (at, plain(" ".join(terms(memory.text)))))
        file.do(
            "insert or replace into memory values(?, ?, ?, ?, ?, ?)",
            (at, memory.id, memory.message.rpartition(":")[0], memory.said_at, memory.folds_into, body),
        )
        names = {plain(entity.name.casefold()) for entity in memory.entities}
        areas = {plain(area.name.casefold()) for area in memory.areas}
        file.many("insert into named values(?, ?)", [(name, at) for name in names])
        file.many("insert into area values(?, ?)", [(name, at) for name in areas])

    def _drop_vectors(self, first: int, end: int) -> None:
        for (number,) in self._file.all("select number from model"):
            self._file.do("delete from vector where model = ? and row >= ? and row < ?", (number, first, end))

    def fold(self, memory: str, into: str) -> None:
        """Note that a memory repeats another one."""
        for name in filter(None, (memory, into)):
            if self._file.one("select 1 from memory where id = ?", (name,)) is None:
                if self._is_removed(name.rpartition("#")[0]):
                    return
                raise KeepsakeError(
                    "KS-STORE-004", f"memory {name[:120]!r} is not in the store; put it before it is folded"
                )
        if self._reaches(into, memory):
            raise refused("fold", memory, f"{into} folds into it already, so that neither would stand for the other")
        self._file.do("update memory set folds_into = ? where id = ?", (into, memory))

    def _reaches(self, start: str, end: str) -> bool:
        """Whether a memory folds into another one, by however many steps."""
        seen = set()
        while start and start not in seen:
            if start == end:
                return True
            seen.add(start)
            found = self._file.one("select folds_into from memory where id = ?", (start,))
            start = "" if found is None else str(found[0])
        return False

    def put_fact(self, fact: Fact) -> None:
        """Store a fact."""
        body = encode_fact(fact)
        message = fact.memory.rpartition("#")[0]
        if message and self._is_removed(message):
            return
        self._file.do(
            "insert or replace into fact values(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                fact.id,
                message,
                plain(fact.subject),
                fact.seq,
                fact.said_at,
                fact.since,
                fact.ended,
                plain(fact.ended_by),
                body,
            ),
        )

    def remove_message(self, message: str) -> tuple[str, ...]:
        """Remove a message with all that was derived from it, and note that it may not come back."""
        file = self._file
        file.do("insert or ignore into removed values(?)", (self._digest(message),))
        self._remove_facts(message)
        found = file.one("select seq from message where id = ?", (message,))
        if found is None:
            return ()
        self.has_removed = True
        first, end = rows_of(found[0])
        ids = tuple(
            name for (name,) in file.all("select id from memory where row >= ? and row < ? order by row", (first, end))
        )
        for name in ids:
            file.do("update memory set folds_into = '' where folds_into = ? and folds_into <> ''", (name,))
        for table, column in (("memory", "row"), ("named", "row"), ("area", "row"), ("words", "rowid")):
            file.do(f"delete from {table} where {column} >= ? and {column} < ?", (first, end))  # noqa: S608  names from above
        self._drop_vectors(first, end)
        file.do("delete from message where seq = ?", (found[0],))
        return ids

    def _remove_facts(self, message: str) -> None:
        """Remove its facts; what one of them had ended holds on, until what ended that one."""
        file = self._file
        gone = {
            name: (ended, by)
            for name, ended, by in file.all("select id, ended, ended_by from fact where message = ?", (message,))
        }
        if not gone:
            return
        self.has_removed = True
        file.do("delete from fact where message = ?", (message,))
        for name in gone:
            ended, by = heir(name, gone)
            file.do("update fact set ended = ?, ended_by = ? where ended_by = ? and ended_by <> ''", (ended, by, name))

    def clear_derived(self) -> None:
        """Remove all that is derived from messages, and all parts' marks."""
        self.has_removed = True
        for table in ("memory", "named", "area", "vector", "model", "fact", "mark"):
            self._file.do(f"delete from {table}")  # noqa: S608  names from above
        self._file.do("drop table words")
        make_words(self._file.database)

    def put_document(self, kind: str, name: str, data: bytes) -> None:
        """Store a small named thing."""
        self._file.do(
            "insert into document(kind, name, data) values(?, ?, ?) on conflict(kind, name) do update set data = excluded.data",
            (plain(kind), plain(name), bytes(data)),
        )

    def remove_document(self, kind: str, name: str) -> None:
        """Remove it."""
        if self._file.do("delete from document where kind = ? and name = ?", (plain(kind), plain(name))):
            self.has_removed = True

    def set_built(self, part: str, seq: int) -> None:
        """Note up to which message a derived part is built."""
        self._file.do("insert or replace into mark values(?, ?)", (plain(part), seq))

    def append_record(self, record: bytes) -> int:
        """Append to the custody log."""
        found = self._file.one("select coalesce(max(number), -1) + 1 from record")
        assert found is not None
        self._file.do("insert into record values(?, ?)", (found[0], bytes(record)))
        return int(found[0])

    def index_anew(self) -> None:
        """Make the full text again from the memories."""
        self._file.do("drop table words")
        make_words(self._file.database)
        after = -1
        while found := self._file.all("select row, body from memory where row > ? order by row limit 1000", (after,)):
            after = found[-1][0]
            texts = [(at, plain(" ".join(terms(decode_memory(body, 0).text)))) for at, body in found]
            self._file.many("insert into words(rowid, terms) values(?, ?)", texts)
