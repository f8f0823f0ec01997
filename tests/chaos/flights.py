"""The flights on several workers that are killed at random while they run; the totals in the end are those of the tables.

    scripts/chaos --flights --workers 2 --kills 20

``natant run --workers`` replays the year of flights (or a part of it) as fast as it goes.  Worker processes are killed with SIGKILL at
random moments; the parent starts them again.  When the replay has come to its end a fresh process joins what is stored and compares
every total, share, window and wave with a plain recomputation from the tables.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx

from examples.flights.truth import Truth
from natant.cluster.worker import Worker
from natant.demo.flights.plane import plane
from natant.demo.flights.replay import EPOCH
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.nats.fabric import NatsFabric
from natant.loop import LoopEnv
from natant.plane import Plane
from tests.integration.cluster.crew import Crew
from tests.integration.flights.audit import audit

__all__ = ["Outcome", "play"]

ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = ROOT / "examples" / "flights" / "plane.py"
#: a replay that gets no further for so long has stopped
STALL_S: Final = 120.0
SETTLE_S: Final = 120.0


@dataclass
class Outcome:
    """What was done, and how it went."""

    workers: int
    kills: int
    flights: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.workers} workers, {self.kills} kills, {self.flights} flights in {self.seconds:.1f} s: every total, share, window and "
            "wave is that of the tables"
        )


def workers_of(parent: int) -> list[int]:
    """The processes of the workers that live."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            fields = path.read_text().rpartition(")")[2].split()
            name = (path.parent / "cmdline").read_bytes()
            if int(fields[1]) == parent and fields[0] != "Z" and b"natant.cli" in name:
                found.append(int(path.parent.name))
    return found


async def play(workers: int, kills: int, until: str, random: Random, folder: Path) -> Outcome:
    """Replay up to ``until``, kill so often, audit.

    :raises AssertionError: where a total is not that of the tables.
    """
    end_s = datetime.fromisoformat(until).replace(tzinfo=UTC).timestamp()
    os.environ["FLIGHTS_SPEED"], os.environ["FLIGHTS_UNTIL"] = "0", until
    stations = sorted(random.uniform(EPOCH + 86_400, end_s - 43_200) for _ in range(kills))
    async with Crew(folder / "data", workers=workers, plane=FILE, more=("--log-format", "json")) as crew:
        begun_s = time.monotonic()
        async with httpx.AsyncClient(timeout=60) as client:
            for station in stations:
                await _until(crew, client, station)
                living = workers_of(crew.process.pid)
                if living:
                    os.kill(random.choice(living), signal.SIGKILL)
            await _until(crew, client, end_s - 3600)
        seconds = time.monotonic() - begun_s
    assert crew.code == 0, crew.log()
    truth = Truth(int(end_s))
    await _audit(folder / "data" / "nats", truth)
    return Outcome(workers, kills, truth.rows, seconds)


async def _until(crew: Crew, client: httpx.AsyncClient, instant: float) -> None:
    """Wait until the replay has come to ``instant``."""
    before, since_s = 0, time.monotonic()
    while True:
        now = 0
        with suppress(httpx.TransportError):
            answer = await client.get(f"{crew.url}/control?lane=clock", headers={"accept": "application/json"})
            if answer.status_code == 200:
                now = int((answer.json() or {"at": 0})["at"])
        if now >= instant:
            return
        if now > before:
            before, since_s = now, time.monotonic()
        assert time.monotonic() - since_s < STALL_S, f"the replay stands still at {before}:\n{crew.log()[-4000:]}"
        await asyncio.sleep(0.05)


async def _audit(folder: Path, truth: Truth) -> None:
    """Join what is stored, without the source, and compare."""
    engine = await Engine.start(EngineSpec(plane=plane.name, folder=folder))
    worker = Worker(Plane(plane.name, plane.agents), fabric=NatsFabric(engine), env=LoopEnv())
    try:
        await worker.start()
        await _settle(worker)
        host: Any = worker
        await audit(host, truth)
    finally:
        await worker.stop()
        await engine.close()


async def _settle(worker: Worker) -> None:
    """Wait until all partitions are here and nothing is under way between them."""
    async with asyncio.timeout(SETTLE_S):
        count = len(worker.fabric.owners)
        while len(worker.hosts) < count or not all(each.is_idle for each in worker.keeper.departures.values()):
            await asyncio.sleep(0.1)
        while any(host.kernel.outbox.is_busy or not host.kernel.journal.is_idle for host in worker.hosts.values()):
            await asyncio.sleep(0.1)


def run(workers: int, kills: int, until: str, seed: int) -> int:
    """Play and print the audit; the exit code."""
    print(f"seed {seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="natant-chaos-") as folder:
        try:
            print(asyncio.run(play(workers, kills, until, Random(seed), Path(folder))))
        except AssertionError as error:
            print(f"{workers} workers, {kills} kills: {error}")
            return 1
    return 0
