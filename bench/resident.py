"""What agents cost while they live and until they do: memory, creation, start."""

from __future__ import annotations

import time

from bench.place import Place, natant
from bench.table import Row

__all__ = ["memory", "start"]


def _fill(place: Place, agents: int, is_durable: bool) -> Row:
    with natant(place.data("agents") if is_durable else None) as server:
        before_kb = server.resident_kb()
        result = place.load(
            "ingest", server, conns=4, nodes=agents, count=agents, cmdlane="info", prefix="/cell/", window=20_000, timeout=300, verify=50
        )  # fmt: skip
        held = (server.resident_kb() - before_kb) * 1024 / agents
    plain = {f"/cell/{number}": {"t": 0, "v": number} for number in range(1000)}
    cost = sum(key.__sizeof__() + value.__sizeof__() + 100 for key, value in plain.items()) / len(plain)
    return Row(
        f"{agents:,} agents with a value lane".replace(",", " "),
        held,
        "bytes resident an agent",
        "a dict in a dict",
        cost,
        600.0,
        note=f"created at {result['per_s']:,.0f}/s, {result['server_us_per_cmd']:.1f} us CPU each",
        detail=result,
    )


def memory(place: Place, agents: int) -> list[Row]:
    """Agents that a command brings to life."""
    return [_fill(place, agents, is_durable=False)]


def start(place: Place, agents: int) -> list[Row]:
    """From the start of the process until a link is synced."""
    rows: list[Row] = []
    for what, reach in (("an empty store", 0.5), (f"{agents:,} stored agents".replace(",", " "), 3.0)):
        data = place.data("agents") if rows else place.data("empty")
        if rows:
            _fill(place, agents, is_durable=True)
        begun = time.perf_counter()
        with natant(data) as server:
            place.load("sync", server, node="/cell/7", lane="info", reps=1)
            seconds = time.perf_counter() - begun
            rows.append(
                Row(
                    f"start to first link, {what}",
                    seconds,
                    "s",
                    reach=reach,
                    note=f"port open after {server.up_s:.2f} s",
                )
            )
    return rows
