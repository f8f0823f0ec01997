"""The ranker: from features to an order, learned from which memory was right.

A small network with one hidden layer beside a plain weighted sum, trained listwise: the softmax over one question's candidates should
give its mass to the right ones (Cao et al., Learning to Rank: From Pairwise Approach to Listwise Approach, 2007).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from keepsake.errors import KeepsakeError
from keepsake.recall.feature import NAMES
from keepsake.recall.posting import Floats

__all__ = ["PRIOR", "Ranker"]

#: what is shipped; ``bench/prior`` makes it
PRIOR: Final = Path(__file__).with_name("prior.npz")

#: a prior larger than this is none of ours
PRIOR_BYTES: Final = 4_000_000

#: how far one piece of feedback moves the weights, and how strongly they are drawn back to where they began
STEP: Final = 0.03
PULL: Final = 0.01

_FORM: Final = ("linear", "inward", "bias", "outward")


@dataclass(frozen=True, slots=True)
class Ranker:
    """Weights, never changed: learning gives another ranker.

    :ivar linear: of the plain sum, one a feature.
    :ivar inward: of the hidden layer, features by hidden; it may have no hidden units at all.
    :ivar bias: one a hidden unit.
    :ivar outward: one a hidden unit.
    """

    linear: Floats
    inward: Floats
    bias: Floats
    outward: Floats

    @classmethod
    def plain(cls) -> Ranker:
        """Untrained: words and meaning, each from 0 to 1, with the turn before."""
        linear = np.zeros(len(NAMES), np.float32)
        linear[NAMES.index("fused")] = 8
        return cls(linear, np.zeros((len(NAMES), 0), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32))

    @classmethod
    def prior(cls) -> Ranker:
        """The shipped one, learned from invented people; the plain one where none is shipped."""
        return cls.loads(PRIOR.read_bytes()) if PRIOR.exists() else cls.plain()

    @classmethod
    def loads(cls, data: bytes) -> Ranker:
        """From what `dumps` gave.

        :raises KeepsakeError: ``KS-RECALL-001`` where these are no weights for the features that there are now.
        """
        try:
            if len(data) > PRIOR_BYTES:
                raise ValueError(f"{len(data):,} bytes")
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                names = tuple(str(name) for name in file["names"])
                linear, inward, bias, outward = (np.asarray(file[name], np.float32) for name in _FORM)
            hidden = len(bias)
            if (names, linear.shape, inward.shape, outward.shape) != (
                NAMES,
                (len(NAMES),),
                (len(NAMES), hidden),
                (hidden,),
            ):
                raise ValueError("weights for other features")
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as failure:
            raise KeepsakeError(
                "KS-RECALL-001",
                f"the weights of a ranker cannot be used: {failure}. They should be for the {len(NAMES)} features of this version. "
                "Have the model rebuilt: keepsake learn PERSON --whole.",
            ) from failure
        return cls(linear, inward, bias, outward)

    def dumps(self) -> bytes:
        """As bytes (npz without pickles)."""
        held = io.BytesIO()
        parts = {name: getattr(self, name) for name in _FORM}
        np.savez_compressed(held, allow_pickle=False, names=np.array(NAMES), **parts)
        return held.getvalue()

    def score(self, features: Floats) -> Floats:
        """Scores of candidates, row by row; only their differences mean something."""
        return np.asarray(
            features @ self.linear + np.tanh(features @ self.inward + self.bias) @ self.outward, np.float32
        )

    def learn(
        self, features: Floats, chosen: Sequence[int], *, step: float = STEP, origin: Ranker | None = None
    ) -> Ranker:
        """Learn from one question: which of its candidates were right.

        :param features: candidates by features.
        :param chosen: rows of the right ones.
        :param origin: where the weights are drawn back to, usually the prior; None: nowhere.
        """
        right = np.zeros(len(features), bool)
        right[list(chosen)] = True
        if not right.any() or right.all():
            return self
        hidden = np.tanh(features @ self.inward + self.bias)
        scores = features @ self.linear + hidden @ self.outward
        shares = np.exp(scores - scores.max())
        slope = right / right.sum() - shares / shares.sum()
        inner = np.outer(slope, self.outward) * (1 - hidden**2)
        changes = (features.T @ slope, features.T @ inner, inner.sum(0), hidden.T @ slope)
        parts: list[Floats] = []
        for name, change in zip(_FORM, changes, strict=True):
            weights: Floats = getattr(self, name)
            drawn = PULL * (getattr(origin, name) - weights) if origin is not None else 0
            parts.append(np.asarray(weights + step * (change + drawn), np.float32))
        return Ranker(*parts)
