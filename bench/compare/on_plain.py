"""The airports' rolling state in a plain dict: what the rules alone cost, and what the state must be.

python -m bench.compare.on_plain EVENTS
"""

from __future__ import annotations

import json
import sys
import time

from bench.compare import rolling


def main(count: int) -> None:
    """Apply all events."""
    fed = rolling.events(count)
    states: dict[str, rolling.Airport] = {}
    begun, cpu = time.perf_counter(), time.process_time()
    for code, _, value in fed:
        airport = states.get(code)
        if airport is None:
            airport = states[code] = rolling.Airport()
        airport.apply(value)
    wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "digest": rolling.digest(states)}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
