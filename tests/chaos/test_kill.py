"""A real server is killed at random moments under load; then nothing that was acknowledged may be lost, and nothing doubled.

``python -m tests.chaos.kill`` does the same for as long as one likes.
"""

from __future__ import annotations

import asyncio
from random import Random, SystemRandom

import pytest

from tests.chaos import kill
from tests.chaos.bug import BUGS

#: 50 in all
ROUNDS = 2
KILLS = 25
#: kills after which the audit has to have found a planted bug, a round at a time: some need a kill at a bad moment
BUG_KILLS = 3
BUG_ROUNDS = 8


@pytest.mark.timeout(400)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_no_acknowledged_command_is_lost_and_none_is_doubled(number: int) -> None:
    seed = SystemRandom().randrange(2**32)

    result = asyncio.run(kill.run(KILLS, Random(seed)))
    print(kill.table(result))

    assert result.complaints == [], f"seed {seed}\n{kill.table(result)}"
    assert result.kills >= KILLS
    assert result.acknowledged > KILLS
    assert result.retried > 0, "no kill met a command on its way: this tests nothing"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("bug", BUGS)
def test_the_audit_finds_a_planted_bug(bug: str) -> None:
    for seed in range(BUG_ROUNDS):
        result = asyncio.run(kill.run(BUG_KILLS, Random(seed), bug=bug))
        if result.complaints:
            return

    pytest.fail(f"{BUG_ROUNDS} rounds of {BUG_KILLS} kills did not show {bug}")
