"""Beside what a Python user would otherwise take: a value in Redis or PostgreSQL, a stream processor, workers over Redis.

The other side runs in an environment of its own (``build/compare``, which ``scripts/bench`` makes from ``requirements/compare.txt``).  Where that
or a server is missing, the row says so.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

from bench import service
from bench.place import SERVER_CORE, Place, output
from bench.table import Row

__all__ = ["read", "rolling"]

#: events of the flights that are fed to each side; fewer where each takes two ways to Redis
EVENTS = 100_000
EVENTS_EACH = 10_000
CLAIM = 1_000.0


def _run(module: str, *words: object, python: str | None = None) -> dict[str, Any]:
    line = [python or str(service.check_python()), "-m", f"bench.compare.{module}", *map(str, words)]
    result: dict[str, Any] = json.loads(output(line, SERVER_CORE).splitlines()[-1])
    return result


def read(_: Place) -> list[Row]:
    """A lane read in a handler, against fetching the same value."""
    missing: dict[str, str] = {}
    ports = {"redis": 0, "postgres": 0}
    with contextlib.ExitStack() as stack:
        for name, start in (("redis", service.redis), ("postgres", service.postgres)):
            try:
                service.check_python()
                ports[name] = stack.enter_context(start()).port
            except service.Missing as error:
                missing[name] = str(error)
        python = sys.executable if len(missing) == len(ports) else None
        found = _run("read", ports["redis"], ports["postgres"], python=python)
    ours = found["natant"]
    rows = [
        Row(
            "a value lane read in a handler",
            ours["p50_ns"],
            "ns (median)",
            "a plain dict",
            ours["dict_ns"],
            note=f"p99 {ours['p99_ns']:.0f} ns, a single read between two looks at the clock ({ours['clock_p50_ns']:.0f} ns, taken off)",
            detail=ours,
        )
    ]
    for name, what in (("redis", "Redis, GET"), ("postgres", "PostgreSQL, by primary key")):
        work = f"the same value fetched from {what}"
        if name in missing:
            rows.append(Row(work, None, "", reach=CLAIM, is_more_better=True, note=missing[name]))
            continue
        other = found[name]
        note = f"p50 {other['p50_ns'] / 1e3:.0f} us, p99 {other['p99_ns'] / 1e3:.0f} us; p99 against p99: {other['p99_ns'] / ours['p99_ns']:,.0f} times"
        if "by_hand" in other:
            hand = other["by_hand"]["p50_ns"]
            note += f"; by hand over a blocking socket p50 {hand / 1e3:.0f} us, {hand / ours['p50_ns']:,.0f} times"
        rows.append(
            Row(
                work,
                other["p50_ns"] / ours["p50_ns"],
                "times as long (median)",
                f"the lane; {other['client']}, server {other['server']}",
                reach=CLAIM,
                is_more_better=True,
                note=note,
                detail=other,
            )
        )
    return rows


def rolling(place: Place) -> list[Row]:
    """The airports' rolling state of the flights example, on natant and on what else there is."""
    work = "airports' rolling state"
    try:
        service.check_python()
    except service.Missing as error:
        return [Row(work, None, "", note=str(error))]
    plain = _run("on_plain", EVENTS)
    ours = {is_durable: _feed("on_natant", plain, EVENTS, *_folder(place, "rolling", is_durable)) for is_durable in (False, True)}  # fmt: skip
    rows = [_against(f"{work}, volatile", ours[False], plain, "the rules alone on a plain dict")]
    for how, what in (("map", "an output for each event"), ("batch", "an output for a batch of at most 1 000")):
        for is_durable in (False, True):
            other = _feed("on_bytewax", plain, EVENTS, how, *_folder(place, f"bytewax-{how}", is_durable))
            kept = "state snapshot each second" if is_durable else "in memory"
            name = f"{work}, {'durable' if is_durable else 'volatile'}"
            rows.append(_against(name, ours[is_durable], other, f"Bytewax, {kept}, {what}"))
    try:
        with service.redis() as server:
            few = _run("on_plain", EVENTS_EACH)
            other = _feed("on_redis", few, EVENTS_EACH, server.port, server.pid, "each")
            rows.append(
                _against(f"{work}, volatile", ours[False], other, "16 workers over Redis, a GET and a SET an event")
            )
            other = _feed("on_redis", plain, EVENTS, server.port, server.pid, "batch")
            rows.append(
                _against(f"{work}, volatile", ours[False], other, "a worker over Redis, MGET and MSET for 500 events")
            )
    except service.Missing as error:
        rows.append(Row(work, None, "", "workers over Redis", note=str(error)))
    return rows


def _folder(place: Place, name: str, is_durable: bool) -> list[object]:
    return [place.data(name)] if is_durable else []


def _feed(module: str, plain: dict[str, Any], events: int, *words: object) -> dict[str, Any]:
    """One side's run; its states must be those of the plain one."""
    result = _run(module, events, *words)
    if result["digest"] != plain["digest"]:
        raise RuntimeError(f"{module} came to {result['digest']}, the plain rules to {plain['digest']}")
    return {**result, "events": events}


def _against(work: str, ours: dict[str, Any], other: dict[str, Any], what: str) -> Row:
    events = other.get("events", EVENTS)
    return Row(
        work,
        ours["cpu_s"] * 1e6 / EVENTS,
        "us CPU an event",
        what,
        other["cpu_s"] * 1e6 / events,
        note=f"{EVENTS / ours['wall_s']:,.0f} events/s against {events / other['wall_s']:,.0f}; the same totals",
        detail={"natant": ours, "other": other},
    )
