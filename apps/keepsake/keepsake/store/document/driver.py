"""What a server of documents has to do: keep a person's documents, find them by number, tag, time and term, and swap one state.

All that it sees is sealed or hashed (`keepsake.store.seal`), but for numbers and times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

__all__ = ["COLLECTIONS", "Document", "Driver", "State"]

COLLECTIONS: Final = ("message", "removed", "memory", "vector", "fact", "document", "record")


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a collection.

    :ivar id: hexadecimal digits, in whose order documents are read.
    :ivar body: sealed.
    :ivar tags: hashes by which it is found.
    :ivar at: a time by which it is found, epoch seconds.
    :ivar terms: hashes of the words of its text, one for each time they stand there.
    """

    id: str
    body: bytes
    tags: tuple[str, ...] = ()
    at: float = 0.0
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """The one document on which writers agree.

    :ivar version: grows by one with each change of it.
    :ivar body: sealed: counters, and the change that is being made.
    :ivar owner: who is writing; empty: nobody.
    :ivar until: till when at most, epoch seconds.
    """

    version: int
    body: bytes
    owner: str = ""
    until: float = 0.0


class Driver(Protocol):
    """One person's documents on a server.  Calls raise ``KS-STORE-008`` where the server refuses or is out of reach."""

    place: str

    def state(self) -> State | None:
        """The state as it is now; None where the person has no store."""
        ...

    def swap(self, state: State) -> bool:
        """Put a state in place of the one whose version is one less, durably; False where there is another one by now.

        A state of version 1 is put where there is none, and makes the person's collections.
        """
        ...

    def get(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Documents by their ids."""
        ...

    def between(self, collection: str, first: str, end: str, limit: int) -> list[Document]:
        """The first documents from an id on until before another one, in order."""
        ...

    def last(self, collection: str) -> Document | None:
        """The document with the greatest id."""
        ...

    def tagged(self, collection: str, tags: Sequence[str]) -> list[Document]:
        """All documents that have any of these tags."""
        ...

    def newest(self, tags: Sequence[str], since: float | None, until: float | None, limit: int) -> list[Document]:
        """Memories that have all of these tags, of a span of time, the newest first, then the greatest id."""
        ...

    def matching(self, terms: Sequence[str], limit: int) -> list[tuple[Document, float]]:
        """Memories that have any of these terms, by BM25, best first."""
        ...

    def change(
        self, puts: Sequence[tuple[str, Document]], removals: Sequence[tuple[str, str]], cleared: Sequence[str]
    ) -> None:
        """Clear collections, then remove documents, then put some: durable and to be seen when this returns.

        Doing it twice, or again after half of it, does what once does.
        """
        ...

    def count(self, collection: str) -> int:
        """How many documents a collection has."""
        ...

    def size(self) -> int:
        """Bytes it takes, about."""
        ...

    def drop(self) -> None:
        """Remove all of the person."""
        ...

    def close(self) -> None:
        """Let go of the server."""
        ...
