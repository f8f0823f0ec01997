"""What agents cost while they live and until they do: memory, creation, start."""

from __future__ import annotations

import json
import sys
import time

from bench.place import SERVER_CORE, Place, natant, output, yard
from bench.table import Row, spaced

__all__ = ["memory", "start"]

VERIFY = 50
REACH_BYTES = 600.0
REACH_PER_S = 200_000.0

#: as many small dicts in one dict, by the same names
_PLAIN = """
import json, sys, time
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
count = int(sys.argv[1])
before, begun = resident(), time.process_time()
held = {}
for number in range(count):
    held[f"/cell/{number}"] = {"t": 0, "v": number}
print(json.dumps({"bytes": (resident() - before) / count, "us": (time.process_time() - begun) / count * 1e6}))
"""


def _fill(place: Place, agents: int, is_durable: bool) -> list[Row]:
    with natant(place.data("agents") if is_durable else None) as server:
        before_kb = server.resident_kb()
        result = place.load(
            "ingest", server, conns=4, nodes=agents, count=agents, cmdlane="info", prefix="/cell/", window=20_000, timeout=300, verify=VERIFY
        )  # fmt: skip
        held = (server.resident_kb() - before_kb) * 1024 / agents
    if result["lost"] or result["wrong"]:
        raise RuntimeError(f"{result['lost']} agents did not come to life, {result['wrong']} have a wrong state")
    plain = json.loads(output([sys.executable, "-c", _PLAIN, str(agents)], SERVER_CORE))
    what = f"{spaced(agents)} agents with a value lane"
    yard = "a dict in a dict"
    return [
        Row(what, held, "bytes resident an agent", yard, plain["bytes"], REACH_BYTES, detail=result),
        Row(
            f"{what}, created",
            result["per_s"],
            "agents/s",
            yard,
            1e6 / plain["us"],
            REACH_PER_S,
            is_more_better=True,
            note=f"{result['server_us_per_cmd']:.1f} us CPU each; SwimOS 28 000/s, 3.1 KB each",
            detail=result,
        ),
    ]


def memory(place: Place, agents: int) -> list[Row]:
    """Agents that a command brings to life."""
    return _fill(place, agents, is_durable=False)


def start(place: Place, agents: int) -> list[Row]:
    """From the start of the process until a link is synced."""
    with yard() as server:
        bare_s = server.up_s
    rows: list[Row] = []
    for what, reach in (("an empty store", 0.5), (f"{spaced(agents)} stored agents", 3.0)):
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
                    "bare picows, port open",
                    bare_s,
                    reach,
                    note=f"port open after {server.up_s:.2f} s, {server.resident_kb() / 1024:.0f} MB resident; SwimOS 0.70",
                )
            )
    return rows
