"""The state of a partition in JetStream keeps the contract of stores: the public kit, on a real server, snapshots included."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from natant.errors import StoreError
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.nats.partition_store import PartitionStore
from natant.store.contract import Operation, Store
from natant.testing import DurableStoreContract
from tests.support.journal import commit
from tests.support.nats import NatsServer

pytestmark = pytest.mark.slow

#: tells the processes that are killed where the server is
URL: Final = "NATANT_TEST_JOURNAL"

_Result = TypeVar("_Result")


class Blocking:
    """A partition store in a loop of its own, as a store whose ``apply`` blocks."""

    is_durable = True

    def __init__(self, plane: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._engine = self._run(Engine.start(EngineSpec(plane=plane, url=os.environ[URL])))
        self._store = self._run(PartitionStore.open(self._engine, 3, "kit", snapshot_after_bytes=20_000))
        self._is_closed = False

    def get(self, key: bytes) -> bytes | None:
        return self._store.get(key)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        return self._store.scan(prefix)

    def apply(self, batch: Sequence[Operation]) -> None:
        if self._is_closed:
            raise StoreError("NT-STORE-008", "closed")
        self._run(commit(self._store, batch))

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._run(self._let_go())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _let_go(self) -> None:
        await self._store.settle()
        assert self._store.fault is None
        self._store.close()
        await self._store.settle()
        await self._engine.close()

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("nats")
    values = {"jetstream": {"store_dir": folder / "store", "max_file_store": 4 << 30}, "max_payload": 2 << 20}
    with NatsServer(folder / "n", values) as started:
        os.environ[URL] = started.url()
        yield
        del os.environ[URL]


class TestPartitionStore(DurableStoreContract):
    kills = 4

    def make(self, folder: Path) -> Store:
        return Blocking(f"{folder.parent.name}-{folder.name}")
