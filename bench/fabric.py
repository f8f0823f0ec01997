"""The journal in JetStream: packed lane writes beside a bare publisher of packed records, and how fast partitions recover."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Final, NamedTuple

from bench.place import Place
from bench.table import Row
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.nats.partition_store import PartitionStore
from natant.store.contract import Operation

__all__ = ["journal"]

#: partitions that write at the same time, and for how long
WRITERS: Final = 16
WRITE_S: Final = 3.0
#: each is measured so often, in turns
ROUNDS: Final = 3
#: lane writes in one record
RECORD: Final = 200
#: for the recovery
PARTITIONS: Final = 64
LANES: Final = 1_000_000
SPREAD: Final = 7919


def _value(number: int) -> bytes:
    source = random.Random(number)
    return b"{at:%d,lat:%.5f,lon:%.5f,speed:%d,line:B6,late:true}" % (
        1_357_034_400 + number,
        source.uniform(40, 41),
        source.uniform(-74, -73),
        source.randrange(90),
    )


def _batch(start: int, count: int = RECORD) -> list[Operation]:
    return [
        (0, b"l/vehicle/%d\0lane%d\0" % (number // 4, number % 4), _value(number))
        for number in range(start, start + count)
    ]


async def commit(store: PartitionStore, batch: list[Operation]) -> None:
    """Commit, and wait until it is durable."""
    told = asyncio.get_running_loop().create_future()

    def done(error: BaseException | None) -> None:
        if error is None:
            told.set_result(None)
        else:
            told.set_exception(error)

    store.commit(batch, done)
    await told


class Speed(NamedTuple):
    """Lane writes a second, and the CPU time of this process for each, in us."""

    rate: float
    cpu_us: float


async def _for_a_while(work: Callable[[int, int], Awaitable[None]]) -> Speed:
    """How fast all writers are together."""
    count = 0
    end = time.perf_counter() + WRITE_S

    async def write(writer: int) -> None:
        nonlocal count
        at = 0
        while time.perf_counter() < end:
            await work(writer, at)
            at += 1
            count += RECORD

    begun, cpu_s = time.perf_counter(), time.process_time()
    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    return Speed(count / (time.perf_counter() - begun), (time.process_time() - cpu_s) / count * 1e6)


async def _writes(engine: Engine) -> tuple[Speed, Speed]:
    """How fast stores are, and a bare publisher with the same fence, size and partitions."""
    stores = [await PartitionStore.open(engine, number, "bench") for number in range(WRITERS)]
    batches = [_batch(at * RECORD) for at in range(50)]
    bare = [await PartitionStore.open(engine, WRITERS + number, "bench") for number in range(WRITERS)]
    record = b"".join(key + value for _, key, value in batches[0])

    async def through_store(writer: int, at: int) -> None:
        await commit(stores[writer], batches[at % len(batches)])

    async def publish(writer: int, at: int) -> None:
        number = WRITERS + writer
        fence = {
            "Nats-Msg-Id": f"{lap}.{at}",
            "Nats-Expected-Last-Subject-Sequence": str(bare[writer].epoch),
            "Nats-Expected-Last-Subject-Sequence-Subject": engine.subjects.epoch(number),
        }
        answer = await engine.courier.request(engine.subjects.record(number), record, timeout=10, headers=fence)
        assert "error" not in json.loads(answer.data), answer.data

    found: list[tuple[Speed, Speed]] = []
    for lap in range(ROUNDS):  # noqa: B007  # read in publish
        found.append((await _for_a_while(through_store), await _for_a_while(publish)))
    for store in stores:
        await store.settle()
        assert store.fault is None, store.fault
    # The lap in the middle of each, by its rate.
    return sorted(ours for ours, _ in found)[ROUNDS // 2], sorted(theirs for _, theirs in found)[ROUNDS // 2]


async def _recovery(engine: Engine) -> tuple[float, float, float]:
    """Milliseconds to open one partition of a 64th of the lanes; seconds for all of them, and CPU seconds of this process."""
    share = LANES // PARTITIONS
    first = 2 * WRITERS
    numbers = range(first, first + PARTITIONS)
    for number in numbers:
        store = await PartitionStore.open(engine, number, "bench")
        for start in range(0, share, 5000):
            await commit(store, _batch(start, min(5000, share - start)))
        await store.snapshot()
        for at in range(50):
            await commit(store, _batch(at * SPREAD % (share - RECORD)))
        await store.settle()
        store.close()
    singles = []
    for number in numbers[:9]:
        begun = time.perf_counter()
        store = await PartitionStore.open(engine, number, "bench")
        singles.append(time.perf_counter() - begun)
        assert sum(1 for _ in store.scan(b"")) == share
        store.close()
    begun, cpu_s = time.perf_counter(), time.process_time()
    await asyncio.gather(*(PartitionStore.open(engine, number, "bench") for number in numbers))
    return median(singles) * 1e3, time.perf_counter() - begun, time.process_time() - cpu_s


def journal(place: Place) -> list[Row]:
    """Writes and recovery, over the embedded server."""

    async def measure() -> tuple[Speed, Speed, float, float, float]:
        engine = await Engine.start(EngineSpec(plane="bench", folder=place.data("fabric")))
        try:
            return *await _writes(engine), *await _recovery(engine)
        finally:
            await engine.close()

    ours, bare, one_ms, all_s, all_cpu_s = asyncio.run(measure())
    lanes = LANES // PARTITIONS
    yard = "a bare publisher of packed records"
    return [
        Row(
            f"journal in JetStream, records of {RECORD}, {WRITERS} partitions",
            ours.rate,
            "lane writes/s",
            yard,
            bare.rate,
            bare.rate / 2,
            is_more_better=True,
        ),
        Row("journal in JetStream, CPU of the process for a lane write", ours.cpu_us, "us CPU", yard, bare.cpu_us),
        Row(f"recovery of a partition of {lanes} lanes and 50 records", one_ms, "ms", reach=50),
        Row(
            f"recovery of {LANES} lanes in {PARTITIONS} partitions", all_s, "s", reach=2, note=f"{all_cpu_s:.2f} s CPU"
        ),
    ]
