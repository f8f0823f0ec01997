"""Full load for half an hour, and what the server's memory does meanwhile.

    .venv/bin/python -m bench.soak                       30 minutes, a durable plane
    .venv/bin/python -m bench.soak --minutes 3 --volatile
    .venv/bin/python -m bench.soak --json FILE           all samples

Rounds of the load generator follow each other without a pause: commands over 64 connections to 1,000 agents (value and map lane),
updates to 100 links as fast as they go in, a command and its event back to back, syncs of a map of 10,000 entries.  Connections are opened and closed with each round, so
what a closed one left behind would show.  The map and the agents stay as many as they are; so should the memory.

Memory is sampled every five seconds.  The first fifth of the time is for warming up.  Of the rest, a straight line is fitted through all
samples; it is flat if over the whole of the rest it rises by no more than 2 % of what is held, or 2 MB.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.place import Place, Server, natant
from natant import build

SAMPLE_S = 5.0
WARM_UP = 0.2
FLAT_SHARE = 0.02
FLAT_BYTES = 2_000_000
MB = 1024.0


class Sampler(threading.Thread):
    """Samples a server's memory and CPU until stopped."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._done = threading.Event()
        #: seconds since the start, kilobytes resident, seconds of CPU
        self.samples: list[tuple[float, int, float]] = []

    def run(self) -> None:
        begun = time.perf_counter()
        while not self._done.wait(SAMPLE_S):
            seconds = time.perf_counter() - begun
            self.samples.append((round(seconds, 1), self._server.resident_kb(), self._server.cpu_s()))

    def stop(self) -> None:
        """Take no more."""
        self._done.set()
        self.join()


def verdict(samples: list[tuple[float, int, float]]) -> dict[str, Any]:
    """What the samples say."""
    last_s = samples[-1][0]
    rest = [(at, kb) for at, kb, _ in samples if at >= WARM_UP * last_s]
    slope, _ = statistics.linear_regression([at for at, _ in rest], [kb for _, kb in rest])
    rise_kb = slope * (rest[-1][0] - rest[0][0])
    mean_kb = statistics.fmean(kb for _, kb in rest)
    half = len(rest) // 2
    return {
        "minutes": last_s / 60,
        "mean_mb": mean_kb / MB,
        "least_mb": min(kb for _, kb in rest) / MB,
        "most_mb": max(kb for _, kb in rest) / MB,
        "first_half_mb": statistics.fmean(kb for _, kb in rest[:half]) / MB,
        "second_half_mb": statistics.fmean(kb for _, kb in rest[half:]) / MB,
        "rise_mb": rise_kb / MB,
        "is_flat": rise_kb * 1024 <= max(FLAT_BYTES, FLAT_SHARE * mean_kb * 1024),
        "busy": samples[-1][2] / last_s,
    }


def load(place: Place, server: Server, until: float) -> dict[str, float]:
    """Rounds of load until the time is over; how much was done."""
    done = {"commands": 0.0, "events": 0.0, "trips": 0.0, "syncs": 0.0}
    place.load("sync", server, node="/unit/soak", lane="history", fill=10_000, reps=1)
    for number in itertools.count():
        if time.perf_counter() >= until:
            return done
        # The same number of commands for each agent, so that the maps of all hold the same sixteen keys.
        found = place.load("ingest", server, conns=64, nodes=1_000, count=1_000_000, verify=50)
        if found["lost"] or found["wrong"]:
            raise RuntimeError(f"ingest lost {found['lost']} commands, {found['wrong']} states are wrong")
        done["commands"] += found["processed"]
        found = place.load("fanout", server, links=100, secs=5, node="/unit/fan", rate=0 if number % 2 else 2_000)
        done["events"] += found["events"]
        found = place.load("rtt", server, node="/unit/rtt", count=2_000)
        done["trips"] += 2_000
        found = place.load("sync", server, node="/unit/soak", lane="history", reps=20)
        done["syncs"] += 20
    raise AssertionError


def main() -> int:
    """Run it and say whether memory is flat."""
    parser = argparse.ArgumentParser(prog="bench.soak", description="Full load, and what memory does meanwhile.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--volatile", action="store_true", help="a plane that keeps nothing; durable without")
    parser.add_argument("--json", metavar="FILE", help="write all samples")
    option = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="natant-soak-") as folder:
        place = Place(Path(folder))
        place.compile()
        with natant(None if option.volatile else place.data("soak")) as server:
            sampler = Sampler(server)
            sampler.start()
            done = load(place, server, time.perf_counter() + option.minutes * 60)
            sampler.stop()
        size_mb = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    found = {**verdict(sampler.samples), **done, "store_mb": size_mb}
    what = "volatile" if option.volatile else "durable"
    print(f"natant's hot modules: {build.summary()}; {what}; Python {platform.python_version()}")
    print(
        f"{found['minutes']:.1f} minutes, server busy {found['busy']:.0%} of a core: {done['commands']:,.0f} commands, "
        f"{done['events']:,.0f} events, {done['trips']:,.0f} trips, {done['syncs']:,.0f} syncs; {size_mb:.0f} MB on disk at the end"
    )
    print(
        f"memory: {found['mean_mb']:.1f} MB on average, {found['least_mb']:.1f} to {found['most_mb']:.1f}; "
        f"first half {found['first_half_mb']:.1f}, second half {found['second_half_mb']:.1f}; "
        f"the line through it rises by {found['rise_mb']:.2f} MB: {'flat' if found['is_flat'] else 'NOT flat'}"
    )
    if option.json:
        Path(option.json).write_text(json.dumps({**found, "samples": sampler.samples}) + "\n", "utf-8")
    return int(not found["is_flat"])


if __name__ == "__main__":
    sys.exit(main())
