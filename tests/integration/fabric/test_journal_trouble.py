"""What goes wrong under a journal: no room, no answer, streams that are gone or were changed.  Each is an error with a code, and nothing is lost."""

from __future__ import annotations

import os
import signal

import pytest

from natant.errors import FabricError
from natant.fabric.nats import api
from natant.fabric.nats.engine import Engine
from natant.fabric.nats.partition_store import PartitionStore
from natant.fabric.nats.record import Epoch
from natant.store.contract import PUT, Operation
from tests.support.journal import barrier, commit
from tests.support.nats import engine as started_engine


async def filled(engine: Engine, *, batches: int = 5, max_bytes: int = -1) -> PartitionStore:
    store = await PartitionStore.open(engine, 0, "first", max_bytes=max_bytes)
    for number in range(batches):
        await commit(store, [(PUT, b"key%d" % number, b"%d" % number)])
    return store


async def reopened(engine: Engine) -> dict[bytes, bytes]:
    return dict((await PartitionStore.open(engine, 0, "next")).scan(b""))


async def test_a_full_stream_takes_nothing_and_goes_on_when_there_is_room() -> None:
    async with started_engine() as engine:
        store = await filled(engine, max_bytes=20_000)
        large: list[Operation] = [(PUT, b"large", b"x" * 30_000)]
        with pytest.raises(FabricError, match="NT-FABRIC-105"):
            await commit(store, large)
        assert store.get(b"large") is None
        with pytest.raises(FabricError, match="NT-FABRIC-105"):
            await barrier(store)

        info = await engine.js.stream_info(engine.subjects.journal_stream(0))
        info.config.max_bytes = 1_000_000
        await engine.js.update_stream(info.config)
        await commit(store, large)
        await commit(store, [(PUT, b"after", b"it")])
        assert await reopened(engine) == dict(store.scan(b""))


async def test_a_full_journal_makes_room_by_a_snapshot() -> None:
    async with started_engine() as engine:
        store = await filled(engine, max_bytes=400_000)
        refusals: list[str] = []
        for number in range(100):
            batch: list[Operation] = [(PUT, b"key", b"%05d" % number * 4000)]
            try:
                await commit(store, batch)
            except FabricError as error:
                refusals.append(error.code)
                await store.settle()
                await commit(store, batch)
        assert set(refusals) == {"NT-FABRIC-105"}
        assert len(refusals) < 10
        assert await reopened(engine) == dict(store.scan(b""))


async def test_a_batch_that_breaks_off_in_the_middle_goes_on_there() -> None:
    async with started_engine() as engine:
        store = await filled(engine, max_bytes=700_000)
        large: list[Operation] = [(PUT, b"large", os.urandom(1_500_000))]
        for _ in range(2):
            with pytest.raises(FabricError, match="NT-FABRIC-105"):
                await commit(store, large)
        info = await engine.js.stream_info(engine.subjects.journal_stream(0))
        info.config.max_bytes = 10_000_000
        await engine.js.update_stream(info.config)
        await commit(store, large)
        assert await reopened(engine) == dict(store.scan(b""))


async def test_a_server_that_hangs_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "RETRY_FOR_S", 0.5)
    monkeypatch.setattr(api, "ANSWER_S", 0.2)
    async with started_engine() as engine:
        store = await filled(engine)
        assert engine.server is not None
        batch: list[Operation] = [(PUT, b"slow", b"1")]
        os.kill(engine.server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(FabricError, match="NT-FABRIC-106"):
                await commit(store, batch)
        finally:
            os.kill(engine.server.pid, signal.SIGCONT)
        # The batch gets into the journal with the barrier that comes first, and is not there twice.
        await barrier(store)
        assert store.get(b"slow") == b"1"
        await commit(store, batch)
        await commit(store, [(PUT, b"slow", b"2")])
        assert (await reopened(engine))[b"slow"] == b"2"


async def test_a_killed_server_loses_nothing() -> None:
    async with started_engine() as engine:
        store = await filled(engine)
        assert engine.server is not None
        for number in range(3):
            os.kill(engine.server.pid, signal.SIGKILL)
            await commit(store, [(PUT, b"after %d" % number, b"")])
        assert await reopened(engine) == dict(store.scan(b""))


async def test_a_stream_that_takes_no_more_is_told() -> None:
    async with started_engine() as engine:
        store = await filled(engine)
        info = await engine.js.stream_info(engine.subjects.journal_stream(0))
        info.config.sealed = True
        await engine.js.update_stream(info.config)

        with pytest.raises(FabricError, match="NT-FABRIC-107"):
            await commit(store, [(PUT, b"more", b"")])


@pytest.mark.parametrize("harm", ["delete", "purge"])
async def test_a_journal_that_is_gone_is_not_begun_anew(harm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "RETRY_FOR_S", 2.0)
    async with started_engine() as engine:
        store = await filled(engine)
        await store.snapshot()
        stream = engine.subjects.journal_stream(0)
        await (engine.js.delete_stream if harm == "delete" else engine.js.purge_stream)(stream)

        with pytest.raises(FabricError, match="NT-FABRIC-104"):
            await commit(store, [(PUT, b"more", b"")])
        with pytest.raises(FabricError, match="NT-FABRIC-104"):
            await PartitionStore.open(engine, 0, "next")


async def test_a_journal_that_was_made_anew_is_not_taken_for_the_old_one() -> None:
    async with started_engine() as engine:
        store = await filled(engine)
        await store.snapshot()
        config = (await engine.js.stream_info(engine.subjects.journal_stream(0))).config
        await engine.js.delete_stream(engine.subjects.journal_stream(0))
        await engine.js.add_stream(config)
        await engine.js.publish(engine.subjects.epoch(0), Epoch(b"another identity", "somebody").pack())
        with pytest.raises(FabricError, match="NT-FABRIC-104"):
            await PartitionStore.open(engine, 0, "next")
