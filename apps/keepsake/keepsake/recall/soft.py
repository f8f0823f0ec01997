"""Words that mean nearly the same, for a match that spelling does not see.

The table is shipped (``bench/prior/near.py`` makes it from MiniLM's vocabulary) and read when it is first asked.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

__all__ = ["TABLE", "near"]

TABLE: Final = Path(__file__).with_name("near.npz")


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[tuple[str, float], ...]]:
    if not TABLE.exists():
        return {}
    with np.load(TABLE, allow_pickle=False) as file:
        stems = file["words"].tobytes().decode().split("\n")
        rows, others, likeness = (file[name].tolist() for name in ("rows", "others", "likeness"))
    found: dict[str, list[tuple[str, float]]] = {}
    for row, other, degree in zip(rows, others, likeness, strict=True):
        found.setdefault(stems[row], []).append((stems[other], degree / 255))
    return {term: tuple(pairs) for term, pairs in found.items()}


def near(term: str) -> tuple[tuple[str, float], ...]:
    """Terms that are near a term, and how near, 0 to 1."""
    return _table().get(term, ())
