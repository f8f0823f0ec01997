"""Partition stores on a real server: what was committed is there for the next owner, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from natant.errors import FabricError, StoreError
from natant.fabric.contract import DEPOSED
from natant.fabric.nats.archive import Archive
from natant.fabric.nats.engine import Engine
from natant.fabric.nats.partition_store import PartitionStore
from natant.store.contract import DELETE_PREFIX, PUT, Operation
from tests.support.journal import barrier, commit
from tests.support.nats import engine as started_engine


async def filled(engine: Engine, batches: int = 3, partition: int = 0) -> PartitionStore:
    store = await PartitionStore.open(engine, partition, "first")
    for number in range(batches):
        await commit(store, [(PUT, b"key%d" % number, b"%d" % number), (PUT, b"last", b"%d" % number)])
    return store


def state(store: PartitionStore) -> dict[bytes, bytes]:
    return dict(store.scan(b""))


async def code_of(work: object) -> str:
    with pytest.raises((FabricError, StoreError)) as caught:
        await work  # type: ignore[misc]
    return caught.value.code


async def test_the_next_owner_has_what_was_committed_and_the_first_one_commits_nothing() -> None:
    async with started_engine() as engine:
        first = await filled(engine)
        second = await PartitionStore.open(engine, 0, "second")

        assert second.epoch > first.epoch
        assert state(second) == {b"key0": b"0", b"key1": b"1", b"key2": b"2", b"last": b"2"}
        assert await code_of(commit(first, [(PUT, b"late", b"")])) == DEPOSED
        assert await code_of(barrier(first)) == DEPOSED
        assert await code_of(commit(first, [(PUT, b"late", b"")])) == DEPOSED
        await commit(second, [(DELETE_PREFIX, b"key", b"")])
        third = await PartitionStore.open(engine, 0, "third")
        assert state(third) == {b"last": b"2"}
        await barrier(third)


async def test_a_batch_larger_than_a_message_is_there_whole() -> None:
    async with started_engine() as engine:
        store = await PartitionStore.open(engine, 0, "first")
        await commit(store, [(PUT, b"large", b"x" * 5_000_000), (PUT, b"small", b"y")])
        await store.settle()
        store = await PartitionStore.open(engine, 0, "second")

        assert store.get(b"large") == b"x" * 5_000_000
        assert store.get(b"small") == b"y"


async def test_snapshots_keep_the_journal_short() -> None:
    async with started_engine() as engine:
        store = await PartitionStore.open(engine, 0, "first", snapshot_after_bytes=20_000)
        for number in range(100):
            await commit(store, [(PUT, b"k%d" % number, b"v" * 1000), (PUT, b"last", b"%d" % number)])
        await store.settle()
        assert engine.counts()["journal_snapshots"] >= 2
        assert store.fault is None
        await commit(store, [(PUT, b"behind", b"it")])
        info = await engine.js.stream_info(engine.subjects.journal_stream(0))
        assert info.state.messages < 60
        wanted = state(store)
        for owner in ("second", "third"):
            store = await PartitionStore.open(engine, 0, owner)
            assert state(store) == wanted
            await commit(store, [(PUT, owner.encode(), b"")])
            wanted[owner.encode()] = b""
            await store.snapshot()


async def test_barriers_that_wait_together_share_an_append_and_a_commit_serves_them() -> None:
    async with started_engine() as engine:
        store = await filled(engine)
        position = store.position.number
        await asyncio.gather(*(barrier(store) for _ in range(50)), commit(store, [(PUT, b"a", b"")]))

        assert store.position.number == position + 1
        assert engine.counts()["journal_barriers"] == 50
        await asyncio.gather(*(barrier(store) for _ in range(50)))
        assert store.position.number == position + 2
        assert state(await PartitionStore.open(engine, 0, "second")) == state(store)


async def test_partitions_are_opened_at_the_same_time() -> None:
    async with started_engine() as engine:
        stores = await asyncio.gather(*(filled(engine, partition=number) for number in range(16)))
        again = await asyncio.gather(*(PartitionStore.open(engine, number, "second") for number in range(16)))

        assert [state(store) for store in stores] == [state(store) for store in again]


async def test_of_owners_at_the_same_time_one_commits() -> None:
    async with started_engine() as engine:
        stores = await asyncio.gather(*(PartitionStore.open(engine, 0, f"owner {number}") for number in range(6)))
        batch: list[Operation] = [(PUT, b"who", b"me")]
        results = await asyncio.gather(*(commit(store, batch) for store in stores), return_exceptions=True)

        assert sum(result is None for result in results) == 1
        assert {getattr(result, "code", DEPOSED) for result in results} == {DEPOSED}
        assert (await PartitionStore.open(engine, 0, "last")).get(b"who") == b"me"


async def test_a_closed_store_says_so() -> None:
    async with started_engine() as engine:
        store = await filled(engine)
        store.commit([(PUT, b"never", b"told")], lambda error: pytest.fail("told after the close"))
        store.close()
        store.close()

        for call in (lambda: store.get(b"a"), lambda: store.scan(b""), lambda: store.commit([], print)):
            with pytest.raises(StoreError, match="NT-STORE-008"):
                call()


async def test_the_mark_of_an_earlier_owner_does_not_hide_that_of_a_later_one() -> None:
    async with started_engine() as engine:
        first = await filled(engine)
        second = await PartitionStore.open(engine, 0, "second")
        await commit(second, [(PUT, b"more", b"")])
        second.close()
        await second.settle()
        first.close()
        await first.settle()

        mark = await Archive(engine, 0).marked()
        assert mark is not None
        assert mark.number == second.position.number
