"""Both stores keep the contract: the public kit, run on each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from natant.errors import StoreError
from natant.store.contract import Store
from natant.store.memory import MemoryStore
from natant.store.rocks import RocksStore
from natant.testing import DurableStoreContract, StoreContract


class TestMemoryStore(StoreContract):
    def make(self, folder: Path) -> Store:
        return MemoryStore()


class TestRocksStore(DurableStoreContract):
    def make(self, folder: Path) -> Store:
        return RocksStore(folder)


class TestRocksStoreWithSmallBuffers(DurableStoreContract):
    """The same where most of what is written has left memory, so that tables and compactions take part."""

    kills = 4

    def make(self, folder: Path) -> Store:
        return RocksStore(folder, buffer_bytes=64 << 10)


class TestRocksStoreWithShortLaps(DurableStoreContract):
    """The same where records move from the window into the database all the time."""

    def make(self, folder: Path) -> Store:
        return RocksStore(folder, lap_bytes=2 << 10)


@pytest.mark.parametrize("make", [lambda _: MemoryStore(), RocksStore])
def test_a_closed_store_answers_with_its_code(make: Callable[[Path], Store], tmp_path: Path) -> None:
    store = make(tmp_path / "s")
    store.close()
    with pytest.raises(StoreError, match="NT-STORE-008"):
        store.get(b"a")
