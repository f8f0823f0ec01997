"""A person's store as somebody with a grant may see it: what lies outside the grant's scope is not there."""

from __future__ import annotations

from collections.abc import Iterator

from keepsake.custody.grant import Scope
from keepsake.record import Fact, Memory
from keepsake.store.contract import Filter, Store, Vectors

__all__ = ["Scoped"]

#: how many more memories are looked at for each that is wanted
LOOK_FACTOR = 4


class Scoped:
    """The reads that an answer needs, each held to a scope."""

    def __init__(self, store: Store, scope: Scope) -> None:
        self.person = store.person
        self._store = store
        self._scope = scope

    def allows(self, memory: Memory) -> bool:
        """Whether a memory may be shown."""
        return self._scope.allows(memory)

    def memory(self, memory: str) -> Memory | None:
        """A memory by its id, where it is within the scope."""
        found = self._store.memory(memory)
        return found if found is not None and self.allows(found) else None

    def timeline(self, wanted: Filter, *, limit: int = 100) -> list[Memory]:
        """The newest within the scope."""
        return [found for found in self._store.timeline(wanted, limit=limit * LOOK_FACTOR) if self.allows(found)][
            :limit
        ]

    def facts(self, *, as_of: float | None = None, subject: str = "") -> list[Fact]:
        """Facts that memories within the scope tell of."""
        return [
            fact for fact in self._store.facts(as_of=as_of, subject=subject) if self.memory(fact.memory) is not None
        ]

    def memories(self, *, after: int = 0, limit: int = 1000) -> list[Memory]:
        """Memories within the scope; none only where there is none any more."""
        while found := self._store.memories(after=after, limit=limit):
            if allowed := [memory for memory in found if self.allows(memory)]:
                return allowed
            after = found[-1].seq
        return []

    def vectors(self, model: str, *, after: int = 0) -> Iterator[tuple[list[str], list[int], Vectors]]:
        """Vectors of all memories; who has no such memory passes over them."""
        return self._store.vectors(model, after=after)

    def head(self) -> int:
        """The sequence of the newest message."""
        return self._store.head()
