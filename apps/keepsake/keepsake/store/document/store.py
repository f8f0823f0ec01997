"""Reading, and transactions: a `keepsake.store.contract.Store` over a driver."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.record import Fact, Memory, Message
from keepsake.store.codec import PART_BITS, decode_message, plain
from keepsake.store.contract import Filter, Vectors
from keepsake.store.document.driver import COLLECTIONS, Document, Driver
from keepsake.store.document.view import View
from keepsake.store.document.writer import STANDS, DocumentWriter, hashed, open_fact, open_memory, place, vector_place
from keepsake.store.near import nearest
from keepsake.store.needle import Needle
from keepsake.store.seal import Seal, fingerprint

__all__ = ["DocumentStore"]

#: documents read at a time
BLOCK: Final = 2000

#: memories whose words are made anew in one transaction
INDEX_BLOCK: Final = 500

#: terms of a question that are looked for; more of them say little more
QUERY_TERMS: Final = 64

#: after all ids, which are hexadecimal digits
END: Final = "g"


class DocumentStore:
    """What is kept of one person on a server of documents; see `keepsake.store.contract.Store`.

    Within a transaction, what is found by id and in order shows the transaction's own changes; `timeline`, `search`, `nearest` show
    what is committed.

    :ivar person: whose it is.
    """

    def __init__(self, driver: Driver, key: PersonKey, *, now: Callable[[], float] = time.time) -> None:
        self.person = key.person
        self._driver = driver
        self._view = View(driver, Seal(key), now)
        self._writer = DocumentWriter(self._view)
        try:
            probe = self._view.seal.name("terms", fingerprint()).hex()
            self._view.make(probe)
            self._keep_terms(probe)
        except BaseException:
            driver.close()
            raise

    def _keep_terms(self, probe: str) -> None:
        """Index anew where terms are made by other rules than when the words were written."""
        if self._view.read()["terms"] == probe:
            return
        first = "0"
        while first:
            with self.write() as writer:
                first = writer.index_anew(first, INDEX_BLOCK)
                if not first:
                    self._view.counters["terms"] = probe

    @contextlib.contextmanager
    def write(self) -> Iterator[DocumentWriter]:
        """Begin a transaction; other processes' transactions wait for its end.

        :raises KeepsakeError: ``KS-STORE-006`` where the store was erased meanwhile or is writing already, ``KS-STORE-007`` where
            another transaction took its place, ``KS-STORE-008`` where the server refuses or is gone, ``KS-STORE-011`` where the
            transaction is too large.
        """
        if self._view.is_writing:
            raise KeepsakeError(
                "KS-STORE-006", f"the store of {self.person} is writing already; end that transaction first"
            )
        self._view.begin()
        try:
            yield self._writer
            self._view.commit()
        except BaseException:
            self._view.rollback()
            raise

    def _message(self, one: Document) -> Message:
        return decode_message(self._view.open("message", one), int(one.id, 16))

    def _memory(self, one: Document) -> Memory:
        return open_memory(self._view, one)

    def _tag(self, what: str, name: str) -> str:
        return self._view.seal.name(what, name).hex()

    def head(self) -> int:
        """The sequence of the newest message."""
        found = self._view.last("message")
        return 0 if found is None else int(found.id, 16)

    def message(self, message: str) -> Message | None:
        """A message by its id."""
        found = self._view.tagged("message", self._tag("message", message))
        return self._message(found[0]) if found else None

    def messages(self, *, after: int = 0, limit: int = 1000) -> list[Message]:
        """Messages in the order of their sequence."""
        return [self._message(one) for one in self._between("message", place(after + 1), END, limit)]

    def _between(self, collection: str, first: str, end: str, limit: int | None = None) -> Iterator[Document]:
        """Documents from an id until before another one, however many."""
        while limit is None or limit > 0:
            asked = BLOCK if limit is None else min(limit, BLOCK)
            found = self._view.between(collection, first, end, asked)
            yield from found
            if len(found) < asked:
                return
            limit = None if limit is None else limit - len(found)
            first = f"{found[-1].id}0"

    def memory(self, memory: str) -> Memory | None:
        """A memory by its id."""
        found = self._view.tagged("memory", self._tag("memory", memory))
        return self._memory(found[0]) if found else None

    def memories(self, *, after: int = 0, limit: int = 1000) -> list[Memory]:
        """Memories of the messages after a sequence; more than ``limit`` where the last message has more."""
        found = list(self._between("memory", place((after + 1) << PART_BITS), END, limit))
        if len(found) == limit:
            end = place(((int(found[-1].id, 16) >> PART_BITS) + 1) << PART_BITS)
            found += self._between("memory", f"{found[-1].id}0", end)
        return [self._memory(one) for one in found]

    def timeline(self, wanted: Filter, *, limit: int = 100) -> list[Memory]:
        """The newest that fit, newest first."""
        tags = [] if wanted.is_folded else [STANDS]
        for what, name in (
            ("stream", wanted.stream),
            ("entity", wanted.name.casefold()),
            ("area", wanted.area.casefold()),
        ):
            if name:
                tags.append(self._tag(what, name))
        return [self._memory(one) for one in self._driver.newest(tags, wanted.since, wanted.until, limit)]

    def search(self, words: str, *, limit: int = 50) -> list[tuple[str, float]]:
        """Memories that have any of the words, by BM25 over their hashes."""
        wanted = list(dict.fromkeys(hashed(self._view, plain(words))))[:QUERY_TERMS]
        found = self._driver.matching(wanted, limit) if wanted else []
        return [(self._memory(one).id, score) for one, score in found]

    def vectors(self, model: str, *, after: int = 0) -> Iterator[tuple[list[str], list[int], Vectors]]:
        """Ids, sequences and vectors of a model, in blocks."""
        number, dimension = self._view.read()["models"].get(plain(model), (0, 0))
        first, end = vector_place(number, (after + 1) << PART_BITS), vector_place(number + 1, 0)
        while number and (found := self._view.between("vector", first, end, BLOCK)):
            first = f"{found[-1].id}0"
            ids, rows = [], []
            for one in found:
                name, _, data = self._view.open("vector", one).partition(b"\n")
                ids.append(name.decode())
                rows.append(data)
            data = b"".join(rows)
            vectors = np.frombuffer(data, np.float16).reshape(len(rows), dimension).astype(np.float32)
            yield ids, [int(one.id[8:], 16) >> PART_BITS for one in found], vectors

    def nearest(self, vector: Vectors, model: str, *, limit: int = 50) -> list[tuple[str, float]]:
        """Memories by cosine; the vectors are sealed on the server, so all of them are read and looked at here."""
        return nearest(self.vectors(model), vector, limit)

    def facts(self, *, as_of: float | None = None, subject: str = "") -> list[Fact]:
        """Facts that held at a time as far as was known then, newest first."""
        known = {fact.id: fact for fact in (open_fact(self._view, one) for one in self._between("fact", "", END))}
        held = []
        for fact in known.values():
            ender = known.get(fact.ended_by)
            if as_of is not None and ender is not None and ender.said_at > as_of:
                fact = replace(fact, ended=None, ended_by="")
            is_begun = as_of is None or (fact.said_at <= as_of and fact.since <= as_of)
            is_held = fact.ended is None or (as_of is not None and fact.ended > as_of)
            if is_begun and is_held and subject in ("", fact.subject):
                held.append(fact)
        return sorted(held, key=lambda fact: (-fact.since, -fact.said_at, -fact.seq, fact.id))

    def document(self, kind: str, name: str) -> bytes | None:
        """A named thing."""
        found = self._view.get("document", self._writer.document_place(kind, name))
        return None if found is None else self._view.open("document", found).partition(b"\0")[2]

    def documents(self, kind: str) -> list[str]:
        """The names of a kind, in order."""
        found = self._view.tagged("document", self._tag("kind", kind))
        return sorted(self._view.open("document", one).partition(b"\0")[0].decode() for one in found)

    def built(self, part: str) -> int:
        """Up to which message a derived part is built."""
        return int(self._view.read()["marks"].get(plain(part), 0))

    def records(self, start: int = 0, limit: int = 1000) -> list[bytes]:
        """Records of the custody log."""
        return [self._view.open("record", one) for one in self._between("record", place(start), END, limit)]

    def record_count(self) -> int:
        """How many records the custody log has."""
        return int(self._view.read()["records"])

    def find(self, needle: str) -> list[str]:
        """Where a text is still to be found: in any document, opened or as it lies there, or among the hashes of its words.

        The server's own log and backups keep what was removed, sealed, for as long as they are kept.
        """
        wanted, hashes, found = Needle(needle), set(hashed(self._view, needle)), set()
        for collection in COLLECTIONS:
            for one in self._between(collection, "", END):
                opened = self._view.open(collection, one)
                if any(map(wanted.is_in, (opened, one.body, " ".join((one.id, *one.tags, *one.terms)).encode()))):
                    found.add(collection)
                if hashes and hashes <= set(one.terms):
                    found.add("words")
        if wanted.is_in_text(str(self._view.read())):
            found.add("state")
        return sorted(found)

    def size(self) -> int:
        """Bytes on the server, about."""
        return self._driver.size()

    def close(self) -> None:
        """Let go of it."""
        self._driver.close()
