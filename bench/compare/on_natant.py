"""The airports' rolling state as agents.

    python -m bench.compare.on_natant EVENTS [FOLDER]

Durable where a folder is given.  Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator

from bench.compare import rolling
from natant import Agent, Item, Plane, command, lane
from natant.demo.flights import rule
from natant.demo.flights.message import Arrival, Bucket, Cancellation, Departure, Movements, Wave, Weather, Window
from natant.host import Host
from natant.loop import LoopEnv, new_loop
from natant.store.memory import MemoryStore
from natant.store.rocks import RocksStore

FOUND: dict[str, rolling.Airport] = {}


class Airport(Agent, route="/airport/{code}"):
    """One airport: of the example's agent what concerns the airport alone."""

    code: str
    movements = lane.value(Movements, default=Movements())
    minutes = lane.map(int, Bucket)
    window = lane.value(Window, default=Window())
    wave = lane.value(Wave, default=Wave())

    @command
    def depart(self, flight: Departure) -> None:
        """A flight leaves."""
        self.movements = rule.add_departure(self.movements, flight)
        self._roll(flight.at, flight.delay)

    @command
    def arrive(self, flight: Arrival) -> None:
        """A flight that was bound for here is over."""
        self.movements = rule.add_arrival(self.movements, flight)
        if flight.delay is not None:
            self._roll(flight.at, flight.delay)

    @command
    def scrub(self, flight: Cancellation) -> None:
        """A flight does not leave."""
        self.movements = rule.add_cancellation(self.movements)

    @command
    def observe(self, weather: Weather) -> None:
        """The hourly reading."""
        self._roll(weather.at, None)

    @command
    def tell(self) -> None:
        """Say what there is, for the comparison."""
        FOUND[self.code] = rolling.Airport(self.movements, dict(self.minutes.items()), self.window, self.wave)

    def _roll(self, at: int, delay: int | None) -> None:
        minute = at // 60
        flights, total = self.window.flights, self.window.delay
        minutes = self.minutes
        for old in minutes:
            if old > minute - rule.WINDOW_MIN:
                break
            gone = minutes.pop(old)
            flights -= gone.flights
            total -= gone.delay
        if delay is not None:
            minutes[minute] = rule.with_flight(minutes.get(minute), delay)
            flights += 1
            total += delay
        self.window = window = Window(at, flights, total)
        before = self.wave
        wave = rule.next_wave(before, window)
        if wave is not before:
            self.wave = wave


async def main(count: int, folder: str) -> None:
    """Feed all events, then ask for the state."""
    plane = Plane("rolling", [Airport])
    fed = rolling.events(count)
    items = [Item(at, f"/airport/{code}", kind, value) for at, (code, kind, value) in enumerate(fed, 1)]

    @plane.source("events")
    def source(position: int) -> Iterator[Item]:
        return iter(items[position:])

    host = Host(plane, store=RocksStore(folder) if folder else MemoryStore(), env=LoopEnv(), is_volatile=not folder)
    begun, cpu = time.perf_counter(), time.process_time()
    await host.start()
    while host.pumps[0].position != count or not host.kernel.journal.is_idle:  # noqa: ASYNC110
        await asyncio.sleep(0.005)  # the host has no event for having worked off a source
    wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    for code in {code for code, _, _ in fed}:
        await host.command(f"/airport/{code}", "tell", "")
    await host.stop()
    print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "digest": rolling.digest(FOUND)}))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))
