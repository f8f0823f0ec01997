"""Finds memories that repeat another one, so that they can fold into it.  Folding is a view: nothing is removed, and it can be undone.

Two devices capture one talk, a chat is imported twice by two ways, a text is pasted again: such memories say the same and came at
about the same time.  Somebody who says the same months later says it of another day, and does not repeat it; only long texts that
are the same word by word do.  Short ones ("thanks!") never fold.

Candidates are found by SimHash (Charikar, Similarity estimation techniques from rounding algorithms, 2002) over pairs of terms and
are then compared as they are.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from keepsake.record import Memory
from keepsake.words.term import words

__all__ = ["Folder", "Kept", "likeness", "signature"]

#: words of a text that may fold, at least
LEAST_WORDS: Final = 6

#: bits of two signatures that may differ, of 64
BITS_APART: Final = 16

#: how alike two texts are that say the same, 0 to 1 (`likeness`)
LEAST_LIKENESS: Final = 0.7

#: how far apart the same may be said, in seconds
APART_S: Final = 2 * 86_400.0

#: words of a text that folds into the very same at any time: a forwarded text, not a thing that people say
LONG_WORDS: Final = 40

#: candidates that are compared as they are
CANDIDATES: Final = 8

#: memories that are asked of a store at a time
_BATCH: Final = 2_000


class Kept(Protocol):
    """What folding asks of a store; each `keepsake.store.contract.Store` has it."""

    def head(self) -> int:
        """The sequence of the newest message."""
        ...

    def memory(self, memory: str) -> Memory | None:
        """A memory by its id."""
        ...

    def memories(self, *, after: int = 0, limit: int = 1000) -> list[Memory]:
        """Memories of the messages after a sequence, in order."""
        ...


@lru_cache(maxsize=65_536)
def _hash(pair: str) -> int:
    return int.from_bytes(hashlib.blake2b(pair.encode(), digest_size=8).digest(), "little")


def _pairs(text: str) -> list[str]:
    found = list(words(text))
    return [f"{one} {next_one}" for one, next_one in pairwise(found)] or found


def signature(text: str) -> int:
    """64 bits of which texts that are nearly the same share most."""
    hashes = np.array([_hash(pair) for pair in _pairs(text)], dtype="<u8")
    if not hashes.size:
        return 0
    bits = np.unpackbits(hashes.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    ones = bits.sum(axis=0, dtype=np.int64) * 2 >= len(hashes)
    return int.from_bytes(np.packbits(ones, bitorder="little").tobytes(), "little")


def likeness(one: str, other: str) -> float:
    """The share of pairs of words that two texts have in common (Jaccard), 0 to 1."""
    left, right = set(_pairs(one)), set(_pairs(other))
    return len(left & right) / len(left | right) if left | right else 1.0


class Folder:
    """The signatures of one person's memories, resident: 24 bytes and an id a memory.

    It takes in each memory that it places, and at each `refresh` what others have stored since.
    """

    def __init__(self, store: Kept) -> None:
        self._store = store
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._signatures: npt.NDArray[np.uint64] = np.zeros(1024, np.uint64)
        self._times: npt.NDArray[np.float64] = np.zeros(1024)
        self._built_to = -1

    def refresh(self) -> None:
        """Take in what the store has since."""
        after, head = max(self._built_to, 0), self._store.head()
        while after < head and (memories := self._store.memories(after=after, limit=_BATCH)):
            for memory in memories:
                if not memory.folds_into and memory.id not in self._places:
                    self._add(memory, signature(memory.text))
            after = memories[-1].seq
        self._built_to = head

    def _add(self, memory: Memory, bits: int) -> None:
        place = self._places.get(memory.id, len(self._ids))
        if place == len(self._ids):
            self._ids.append(memory.id)
            self._places[memory.id] = place
        if place >= len(self._times):
            self._signatures = np.concatenate([self._signatures, np.zeros(place, np.uint64)])
            self._times = np.concatenate([self._times, np.zeros(place)])
        self._signatures[place] = bits
        self._times[place] = memory.said_at

    def place(self, memory: Memory) -> str:
        """The id of the memory that this one repeats; empty where it says something of its own."""
        if self._built_to < 0:
            self.refresh()
        bits = signature(memory.text)
        count = sum(1 for _ in words(memory.text))
        into = self._find(memory, bits, count) if count >= LEAST_WORDS else ""
        if not into and count >= LEAST_WORDS:
            self._add(memory, bits)
        return into

    def _find(self, memory: Memory, bits: int, count: int) -> str:
        size = len(self._ids)
        apart = np.bitwise_count(self._signatures[:size] ^ np.uint64(bits))
        near = np.abs(self._times[:size] - memory.said_at) <= APART_S
        wanted = np.flatnonzero(((apart <= BITS_APART) & near) | ((apart == 0) & (count >= LONG_WORDS)))
        for place in wanted[np.argsort(apart[wanted], kind="stable")][:CANDIDATES]:
            other = self._store.memory(self._ids[place])
            if other is None or other.folds_into or other.id == memory.id:
                continue
            if _repeats(memory, other, count):
                return other.id
        return ""


def _repeats(memory: Memory, other: Memory, count: int) -> bool:
    """Whether a memory says nothing that the other one does not say."""
    if memory.speaker != other.speaker:
        return False
    alike = likeness(memory.text, other.text)
    if abs(memory.said_at - other.said_at) > APART_S:
        return alike == 1.0 and count >= LONG_WORDS
    return alike >= LEAST_LIKENESS and _times(memory) == _times(other)


def _times(memory: Memory) -> list[tuple[int, int]]:
    """The days that a memory speaks of: "yesterday" said on two days is two days."""
    return [(int(when.start // 86_400), int(when.end // 86_400)) for when in memory.meant]
