"""How far to go on few ratings: as far as does best on some that were kept back, which may be nowhere.

A person gives tens of ratings and there are a hundred weights.  The step is therefore chosen by ratings that are not learnt from
while it is chosen; these are none of those that the gate judges by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np

from keepsake.model.feedback import Rated
from keepsake.recall.posting import Floats
from keepsake.recall.refusal import Refusal

__all__ = ["STEPS", "best_step", "calibrated"]

#: how far one rating may move weights; 0: not at all
STEPS: Final = (0.0, 0.0003, 0.001, 0.003, 0.01, 0.03)
#: one rating in so many is kept back while the step is chosen, in so many turns
FOLDS: Final = 3
#: rounds of Newton's method, which ends far sooner
ROUND_LIMIT: Final = 25
#: what it costs to leave the shipped calibration, in ratings
PENALTY: Final = 1.0

Part = TypeVar("Part")


def best_step(
    teach: Callable[[Sequence[Rated], float], Part], ratings: Sequence[Rated], loss: Callable[[Part, Rated], float]
) -> Part:
    """A part that has learnt from all ratings by the step that does best on ratings kept back; of equals the smallest."""
    losses = []
    for step in STEPS:
        told = 0.0
        for fold in range(FOLDS):
            part = teach([one for place, one in enumerate(ratings) if place % FOLDS != fold], step)
            told += sum(loss(part, one) for one in ratings[fold::FOLDS])
        losses.append(told)
    return teach(ratings, STEPS[int(np.argmin(losses))])


def calibrated(refusal: Refusal, signs: Sequence[Floats], known: Sequence[bool]) -> Refusal:
    """The same order of sureness, moved and stretched to what this person's ratings say.

    Two weights over the shipped logit, by penalised maximum likelihood (Platt, Probabilistic Outputs for Support Vector Machines,
    1999).
    """
    if len(set(known)) < 2:
        return refusal
    logits = np.array([float(row @ refusal.weights[:-1] + refusal.weights[-1]) for row in signs])
    rows = np.stack([logits, np.ones_like(logits)], axis=1)
    start = weights = np.array([1.0, 0.0])
    for _ in range(ROUND_LIMIT):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (chance - np.array(known, float)) + PENALTY * (weights - start)
        bend = (rows * (chance * (1 - chance))[:, None]).T @ rows + PENALTY * np.eye(2)
        move = np.linalg.solve(bend, slope)
        weights = weights - move
        if np.abs(move).max() < 1e-6:
            break
    stretch, shift = max(float(weights[0]), 0.05), float(weights[1])
    moved = refusal.weights * np.float32(stretch)
    moved[-1] += np.float32(shift)
    return Refusal(moved)
