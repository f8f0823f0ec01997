"""A shelf: all memories of one person, resident, as words, vectors and columns.  It only grows; what is removed is covered at once
and gone when the shelf is made anew (`keepsake.recall.index`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from keepsake.recall.column import Column, total
from keepsake.recall.evidence import Flags, Rows
from keepsake.recall.posting import Floats, Places, Postings
from keepsake.recall.sign import signs_of
from keepsake.record import Memory
from keepsake.store.contract import Vectors
from keepsake.words.term import plain, terms

__all__ = ["SITTING_GAP_S", "Shelf"]

#: what a stream takes in after a longer silence is another sitting: nothing in it goes on with what was said before
SITTING_GAP_S: Final = 3600.0

#: vectors that are multiplied at a time
BLOCK: Final = 1024

#: bytes of a memory with its texts, on average, as measured on chats
MEMORY_BYTES: Final = 900


class Shelf:
    """Memories by place: 0, 1, 2... in the order in which they came.

    :ivar speakers: each speaker's name in small letters, whole and its first word, to the speaker's number.
    """

    def __init__(self, dimension: int) -> None:
        self.memories: list[Memory] = []
        self.postings = Postings()
        self.speakers: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._columns: Final = {
            "before": Column(np.int32),
            "after": Column(np.int32),
            "sitting": Column(np.int32),
            "speaker": Column(np.int32),
            "signs": Column(np.uint32),
            "length": Column(np.uint16),
            "said_at": Column(np.float64),
            "covered": Column(np.bool_),
        }
        self._vectors: Final = Column(np.float32, dimension) if dimension else None
        self._sittings = 0

    def __len__(self) -> int:
        return len(self.memories)

    def add(self, memory: Memory) -> None:
        """Take in a memory; one that is there already is replaced, its words staying as they were."""
        known = self._places.get(memory.id)
        if known is not None:
            self.memories[known] = memory
            self._columns["covered"].rows[known] = bool(memory.folds_into)
            return
        place = len(self.memories)
        stream = memory.message.rpartition(":")[0]
        before = self._last.get(stream, -1)
        if before >= 0 and not self._goes_on(self.memories[before], memory):
            before = -1
        if before >= 0:
            self._columns["after"].rows[before] = place
            sitting = int(self._columns["sitting"].rows[before])
        else:
            sitting, self._sittings = self._sittings, self._sittings + 1
        found = terms(memory.text)
        row = {
            "before": before,
            "after": -1,
            "sitting": sitting,
            "speaker": self._number(memory.speaker),
            "signs": int(signs_of(memory.text)),
            "length": min(len(found), 65_535),
            "said_at": memory.said_at,
            "covered": bool(memory.folds_into),
        }
        for name, column in self._columns.items():
            column.append(row[name])
        if self._vectors is not None:
            self._vectors.append(0)
        self.postings.add(found)
        self.memories.append(memory)
        self._places[memory.id] = self._last[stream] = place

    @staticmethod
    def _goes_on(before: Memory, memory: Memory) -> bool:
        return before.message == memory.message or abs(memory.said_at - before.said_at) <= SITTING_GAP_S

    def _number(self, speaker: str) -> int:
        name = " ".join(plain(speaker).split())
        number = self.speakers.get(name)
        if number is None:
            number = self.speakers[name] = 1 + max(self.speakers.values(), default=-1)
            if " " in name:
                self.speakers.setdefault(name.split()[0], number)
        return number

    def put_vectors(self, memories: Sequence[str], vectors: Vectors) -> None:
        """Take in the vectors of memories; those of unknown ones are passed over."""
        assert self._vectors is not None, "vectors for a shelf without an embedder"
        pairs = [(self._places[memory], row) for row, memory in enumerate(memories) if memory in self._places]
        if pairs:
            places, rows = (list(column) for column in zip(*pairs, strict=True))
            self._vectors.rows[places] = vectors[rows]

    def cover(self, messages: Iterable[str]) -> int:
        """Let the memories of messages be found no more; gives how many there were."""
        gone = set(messages)
        places = [place for place, memory in enumerate(self.memories) if memory.message in gone]
        self._columns["covered"].rows[places] = True
        if self._vectors is not None:
            self._vectors.rows[places] = 0
        return len(places)

    def rows(self, as_of: float | None) -> Rows:
        """The columns, with what may be found; views, valid until the next `add`."""
        columns = {name: column.rows for name, column in self._columns.items()}
        allowed: Flags = ~columns.pop("covered")
        if as_of is not None:
            allowed = allowed & (columns["said_at"] <= as_of)
        return Rows(**columns, allowed=allowed)

    def meaning(self, vectors: Vectors) -> tuple[Floats, Floats] | None:
        """The cosine of each memory with the first and the last of one or two vectors of unit length."""
        if self._vectors is None:
            return None
        rows = self._vectors.rows
        cosines = np.empty((len(vectors), len(rows)), np.float32)
        # a block stays in the processor's cache for the second vector: half the time of one product for both
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            for vector, into in zip(vectors, cosines, strict=True):
                np.dot(block, vector, out=into[start : start + BLOCK])
        return cosines[0], cosines[-1]

    def take(self, places: Places) -> list[Memory]:
        """Memories by place."""
        return [self.memories[place] for place in places.tolist()]

    def holds(self, word: str) -> bool:
        """Whether a word is anywhere in here, in a memory or as a term."""
        small = plain(word)
        return any(small in plain(memory.text) for memory in self.memories) or any(
            self.postings.number(term) >= 0 for term in terms(word)
        )

    def bytes(self) -> int:
        """Bytes it takes, about."""
        vectors = self._vectors.bytes() if self._vectors is not None else 0
        return vectors + self.postings.bytes() + total(self._columns) + MEMORY_BYTES * len(self.memories)
