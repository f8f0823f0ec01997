"""Worlds of agents that send, wait, fail, crash and come back, each from a seed; ``world.py`` says what must be true of them."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulation.world import run

#: seeds that found something once: a command that was never answered (22, 72), or one of the errors that were planted to see
#: whether they are found: order, rollback, outbox, ids, timers, commits, tasks, resynchronisation
FOUND = (0, 1, 2, 3, 4, 5, 14, 17, 22, 41, 49, 72)
#: worlds of each test that looks for more
WORLDS = 10


@pytest.mark.parametrize("seed", FOUND)
async def test_what_was_found_once_stays_right(seed: int) -> None:
    await run(seed)


@pytest.mark.parametrize("first", range(100, 190, WORLDS))
def test_a_world_stays_right_whatever_happens(first: int) -> None:
    for seed in range(first, first + WORLDS):
        try:
            asyncio.run(run(seed))
        except BaseException as error:
            error.add_note(
                f"seed {seed}; see more by: python -m tests.chaos.simulate --first {seed} --seeds 1 --verbose"
            )
            raise
