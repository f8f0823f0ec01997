"""Memories that are held for a measurement alone: what an index asks of a store, without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keepsake.record import Memory
from keepsake.store.contract import Vectors

__all__ = ["Held"]


class Held:
    """Memories and vectors, row by row, in the order of their sequences."""

    def __init__(self, memories: Sequence[Memory], vectors: Vectors | None = None) -> None:
        self._memories = list(memories)
        self._vectors = vectors

    def head(self) -> int:
        """The sequence of the newest."""
        return self._memories[-1].seq if self._memories else 0

    def memories(self, *, after: int = 0, limit: int = 1000) -> list[Memory]:
        """Those after a sequence; a message's memories stay together."""
        later = [memory for memory in self._memories if memory.seq > after]
        last = later[min(limit, len(later)) - 1].seq if later else 0
        return [memory for memory in later if memory.seq <= last]

    def vectors(self, model: str, *, after: int = 0) -> Iterator[tuple[list[str], list[int], Vectors]]:
        """All vectors after a sequence, in one block."""
        if self._vectors is None:
            return
        rows = [row for row, memory in enumerate(self._memories) if memory.seq > after]
        wanted = [self._memories[row] for row in rows]
        yield [memory.id for memory in wanted], [memory.seq for memory in wanted], self._vectors[rows]
