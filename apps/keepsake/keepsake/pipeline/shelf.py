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
from keepsake.pipeline.scope import Scoped
from keepsake.recall.index import MemoryIndex
from keepsake.store.contract import Store, Stores
from keepsake.vector.contract import Embedder
from keepsake.words.fold import Folder

__all__ = ["CORRECTIONS", "GENERATION", "Desk", "Shelf"]

#: persons whose stores are open in a process
DESK_LIMIT: Final = 256
#: resident indexes of one person: their own, and those of grants that are in use
INDEXES: Final = 8
#: between two looks for persons who were deleted elsewhere
LOOK_S: Final = 5.0
#: the store's mark (`Store.built`) that counts removals: what is resident in any process is made anew when it changes
GENERATION: Final = "generation"
#: the mark that counts corrections of names, which count from the next message on
CORRECTIONS: Final = "corrections"
#: of all resident indexes together
INDEX_BYTES: Final = 2 * 2**30


class Desk:
    """One person's memories, for one thread at a time.

    :ivar model: the version that is live.
    :ivar folder: finds near duplicates among what is stored.
    """

    def __init__(self, person: str, ring: Ring, store: Store, embedder: Embedder | None) -> None:
        self.person = person
        self.key = ring.key(person)
        self.store = store
        self.log = Log(store, self.key, time.time)
        self.lock = threading.RLock()
        self.users = 0
        self._embedder = embedder
        self._indexes: OrderedDict[str, MemoryIndex] = OrderedDict()
        self._generation = store.built(GENERATION)
        self._corrections = store.built(CORRECTIONS)
        self.folder = Folder(store)
        self.model = PersonModel.load(store, embedder)

    def refresh(self) -> None:
        """Take the model that is live by now, and make anew what is resident where something was removed."""
        corrections = self.store.built(CORRECTIONS)
        if corrections != self._corrections:
            self._corrections = corrections
            self.model = PersonModel.load(self.store, self._embedder)
        if PersonModel.live(self.store) != self.model.version:
            self.model = PersonModel.load(self.store, self._embedder)
            self._indexes.clear()  # categories have changed with it, and with them what a grant covers
        generation = self.store.built(GENERATION)
        if generation != self._generation:
            self._generation = generation
            self._indexes.clear()
            self.folder = Folder(self.store)

    def index(self, scoped: Scoped | None = None, grant: str = "") -> MemoryIndex:
        """The person's memories, resident, with all that is stored by now.

        :param scoped: the store as a grant shows it: an index of its own, so that nothing of what lies outside weighs in.
        """
        index = self._indexes.get(grant)
        if index is None:
            index = self._indexes[grant] = MemoryIndex(
                self.person, self._embedder, self.model.ranker, self.model.refusal
            )
            if len(self._indexes) > INDEXES:
                del self._indexes[next(name for name in self._indexes if name)]
        self._indexes.move_to_end(grant)
        index.refresh(scoped or self.store)
        return index

    def size(self) -> int:
        """Bytes that the indexes take in memory, about."""
        return sum(index.size() for index in self._indexes.values())

    def close(self) -> None:
        """Let go of the store."""
        self._indexes.clear()
        self.store.close()


class Shelf:
    """All desks of a process."""

    def __init__(self, ring: Ring, stores: Stores, embedder: Embedder | None) -> None:
        self._ring = ring
        self._stores = stores
        self._embedder = embedder
        self._desks: OrderedDict[str, Desk] = OrderedDict()
        self._lock = threading.Lock()
        self._looked = 0.0

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
            self._close_deleted()
            size = sum(other.size() for other in self._desks.values())
            for person in list(self._desks):
                if len(self._desks) <= DESK_LIMIT and size <= INDEX_BYTES:
                    break
                if not self._desks[person].users and person != desk.person:
                    away = self._desks.pop(person)
                    size -= away.size()
                    away.close()

    def _close_deleted(self) -> None:
        """Close what belongs to persons who have no key any more."""
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        for person, desk in list(self._desks.items()):
            if not desk.users and not self._ring.has(person):
                del self._desks[person]
                desk.close()

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
