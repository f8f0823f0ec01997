"""Inside one process: the codec, the flights."""

from __future__ import annotations

import json
import sys
import timeit
from collections.abc import Callable

from bench.place import SERVER_CORE, Place, output
from bench.table import Row
from natant.codec import recon, warp

__all__ = ["codec", "flights"]

MESSAGE = '@command(node:"/vehicle/7",lane:report){at:1357034400,lat:40.63,lon:-73.77,speed:54,line:B6,late:true}'
BODY = "{at:1357034400,lat:40.63,lon:-73.77,speed:54,line:B6,late:true}"
JSON = '{"at":1357034400,"lat":40.63,"lon":-73.77,"speed":54,"line":"B6","late":true}'
VALUE = recon.decode(BODY)
ROUNDS = 5
CALLS = 10_000
#: rows of the table of flights that are replayed: the first five days of January
ROWS = 30_000


def _best_us(call: Callable[[], object], calls: int = CALLS) -> float:
    return min(timeit.repeat(call, number=calls, repeat=ROUNDS)) / calls * 1e6


def codec() -> list[Row]:
    """Messages of 100 bytes with a record of six fields."""
    loads = _best_us(lambda: json.loads(JSON))
    dumps = _best_us(lambda: json.dumps({"at": 1357034400, "lat": 40.63, "lon": -73.77, "speed": 54, "line": "B6"}))
    return [
        Row("read an envelope", _best_us(lambda: warp.decode(MESSAGE)), "us"),
        Row("read an envelope and its body", _best_us(lambda: warp.decode(MESSAGE).body), "us", "json.loads of as much", loads, 1.8),
        Row("write a body", _best_us(lambda: recon.encode(VALUE)), "us", "json.dumps of as much", dumps),
    ]  # fmt: skip


_FLIGHTS = """
import asyncio, itertools, json, sys, time
from dataclasses import replace
from natant import Plane
from natant.demo.flights.plane import plane as example
from natant.demo.flights.replay import replay
from natant.host import Host
from natant.loop import LoopEnv
from natant.loop import new_loop
from natant.store.memory import MemoryStore
from natant.store.rocks import RocksStore

rows, folder = int(sys.argv[1]), sys.argv[2]
items = list(itertools.islice(replay(0), rows))

def source(position):
    for item in items:
        item.at = None
        yield item

async def main():
    made = Plane("flights", example.agents)
    made.sources.append(replace(example.sources[0], open=source, speed=0.0))
    host = Host(made, store=RocksStore(folder) if folder else MemoryStore(), env=LoopEnv(), is_volatile=not folder)
    begun, cpu = time.perf_counter(), time.process_time()
    await host.start()
    while host.pumps[0].position != items[-1].position or not host.kernel.journal.is_idle:
        await asyncio.sleep(0.01)
    print(json.dumps({"wall_s": time.perf_counter() - begun, "cpu_s": time.process_time() - cpu, "turns": host.counters.turns}))
    await host.stop()

with asyncio.Runner(loop_factory=new_loop) as runner:
    runner.run(main())
"""


def flights(place: Place) -> list[Row]:
    """Events of the year's flights through the example's agents, as fast as it goes."""
    rows = []
    for folder in ("", str(place.data("flights"))):
        printed = output([sys.executable, "-c", _FLIGHTS, str(ROWS), folder], SERVER_CORE)
        result = json.loads(printed.splitlines()[-1])
        what = "durable" if folder else "volatile"
        note = f"{ROWS / result['wall_s']:,.0f} events/s, {result['cpu_s'] * 1e6 / result['turns']:.1f} us a turn"
        rows.append(
            Row(f"flights replayed, {what}", result["cpu_s"] * 1e6 / ROWS, "us CPU an event", note=note, detail=result)
        )
    return rows
