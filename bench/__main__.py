"""Runs the benchmarks and prints one table; ``BENCHMARKS.md`` explains it.

scripts/bench                    everything, in less than ten minutes
scripts/bench ingest fanout      only these
scripts/bench --json FILE        writes all that was measured
scripts/bench --agents 100000    fewer agents to create and to start with than a million
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import engine, fabric, group, inside, resident, store, tenant, versus, wide, wire
from bench.place import CORES, Place
from bench.table import Row, lines
from natant import build

Benchmark = Callable[[Place], list[Row]]


def benchmarks(agents: int) -> dict[str, Benchmark]:
    """All there are, by name."""
    return {
        "ingest": wire.ingest,
        "ack": wire.ack,
        "fanout": wire.fanout,
        "rtt": wire.rtt,
        "sync": wide.sync,
        "memory": lambda place: resident.memory(place, agents),
        "start": lambda place: resident.start(place, agents),
        "group": group.group,
        "store": store.store,
        "engine": engine.engine,
        "journal": fabric.journal,
        "tenants": tenant.tenants,
        "codec": lambda _: inside.codec(),
        "read": versus.read,
        "flights": inside.flights,
        "rolling": versus.rolling,
    }


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures natant beside its yardsticks.")
    parser.add_argument("names", nargs="*", help="which ones; all without any")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    parser.add_argument(
        "--agents", type=int, default=1_000_000, help="how many to create and to start with (a million)"
    )
    option = parser.parse_args()
    known = benchmarks(option.agents)
    unknown = set(option.names) - set(known)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    rows: list[Row] = []
    failed = False
    begun = time.perf_counter()
    print(f"natant's hot modules: {build.summary()}; {len(CORES)} cores; load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory(prefix="natant-bench-") as folder:
        place = Place(Path(folder))
        place.compile()
        for name in option.names or known:
            print(f"{name} ...", file=sys.stderr, flush=True)
            try:
                rows += known[name](place)
            except (OSError, RuntimeError) as error:
                failed = True
                print(f"{name} failed: {error}", file=sys.stderr)
    print("\n".join(lines(rows)))
    print(f"measured in {time.perf_counter() - begun:.0f} s")
    if option.json:
        report = {"build": build.summary(), "cores": len(CORES), "rows": [row.as_dict() for row in rows]}
        Path(option.json).write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
