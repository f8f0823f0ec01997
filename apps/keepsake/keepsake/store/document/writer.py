"""Writing, within one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

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
from keepsake.store.document.driver import Document
from keepsake.store.document.view import View
from keepsake.words.term import terms

__all__ = ["STANDS", "DocumentWriter", "hashed", "open_fact", "open_memory", "place", "vector_place"]

#: the tag of memories that fold into no other one
STANDS: Final = "stands"

_WORD_MASK: Final = (1 << 64) - 1


def place(number: int) -> str:
    """A number as an id: ids are in the order of the numbers."""
    return f"{number:016x}"


def vector_place(model: int, at: int) -> str:
    """The id of a model's vector."""
    return f"{model:08x}{place(at)}"


def hashed(view: View, text: str) -> tuple[str, ...]:
    """The terms of a text, as the server knows them."""
    return tuple(f"{view.seal.word(term) & _WORD_MASK:016x}" for term in terms(text))


def open_memory(view: View, one: Document) -> Memory:
    """A memory of its document."""
    content, _, folds_into = view.open("memory", one).rpartition(b"\n")
    return decode_memory(content, int(one.id, 16) >> 20, folds_into.decode())


def open_fact(view: View, one: Document) -> Fact:
    """A fact of its document."""
    content, _, end = view.open("fact", one).rpartition(b"\n")
    return decode_fact(content, *json.loads(end))


class DocumentWriter:
    """What a transaction may do; see `keepsake.store.contract.Writer`."""

    def __init__(self, view: View) -> None:
        self._view = view

    def _tag(self, what: str, name: str) -> str:
        return self._view.seal.name(what, name).hex()

    def _is_removed(self, message: str) -> bool:
        return self._view.get("removed", self._tag("message", message)) is not None

    def _seqs(self, messages: set[str]) -> dict[str, int | None]:
        """The sequences of messages; None of one that was removed, whose memories nobody wants any more."""
        tags = {self._tag("message", message): message for message in messages}
        seqs: dict[str, int | None] = {}
        for one in self._view.tagged("message", *tags) if tags else ():
            seqs[tags[one.tags[0]]] = int(one.id, 16)
        for message in messages - seqs.keys():
            if not self._is_removed(message):
                raise KeepsakeError(
                    "KS-STORE-004", f"message {message[:120]!r} is not in the store; add it before its memories"
                )
            seqs[message] = None
        return seqs

    def add_message(self, message: Message) -> tuple[Message, bool]:
        """Store a message."""
        body, tag, view = encode_message(message), self._tag("message", message.id), self._view
        found = view.tagged("message", tag)
        if found:
            return decode_message(view.open("message", found[0]), int(found[0].id, 16)), False
        if self._is_removed(message.id):
            return replace(message, seq=0), False
        view.counters["seq"] += 1
        seq = view.counters["seq"]
        view.put("message", Document(place(seq), body, (tag,)))
        return replace(message, seq=seq), True

    def put_memories(self, memories: Sequence[Memory], vectors: Vectors | None = None, model: str = "") -> None:
        """Store memories, and their vectors."""
        rows = None if vectors is None else check_vectors(vectors, len(memories), model)
        number = 0 if rows is None else self._model(model, rows.shape[1])
        bodies = [encode_memory(memory) for memory in memories]
        seqs = self._seqs({memory.message for memory in memories})
        wanted = {}
        for count, memory in enumerate(memories):
            seq = seqs[memory.message]
            if seq is not None:
                wanted[row(seq, memory.part)] = count
        self._put({at: (memories[count], bodies[count]) for at, count in wanted.items()})
        for at, count in wanted.items() if rows is not None else ():
            data = memories[count].id.encode() + b"\n" + rows[count].astype(np.float16).tobytes()  # type: ignore[index]
            self._view.put("vector", Document(vector_place(number, at), data, (place(at),)))

    def _model(self, name: str, dimension: int) -> int:
        models = self._view.counters["models"]
        number, known = models.setdefault(plain(name), [len(models) + 1, dimension])
        if known != dimension:
            raise refused("vectors", name, f"they have {dimension} numbers each; those that are here have {known}")
        return int(number)

    def _put(self, memories: dict[int, tuple[Memory, bytes]]) -> None:
        """Store memories; where a text stays, so do vectors that are not given anew."""
        view = self._view
        old = view.get_all("memory", [place(at) for at in memories])
        for at, (memory, body) in memories.items():
            before = old.get(place(at))
            if before is not None and open_memory(view, before).text != memory.text:
                for one in view.tagged("vector", place(at)):
                    view.remove("vector", one.id)
            self._put_one(at, replace(memory, folds_into=""), body)
        for at, (memory, body) in memories.items():
            if memory.folds_into and self._find(memory.folds_into) is not None:
                self._put_one(at, memory, body)

    def _put_one(self, at: int, memory: Memory, body: bytes) -> None:
        names = {self._tag("entity", entity.name.casefold()) for entity in memory.entities}
        areas = {self._tag("area", area.name.casefold()) for area in memory.areas}
        into = self._tag("folds", memory.folds_into) if memory.folds_into else STANDS
        stream = self._tag("stream", memory.message.rpartition(":")[0])
        tags = (self._tag("memory", memory.id), stream, into, *sorted(names | areas))
        content = body + b"\n" + memory.folds_into.encode()
        self._view.put("memory", Document(place(at), content, tags, memory.said_at, hashed(self._view, memory.text)))

    def _find(self, memory: str) -> Document | None:
        found = self._view.tagged("memory", self._tag("memory", memory))
        return found[0] if found else None

    def _fold(self, one: Document, into: str) -> None:
        memory = replace(open_memory(self._view, one), folds_into=into)
        self._put_one(int(one.id, 16), memory, encode_memory(memory))

    def fold(self, memory: str, into: str) -> None:
        """Note that a memory repeats another one."""
        found = {}
        for name in filter(None, (memory, into)):
            one = self._find(name)
            if one is None:
                if self._is_removed(name.rpartition("#")[0]):
                    return
                raise KeepsakeError(
                    "KS-STORE-004", f"memory {name[:120]!r} is not in the store; put it before it is folded"
                )
            found[name] = one
        if self._reaches(into, memory):
            raise refused("fold", memory, f"{into} folds into it already, so that neither would stand for the other")
        self._fold(found[memory], into)

    def _reaches(self, start: str, end: str) -> bool:
        """Whether a memory folds into another one, by however many steps."""
        seen = set()
        while start and start not in seen:
            if start == end:
                return True
            seen.add(start)
            one = self._find(start)
            start = "" if one is None else open_memory(self._view, one).folds_into
        return False

    def put_fact(self, fact: Fact) -> None:
        """Store a fact."""
        encode_fact(fact)
        message = fact.memory.rpartition("#")[0]
        if not message or not self._is_removed(message):
            self._put_fact(fact)

    def _put_fact(self, fact: Fact) -> None:
        tags = [self._tag("message", fact.memory.rpartition("#")[0]), self._tag("subject", fact.subject)]
        if fact.ended_by:
            tags.append(self._tag("ender", fact.ended_by))
        content = encode_fact(fact) + b"\n" + json.dumps([fact.ended, plain(fact.ended_by)]).encode()
        self._view.put("fact", Document(self._tag("fact", fact.id), content, tuple(tags), fact.said_at))

    def remove_message(self, message: str) -> tuple[str, ...]:
        """Remove a message with all that was derived from it, and note that it may not come back."""
        view, tag = self._view, self._tag("message", message)
        view.put("removed", Document(tag, b""))
        self._remove_facts(tag)
        ids: list[str] = []
        for found in view.tagged("message", tag):
            view.remove("message", found.id)
            first, end = rows_of(int(found.id, 16))
            gone = view.between("memory", place(first), place(end), end - first)
            for one in gone:
                ids.append(open_memory(view, one).id)
                view.remove("memory", one.id)
            for one in view.tagged("vector", *(one.id for one in gone)) if gone else ():
                view.remove("vector", one.id)
        for one in view.tagged("memory", *(self._tag("folds", name) for name in ids)) if ids else ():
            self._fold(one, "")
        return tuple(ids)

    def _remove_facts(self, message: str) -> None:
        """Remove its facts; what one of them had ended holds on, until what ended that one."""
        view, gone = self._view, {}
        for one in view.tagged("fact", message):
            fact = open_fact(view, one)
            gone[fact.id] = (fact.ended, fact.ended_by)
            view.remove("fact", one.id)
        for name in gone:
            ended, by = heir(name, gone)
            for one in view.tagged("fact", self._tag("ender", name)):
                self._put_fact(replace(open_fact(view, one), ended=ended, ended_by=by))

    def clear_derived(self) -> None:
        """Remove all that is derived from messages, and all parts' marks."""
        for collection in ("memory", "vector", "fact"):
            self._view.clear(collection)
        self._view.counters.update(marks={}, models={})

    def put_document(self, kind: str, name: str, data: bytes) -> None:
        """Store a small named thing."""
        content = plain(name).encode() + b"\0" + bytes(data)
        self._view.put("document", Document(self.document_place(kind, name), content, (self._tag("kind", kind),)))

    def document_place(self, kind: str, name: str) -> str:
        """The id of a named thing."""
        return self._tag("document", f"{plain(kind)}\n{plain(name)}")

    def remove_document(self, kind: str, name: str) -> None:
        """Remove it."""
        self._view.remove("document", self.document_place(kind, name))

    def set_built(self, part: str, seq: int) -> None:
        """Note up to which message a derived part is built."""
        self._view.counters["marks"][plain(part)] = seq

    def append_record(self, record: bytes) -> int:
        """Append to the custody log."""
        number = int(self._view.counters["records"])
        self._view.put("record", Document(place(number), bytes(record)))
        self._view.counters["records"] = number + 1
        return number

    def index_anew(self, first: str, limit: int) -> str:
        """Make the words of some memories again, from an id on; gives where to go on, empty at the end."""
        found = self._view.between("memory", first, "g", limit)
        for one in found:
            memory = open_memory(self._view, one)
            self._put_one(int(one.id, 16), memory, encode_memory(memory))
        return "" if len(found) < limit else place(int(found[-1].id, 16) + 1)
