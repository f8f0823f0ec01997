"""What a transaction sees: the server's documents with its own changes laid over them, and the change that it will be.

A commit is one swap of the person's state, which carries the whole change, sealed.  Then the change is made, and the state says that it
was.  Whoever finds a change in the state makes it, again if need be: so a change is made whole or not at all, whoever dies when.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from keepsake.errors import KeepsakeError
from keepsake.store.document.driver import Document, Driver, State
from keepsake.store.seal import Seal

__all__ = ["Change", "View"]

LAYOUT: Final = 1

#: how long a writer may be silent before another one takes its place; what it then still tries to commit is refused
LEASE_S: Final = 60.0

#: how long a writer waits for another one, and how often it looks
WAIT_S: Final = 30.0
LOOK_S: Final = 0.05

#: of one transaction, sealed: servers take documents of 16 megabytes
CHANGE_BYTES: Final = 12_000_000


@dataclass(slots=True)
class Change:
    """What a transaction changes."""

    puts: dict[tuple[str, str], Document] = field(default_factory=dict)
    removals: set[tuple[str, str]] = field(default_factory=set)
    cleared: set[str] = field(default_factory=set)

    def hides(self, collection: str, name: str) -> bool:
        """Whether the server's document counts no more."""
        at = (collection, name)
        return at in self.puts or at in self.removals or collection in self.cleared

    def dump(self) -> list[Any]:
        """It as JSON takes it."""
        puts = [
            [where, one.id, base64.b64encode(one.body).decode(), one.tags, one.at, one.terms]
            for (where, _), one in self.puts.items()
        ]
        return [puts, sorted(self.removals), sorted(self.cleared)]

    @staticmethod
    def make(dumped: list[Any], driver: Driver) -> None:
        """Make a change on the server."""
        puts, removals, cleared = dumped
        documents = [
            (where, Document(name, base64.b64decode(body), tuple(tags), at, tuple(terms)))
            for where, name, body, tags, at, terms in puts
        ]
        driver.change(documents, [(where, name) for where, name in removals], cleared)


class View:
    """One person's documents, sealed and opened here.

    :ivar counters: what the state holds: ``seq``, ``records``, ``marks``, ``models``, ``terms``.
    """

    def __init__(self, driver: Driver, seal: Seal, now: Callable[[], float]) -> None:
        self.driver = driver
        self.seal = seal
        self._now = now
        self._change = Change()
        self._state: State | None = None
        self._is_committed = False
        self.counters: dict[str, Any] = {}

    @property
    def is_writing(self) -> bool:
        """Whether a transaction is open."""
        return self._state is not None

    def gone(self) -> KeepsakeError:
        """The error of a store that is no more."""
        return KeepsakeError("KS-STORE-006", f"{self.driver.place} was erased while it was open; nothing was stored")

    def read(self) -> dict[str, Any]:
        """The counters as they are now."""
        if self.is_writing:
            return self.counters
        state = self.driver.state()
        if state is None:
            raise self.gone()
        return self._open(state)

    def _open(self, state: State) -> dict[str, Any]:
        try:
            content = self.seal.open(state.body, f"state/{state.version}")
        except KeepsakeError:
            raise KeepsakeError("KS-STORE-001", f"{self.driver.place} cannot be opened with the person's key") from None
        counters: dict[str, Any] = json.loads(content)
        if counters["layout"] != LAYOUT:
            found = f"the layout {counters['layout']}; this Keepsake reads {LAYOUT}"
            raise KeepsakeError("KS-STORE-002", f"{self.driver.place} has {found}")
        return counters

    def _close(self, counters: dict[str, Any], version: int, owner: str = "", until: float = 0.0) -> State:
        content = json.dumps(counters, separators=(",", ":")).encode()
        return State(version, self.seal.close(content, f"state/{version}"), owner, until)

    def make(self, terms: str) -> None:
        """Begin a person's documents where there are none, and finish what a writer left.

        :param terms: says by which rules words are written here.
        """
        state = self.driver.state()
        if state is None:
            counters = {"layout": LAYOUT, "seq": 0, "records": 0, "marks": {}, "models": {}, "terms": terms}
            self.driver.swap(self._close(counters, 1))
        elif "change" in self._open(state) and state.until < self._now():
            self.begin()
            self.commit()

    def begin(self) -> None:
        """Become the one who writes.

        :raises KeepsakeError: ``KS-STORE-007`` where another one does for too long.
        """
        owner, end = os.urandom(8).hex(), self._now() + WAIT_S
        while True:
            state = self.driver.state()
            if state is None:
                raise self.gone()
            if not state.owner or state.until < self._now():
                counters = self._open(state)
                mine = self._close(counters, state.version + 1, owner, self._now() + LEASE_S)
                if self.driver.swap(mine):
                    break
            elif self._now() > end:
                raise self.held()
            time.sleep(LOOK_S)
        self._state, self.counters, self._change, self._is_committed = mine, counters, Change(), False
        if "change" in counters:
            self._finish()
            self._swap(owner)

    def held(self) -> KeepsakeError:
        """The error of a transaction that another one is in the way of."""
        return KeepsakeError("KS-STORE-007", f"{self.driver.place} is held by another transaction; nothing was stored")

    def _finish(self) -> None:
        """Make the change that the state carries."""
        Change.make(self.counters.pop("change"), self.driver)

    def _swap(self, owner: str) -> None:
        """Put the counters as they are now into the state."""
        assert self._state is not None
        state = self._close(self.counters, self._state.version + 1, owner, self._state.until if owner else 0.0)
        if len(state.body) > CHANGE_BYTES:
            found = f"{len(state.body)} bytes; a transaction there has {CHANGE_BYTES} at most: write less at a time"
            raise KeepsakeError("KS-STORE-011", f"a transaction on {self.driver.place} has {found}")
        if not self.driver.swap(state):
            raise self.gone() if self.driver.state() is None else self.held()
        self._state = state

    def commit(self) -> None:
        """End the transaction, durably."""
        assert self._state is not None
        self.counters["change"] = self._change.dump()
        self._swap(self._state.owner)
        self._is_committed = True
        self._finish()
        self._swap("")
        self._end()

    def _end(self) -> None:
        self._state, self._change = None, Change()

    def rollback(self) -> None:
        """Undo the transaction; one that was committed is finished by the next who begins."""
        assert self._state is not None
        if not self._is_committed:
            with contextlib.suppress(KeepsakeError):
                self.driver.swap(self._close(self._open(self._state), self._state.version + 1))
        self._end()

    def get(self, collection: str, name: str) -> Document | None:
        """A document by its id."""
        if self._change.hides(collection, name):
            return self._change.puts.get((collection, name))
        return self.driver.get(collection, [name]).get(name)

    def get_all(self, collection: str, names: Sequence[str]) -> dict[str, Document]:
        """Documents by their ids."""
        mine = {
            name: self._change.puts.get((collection, name)) for name in names if self._change.hides(collection, name)
        }
        asked = [name for name in names if name not in mine]
        found = self.driver.get(collection, asked) if asked else {}
        return found | {name: one for name, one in mine.items() if one is not None}

    def tagged(self, collection: str, *tags: str) -> list[Document]:
        """Documents that have any of these tags."""
        return self._laid(
            collection, self.driver.tagged(collection, tags), lambda one: not set(tags).isdisjoint(one.tags)
        )

    def between(self, collection: str, first: str, end: str, limit: int) -> list[Document]:
        """Documents from an id until before another one, in order."""
        hidden = sum(where == collection for where, _ in (*self._change.removals, *self._change.puts))
        found = self.driver.between(collection, first, end, limit + hidden)
        return self._laid(collection, found, lambda one: first <= one.id < end)[:limit]

    def last(self, collection: str) -> Document | None:
        """The document with the greatest id."""
        found = self.driver.last(collection)
        if found is not None and self._change.hides(collection, found.id):
            every = self.between(collection, "", "g", self.driver.count(collection) + len(self._change.puts))
            return every[-1] if every else None
        laid = self._laid(collection, [] if found is None else [found], lambda _: True)
        return laid[-1] if laid else None

    def _laid(
        self, collection: str, found: Iterable[Document], is_wanted: Callable[[Document], bool]
    ) -> list[Document]:
        """The server's documents without those that changed, and the changed ones that are wanted, in order."""
        kept = [one for one in found if not self._change.hides(collection, one.id)]
        kept += [one for (where, _), one in self._change.puts.items() if where == collection and is_wanted(one)]
        return sorted(kept, key=lambda one: one.id)

    def open(self, collection: str, one: Document) -> bytes:
        """What a document holds."""
        return self.seal.open(one.body, f"{collection}/{one.id}")

    def put(self, collection: str, one: Document) -> None:
        """Put a document whose body is not sealed yet."""
        at = (collection, one.id)
        self._change.removals.discard(at)
        self._change.puts[at] = replace(one, body=self.seal.close(one.body, f"{collection}/{one.id}"))

    def remove(self, collection: str, name: str) -> None:
        """Remove a document."""
        self._change.puts.pop((collection, name), None)
        self._change.removals.add((collection, name))

    def clear(self, collection: str) -> None:
        """Remove all documents of a collection."""
        self._change.puts = {at: one for at, one in self._change.puts.items() if at[0] != collection}
        self._change.removals = {at for at in self._change.removals if at[0] != collection}
        self._change.cleared.add(collection)
