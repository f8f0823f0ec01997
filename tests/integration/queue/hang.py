"""A worker that takes jobs and never ends one; run by a test, which kills it."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from natant import Job
from natant.queue.nats.worker import Worker
from tests.support.nats import engine_of


async def hang(job: Job[Any]) -> None:
    """Never ends."""
    await asyncio.Event().wait()


async def main() -> None:
    """Work until killed."""
    async with engine_of(sys.argv[1]) as own:
        await Worker(own, "asr", hang).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main())
