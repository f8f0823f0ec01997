"""Reading, and opening: `PostgresStores` gives a `PostgresStore` a person."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey, Ring
from keepsake.record import Fact, Memory, Message
from keepsake.store.codec import PART_BITS, decode_memory, decode_message, digest
from keepsake.store.contract import Filter, Vectors
from keepsake.store.needle import Needle
from keepsake.store.postgres.halves import Halves
from keepsake.store.postgres.schema import (
    CONNECT_TIMEOUT_S,
    Connection,
    drop,
    gone,
    make,
    name_of,
    psycopg_of,
    translated,
)
from keepsake.store.postgres.writer import PostgresWriter, open_fact
from keepsake.store.seal import Seal, fingerprint
from keepsake.words.term import terms

__all__ = ["PostgresStore", "PostgresStores"]

#: vectors, and rows of a search for traces, read at a time
BLOCK: Final = 4096

#: terms of a question that are looked for; more of them say little more
QUERY_TERMS: Final = 64

#: memories, and what each folds into
_MEMORY: Final = "select memory.body, memory.row, memory.folds, into_.body from memory left join memory into_ on into_.row = memory.folds"

#: BM25 (Robertson and Zaragoza, 2009) with k1 = 1.2 and b = 0.75, over hashes; a term's weight comes with it
_SEARCH: Final = """
with best as (
  select word.row, sum(asked.weight * word.count * 2.2 / (word.count + 1.2 * (0.25 + 0.75 * word.length / %s::float8))) as score
  from unnest(%s::bigint[], %s::float8[]) as asked(term, weight) join word using(term)
  group by word.row order by score desc, word.row limit %s)
select memory.body, best.row, best.score from best join memory using(row) order by best.score desc, best.row
"""

_FACTS: Final = """
select fact.name, fact.body, case when ender.said_at > %(at)s then null else fact.ended end,
       coalesce(ender.said_at > %(at)s, false)
from fact left join fact ender on ender.name = fact.ender
where (%(subject)s::bytea is null or fact.subject = %(subject)s)
  and case when %(at)s::float8 is null then fact.ended is null else
      fact.said_at <= %(at)s and fact.since <= %(at)s and (fact.ended is null or fact.ended > %(at)s or ender.said_at > %(at)s) end
order by fact.since desc, fact.said_at desc, fact.seq desc, fact.name
"""


class PostgresStore:
    """What is kept of one person, in a schema of the person's own; see `keepsake.store.contract.Store`.

    :ivar person: whose it is.
    """

    def __init__(self, url: str, key: PersonKey) -> None:
        self.person = key.person
        self._seal = Seal(key)
        self._ask = Connection(url, self._seal)
        try:
            self._check()
        except BaseException:
            self._ask.close()
            raise

    def _check(self) -> None:
        """See that the schema is sealed with this key, has this layout, and its words are those of today's rules."""
        layout = self._ask.one("select value from about where name = 'layout'")
        if layout is None:
            raise gone(self._ask.place)
        try:
            version = self._seal.open(layout[0], "about/layout")
        except KeepsakeError:
            raise KeepsakeError("KS-STORE-001", f"{self._ask.place} cannot be opened with the person's key") from None
        if version != b"1":
            raise KeepsakeError(
                "KS-STORE-002", f"{self._ask.place} has the layout {version.decode()}; this Keepsake reads 1"
            )
        probe = self._seal.name("terms", fingerprint())
        if self._ask.one("select 1 from about where name = 'terms' and value = %s", (probe,)) is None:
            with self.write() as writer:
                writer.index_anew()
                question = (
                    "insert into about values('terms', %s) on conflict(name) do update set value = excluded.value"
                )
                self._ask.do(question, (probe,))

    @contextlib.contextmanager
    def write(self) -> Iterator[PostgresWriter]:
        """Begin a transaction; other processes' transactions wait for its end.

        :raises KeepsakeError: ``KS-STORE-006`` where the store was erased meanwhile or is writing already, ``KS-STORE-007`` where
            another transaction takes too long, ``KS-STORE-008`` where the server refuses or is gone.
        """
        if self._ask.is_writing:
            raise KeepsakeError(
                "KS-STORE-006", f"the store of {self.person} is writing already; end that transaction first"
            )
        self._ask.begin()
        try:
            yield PostgresWriter(self._ask, self._seal)
            self._ask.commit()
        except BaseException:
            self._ask.rollback()
            raise

    def _number(self, question: str, values: tuple[Any, ...] = ()) -> int:
        found = self._ask.one(question, values)
        return 0 if found is None else int(found[0])

    def head(self) -> int:
        """The sequence of the newest message."""
        return self._number("select coalesce(max(seq), 0) from message")

    def _message(self, body: bytes, seq: int) -> Message:
        return decode_message(self._seal.open(body, f"message/{seq}"), seq)

    def _memory(self, body: bytes, row: int, into: int | None = None, into_body: bytes | None = None) -> Memory:
        folds_into = "" if into_body is None else self._memory(into_body, int(into or 0)).id
        return decode_memory(self._seal.open(body, f"memory/{row}"), row >> PART_BITS, folds_into)

    def message(self, message: str) -> Message | None:
        """A message by its id."""
        found = self._ask.one("select body, seq from message where name = %s", (self._seal.name("message", message),))
        return None if found is None else self._message(*found)

    def messages(self, *, after: int = 0, limit: int = 1000) -> list[Message]:
        """Messages in the order of their sequence."""
        question = "select body, seq from message where seq > %s order by seq limit %s"
        return [self._message(*found) for found in self._ask.all(question, (after, limit))]

    def memory(self, memory: str) -> Memory | None:
        """A memory by its id."""
        found = self._ask.one(f"{_MEMORY} where memory.name = %s", (self._seal.name("memory", memory),))
        return None if found is None else self._memory(*found)

    def memories(self, *, after: int = 0, limit: int = 1000) -> list[Memory]:
        """Memories of the messages after a sequence; more than ``limit`` where the last message has more."""
        first = (after + 1) << PART_BITS
        last = self._ask.one(
            "select row from memory where row >= %s order by row limit 1 offset %s", (first, limit - 1)
        )
        end = (1 << 63) - 1 if last is None else last[0] | (1 << PART_BITS) - 1
        question = f"{_MEMORY} where memory.row >= %s and memory.row <= %s order by memory.row"
        return [self._memory(*found) for found in self._ask.all(question, (first, end))]

    def timeline(self, wanted: Filter, *, limit: int = 100) -> list[Memory]:
        """The newest that fit, newest first."""
        name, seal = wanted.name.casefold(), self._seal
        conditions, values = ["true"], []
        for value, condition in (
            (wanted.since, "memory.said_at >= %s"),
            (wanted.until, "memory.said_at < %s"),
            (seal.name("stream", wanted.stream) if wanted.stream else None, "memory.stream = %s"),
            (seal.name("entity", name) if name else None, "memory.row in (select row from label where name = %s)"),
            (
                seal.name("area", wanted.area.casefold()) if wanted.area else None,
                "memory.row in (select row from label where name = %s)",
            ),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if not wanted.is_folded:
            conditions.append("memory.folds is null")
        question = f"{_MEMORY} where {' and '.join(conditions)} order by memory.said_at desc, memory.row desc limit %s"
        return [self._memory(*found) for found in self._ask.all(question, (*values, limit))]

    def search(self, words: str, *, limit: int = 50) -> list[tuple[str, float]]:
        """Memories that have any of the words, by BM25 over their hashes."""
        wanted = [self._seal.word(term) for term in list(dict.fromkeys(terms(words)))[:QUERY_TERMS]]
        if not wanted:
            return []
        rows = self._ask.all(
            "select term, count(*), sum(length) from word where term = any(%s::bigint[]) group by term", (wanted,)
        )
        count = self._number("select count(*) from memory")
        weights = [math.log(1 + (count - having + 0.5) / (having + 0.5)) for _, having, _ in rows]
        length = sum(float(total) for *_, total in rows) / max(sum(having for _, having, _ in rows), 1)
        found = self._ask.all(_SEARCH, (length, [term for term, *_ in rows], weights, limit))
        return [(self._memory(body, row).id, score) for body, row, score in found]

    def vectors(self, model: str, *, after: int = 0) -> Iterator[tuple[list[str], list[int], Vectors]]:
        """Ids, sequences and vectors of a model, in blocks."""
        found = self._ask.one("select number, dimension from model where name = %s", (model,))
        if found is None:
            return
        row = ((after + 1) << PART_BITS) - 1
        question = (
            "select memory.body, vector.row, vector.data from vector join memory using(row)"
            " where vector.model = %s and vector.row > %s order by vector.row limit %s"
        )
        while block := self._ask.all(question, (found[0], row, BLOCK)):
            row = block[-1][1]
            data = self._seal.turn_back(Halves.read([data for _, _, data in block], found[1]))
            yield [self._memory(body, at).id for body, at, _ in block], [at >> PART_BITS for _, at, _ in block], data

    def nearest(self, vector: Vectors, model: str, *, limit: int = 50) -> list[tuple[str, float]]:
        """Memories by cosine, by pgvector, all of them looked at."""
        turned = self._seal.turn(np.asarray(vector, np.float32).reshape(1, -1))[0]
        question = (
            "select memory.body, vector.row, -(vector.data <#> %s) from vector join memory using(row)"
            " where vector.model = (select number from model where name = %s and dimension = %s)"
            " order by vector.data <#> %s, vector.row limit %s"
        )
        asked = Halves.of(turned)
        found = self._ask.all(question, (asked, model, len(turned), asked, limit))
        return [(self._memory(body, row).id, score) for body, row, score in found]

    def facts(self, *, as_of: float | None = None, subject: str = "") -> list[Fact]:
        """Facts that held at a time as far as was known then, newest first."""
        values = {"at": as_of, "subject": self._seal.name("subject", subject) if subject else None}
        facts = []
        for name, body, ended, is_unknown in self._ask.all(_FACTS, values):
            fact = open_fact(self._seal, name, body, ended)
            facts.append(Fact(*(getattr(fact, part) for part in _HELD)) if is_unknown else fact)
        return facts

    def document(self, kind: str, name: str) -> bytes | None:
        """A named thing."""
        names = self._seal.name("kind", kind), self._seal.name("document", name)
        found = self._ask.one("select data from document where kind = %s and name = %s", names)
        return None if found is None else self._seal.open(found[0], f"document/{names[0].hex()}/{names[1].hex()}")

    def documents(self, kind: str) -> list[str]:
        """The names of a kind, in order."""
        found = self._ask.all(
            "select kind, name, label from document where kind = %s", (self._seal.name("kind", kind),)
        )
        return sorted(self._label(*names) for names in found)

    def _label(self, kind: bytes, name: bytes, label: bytes) -> str:
        return self._seal.open(label, f"document/{bytes(kind).hex()}/{bytes(name).hex()}/name").decode()

    def built(self, part: str) -> int:
        """Up to which message a derived part is built."""
        return self._number("select seq from mark where part = %s", (part,))

    def records(self, start: int = 0, limit: int = 1000) -> list[bytes]:
        """Records of the custody log."""
        question = "select number, body from record where number >= %s order by number limit %s"
        return [self._seal.open(body, f"record/{number}") for number, body in self._ask.all(question, (start, limit))]

    def record_count(self) -> int:
        """How many records the custody log has."""
        return self._number("select coalesce(max(number), -1) + 1 from record")

    def find(self, needle: str) -> list[str]:
        """Where a text is still to be found: in any row, opened or as it lies on the server, or among the hashes of its words.

        The schema is vacuumed first.  The server's own log and backups keep what was removed, sealed, for as long as they are kept.
        """
        wanted, found = Needle(needle), set()
        for table, opened in self._opened():
            self._ask.do(f"vacuum {table}")
            if any(wanted.is_in(content) for content in opened):
                found.add(table)
        tables = self._ask.all("select tablename from pg_tables where schemaname = %s", (name_of(self.person),))
        for (table,) in tables:
            if any(wanted.is_in_text(text) for (text,) in self._ask.all(f'select t::text from "{table}" t')):  # noqa: S608
                found.add(table)
        hashes = [self._seal.word(term) for term in set(terms(needle))]
        question = "select row from word where term = any(%s::bigint[]) group by row having count(*) = %s"
        if hashes and self._ask.one(question, (hashes, len(hashes))):
            found.add("word")
        return sorted(found)

    def _opened(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """All sealed things, table by table, opened."""
        ask, seal = self._ask.all, self._seal
        yield "message", (seal.open(body, f"message/{seq}") for seq, body in ask("select seq, body from message"))
        yield "memory", (seal.open(body, f"memory/{row}") for row, body in ask("select row, body from memory"))
        yield (
            "fact",
            (seal.open(body, f"fact/{bytes(name).hex()}") for name, body in ask("select name, body from fact")),
        )
        yield "record", (seal.open(body, f"record/{number}") for number, body in ask("select number, body from record"))
        documents = ask("select kind, name, label, data from document")
        names = (self._label(kind, name, label).encode() for kind, name, label, _ in documents)
        datas = (
            seal.open(data, f"document/{bytes(kind).hex()}/{bytes(name).hex()}") for kind, name, _, data in documents
        )
        yield "document", (content for pair in zip(names, datas, strict=True) for content in pair)

    def size(self) -> int:
        """Bytes in all tables and indexes."""
        return self._number(
            "select coalesce(sum(pg_total_relation_size(format('%%I.%%I', schemaname, tablename))), 0)::bigint"
            " from pg_tables where schemaname = %s",
            (name_of(self.person),),
        )

    def close(self) -> None:
        """Let go of it."""
        self._ask.close()


#: of a fact whose end was not known yet
_HELD: Final = ("id", "subject", "relation", "value", "memory", "seq", "said_at", "since")


class PostgresStores:
    """A database in which each person has a role and a schema.

    :param url: of a role that may create roles and schemas; persons' roles enter the same database with passwords of their own,
        so the server has to ask for passwords (``pg_hba.conf``: ``scram-sha-256``).
    """

    def __init__(self, url: str, ring: Ring) -> None:
        self._url = url
        self._ring = ring

    @contextlib.contextmanager
    def _admin(self) -> Iterator[Any]:
        driver = psycopg_of()
        with translated("PostgreSQL"):
            connection = driver.connect(self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
            try:
                yield connection
            finally:
                connection.close()

    def open(self, person: str) -> PostgresStore:
        """The store of a person, made where it is not there."""
        key = self._ring.key(person)
        with self._admin() as admin:
            make(admin, Seal(key))
        return PostgresStore(self._url, key)

    def erase(self, person: str) -> None:
        """Remove a person's schema and role; connections that have them open end."""
        with self._admin() as admin:
            drop(admin, person)

    def people(self) -> list[str]:
        """Persons who have a store here, and a key."""
        with self._admin() as admin:
            schemas = {
                name for (name,) in admin.execute("select nspname from pg_namespace where nspname like 'keepsake%'")
            }
        return [person for person in self._ring.people() if f"keepsake_{digest(person)}" in schemas]
