"""Persons' memories that are resident in this process: open store, model, index; the least recently used are put away."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from keepsake.custody import Log
from keepsake.key import Ring
from keepsake.model import PersonModel
from keepsake.recall.index import MemoryIndex
from keepsake.store.contract import Store, Stores
from keepsake.vector.contract import Embedder

__all__ = ["Desk", "Shelf"]

#: persons whose stores are open in a process
DESK_LIMIT: Final = 256
#: of all resident indexes together
INDEX_BYTES: Final = 2 * 2**30


class Desk:
    """One person's memories, for one thread at a time.

    :ivar model: the version that is live.
    """

    def __init__(self, person: str, ring: Ring, store: Store, embedder: Embedder | None) -> None:
        self.person = person
        self.key = ring.key(person)
        self.store = store
        self.log = Log(store, self.key, time.time)
        self.lock = threading.RLock()
        self.users = 0
        self._embedder = embedder
        self._index: MemoryIndex | None = None
        self.model = PersonModel.load(store)

    def refresh(self) -> None:
        """Take the model that is live by now."""
        if PersonModel.live(self.store) != self.model.version:
            self.model = PersonModel.load(self.store)
            if self._index is not None:
                self._index.use(self.model.ranker, self.model.refusal)

    def index(self) -> MemoryIndex:
        """The person's memories, resident, with all that is stored by now."""
        if self._index is None:
            self._index = MemoryIndex(self.person, self._embedder, self.model.ranker, self.model.refusal)
        self._index.refresh(self.store)
        return self._index

    def drop(self) -> None:
        """Forget the index: something was removed, or all is made anew."""
        self._index = None

    def size(self) -> int:
        """Bytes that the index takes in memory, about."""
        return 0 if self._index is None else self._index.size()

    def close(self) -> None:
        """Let go of the store."""
        self._index = None
        self.store.close()


class Shelf:
    """All desks of a process."""

    def __init__(self, ring: Ring, stores: Stores, embedder: Embedder | None) -> None:
        self._ring = ring
        self._stores = stores
        self._embedder = embedder
        self._desks: OrderedDict[str, Desk] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def desk(self, person: str) -> Iterator[Desk]:
        """The person's desk, for oneself.

        :raises KeepsakeError: ``KS-KEY-001`` where there is no such person.
        """
        desk = self._take(person)
        try:
            with desk.lock:
                desk.refresh()
                yield desk
        finally:
            self._give_back(desk)

    def _take(self, person: str) -> Desk:
        key = self._ring.key(person)
        with self._lock:
            desk = self._desks.get(person)
            if desk is not None and desk.key is not key:
                del self._desks[person]  # deleted, and there again under another key
                desk = None
            if desk is None:
                desk = self._desks[person] = Desk(person, self._ring, self._stores.open(person), self._embedder)
            self._desks.move_to_end(person)
            desk.users += 1
            return desk

    def _give_back(self, desk: Desk) -> None:
        with self._lock:
            desk.users -= 1
            size = sum(other.size() for other in self._desks.values())
            for person in list(self._desks):
                if len(self._desks) <= DESK_LIMIT and size <= INDEX_BYTES:
                    break
                if not self._desks[person].users and person != desk.person:
                    away = self._desks.pop(person)
                    size -= away.size()
                    away.close()

    def put_away(self, person: str) -> None:
        """Close what is open of a person; it is opened again when it is needed."""
        with self._lock:
            desk = self._desks.pop(person, None)
        if desk is not None:
            with desk.lock:
                desk.close()

    def close(self) -> None:
        """Close all."""
        for person in list(self._desks):
            self.put_away(person)
