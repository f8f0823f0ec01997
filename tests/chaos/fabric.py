"""Kill and stop workers of a fabric, and servers under it, and say how long it took the others to notice.

    python -m tests.chaos.fabric --kills 50 --stops 5 --servers 3

Prints one JSON line with the seconds; ends with an error where a worker was found dead that was not, or one that was claimed twice.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import statistics
import sys
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

from natant.fabric.nats.engine import Engine
from natant.fabric.nats.fabric import NatsFabric
from tests.support.fabric import WorkerProcess, vanished
from tests.support.nats import Cluster, engine, engine_of

PARTITIONS = 64


def spread(seconds: list[float]) -> dict[str, float]:
    """How long something took."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    return {
        "count": len(ordered),
        "p50_s": round(statistics.median(ordered), 3),
        "p99_s": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
        "max_s": round(ordered[-1], 3),
    }


async def until(is_true: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(limit_s):
        while not is_true():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def member(started: Engine) -> AsyncIterator[NatsFabric]:
    """A worker of our own."""
    fabric = NatsFabric(started)
    await fabric.open({})
    try:
        yield fabric
    finally:
        await fabric.close()


async def end_worker(started: Engine, fabric: NatsFabric, number: int, random: Random) -> float:
    """End one worker that holds partitions; the seconds until we see it and have claimed them all."""
    async with WorkerProcess(started.remote) as worker:
        held = random.sample(range(PARTITIONS), 16)
        assert await worker.ask("claim", *held) == held
        await until(lambda: all(fabric.owners[partition] for partition in held))
        await asyncio.sleep(random.random())
        begun = asyncio.get_running_loop().time()
        worker.signal(number)
        await vanished(fabric, worker.worker)
        won = await asyncio.gather(*map(fabric.claim, held))
        took_s = asyncio.get_running_loop().time() - begun
        assert all(won), "a partition of a dead worker could not be claimed"
        for partition in held:
            await fabric.release(partition)
        return took_s


async def end_server(cluster: Cluster, fabric: NatsFabric, workers: list[WorkerProcess], number: int) -> float:
    """Kill one of three servers under workers that hold partitions; the seconds until all of them have committed again."""
    before = [owner and owner.worker for owner in fabric.owners]
    server = cluster.servers[number % 3]
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.to_thread(server.kill)
    for place, worker in enumerate(workers):
        while (told := await worker.ask("commit", place, "k", str(number))) != "done":
            assert told in ("NT-FABRIC-106", "NT-FABRIC-107"), told
    took_s = loop.time() - begun
    await asyncio.sleep(5)
    await asyncio.to_thread(server.start)
    await cluster.wait_async()
    await asyncio.sleep(3)
    after = [owner and owner.worker for owner in fabric.owners]
    assert after == before, f"partitions moved because a server was killed: {before} {after}"
    return took_s


async def run(kills: int, stops: int, servers: int, seed: int) -> dict[str, Any]:
    """The whole programme."""
    random = Random(seed)
    result: dict[str, Any] = {}
    async with engine(partitions=PARTITIONS) as started, member(started) as fabric:
        for name, number, count in (("killed", signal.SIGKILL, kills), ("stopped", signal.SIGSTOP, stops)):
            result[name] = spread([await end_worker(started, fabric, number, random) for _ in range(count)])
        assert fabric.verdicts == kills + stops
    if servers:
        with Cluster() as cluster:
            async with (
                engine_of(cluster.url) as started,
                member(started) as fabric,
                contextlib.AsyncExitStack() as stack,
            ):
                workers = [await stack.enter_async_context(WorkerProcess(started.remote)) for _ in range(3)]
                for place, worker in enumerate(workers):
                    assert await worker.ask("claim", place) == [place]
                    await worker.ask("open", place)
                await until(lambda: len(fabric.members) == 4 and all(fabric.owners[:3]))
                took = [await end_server(cluster, fabric, workers, number) for number in range(servers)]
                result["server_killed"] = spread(took)
                result["verdicts_after_servers"] = fabric.verdicts
    return result


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--stops", type=int, default=2)
    parser.add_argument("--servers", type=int, default=0, help="how often one of three servers is killed")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    json.dump(asyncio.run(run(options.kills, options.stops, options.servers, options.seed)), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
