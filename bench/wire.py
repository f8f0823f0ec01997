"""Over the wire: commands in, events out, the way there and back, and the first state of a large map.

The server runs on one core, the load generator (``bench/load/warp_load.c``) on another.  CPU a command or an event is the server's CPU time,
all its threads, divided by what it did: it means the same on a busy machine, which rates do not.
"""

from __future__ import annotations

from typing import Any

from bench.place import Place, Server, natant, yard
from bench.table import Row

__all__ = ["fanout", "ingest", "rtt", "sync"]

FRAMES = 1_000_000
COMMANDS = 300_000
CONNECTIONS = 64


def _ingest(place: Place, server: Server, nodes: int, count: int) -> dict[str, Any]:
    result = place.load(
        "ingest", server, conns=CONNECTIONS, nodes=nodes, count=count, prestart=1, start_window=20_000, verify=50
    )
    if result["lost"] or result["wrong"]:
        raise RuntimeError(f"ingest lost {result['lost']} commands, {result['wrong']} states are wrong")
    return result


def ingest(place: Place) -> list[Row]:
    """Commands that write a value lane and a map lane."""
    with yard() as server:
        frame = place.load("frames", server, conns=CONNECTIONS, count=FRAMES)
    bare = frame["server_us_per_frame"]
    rows = []
    volatile: dict[int, float] = {}
    for nodes, reach in ((1_000, 2.1), (100_000, 3.3)):
        for is_durable in (False, True):
            with natant(place.data(f"ingest{nodes}") if is_durable else None) as server:
                result = _ingest(place, server, nodes, COMMANDS)
            value = result["server_us_per_cmd"]
            volatile.setdefault(nodes, value)
            rows.append(
                Row(
                    f"ingest, {nodes:,} agents, {'durable' if is_durable else 'volatile'}".replace(",0", " 0"),
                    value,
                    "us CPU a command",
                    "bare picows, a 100-byte frame",
                    bare,
                    round(2 * volatile[nodes], 2) if is_durable else reach,
                    detail={**result, "frames": frame},
                )
            )
    return rows


def fanout(place: Place) -> list[Row]:
    """Changes of one lane to many links, a connection each."""
    rows = []
    for links, rate, reach, secs in ((100, 1_000, 3.3, 4), (100, 0, 2.5, 4), (1_000, 100, 3.5, 4)):
        options = {"links": links, "rate": rate, "secs": secs, "node": f"/unit/fan{links}x{rate}"}
        bare = None
        if rate:
            with yard() as server:
                bare = place.load("fanout", server, **options)
        with natant() as server:
            result = place.load("fanout", server, **options)
        if result["final_ok"] != links:
            raise RuntimeError(f"only {result['final_ok']} of {links} links got the last state")
        what = f"{rate:,} updates/s" if rate else "saturated"
        note = f"{result['delivered_share']:.0%} delivered, p50 {result['p50_us'] / 1e3:.2f} ms, p99 {result['p99_us'] / 1e3:.1f} ms"
        note += "" if rate else f", {result['events_per_s']:,.0f} events/s"
        rows.append(
            Row(
                f"fan-out, {links:,} links, {what}",
                result["server_us_per_event"],
                "us CPU an event",
                "bare picows, one write a link",
                bare["server_us_per_event"] if bare else None,
                reach,
                note=note,
                detail={**result, "bare": bare},
            )
        )
    return rows


def rtt(place: Place) -> list[Row]:
    """A command and the event that it causes, on one connection; the client polls."""
    rows = []
    for name, options, reach in (
        ("back to back", {"count": 10_000}, 25.0),
        ("200/s", {"count": 800, "rate": 200}, 100.0),
    ):
        with yard() as server:
            bare = place.load("rtt", server, node="/unit/rtt", spin=1, **options)
        with natant() as server:
            place.load("rtt", server, node="/unit/rtt", spin=1, count=3_000)
            result = place.load("rtt", server, node="/unit/rtt", spin=1, **options)
        rows.append(
            Row(
                f"command to event, {name}",
                result["p50_us"],
                "us (median)",
                "bare picows",
                bare["p50_us"],
                reach,
                note=f"p99 {result['p99_us']:.0f} us",
                detail={**result, "bare": bare},
            )
        )
    return rows


def sync(place: Place) -> list[Row]:
    """The first state of a map of 100,000 entries."""
    size = 100_000
    with natant() as server:
        place.load("sync", server, node="/unit/big", lane="history", fill=size, reps=1, spin=1)
        result = place.load("sync", server, node="/unit/big", lane="history", reps=5, spin=1)
    if result["events"] < size:
        raise RuntimeError(f"a sync brought {result['events']} of {size} entries")
    return [
        Row(
            "sync of a map of 100 000 entries",
            result["synced_p50_us"] / 1e3,
            "ms (median)",
            reach=100.0,
            note=f"{result['server_us_per_sync'] / size:.2f} us CPU an entry",
            detail=result,
        )
    ]
