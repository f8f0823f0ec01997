"""A search for a history of batches, reads, open scans and reopenings that a store answers otherwise than a plain dict."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from natant.store import rocks
from natant.store.contract import DELETE, DELETE_PREFIX, PUT, Operation, Store
from natant.store.memory import MemoryStore
from natant.store.rocks import RocksStore
from natant.testing.store_kit import Model

#: few letters, so that keys meet; the lowest and the highest byte among them
keys = st.text("ab\x00\xff", max_size=4).map(lambda text: text.encode("latin-1"))
operations: st.SearchStrategy[Operation] = st.one_of(
    st.tuples(st.just(PUT), keys, st.binary(max_size=20)),
    st.tuples(st.just(DELETE), keys, st.just(b"")),
    st.tuples(st.just(DELETE_PREFIX), keys, st.just(b"")),
)


class History(RuleBasedStateMachine):
    """Batches, reads, scans left open and reopenings in any order; on the memory store where nothing else is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.store = self.open()
        self.model = Model()

    def open(self) -> Store:
        return MemoryStore()

    @rule(batch=st.lists(operations, max_size=8))
    def apply(self, batch: list[Operation]) -> None:
        self.store.apply(batch)
        self.model.apply(batch)

    @rule(prefix=keys, batch=st.lists(operations, max_size=4))
    def scan_while_writing(self, prefix: bytes, batch: list[Operation]) -> None:
        scan = self.store.scan(prefix)
        wanted = self.found(prefix)
        self.apply(batch)
        assert list(scan) == wanted

    @rule(key=keys)
    def get(self, key: bytes) -> None:
        assert self.store.get(key) == self.model.get(key)

    @rule()
    def reopen(self) -> None:
        if self.store.is_durable:
            self.store.close()
            self.store = self.open()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert list(self.store.scan(b"")) == self.found(b"")

    def found(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        return sorted((key, value) for key, value in self.model.items() if key.startswith(prefix))

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


class RocksHistory(History):
    def open(self) -> Store:
        return RocksStore(Path(self.folder.name) / "s")


class MovingHistory(History):
    """Each lap holds a batch or two, and each batch moves one record on: every state between window and tables is met."""

    def open(self) -> Store:
        return RocksStore(Path(self.folder.name) / "s", lap_bytes=100)

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(rocks, "STEP_KEYS", 1)
        self.patch.setattr(rocks, "STEP_FACTOR", 0)
        self.patch.setattr(rocks, "FEW_KEYS", 2)
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        self.patch.undo()


TestMemoryHistory = History.TestCase
TestMemoryHistory.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestRocksHistory = RocksHistory.TestCase
TestRocksHistory.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
TestMovingHistory = MovingHistory.TestCase
TestMovingHistory.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
