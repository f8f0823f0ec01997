"""The programmes that harm natant and audit what it kept; ``scripts/chaos`` runs them.

scripts/chaos                                     kill one server under load
scripts/chaos --workers 3 --kills 200             kill, hold up and stop the workers of a cluster
scripts/chaos --flights --workers 2 --kills 20    kill workers that replay the flights; their totals must be exact
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from random import Random, SystemRandom

from tests.chaos import cluster, flights, kill


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/chaos", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--flights", action="store_true", help="replay the flights on workers")
    parser.add_argument("--workers", type=int, default=0, help="so many workers share the plane; 0: one process alone")
    parser.add_argument("--kills", type=int, default=20, help="how often (default 20)")
    parser.add_argument(
        "--until", default="2013-03-01", help="where the replay of the flights ends; 2014-01-05: the whole year"
    )
    parser.add_argument("--seed", type=int, help="of the moments (the machine's speed plays a part too)")
    parser.add_argument("--record", action="store_true", help="add the result to RELIABILITY.md")
    asked = parser.parse_args()
    seed = SystemRandom().randrange(2**32) if asked.seed is None else asked.seed
    if asked.flights:
        return flights.run(asked.workers or 2, asked.kills, asked.until, seed)
    if asked.workers:
        return cluster.report(asked.kills, seed, workers=asked.workers, is_recorded=asked.record)
    result = asyncio.run(kill.run(asked.kills, Random(seed), is_loud=True))
    print(kill.table(result))
    if asked.record:
        kill.record(result)
    return 1 if result.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
