"""NATS under a plane: the embedded server's start and memory, and the fast connection beside nats-py."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.place import Place
from bench.table import Row
from natant.fabric.nats.engine import Engine, EngineSpec

__all__ = ["engine"]

#: times the server is started
STARTS: Final = 9
#: streams that are appended to at the same time, each by one writer with one message under way
WRITERS: Final = 32
WRITE_S: Final = 2.0
#: each is measured so often, in turns
ROUNDS: Final = 3
MESSAGE: Final = b"x" * 200
REACH_START_S: Final = 1.5
REACH_MIB: Final = 25


def _resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


async def _starts(folder: Path) -> tuple[float, float]:
    """Seconds to a plane's connection, and MiB of the server that idles with all its listeners."""
    seconds, memory = [], []
    for number in range(STARTS):
        begun = time.perf_counter()
        spec = EngineSpec(plane="bench", folder=folder / str(number), websocket=True, mqtt=True, leafs=True)
        started = await Engine.start(spec)
        seconds.append(time.perf_counter() - begun)
        assert started.server is not None
        memory.append(_resident_mib(started.server.pid))
        await started.close()
    return median(seconds), median(memory)


async def _appends(started: Engine, client: Any, lap: str) -> tuple[float, float]:
    """Fenced appends a second, and microseconds of our processor time for each."""
    subjects = started.subjects
    fences = [await started.js.publish(subjects.epoch(number), b"") for number in range(WRITERS)]
    count = 0
    end = time.perf_counter() + WRITE_S

    async def write(number: int) -> None:
        nonlocal count
        at = 0
        while time.perf_counter() < end:
            headers = {
                "Nats-Msg-Id": f"{lap}.{at}",
                "Nats-Expected-Last-Subject-Sequence": str(fences[number].seq),
                "Nats-Expected-Last-Subject-Sequence-Subject": subjects.epoch(number),
            }
            answer = await client.request(subjects.record(number), MESSAGE, timeout=10.0, headers=headers)
            assert "error" not in json.loads(answer.data), answer.data
            at += 1
            count += 1

    begun, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(write(number) for number in range(WRITERS)))
    return count / (time.perf_counter() - begun), (time.process_time() - worked) / count * 1e6


def engine(place: Place) -> list[Row]:
    """The embedded server and the fast connection."""

    async def measure() -> tuple[float, float, list[tuple[float, float]], list[tuple[float, float]]]:
        start_s, mib = await _starts(place.data("starts"))
        started = await Engine.start(EngineSpec(plane="bench", folder=place.data("engine")))
        try:
            for number in range(WRITERS):
                name = started.subjects.journal_stream(number)
                await started.js.add_stream(name=name, subjects=[started.subjects.journal(number)])
            fast, slow = [], []
            for lap in range(ROUNDS):
                fast.append(await _appends(started, started.courier, f"fast{lap}"))
                slow.append(await _appends(started, started.nc, f"slow{lap}"))
            return start_s, mib, fast, slow
        finally:
            await started.close()

    start_s, mib, fast, slow = asyncio.run(measure())
    what = f"fenced appends of {len(MESSAGE)} B to {WRITERS} streams"
    return [
        Row("start of the embedded NATS server, until a plane is connected", start_s, "s", reach=REACH_START_S),
        Row("its resident memory, idle, all listeners open", mib, "MiB", reach=REACH_MIB),
        Row(
            what,
            median(rate for rate, _ in fast),
            "appends/s",
            "nats-py",
            median(rate for rate, _ in slow),
            is_more_better=True,
        ),
        Row(
            f"{what}: our processor time for each",
            median(cost for _, cost in fast),
            "us",
            "nats-py",
            median(cost for _, cost in slow),
        ),
    ]
