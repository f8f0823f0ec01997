"""A lane read in a handler of a running host, and the same value fetched from Redis and from PostgreSQL.

    python -m bench.compare.read [REDIS_PORT] [POSTGRES_PORT]      0: not that one

The value is a record of six fields, one of a hundred thousand; each side hands it over decoded, as a typed object or a row.  The fetches
are awaited one after the other, as a handler must that needs the value, in a coroutine of their own without any natant around it, on uvloop,
over one open connection, which is the least that the clients can cost.  Prints JSON: nanoseconds.

natant's handler reads in its own loop: 100 reads between two looks at the clock, less the same loop without a read.  That gives
the median.  A single read between two looks at the clock, less what two looks cost, gives the 99th percentile.
"""

from __future__ import annotations

import importlib.metadata
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvloop

from natant import Agent, Plane, command, lane
from natant.host import Host
from natant.lane.base import to_value
from natant.loop import LoopEnv
from natant.store.memory import MemoryStore

VALUES = 100_000
READS = (None,) * 100
#: rounds in one handler, and handlers
ROUNDS = 50
HANDLERS = 200
SINGLES = 200
FETCHES = 6_000
WARM_UP = 1_000


class Position(msgspec.Struct, frozen=True):
    """Where a vehicle is."""

    at: int
    lat: float
    lon: float
    speed: int
    line: str
    late: bool


def position(number: int) -> Position:
    """The value of one vehicle."""
    return Position(1357034400 + number, 40.63, -73.77, number % 90, "B6", number % 2 == 0)


LOOPS: list[float] = []
SINGLE: list[int] = []
EMPTY: list[int] = []
PLAIN: list[float] = []


class Vehicle(Agent, route="/vehicle/{id}"):
    """Holds a position and reads it."""

    position = lane.value(Position)

    @command
    def move(self, to: Position) -> None:
        """Set it."""
        self.position = to

    @command
    def measure(self) -> None:
        """Read it many times."""
        clock = time.perf_counter_ns
        plain = {"position": self.position}
        for _ in range(ROUNDS):
            begun = clock()
            for _ in READS:
                self.position  # noqa: B018  # the read is what is measured
            read = clock()
            for _ in READS:
                pass
            empty = clock()
            for _ in READS:
                plain["position"]
            end = clock()
            LOOPS.append((2 * read - begun - empty) / len(READS))
            PLAIN.append((end - empty - (empty - read)) / len(READS))
        for _ in range(SINGLES):
            begun = clock()
            self.position  # noqa: B018
            SINGLE.append(clock() - begun)
            begun = clock()
            EMPTY.append(clock() - begun)


def share(times: list[Any], part: float) -> float:
    """A percentile."""
    return float(sorted(times)[int(part * (len(times) - 1))])


async def of_natant() -> dict[str, Any]:
    """Read in the handlers of a running host."""
    host = Host(Plane("read", [Vehicle]), store=MemoryStore(), env=LoopEnv(), is_volatile=True)
    await host.start()
    for number in range(HANDLERS):
        await host.command(f"/vehicle/{number}", "move", to_value(position(number)))
    for number in range(HANDLERS):
        await host.command(f"/vehicle/{number}", "measure", "")
    await host.stop()
    clock = share(EMPTY, 0.5)
    return {
        "p50_ns": share(LOOPS, 0.5),
        "p99_ns": share(SINGLE, 0.99) - clock,
        "loops_p99_ns": share(LOOPS, 0.99),
        "single_p50_ns": share(SINGLE, 0.5) - clock,
        "clock_p50_ns": clock,
        "dict_ns": share(PLAIN, 0.5),
    }


async def timed(fetch: Callable[[int], Awaitable[Any]], right: Callable[[Any], Position]) -> dict[str, Any]:
    """Fetch one after the other."""
    times = []
    cpu = 0.0
    for count in range(WARM_UP + FETCHES):
        if count == WARM_UP:
            cpu = time.process_time()
        number = count * 7919 % VALUES
        begun = time.perf_counter_ns()
        value = await fetch(number)
        times.append(time.perf_counter_ns() - begun)
        assert right(value) == position(number), value
    cpu_us = (time.process_time() - cpu) / FETCHES * 1e6
    del times[:WARM_UP]
    return {"p50_ns": share(times, 0.5), "p99_ns": share(times, 0.99), "client_cpu_us": cpu_us}


async def of_redis(port: int) -> dict[str, Any]:
    """By redis-py with hiredis; and by hand over a blocking socket, which is what no client can go below."""
    from redis.asyncio import Redis
    from redis.utils import HIREDIS_AVAILABLE

    assert HIREDIS_AVAILABLE
    client = Redis(host="127.0.0.1", port=port, single_connection_client=True)
    for start in range(0, VALUES, 1_000):
        await client.mset({f"vehicle:{at}": msgspec.json.encode(position(at)) for at in range(start, start + 1_000)})
    decode = msgspec.json.Decoder(Position).decode

    async def fetch(number: int) -> Any:
        return decode(await client.get(f"vehicle:{number}"))

    found = await timed(fetch, lambda value: value)
    found["server"] = (await client.info("server"))["redis_version"]
    found["client"] = f"redis-py {importlib.metadata.version('redis')}, hiredis {importlib.metadata.version('hiredis')}"
    await client.aclose()
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        async def by_hand(number: int) -> Any:
            raw.sendall(b"GET vehicle:%d\r\n" % number)
            return decode(raw.recv(1024).split(b"\r\n", 2)[1])

        found["by_hand"] = await timed(by_hand, lambda value: value)
    return found


async def of_postgres(port: int) -> dict[str, Any]:
    """By asyncpg, whose statements are prepared once and kept."""
    import asyncpg

    connection = await asyncpg.connect(host="127.0.0.1", port=port, user="bench", database="postgres")
    await connection.execute(
        "CREATE TABLE vehicle (id int PRIMARY KEY, at bigint, lat float8, lon float8, speed int, line text, late bool)"
    )
    rows = [(at, *msgspec.structs.astuple(position(at))) for at in range(VALUES)]
    await connection.copy_records_to_table("vehicle", records=rows)
    await connection.execute("VACUUM ANALYZE vehicle")

    async def fetch(number: int) -> Any:
        return await connection.fetchrow("SELECT at, lat, lon, speed, line, late FROM vehicle WHERE id = $1", number)

    found = await timed(fetch, lambda row: Position(**row))
    found["server"] = (await connection.fetchval("SHOW server_version")).split()[0]
    found["client"] = f"asyncpg {importlib.metadata.version('asyncpg')}"
    await connection.close()
    return found


async def main(redis_port: int, postgres_port: int) -> None:
    """All that was asked for."""
    found = {"natant": await of_natant()}
    if redis_port:
        found["redis"] = await of_redis(redis_port)
    if postgres_port:
        found["postgres"] = await of_postgres(postgres_port)
    print(json.dumps(found))


if __name__ == "__main__":
    ports = [int(word) for word in sys.argv[1:]]
    uvloop.run(main(*ports, *[0] * (2 - len(ports))))
