"""The airports' rolling state as a Bytewax dataflow.

    python -m bench.compare.on_bytewax EVENTS map|batch [FOLDER]

``map`` gives an output for each event (``stateful_map``, what its users write first), ``batch`` one for what came together
(``stateful_batch``).  With a folder its state is recoverable: a snapshot of what changed once a second.  Prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import run_main

from bench.compare import rolling

BATCH = 1_000
EPOCH = timedelta(seconds=1)
FOUND: dict[str, rolling.Airport] = {}


class Partition(StatefulSourcePartition):
    """All events, a batch at a time."""

    def __init__(self, fed: list[tuple[str, Any]], position: int | None) -> None:
        self.fed = fed
        self.at = position or 0

    def next_batch(self) -> list[tuple[str, Any]]:
        if self.at >= len(self.fed):
            raise StopIteration
        batch = self.fed[self.at : self.at + BATCH]
        self.at += len(batch)
        return batch

    def snapshot(self) -> int:
        return self.at


class Source(FixedPartitionedSource):
    """One partition."""

    def __init__(self, fed: list[tuple[str, Any]]) -> None:
        self.fed = fed

    def list_parts(self) -> list[str]:
        return ["events"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> Partition:
        return Partition(self.fed, resume_state)


class Last(StatelessSinkPartition):
    """Keeps the newest state of each airport."""

    def write_batch(self, items: list[tuple[str, rolling.Airport]]) -> None:
        FOUND.update(items)


class Sink(DynamicSink):
    """Where the states go."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Last:
        return Last()


class Logic(StatefulBatchLogic):
    """One airport, for ``batch``."""

    def __init__(self, airport: rolling.Airport | None) -> None:
        self.airport = airport or rolling.Airport()

    def on_batch(self, values: list[Any]) -> tuple[Iterable[rolling.Airport], bool]:
        airport = self.airport
        for value in values:
            airport.apply(value)
        return (airport,), StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes:
        return rolling.packed(self.airport)


def step(airport: rolling.Airport | None, value: Any) -> tuple[rolling.Airport, rolling.Airport]:
    """One event, for ``map``."""
    if airport is None:
        airport = rolling.Airport()
    airport.apply(value)
    return airport, airport


def main(count: int, how: str, folder: str) -> None:
    """Run it over all events."""
    fed = [(code, value) for code, _, value in rolling.events(count)]
    flow = Dataflow("rolling")
    keyed = op.input("events", flow, Source(fed))
    if how == "map":
        states = op.stateful_map("airport", keyed, step)
    else:
        states = op.stateful_batch("airport", keyed, lambda kept: Logic(rolling.unpacked(kept) if kept else None))
    op.output("last", states, Sink())
    recovery = None
    if folder:
        Path(folder).mkdir()
        init_db_dir(Path(folder), 1)
        recovery = RecoveryConfig(Path(folder))
    begun, cpu = time.perf_counter(), time.process_time()
    run_main(flow, epoch_interval=EPOCH, recovery_config=recovery)
    wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "digest": rolling.digest(FOUND)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
