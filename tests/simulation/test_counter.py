"""The first agent of the README, ``examples/counter``."""

from __future__ import annotations

import natant.testing
from examples.counter.counter import plane


async def test_a_counter_adds_and_survives_a_crash() -> None:
    async with natant.testing.plane(plane) as running:
        await running.command("/counter/apples", "add", 3)
        await running.command("/counter/apples", "add", 4)
        await running.crash()

        assert await running.get("/counter/apples", "total") == 7
        assert await running.get("/counter/pears", "total") == 0
