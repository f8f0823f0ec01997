"""A few of the faults and kills that ``python -m tests.chaos.store`` brings about for as long as one likes."""

from __future__ import annotations

from pathlib import Path
from random import Random, SystemRandom

from tests.chaos import store

FAULTS = 80


def test_no_damage_to_a_file_is_passed_over(tmp_path: Path) -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")

    found = store.faults(FAULTS, Random(seed), tmp_path)

    refused = sum(count for (_, _, answer), count in found.items() if answer.startswith("NT-STORE-"))
    assert refused > FAULTS // 4, "most faults hit nothing: this tests nothing"
