"""Both stores keep the contract."""

from __future__ import annotations

from pathlib import Path

from natant.store.contract import Store
from natant.store.memory import MemoryStore
from natant.store.rocks import RocksStore
from natant.testing import StoreContract


class TestMemoryStore(StoreContract):
    def make(self, folder: Path) -> Store:
        return MemoryStore()


class TestRocksStore(StoreContract):
    def make(self, folder: Path) -> Store:
        return RocksStore(folder)
