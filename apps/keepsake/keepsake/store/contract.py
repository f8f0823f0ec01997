"""What a store promises: all that is kept of one person, apart from everybody else.

A store is opened for one person with that person's key, and there is no call that takes another person: segregation is in what is
opened, not in a condition of a query.  Calls block; a store is used by one thread at a time.  ``tests/contract/test_store.py`` holds
each adapter to this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from keepsake.record import Fact, Memory, Message

__all__ = ["Blobs", "Filter", "Store", "Stores", "Vectors", "Writer"]

#: rows of unit length, one a memory
Vectors: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which memories of a timeline are wanted; None and empty mean all.

    :ivar since: said at or after, epoch seconds.
    :ivar until: said before, epoch seconds.
    :ivar name: an entity's name.
    :ivar area: an area of life or a category.
    :ivar is_folded: whether those that fold into others are shown too.
    """

    since: float | None = None
    until: float | None = None
    name: str = ""
    area: str = ""
    stream: str = ""
    is_folded: bool = False


class Writer(Protocol):
    """One transaction: all of it is durable when it ends well, nothing of it otherwise."""

    def add_message(self, message: Message) -> tuple[Message, bool]:
        """Store a message; gives it with its sequence, and whether it is new (False: its id was there, nothing is changed)."""
        ...

    def put_memories(self, memories: Sequence[Memory], vectors: Vectors | None = None, model: str = "") -> None:
        """Store memories, in place of those with their ids, with the vectors that ``model`` gave, row by row."""
        ...

    def fold(self, memory: str, into: str) -> None:
        """Note that a memory repeats another one; ``into=""`` undoes it."""
        ...

    def put_fact(self, fact: Fact) -> None:
        """Store a fact, in place of the one with its id (which is how one is ended)."""
        ...

    def remove_message(self, message: str) -> tuple[str, ...]:
        """Remove a message with all that was derived from it (memories, vectors, words, facts, folds); gives the memories' ids.

        What folded into a removed memory stands for itself again; a fact that a removed one had ended holds again.
        """
        ...

    def clear_derived(self) -> None:
        """Remove all that is derived from messages, and all parts' marks."""
        ...

    def put_document(self, kind: str, name: str, data: bytes) -> None:
        """Store a small named thing: a part of the model, a grant, feedback."""
        ...

    def remove_document(self, kind: str, name: str) -> None:
        """Remove it; nothing happens where it is not there."""
        ...

    def set_built(self, part: str, seq: int) -> None:
        """Note up to which message a derived part is built."""
        ...

    def append_record(self, record: bytes) -> int:
        """Append to the custody log; gives the record's index, from 0.  Records are never changed."""
        ...


class Store(Protocol):
    """What is kept of one person."""

    person: str

    def write(self) -> AbstractContextManager[Writer]:
        """Begin a transaction."""
        ...

    def head(self) -> int:
        """The sequence of the newest message; 0 where there is none."""
        ...

    def message(self, message: str) -> Message | None:
        """A message by its id."""
        ...

    def messages(self, *, after: int = 0, limit: int = 1000) -> list[Message]:
        """Messages in the order of their sequence."""
        ...

    def memory(self, memory: str) -> Memory | None:
        """A memory by its id."""
        ...

    def memories(self, *, after: int = 0, limit: int = 1000) -> list[Memory]:
        """Memories of the messages after a sequence, in order; a message's memories are never split over two calls."""
        ...

    def timeline(self, wanted: Filter, *, limit: int = 100) -> list[Memory]:
        """The newest that fit, newest first."""
        ...

    def search(self, words: str, *, limit: int = 50) -> list[tuple[str, float]]:
        """Memories by full text, best first: id and score (greater is better).  ``words`` is plain text, never a query language."""
        ...

    def vectors(self, model: str, *, after: int = 0) -> Iterator[tuple[list[str], list[int], Vectors]]:
        """Ids, sequences and vectors that a model gave, in order of the sequence, in blocks of a few thousand."""
        ...

    def nearest(self, vector: Vectors, model: str, *, limit: int = 50) -> list[tuple[str, float]]:
        """Memories by cosine, best first."""
        ...

    def facts(self, *, as_of: float | None = None, subject: str = "") -> list[Fact]:
        """Facts that held at a time (None: hold now) as far as was known then, newest first."""
        ...

    def document(self, kind: str, name: str) -> bytes | None:
        """A named thing."""
        ...

    def documents(self, kind: str) -> list[str]:
        """The names of a kind, in order."""
        ...

    def built(self, part: str) -> int:
        """Up to which message a derived part is built; 0 at first."""
        ...

    def records(self, start: int = 0, limit: int = 1000) -> list[bytes]:
        """Records of the custody log."""
        ...

    def record_count(self) -> int:
        """How many records the custody log has."""
        ...

    def find(self, needle: str) -> list[str]:
        """Where a text is still to be found, in any table, index or document: names of places.  For the proof of a deletion."""
        ...

    def size(self) -> int:
        """Bytes it takes, about."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Stores(Protocol):
    """Opens the stores of persons."""

    def open(self, person: str) -> Store:
        """The store of a person, made where it is not there.

        :raises KeepsakeError: ``KS-KEY-001`` where the person has no key, which is also how a deleted person reads.
        """
        ...

    def erase(self, person: str) -> None:
        """Remove a person's store, with all files, tables, indexes and copies that belong to it."""
        ...

    def people(self) -> list[str]:
        """Persons who have a store here."""
        ...


class Blobs(Protocol):
    """Large contents, sealed before they come here.  One person's names mean nothing for another."""

    def put(self, person: str, content: bytes) -> str:
        """Keep a content durably; gives its name, the same for the same content."""
        ...

    def get(self, person: str, name: str) -> bytes:
        """A content.

        :raises KeepsakeError: ``KS-STORE-003`` where it is not there or damaged.
        """
        ...

    def remove(self, person: str, name: str) -> None:
        """Remove one; nothing happens where it is not there."""
        ...

    def names(self, person: str) -> Iterator[str]:
        """All of a person."""
        ...

    def erase(self, person: str) -> None:
        """Remove all of a person."""
        ...
