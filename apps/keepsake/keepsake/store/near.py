"""The nearest of many vectors, all of them looked at: exact, and fast enough for one person's memories."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from keepsake.store.contract import Vectors

__all__ = ["nearest"]


def nearest(
    blocks: Iterable[tuple[list[str], list[int], Vectors]], vector: Vectors, limit: int
) -> list[tuple[str, float]]:
    """Names and cosines, best first; of those that are equally near the older ones first.

    :param vector: of unit length, like the rows of the blocks; where its length differs from theirs, nothing is near.
    """
    best: list[tuple[str, float]] = []
    wanted = np.asarray(vector, np.float32).reshape(-1)
    for ids, _, rows in blocks:
        if rows.shape[1] != len(wanted):
            return []
        scores = rows @ wanted
        best += [(ids[place], float(scores[place])) for place in np.argsort(-scores, kind="stable")[:limit]]
        best = sorted(best, key=lambda found: -found[1])[:limit]
    return best
