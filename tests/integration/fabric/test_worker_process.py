"""Workers in processes of their own: killed, stopped, leaving, racing, and standing through a restart of the server."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.js.errors import NotFoundError

from natant.fabric.contract import DEPOSED
from natant.fabric.detector import GRACE_S
from natant.fabric.nats.config import Quoted
from natant.fabric.nats.engine import Engine
from natant.fabric.nats.fabric import NatsFabric
from natant.testing.fabric_kit import Heard
from tests.support.fabric import WorkerProcess, vanished
from tests.support.nats import NatsServer, engine, engine_of
from tests.support.serving import until

PARTITIONS = 8


@contextlib.asynccontextmanager
async def observer(started: Engine) -> AsyncIterator[NatsFabric]:
    fabric = NatsFabric(started)
    await fabric.open({})
    try:
        yield fabric
    finally:
        await fabric.close()


def owners(fabric: NatsFabric) -> list[str | None]:
    return [owner.worker if owner else None for owner in fabric.owners]


async def test_a_killed_worker_is_noticed_in_well_under_a_second() -> None:
    took: list[float] = []
    async with engine(partitions=PARTITIONS) as started, observer(started) as fabric:
        for _ in range(3):
            async with WorkerProcess(started.remote) as worker:
                assert await worker.ask("claim", 2) == [2]
                await until(lambda: fabric.owners[2] is not None)
                worker.signal(signal.SIGKILL)
                took.append(await vanished(fabric, worker.worker))
            assert fabric.owners[2] is None
            assert await fabric.claim(2)
            await fabric.release(2)
        assert fabric.counts()["verdicts"] == 3

    # Where the machine is busy one of them may be late.
    assert min(took) < 0.7, took
    assert max(took) < 3, took


async def test_a_stopped_worker_is_noticed_and_finds_itself_deposed_when_it_goes_on() -> None:
    async with engine(partitions=PARTITIONS) as started, observer(started) as fabric:
        async with WorkerProcess(started.remote) as worker:
            assert await worker.ask("claim", 5) == [5]
            await worker.ask("open", 5)
            assert await worker.ask("commit", 5, "k", "old") == "done"
            await until(lambda: fabric.owners[5] is not None)
            worker.signal(signal.SIGSTOP)
            assert await vanished(fabric, worker.worker) < 4
            assert await fabric.claim(5)
            store = await fabric.open_store(5)
            assert store.get(b"k") == b"old"
            worker.signal(signal.SIGCONT)

            assert await worker.ask("commit", 5, "k", "late") == DEPOSED
            assert await worker.ask("barrier", 5) == DEPOSED
            assert store.get(b"k") == b"old"
            await until(lambda: worker.worker in fabric.members)
            async with asyncio.timeout(10):
                while (await worker.ask("view"))["owners"][5] != fabric.worker:
                    await asyncio.sleep(0.05)
            assert len((await worker.ask("view"))["members"]) == 2
            heard = Heard(fabric)
            await worker.ask("send", fabric.worker, "hello again")
            await until(lambda: heard.messages == [(worker.worker, b"hello again")])


async def test_a_worker_that_leaves_is_gone_at_once() -> None:
    async with engine(partitions=PARTITIONS) as started, observer(started) as fabric:
        async with WorkerProcess(started.remote) as worker:
            assert await worker.ask("claim", 0, 1) == [0, 1]
            await until(lambda: worker.worker in fabric.members)
            await worker.ask("leave")
            await until(lambda: fabric.members[worker.worker].is_leaving)
            waiting = asyncio.create_task(vanished(fabric, worker.worker))
            await worker.ask("close")
            assert await waiting < 0.5
            assert fabric.owners == [None] * PARTITIONS
            assert fabric.counts()["verdicts"] == 0


async def test_two_workers_never_both_claim() -> None:
    async with (
        engine(partitions=64) as started,
        WorkerProcess(started.remote) as one,
        WorkerProcess(started.remote) as two,
        observer(started) as fabric,
    ):
        first, second = await asyncio.gather(*(each.ask("claim", *range(64)) for each in (one, two)))
        assert sorted(first + second) == list(range(64))
        await until(lambda: None not in fabric.owners)
        table = [owner.worker for owner in fabric.owners if owner]
        assert [number for number, worker in enumerate(table) if worker == one.worker] == first


async def test_a_restart_of_the_server_moves_nothing(tmp_path: Path) -> None:
    values = {"jetstream": {"store_dir": tmp_path / "store", "sync_interval": Quoted("always")}}
    with NatsServer(tmp_path / "server", values) as server:
        async with engine_of(server.url(), partitions=PARTITIONS) as started, observer(started) as fabric:
            async with WorkerProcess(started.remote) as one, WorkerProcess(started.remote) as two:
                assert await one.ask("claim", 0, 1) == [0, 1]
                assert await two.ask("claim", 2, 3) == [2, 3]
                for worker, partition in ((one, 0), (two, 2)):
                    await worker.ask("open", partition)
                await until(lambda: None not in fabric.owners[:4] and len(fabric.members) == 3)
                before = list(fabric.owners)
                heard = Heard(fabric)
                for signal_of in (server.stop, server.kill):
                    await asyncio.to_thread(signal_of)
                    pending = asyncio.gather(*(each.ask("commit", at, "k", "v") for each, at in ((one, 0), (two, 2))))
                    fabric.send(one.worker, b"said to nobody")
                    await asyncio.sleep(2)
                    await asyncio.to_thread(server.start)
                    assert await pending == ["done", "done"]
                    # Longer than it takes to be found dead, and than the leniency after a reconnection.
                    await asyncio.sleep(3)
                    assert fabric.owners == before
                    assert len(fabric.members) == 3
                assert fabric.counts()["verdicts"] == 0
                for each in (one, two):
                    assert (await each.ask("view"))["owners"][:4] == [owner.worker for owner in before[:4] if owner]
                await one.ask("send", fabric.worker, "still here")
                await until(lambda: (one.worker, b"still here") in heard.messages)
                # Either it came, late, or both sides know that it did not.
                told = await one.ask("heard")
                assert ("said to nobody" in [text for _, text in told["messages"]]) or (
                    fabric.worker in told["gaps"] and one.worker in heard.gaps
                )


async def test_junk_on_the_subjects_and_in_the_table_harms_nobody() -> None:
    async with engine(partitions=PARTITIONS) as started, observer(started) as fabric:
        async with WorkerProcess(started.remote) as worker:
            await until(lambda: worker.worker in fabric.members)
            for junk in (b"", b"\xff" * 40, b"\x00" * 15, b"hello"):
                await started.nc.publish(started.subjects.trunk(fabric.worker), junk)
                await started.nc.publish(started.subjects.table_changed, junk)
                await started.nc.publish(started.subjects.pong(fabric.worker, "x"), junk)
            bucket = started.subjects.cluster_bucket
            for key in ("w.junk", "w.list", "p.0", "p.99999", "p.x", "other"):
                await started.nc.request(f"$KV.{bucket}.{key}", b"[1]" if key == "w.list" else b"{", timeout=5)
            await worker.ask("send", fabric.worker, "kept")
            heard = Heard(fabric)
            await until(lambda: bool(heard.messages))
            await until(lambda: fabric.counts()["malformed"] == 4)

            assert heard.messages == [(worker.worker, b"kept")]
            assert {*fabric.members} == {fabric.worker, worker.worker}
            assert await worker.ask("claim", 0) == [0]
            await until(lambda: fabric.owners[0] is not None)


async def test_a_table_that_is_deleted_is_made_again_and_nothing_moves(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with engine(partitions=PARTITIONS) as started, observer(started) as fabric:
        async with WorkerProcess(started.remote) as worker:
            assert await worker.ask("claim", 0, 1) == [0, 1]
            assert await fabric.claim(2)
            await until(lambda: None not in fabric.owners[:3])
            before = owners(fabric)
            changes: list[list[str | None]] = []
            fabric.on_change = lambda: changes.append(owners(fabric))
            bucket = f"KV_{started.subjects.cluster_bucket}"
            await started.js.delete_stream(bucket)

            async def rows() -> int:
                with contextlib.suppress(NotFoundError):
                    return (await started.js.stream_info(bucket)).state.messages
                return 0

            async with asyncio.timeout(10):
                while await rows() < 5:
                    await asyncio.sleep(0.05)
            # Longer than those who lost the table are given.
            await asyncio.sleep(GRACE_S + 2.5)
            assert owners(fabric) == before
            assert {tuple(each) for each in changes} <= {tuple(before)}
            assert (await worker.ask("view"))["owners"] == before
            assert (await worker.ask("view"))["members"] == sorted([fabric.worker, worker.worker])
            assert await fabric.claim(3)
            assert await worker.ask("claim", 3) == []
    # Whoever found it first said so.
    assert "NT-FABRIC-203" in caplog.text + capfd.readouterr().err
