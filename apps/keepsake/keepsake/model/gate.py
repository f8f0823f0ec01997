"""The gate: a new part takes the place of the present one only where it does better on feedback that neither has learnt from.

A quarter of a person's ratings is held out for good, by their digest, so that no version ever learns from them and taking away
others does not move them.  Corrections are too few for that: each is judged by a part that learnt from all the others.  What is
compared are losses of pairs: the same feedback, judged by both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["HELD_OUT_LIMIT", "Verdict", "is_held_out", "judge"]

#: one in so many is held out
HELD_OUT_SHARE: Final = 4
#: the latest that are judged by: people change
HELD_OUT_LIMIT: Final = 400
#: fewer pairs say nothing
LEAST_PAIRS: Final = 5
#: standard errors by which the mean has to be better: one in twenty that is not would pass
MARGIN: Final = 1.64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a comparison.

    :ivar is_better: the challenger goes live.
    :ivar pairs: how many were compared.
    :ivar champion: mean loss of the present part, ``challenger`` of the new one; smaller is better.
    :ivar reason: in words, for the page and the log.
    """

    is_better: bool
    pairs: int
    champion: float
    challenger: float
    reason: str


def is_held_out(digest: str) -> bool:
    """Whether feedback is for judging, not for learning.

    :param digest: hexadecimal, of its content.
    """
    return int(digest[:8], 16) % HELD_OUT_SHARE == 0


def judge(champion: Sequence[float], challenger: Sequence[float], *, least: int = LEAST_PAIRS) -> Verdict:
    """Compare losses of the same feedback, in pairs.

    The challenger is better where its mean loss is smaller by more than `MARGIN` standard errors of the paired differences: with the
    few ratings that a person gives, less than that is chance.

    :param least: pairs without which there is no judgement.
    """
    if len(champion) != len(challenger):
        raise ValueError(f"{len(champion)} losses against {len(challenger)}: they have to be of the same feedback")
    pairs = len(champion)
    if pairs < least:
        return Verdict(False, pairs, _mean(champion), _mean(challenger), f"{pairs} to judge by, {least} are needed")
    gains = [old - new for old, new in zip(champion, challenger, strict=True)]
    gain = _mean(gains)
    error = math.sqrt(sum((one - gain) ** 2 for one in gains) / (pairs - 1) / pairs)
    is_better = gain > 0 and gain > MARGIN * error
    how = "better" if is_better else "not better"
    reason = f"{how} on {pairs}: loss {_mean(challenger):.3f} against {_mean(champion):.3f} (error {error:.3f})"
    return Verdict(is_better, pairs, _mean(champion), _mean(challenger), reason)


def _mean(losses: Sequence[float]) -> float:
    return sum(losses) / len(losses) if losses else 0.0
