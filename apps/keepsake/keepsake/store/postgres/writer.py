"""Writing, within one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from keepsake.errors import KeepsakeError
from keepsake.record import Fact, Memory, Message
from keepsake.store.chain import heir
from keepsake.store.codec import (
    check_vectors,
    decode_fact,
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
from keepsake.store.postgres.halves import Halves
from keepsake.store.postgres.schema import Connection
from keepsake.store.seal import Seal
from keepsake.words.term import terms

__all__ = ["PostgresWriter", "open_fact"]

_PUT_MEMORY = """
insert into memory values(%s, %s, %s, %s, %s, %s) on conflict(row) do update set
said_at = excluded.said_at, folds = excluded.folds, body = excluded.body
"""

_PUT_FACT = """
insert into fact values(%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict(name) do update set
message = excluded.message, subject = excluded.subject, seq = excluded.seq, said_at = excluded.said_at, since = excluded.since,
ended = excluded.ended, ender = excluded.ender, body = excluded.body
"""


class PostgresWriter:
    """What a transaction may do; see `keepsake.store.contract.Writer`."""

    def __init__(self, connection: Connection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal

    def _is_removed(self, message: str) -> bool:
        name = self._seal.name("message", message)
        return self._connection.one("select 1 from removed where name = %s", (name,)) is not None

    def _seqs(self, messages: set[str]) -> dict[str, int | None]:
        """The sequences of messages; None of one that was removed, whose memories nobody wants any more."""
        names = {self._seal.name("message", message): message for message in messages}
        found = self._connection.all("select name, seq from message where name = any(%s)", (list(names),))
        seqs: dict[str, int | None] = {names[bytes(name)]: seq for name, seq in found}
        for message in messages - seqs.keys():
            if not self._is_removed(message):
                raise KeepsakeError(
                    "KS-STORE-004", f"message {message[:120]!r} is not in the store; add it before its memories"
                )
            seqs[message] = None
        return seqs

    def add_message(self, message: Message) -> tuple[Message, bool]:
        """Store a message."""
        body, name = encode_message(message), self._seal.name("message", message.id)
        found = self._connection.one("select seq, body from message where name = %s", (name,))
        if found is not None:
            return decode_message(self._seal.open(found[1], f"message/{found[0]}"), found[0]), False
        if self._is_removed(message.id):
            return replace(message, seq=0), False
        seq = self._next_seq()
        sealed = self._seal.close(body, f"message/{seq}")
        self._connection.do("insert into message values(%s, %s, %s)", (seq, name, sealed))
        return replace(message, seq=seq), True

    def _next_seq(self) -> int:
        found = self._connection.one(
            "update about set value = (convert_from(value, 'utf8')::bigint + 1)::text::bytea where name = 'seq' returning value"
        )
        assert found is not None
        return int(found[0])

    def put_memories(self, memories: Sequence[Memory], vectors: Vectors | None = None, model: str = "") -> None:
        """Store memories, and their vectors."""
        rows = None if vectors is None else check_vectors(vectors, len(memories), model)
        number = 0 if rows is None else self._model(model, rows.shape[1])
        bodies = [encode_memory(memory) for memory in memories]
        seqs = self._seqs({memory.message for memory in memories})
        wanted: dict[int, int] = {}
        for place, memory in enumerate(memories):
            seq = seqs[memory.message]
            if seq is not None:
                wanted[row(seq, memory.part)] = place
        self._put([(at, memories[place], bodies[place]) for at, place in wanted.items()])
        if rows is not None:
            turned = self._seal.turn(rows)
            self._connection.many(
                "insert into vector values(%s, %s, %s) on conflict(model, row) do update set data = excluded.data",
                [(number, at, Halves.of(turned[place])) for at, place in wanted.items()],
            )

    def _model(self, name: str, dimension: int) -> int:
        self._connection.do(
            "insert into model(name, dimension) values(%s, %s) on conflict do nothing", (plain(name), dimension)
        )
        found = self._connection.one("select number, dimension from model where name = %s", (plain(name),))
        assert found is not None
        if found[1] != dimension:
            raise refused("vectors", name, f"they have {dimension} numbers each; those that are here have {found[1]}")
        return int(found[0])

    def _put(self, memories: list[tuple[int, Memory, bytes]]) -> None:
        """Store memories; where a text stays, so do its words, and vectors that are not given anew."""
        ask, seal, rows = self._connection, self._seal, [at for at, _, _ in memories]
        old = {
            at: decode_memory(seal.open(body, f"memory/{at}"), 0).text
            for at, body in ask.all("select row, body from memory where row = any(%s)", (rows,))
        }
        changed = [(at, memory) for at, memory, _ in memories if old.get(at) != memory.text]
        stale = [at for at, _ in changed if at in old]
        if old:
            ask.do("delete from label where row = any(%s)", (list(old),))
            ask.do("delete from word where row = any(%s)", (stale,))
            ask.do("delete from vector where row = any(%s)", (stale,))
        counts = {at: Counter(map(seal.word, terms(memory.text))) for at, memory, _ in memories}
        values, labels = [], []
        for at, memory, body in memories:
            stream = seal.name("stream", memory.message.rpartition(":")[0])
            name = seal.name("memory", memory.id)
            values.append((at, name, stream, memory.said_at, None, seal.close(body, f"memory/{at}")))
            names = {seal.name("entity", entity.name.casefold()) for entity in memory.entities}
            labels += [
                (name, at) for name in names | {seal.name("area", area.name.casefold()) for area in memory.areas}
            ]
        ask.many(_PUT_MEMORY, values)
        ask.many("insert into label values(%s, %s)", labels)
        self._put_words({at: counts[at] for at, _ in changed})
        ask.many(
            "update memory set folds = (select row from memory where name = %s) where row = %s",
            [(seal.name("memory", memory.folds_into), at) for at, memory, _ in memories if memory.folds_into],
        )

    def _put_words(self, counts: dict[int, Counter[int]]) -> None:
        values = [(term, at, count, words.total()) for at, words in counts.items() for term, count in words.items()]
        self._connection.many("insert into word values(%s, %s, %s, %s)", values)

    def fold(self, memory: str, into: str) -> None:
        """Note that a memory repeats another one."""
        rows = {}
        for name in filter(None, (memory, into)):
            found = self._connection.one("select row from memory where name = %s", (self._seal.name("memory", name),))
            if found is None:
                if self._is_removed(name.rpartition("#")[0]):
                    return
                raise KeepsakeError(
                    "KS-STORE-004", f"memory {name[:120]!r} is not in the store; put it before it is folded"
                )
            rows[name] = found[0]
        if into and self._reaches(rows[into], rows[memory]):
            raise refused("fold", memory, f"{into} folds into it already, so that neither would stand for the other")
        self._connection.do("update memory set folds = %s where row = %s", (rows.get(into), rows[memory]))

    def _reaches(self, start: int, end: int) -> bool:
        """Whether a memory folds into another one, by however many steps."""
        question = (
            "with recursive step(row) as (select %s::bigint union select memory.folds from memory join step using(row)"
            " where memory.folds is not null) select 1 from step where row = %s"
        )
        return self._connection.one(question, (start, end)) is not None

    def put_fact(self, fact: Fact) -> None:
        """Store a fact."""
        message = fact.memory.rpartition("#")[0]
        encode_fact(fact)
        if message and self._is_removed(message):
            return
        self._put_fact(fact)

    def _put_fact(self, fact: Fact) -> None:
        seal, name = self._seal, self._seal.name("fact", fact.id)
        body = seal.close(encode_fact(fact) + b"\n" + plain(fact.ended_by).encode(), f"fact/{name.hex()}")
        ender = seal.name("fact", fact.ended_by) if fact.ended_by else None
        message, subject = seal.name("message", fact.memory.rpartition("#")[0]), seal.name("subject", fact.subject)
        values = (name, message, subject, fact.seq, fact.said_at, fact.since, fact.ended, ender, body)
        self._connection.do(_PUT_FACT, values)

    def remove_message(self, message: str) -> tuple[str, ...]:
        """Remove a message with all that was derived from it, and note that it may not come back."""
        ask, name = self._connection, self._seal.name("message", message)
        ask.do("insert into removed values(%s) on conflict do nothing", (name,))
        self._remove_facts(name)
        found = ask.one("delete from message where name = %s returning seq", (name,))
        if found is None:
            return ()
        rows = rows_of(found[0])
        gone = ask.all("delete from memory where row >= %s and row < %s returning row, body", rows)
        ask.do("update memory set folds = null where folds >= %s and folds < %s", rows)
        for table in ("label", "word", "vector"):
            ask.do(f"delete from {table} where row >= %s and row < %s", rows)  # noqa: S608  names from above
        return tuple(decode_memory(self._seal.open(body, f"memory/{at}"), 0).id for at, body in sorted(gone))

    def _remove_facts(self, message: bytes) -> None:
        """Remove its facts; what one of them had ended holds on, until what ended that one."""
        gone = {
            fact.id: (fact.ended, fact.ended_by)
            for fact in self.facts("delete from fact where message = %s returning name, body, ended", (message,))
        }
        for name in gone:
            ended, by = heir(name, gone)
            question = "select name, body, ended from fact where ender = %s"
            for fact in self.facts(question, (self._seal.name("fact", name),)):
                self._put_fact(replace(fact, ended=ended, ended_by=by))

    def facts(self, question: str, values: tuple[object, ...]) -> list[Fact]:
        """Facts of rows of name, sealed body, and when they ended."""
        return [open_fact(self._seal, *found) for found in self._connection.all(question, values)]

    def clear_derived(self) -> None:
        """Remove all that is derived from messages, and all parts' marks."""
        for table in ("memory", "label", "word", "vector", "model", "fact", "mark"):
            self._connection.do(f"delete from {table}")  # noqa: S608  names from above

    def put_document(self, kind: str, name: str, data: bytes) -> None:
        """Store a small named thing."""
        seal = self._seal
        names = seal.name("kind", kind), seal.name("document", name)
        about = f"document/{names[0].hex()}/{names[1].hex()}"
        values = (*names, seal.close(plain(name).encode(), f"{about}/name"), seal.close(bytes(data), about))
        self._connection.do(
            "insert into document values(%s, %s, %s, %s) on conflict(kind, name) do update set data = excluded.data",
            values,
        )

    def remove_document(self, kind: str, name: str) -> None:
        """Remove it."""
        names = self._seal.name("kind", kind), self._seal.name("document", name)
        self._connection.do("delete from document where kind = %s and name = %s", names)

    def set_built(self, part: str, seq: int) -> None:
        """Note up to which message a derived part is built."""
        self._connection.do(
            "insert into mark values(%s, %s) on conflict(part) do update set seq = excluded.seq", (plain(part), seq)
        )

    def append_record(self, record: bytes) -> int:
        """Append to the custody log."""
        found = self._connection.one("select coalesce(max(number), -1) + 1 from record")
        assert found is not None
        sealed = self._seal.close(bytes(record), f"record/{found[0]}")
        self._connection.do("insert into record values(%s, %s)", (found[0], sealed))
        return int(found[0])

    def index_anew(self) -> None:
        """Make the full text again from the memories."""
        self._connection.do("delete from word")
        after = -1
        while found := self._connection.all(
            "select row, body from memory where row > %s order by row limit 1000", (after,)
        ):
            after = found[-1][0]
            texts = {at: decode_memory(self._seal.open(body, f"memory/{at}"), 0).text for at, body in found}
            self._put_words({at: Counter(map(self._seal.word, terms(text))) for at, text in texts.items()})


def open_fact(seal: Seal, name: bytes, body: bytes, ended: float | None) -> Fact:
    """A fact of its row."""
    content, _, ended_by = seal.open(body, f"fact/{bytes(name).hex()}").rpartition(b"\n")
    return decode_fact(content, ended, ended_by.decode())
