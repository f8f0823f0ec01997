"""The airports' rolling state kept in Redis by workers that keep none.

    python -m bench.compare.on_redis EVENTS PORT PID each|batch

Events are partitioned by airport among workers, so that each airport's stay in order and nobody needs a lock.  ``each``: for each
event a GET, the rules, a SET; sixteen workers are at it at the same time.  ``batch``: a worker takes up to 500 events, gets the states of all
their airports with one MGET, applies all of them, stores the states with one MSET; what a careful team would do.  Prints JSON;
the CPU is that of this process and of the Redis server.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvloop
from redis.asyncio import Redis

from bench.compare import rolling

WORKERS = 16
BATCH = 500


def _server_cpu_s(pid: int) -> float:
    """CPU of another process, with the resolution of the scheduler's own account."""
    total = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        total += int(path.read_text("ascii").split()[0])
    return total / 1e9


async def _each(client: Redis, fed: list[rolling.Event]) -> None:
    for code, _, value in fed:
        key = "airport:" + code
        kept = await client.get(key)
        airport = rolling.unpacked(kept) if kept is not None else rolling.Airport()
        airport.apply(value)
        await client.set(key, rolling.packed(airport))


async def _batches(client: Redis, fed: list[rolling.Event]) -> None:
    for start in range(0, len(fed), BATCH):
        batch = fed[start : start + BATCH]
        keys = ["airport:" + code for code in {code for code, _, _ in batch}]
        kept = await client.mget(keys)
        states = {
            key: rolling.unpacked(text) if text is not None else rolling.Airport()
            for key, text in zip(keys, kept, strict=True)
        }
        for code, _, value in batch:
            states["airport:" + code].apply(value)
        await client.mset({key: rolling.packed(state) for key, state in states.items()})


async def main(count: int, port: int, pid: int, how: str) -> None:
    """Feed all events, then read the states."""
    fed = rolling.events(count)
    client = Redis(host="127.0.0.1", port=port)
    await client.flushall()
    work: list[Coroutine[Any, Any, None]]
    if how == "each":
        codes = sorted({code for code, _, _ in fed})
        owner = {code: number % WORKERS for number, code in enumerate(codes)}
        shares: list[list[rolling.Event]] = [[] for _ in range(WORKERS)]
        for event in fed:
            shares[owner[event[0]]].append(event)
        work = [_each(client, share) for share in shares]
    else:
        work = [_batches(client, fed)]
    begun, cpu, server = time.perf_counter(), time.process_time(), _server_cpu_s(pid)
    await asyncio.gather(*work)
    wall_s, cpu_s, server_s = time.perf_counter() - begun, time.process_time() - cpu, _server_cpu_s(pid) - server
    found = {}
    async for key in client.scan_iter("airport:*"):
        found[key.decode().removeprefix("airport:")] = rolling.unpacked(await client.get(key))
    await client.aclose()
    result = {"wall_s": wall_s, "cpu_s": cpu_s + server_s, "client_cpu_s": cpu_s, "server_cpu_s": server_s}
    print(json.dumps({**result, "digest": rolling.digest(found)}))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
