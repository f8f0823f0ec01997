"""Both stores keep the contract: the public kit, run on each."""

from __future__ import annotations

from pathlib import Path

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
