"""Partition stores in tests: their callbacks as awaitables."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from natant.fabric.contract import PartitionStore
from natant.store.contract import Operation

__all__ = ["barrier", "commit"]


async def commit(store: PartitionStore, batch: Sequence[Operation]) -> None:
    """Commit, and wait until it is durable."""
    told = asyncio.get_running_loop().create_future()
    store.commit(batch, lambda error: _tell(told, error))
    await told


async def barrier(store: PartitionStore) -> None:
    """Wait until the server has said that nobody took over."""
    told = asyncio.get_running_loop().create_future()
    store.barrier(lambda error: _tell(told, error))
    await told


def _tell(told: asyncio.Future[None], error: BaseException | None) -> None:
    if told.done():
        return
    if error is None:
        told.set_result(None)
    else:
        told.set_exception(error)
