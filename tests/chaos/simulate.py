"""Run many simulated worlds, one seed each, and tell which ones went wrong.

    python -m tests.chaos.simulate --seeds 1000
    python -m tests.chaos.simulate --first 4711 --seeds 1 --verbose

A seed always makes the same world, so one that failed belongs into ``FOUND`` of ``tests/simulation/test_world.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import traceback
from typing import Final

from tests.simulation.world import STEPS, run

#: a world that takes longer hangs
WORLD_LIMIT_S: Final = 60.0


async def _run(seed: int, steps: int, lines: list[str]) -> None:
    async with asyncio.timeout(WORLD_LIMIT_S):
        await run(seed, steps=steps, say=lines.append)


def main() -> int:
    """Returns how many worlds went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1000, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--steps", type=int, default=STEPS, help="things that happen in each world")
    parser.add_argument("--verbose", action="store_true", help="tell what happened in a world that went wrong")
    options = parser.parse_args()
    wrong = 0
    for seed in range(options.first, options.first + options.seeds):
        lines: list[str] = []
        try:
            asyncio.run(_run(seed, options.steps, lines))
        except Exception as error:
            wrong += 1
            print(f"seed {seed}: {type(error).__name__}: {error}", file=sys.stderr)
            if options.verbose:
                print("\n".join(lines), file=sys.stderr)
                traceback.print_exc()
    print(f"{options.seeds} worlds, {wrong} went wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(), 1))
