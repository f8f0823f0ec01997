"""How far to go on few ratings: as far as does best on some that were kept back, which may be nowhere.

A person gives tens of ratings and there are a hundred weights.  The step is therefore chosen by ratings that are not learnt from
while it is chosen; these are none of those that the gate judges by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

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
#: a smaller move is none
STILL: Final = 1e-6
#: what it costs to leave the shipped calibration, in ratings
PENALTY: Final = 2.0
#: sureness is never flattened more than this: what tells known from unknown is the shipped part's, not a few ratings'
LEAST_STRETCH: Final = 0.3

Part = TypeVar("Part")

Doubles: TypeAlias = npt.NDArray[np.float64]


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


def calibrated(refusal: Refusal, signs: Sequence[Floats], known: Sequence[bool], weights: Sequence[float]) -> Refusal:
    """The same order of sureness, moved and stretched to what this person's ratings say.

    :param weights: of the ratings.

    Two weights over the shipped logit, by penalised maximum likelihood (Platt, Probabilistic Outputs for Support Vector Machines,
    1999).
    """
    if len(set(known)) < 2:
        return refusal
    logits = np.array([float(row @ refusal.weights[:-1] + refusal.weights[-1]) for row in signs])
    rows = np.stack([logits, np.ones_like(logits)], axis=1)
    start = line = np.array([1.0, 0.0])
    share = np.array(weights, float)
    wanted = np.array(known, float)

    def cost(at: Doubles) -> float:
        found = rows @ at
        return float(share @ (np.logaddexp(0.0, found) - wanted * found) + PENALTY / 2 * ((at - start) ** 2).sum())

    for _ in range(ROUND_LIMIT):
        chance = 1 / (1 + np.exp(-np.clip(rows @ line, -30, 30)))
        slope = rows.T @ (share * (chance - wanted)) + PENALTY * (line - start)
        bend = (rows * (share * chance * (1 - chance))[:, None]).T @ rows + PENALTY * np.eye(2)
        move = np.linalg.solve(bend, slope)
        while cost(line - move) > cost(line) and np.abs(move).max() > STILL:
            move /= 2  # Newton's step overshoots where the curve is flat
        if np.abs(move).max() <= STILL:
            break
        line = line - move
    stretch, shift = max(float(line[0]), LEAST_STRETCH), float(line[1])
    moved = refusal.weights * np.float32(stretch)
    moved[-1] += np.float32(shift)
    return Refusal(moved)
