"""A standalone store comes into a cluster whole: sequences, gaps, keys, consumers; and is not opened again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from natant.errors import FabricError
from natant.fabric.nats.copy import copy_stream, state_of
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.nats.folder import refuse_left_behind
from natant.fabric.nats.grow import grow
from tests.support.command import here
from tests.support.nats import Cluster, engine, engine_of
from tests.support.process import ROOT


async def fill(folder: Path) -> None:
    """A journal whose last records are purged, a bucket, a queue of which a part is in work."""
    async with engine(folder=folder) as old:
        journal = old.subjects.journal_stream(3)
        await old.js.add_stream(name=journal, subjects=[old.subjects.journal(3)])
        await old.js.publish(old.subjects.epoch(3), b"epoch")
        for _ in range(20):
            await old.js.publish(old.subjects.record(3), b"record")
        await old.js.purge_stream(journal, subject=old.subjects.record(3))
        bucket = await old.js.create_key_value(bucket="lanes", ttl=3600)
        for key in "abc":
            await bucket.put(key, b"1")
        await old.js.add_stream(name="work", subjects=["work.>"], retention="workqueue")
        for number in range(10):
            await old.js.publish(f"work.{number}", b"%d" % number)
        jobs = await old.js.pull_subscribe("work.>", "worker")
        for message in (await jobs.fetch(4))[:2]:
            await message.ack_sync()


async def test_a_store_grows_into_a_cluster(tmp_path: Path) -> None:
    folder = tmp_path / "nats"
    await fill(folder)
    with Cluster() as cluster:
        words = ("grow", "--data", str(tmp_path), "--to", cluster.url, "--yes", "--json")
        done = await asyncio.to_thread(here, *words)
        assert done.code == 0, done
        assert {found["stream"]: found["replicas"] for found in map(json.loads, done.lines())} == {
            "natant-test-J3": 3,
            "KV_lanes": 3,
            "work": 3,
        }
        async with engine_of(cluster.url) as new:
            added = await new.js.publish(new.subjects.record(3), b"next")
            revision = await (await new.js.key_value("lanes")).put("b", b"2")
            work = await new.js.consumer_info("work", "worker")
            for _ in range(100):  # a leader counts what is pending when it has read the stream
                if work.num_pending:
                    break
                await asyncio.sleep(0.05)
                work = await new.js.consumer_info("work", "worker")

    assert added.seq == 22  # of the purged records even the numbers are kept
    assert revision == 4
    assert (work.num_ack_pending, work.num_pending) == (2, 6)
    with pytest.raises(FabricError, match=r"NT-FABRIC-007.*moved to nats://"):
        await Engine.start(EngineSpec(plane="test", folder=folder))


async def test_a_plane_does_not_begin_anew_beside_its_state(tmp_path: Path) -> None:
    refuse_left_behind(tmp_path / "nats")
    async with engine(folder=tmp_path / "nats") as old:
        refuse_left_behind(tmp_path / "nats")
        await old.js.add_stream(name=old.subjects.journal_stream(0), subjects=[old.subjects.journal(0)])
    plane = ROOT / "tests" / "conformance" / "plane.py"
    done = await asyncio.to_thread(
        here, "run", str(plane), "--data", str(tmp_path), "--cluster", "nats://127.0.0.1:1", "--port", "0"
    )

    assert done.code == 1
    assert "NT-FABRIC-007" in done.err
    assert "natant grow" in done.err


async def test_it_goes_on_after_a_break_and_overwrites_nothing(tmp_path: Path) -> None:
    old_folder, new_folder = tmp_path / "old", tmp_path / "new"
    await fill(old_folder)
    async with engine(folder=new_folder) as new:
        async with engine(folder=old_folder) as old:  # as far as it came
            await copy_stream(old.nc, new.nc, "work", replicas=1)
        await new.js.add_stream(name="KV_lanes", subjects=["other"])
        with pytest.raises(FabricError, match=r"NT-FABRIC-013.*KV_lanes already"):
            await grow(old_folder, new.url)
        await new.js.delete_stream("KV_lanes")

        done = await grow(old_folder, new.url)

        assert [grown.stream for grown in done] == ["KV_lanes", "natant-test-J3", "work"]
        assert await state_of(new.nc, "natant-test-J3") == done[1].state


async def test_a_refusal_of_the_other_servers_is_told(tmp_path: Path) -> None:
    await fill(tmp_path / "old")
    async with engine(folder=tmp_path / "new", disk_bytes=16) as new:
        with pytest.raises(FabricError, match=r"NT-FABRIC-013.*not copied"):
            await grow(tmp_path / "old", new.url)

    async with engine(folder=tmp_path / "old") as old:
        assert await state_of(old.nc, "work") is not None


async def test_a_folder_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-007"):
        await grow(tmp_path, "nats://127.0.0.1:1")
