"""Over the wire: commands in, events out, the way there and back.

The server runs on one core, the load generator (``bench/load/warp_load.c``) on another.  CPU a command or an event is the server's CPU time,
all its threads, divided by what it did: it means the same on a busy machine, which rates do not.
"""

from __future__ import annotations

from typing import Any

from bench.group import raw_times
from bench.place import Place, Server, natant, yard
from bench.table import Row, spaced

__all__ = ["ack", "fanout", "ingest", "rtt"]

FRAMES = 1_000_000
COMMANDS = 300_000
CONNECTIONS = 64
#: agents, connections, reach of a volatile command, what the SwimOS Java server took on this kind of machine
INGESTS = (
    (1_000, 1, None, "8.5-11.8"),
    (1_000, 8, None, "6.9-8.5"),
    (1_000, CONNECTIONS, 2.1, "6.4-6.8"),
    (100_000, CONNECTIONS, 3.3, "10.0-11.4"),
)
#: links that tell when a command is durable, of as many agents; the others are commanded as often and not listened to
ACK_LINKS = 128
ACK_AGENTS = 1_000
ACK_S = 5
#: records of the raw batch beside it
ACK_BATCH = 100
#: links, updates/s (0: as many as go in), linked lane, reach, in what unit, what SwimOS took.  ``info`` is a value lane, of which a link
#: gets the newest state; ``setInfo`` is the command lane that sets it, of which a link gets every command.
FANOUTS = (
    (100, 1_000, "info", 3.3, "us CPU an event", "SwimOS 6.1-6.8, p50 0.44-0.52 ms"),
    (1_000, 100, "info", 3.5, "us CPU an event", "SwimOS 8.2-8.9, p50 6.0-6.2 ms, p99 14-18 ms"),
    (100, 0, "info", 400_000, "events/s delivered", "SwimOS 179 000, 60% delivered"),
    (100, 0, "setInfo", 400_000, "events/s delivered", "each command is an event"),
)
FANOUT_S = 4


def _ingest(place: Place, server: Server, nodes: int, count: int, connections: int = CONNECTIONS) -> dict[str, Any]:
    result = place.load(
        "ingest", server, conns=connections, nodes=nodes, count=count, prestart=1, start_window=20_000, verify=50
    )
    if result["lost"] or result["wrong"]:
        raise RuntimeError(f"ingest lost {result['lost']} commands, {result['wrong']} states are wrong")
    return result


def ingest(place: Place) -> list[Row]:
    """Commands that write a value lane and a map lane."""
    with yard() as server:
        frame = place.load("frames", server, conns=CONNECTIONS, count=FRAMES)
    rows = []
    for nodes, connections, reach, swim in INGESTS:
        with natant() as server:
            result = _ingest(place, server, nodes, COMMANDS, connections)
        volatile = result["server_us_per_cmd"]
        name = f"ingest, {spaced(nodes)} agents, {connections} connection{'s' if connections > 1 else ''}"
        rows.append(
            Row(
                f"{name}, volatile",
                volatile,
                "us CPU a command",
                "bare picows, a 100-byte frame",
                frame["server_us_per_frame"],
                reach,
                note=f"{result['per_s']:,.0f}/s; SwimOS {swim}",
                detail={**result, "frames": frame},
            )
        )
        if reach is None:
            continue
        with natant(place.data(f"ingest{nodes}")) as server:
            result = _ingest(place, server, nodes, COMMANDS)
        rows.append(
            Row(
                f"{name}, durable",
                result["server_us_per_cmd"],
                "us CPU a command",
                "natant, volatile",
                volatile,
                round(2 * volatile, 2),
                note=f"{result['per_s']:,.0f}/s",
                detail=result,
            )
        )
    return rows


def ack(place: Place) -> list[Row]:
    """From when a command was due until an event of its durable lane, which is shown only after the fsync, at half of the peak rate."""
    raw = raw_times(place.data("ack-raw"), ACK_BATCH)
    with natant(place.data("ack")) as server:
        peak = _ingest(place, server, ACK_AGENTS, COMMANDS)["per_s"]
        options = {"conns": CONNECTIONS, "nodes": ACK_AGENTS, "links": ACK_LINKS}
        result = place.load("ack", server, rate=round(peak / 2), secs=ACK_S, **options)
    if result["missing"] or result["processed"] != result["sent"]:
        raise RuntimeError(f"{result['missing']} commands were never acknowledged")
    return [
        Row(
            f"durable acknowledgement, p99, at {spaced(result['rate'])} commands/s",
            result["p99_us"] / 1e3,
            "ms",
            f"p99 of a raw RocksDB batch of {ACK_BATCH} records, fsync",
            raw[int(0.99 * (len(raw) - 1))] * 1e3,
            10.0,
            note=f"p50 {result['p50_us'] / 1e3:.2f} ms, {result['acked']:,} timed; half of the peak of {peak:,.0f}/s; "
            f"{result['server_us_per_cmd']:.1f} us CPU a command",
            detail={**result, "peak_per_s": peak},
        )
    ]


def fanout(place: Place) -> list[Row]:
    """Changes of one lane to many links, a connection each."""
    rows = []
    for links, rate, lane, reach, unit, remark in FANOUTS:
        options = {"links": links, "rate": rate, "secs": FANOUT_S, "node": f"/unit/fan{links}x{rate}", "lane": lane}
        with yard() as server:
            bare = place.load("fanout", server, **options)
        with natant() as server:
            result = place.load("fanout", server, **options)
        if result["final_ok"] != links:
            raise RuntimeError(f"only {result['final_ok']} of {links} links got the last state")
        what = f"{rate:,} updates/s" if rate else "flooded"
        is_rate = unit.startswith("events")
        figure = "events_per_s" if is_rate else "server_us_per_event"
        note = f"{result['delivered_share']:.0%} delivered, p50 {result['p50_us'] / 1e3:.2f} ms, p99 {result['p99_us'] / 1e3:.1f} ms"
        if is_rate:
            note += f", {result['server_us_per_event']:.1f} us CPU an event, {result['updates_per_s']:,.0f} updates/s taken in"
        rows.append(
            Row(
                f"fan-out, {links:,} links, {what}{' of a command lane' if lane != 'info' else ''}",
                result[figure],
                unit,
                f"bare picows, one write a link, {bare['delivered_share']:.0%} delivered",
                bare[figure],
                reach,
                is_more_better=is_rate,
                note=f"{note}; {remark}",
                detail={**result, "bare": bare},
            )
        )
    return rows


def rtt(place: Place) -> list[Row]:
    """A command and the event that it causes, on one connection; the client polls."""
    rows = []
    for name, options, reach, swim in (
        ("back to back", {"count": 10_000}, 25.0, "27-30"),
        ("200/s", {"count": 800, "rate": 200}, 100.0, "220-310"),
    ):
        with yard() as server:
            bare = place.load("rtt", server, node="/unit/rtt", spin=1, **options)
        with natant() as server:
            place.load("rtt", server, node="/unit/rtt", spin=1, count=3_000)
            result = place.load("rtt", server, node="/unit/rtt", spin=1, **options)
        p99 = f"p99 {result['p99_us']:.0f} us"
        p99 += ", which is to be <= 60" if not result["rate"] else ""
        rows.append(
            Row(
                f"command to event, {name}, polling client",
                result["p50_us"],
                "us (median)",
                f"bare picows, p99 {bare['p99_us']:.0f}",
                bare["p50_us"],
                reach,
                note=f"{p99}; {result['server_us_per_trip']:.0f} us CPU a trip; SwimOS {swim}",
                detail={**result, "bare": bare},
            )
        )
    return rows
