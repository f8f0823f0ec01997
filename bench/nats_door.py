"""What the NATS door costs beside a bare responder of nats-py on the same server.

    python -m bench.nats_door [seconds]

prints one line a measurement: requests one at a time, 64 at a time, commands published without waiting, events to one subscriber, and entries
shown in a bucket, each beside what the client and server do without a plane.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nats
import uvloop
from nats.aio.client import Client

from natant import Agent, Plane, lane
from natant.egress.model import ReadModels
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.host import Host
from natant.loop import LoopEnv
from natant.server.nats import NatsDoor, NatsLimit
from natant.store.rocks import RocksStore

#: agents that are asked in turn
UNITS = 64


class Unit(Agent, route="/unit/{id}"):
    """Something that counts."""

    count = lane.value(int, 0)
    fast = lane.value(int, 0, volatile=True)
    shown = lane.value(int, 0, bucket="shown")


async def rate(ask: Callable[[int], Awaitable[Any]], width: int, seconds: float) -> tuple[float, float]:
    """Requests a second with ``width`` under way, and the CPU time of this process for each, in microseconds."""
    end = time.perf_counter() + seconds
    count = 0

    async def run(number: int) -> None:
        nonlocal count
        while time.perf_counter() < end:
            await ask(number)
            count += 1

    began, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(run(number) for number in range(width)))
    return count / (time.perf_counter() - began), (time.process_time() - worked) / count * 1e6


def asker(client: Client, start: str) -> Callable[[int], Awaitable[Any]]:
    """Asks at the subject that ends with a number."""
    return lambda number: client.request(f"{start}{number}", b"1", timeout=30)


async def measure(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        started = await Engine.start(EngineSpec(plane="bench", folder=Path(folder) / "nats"))
        app = Plane("bench", [Unit])
        env = LoopEnv()
        models = ReadModels(app, started)
        host = Host(app, store=RocksStore(Path(folder) / "data"), env=env, attachments=(models.attach,))
        door = NatsDoor(host, started.nc, started.subjects, limit=NatsLimit(node_requests=100_000, requests=100_000))
        await host.start()
        await door.open()
        client = await nats.connect(started.url)
        echo = await nats.connect(started.url)

        async def answer(message: Any) -> None:
            await message.respond(b"1")

        await echo.subscribe("echo.*", cb=answer)
        await echo.flush()
        for width in (1, UNITS):
            bare, bare_us = await rate(asker(client, "echo."), width, seconds)
            for name in ("fast", "count"):
                mine, mine_us = await rate(asker(client, f"natant.bench.in.command.{name}.unit."), width, seconds)
                print(
                    f"command {name}, {width} at a time: {mine:,.0f}/s, {mine_us:,.0f} us of CPU; bare {bare:,.0f}/s, {bare_us:,.0f} us; "
                    f"ratio {mine / bare:.2f}, of CPU {bare_us / mine_us:.2f}"
                )
        await publish(client, door, seconds)
        await follow(client, host, seconds)
        await show(host, seconds)
        await client.close()
        await echo.close()
        await door.close()
        await models.close()
        await host.stop()
        await started.close()
        env.close()


async def publish(client: Client, door: NatsDoor, seconds: float) -> None:
    """Commands that nobody waits for."""
    done = door.counters["commands"]
    began = time.perf_counter()
    number = 0
    while time.perf_counter() < began + seconds:
        for _ in range(500):
            await client.publish(f"natant.bench.in.command.count.unit.{number % UNITS}", b"1")
            number += 1
        await client.flush()
        while door.counters["commands"] - done < number - 20_000:  # noqa: ASYNC110 - the door tells no event
            await asyncio.sleep(0.001)
    while door.counters["commands"] - done < number:  # noqa: ASYNC110 - the door tells no event
        await asyncio.sleep(0.001)
    print(f"commands published: {number / (time.perf_counter() - began):,.0f}/s, refused {door.counters['refused']}")


async def follow(client: Client, host: Host, seconds: float) -> None:
    """Time from a commit to its event at a subscriber."""
    subscription = await client.subscribe("natant.bench.ev.count.unit.0")
    await client.request("natant.bench.in.follow.count.unit.0", b"", timeout=30)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    number = 1000
    while time.perf_counter() < end:
        number += 1
        began = time.perf_counter()
        await host.command("/unit/0", "count", number)
        await subscription.next_msg(30)
        taken.append(time.perf_counter() - began)
    taken.sort()
    print(
        f"command to event: p50 {taken[len(taken) // 2] * 1e6:,.0f} us, p99 {taken[len(taken) * 99 // 100] * 1e6:,.0f} us"
    )


async def show(host: Host, seconds: float) -> None:
    """Entries that reach a bucket while all agents change."""
    feed: Any = host.kernel.feed
    before = feed.counts["bucket_entries"]
    writes = 0
    began = time.perf_counter()
    while time.perf_counter() < began + seconds:
        await asyncio.gather(*(host.command(f"/unit/{number}", "shown", writes + number) for number in range(1000)))
        writes += 1000
    while feed.behind:  # noqa: ASYNC110 - the feed tells no event
        await asyncio.sleep(0.001)
    spent = time.perf_counter() - began
    shown = feed.counts["bucket_entries"] - before
    print(f"bucket: {writes / spent:,.0f} durable writes/s shown by {shown / spent:,.0f} entries/s")


if __name__ == "__main__":
    uvloop.run(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0))
