"""The first state of a map of 100,000 entries: how long it takes, and how long the links of others wait meanwhile."""

from __future__ import annotations

from bench.place import Place, natant, yard
from bench.table import Row

__all__ = ["sync"]

SIZE = 100_000
REPEATS = 7
#: updates of the other lane
OTHERS_PER_S = 500


def sync(place: Place) -> list[Row]:
    """Both, on one server."""
    with yard() as server:
        bare = place.load("sync", server, node="/unit/big", lane="history", reps=REPEATS, spin=1)
    with natant() as server:
        place.load("sync", server, node="/unit/big", lane="history", fill=SIZE, reps=1, spin=1)
        result = place.load("sync", server, node="/unit/big", lane="history", reps=REPEATS, spin=1)
        beside = place.load("delay", server, node="/unit/big", lane="history", rate=OTHERS_PER_S, reps=REPEATS, secs=2)
    for found in (result, bare, beside):
        if found["events"] < SIZE:
            raise RuntimeError(f"a sync brought {found['events']} of {SIZE} entries")
    return [
        Row(
            "sync of a map of 100 000 entries",
            result["synced_p50_us"] / 1e3,
            "ms (median)",
            "bare picows, as many short events in one write",
            bare["synced_p50_us"] / 1e3,
            100.0,
            note=f"{result['server_us_per_sync'] / SIZE:.2f} us CPU an entry; SwimOS 224-281",
            detail={**result, "bare": bare},
        ),
        Row(
            "how long another link waits for an event while that map is synced, longest",
            beside["beside_max_us"] / 1e3,
            "ms",
            "the longest without a sync",
            beside["alone_max_us"] / 1e3,
            round(10.0 + beside["alone_p50_us"] / 1e3, 1),
            note=f"p50 {beside['beside_p50_us'] / 1e3:.2f}, p99 {beside['beside_p99_us'] / 1e3:.1f} ms of {beside['beside_n']} events; "
            f"alone p50 {beside['alone_p50_us'] / 1e3:.2f}, p99 {beside['alone_p99_us'] / 1e3:.1f} ms of {beside['alone_n']}; "
            f"the sync beside them took {beside['sync_p50_us'] / 1e3:.0f} ms",
            detail=beside,
        ),
    ]
