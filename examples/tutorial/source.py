"""Feeds the tutorial: ``python examples/tutorial/source.py [warp://127.0.0.1:9001]`` publishes a reading ten times a second."""

import asyncio
import contextlib
import math
import sys
from typing import Final

from natant.client import connect

PERIOD_S: Final = 0.1


async def feed(url: str, *, count: int | None = None) -> None:
    """Publish ``count`` readings to ``/unit/master``; None: until interrupted."""
    async with connect(url) as host:
        number = 0
        while count is None or number < count:
            turn = number / 20
            reading = {
                "foo": round(40 + 30 * math.sin(turn)),
                "bar": round(40 + 20 * math.sin(turn * 1.7 + 1)),
                "baz": round(40 + 35 * math.sin(turn * 0.6 + 2)),
            }
            host.command("/unit/master", "publish", reading)
            number += 1
            await asyncio.sleep(PERIOD_S)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(feed(sys.argv[1] if len(sys.argv) > 1 else "warp://127.0.0.1:9001"))
