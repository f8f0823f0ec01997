"""Areas of life and the person's own categories: a layer of weights over vectors that begins with what their names mean.

Where nothing was learnt, a memory belongs to an area as far as its vector is like that of the area's description.  The person's
corrections move that: a softmax over all areas, penalised for leaving its beginning, fitted to all corrections at once.  The
penalty makes one correction count and none count too much; the problem is convex, so that the order of corrections and the step
do not matter (Boyd and Vandenberghe, Convex Optimization, 9.3).

Beside the vector, words count that stand in corrected memories: no vector knows that Atlas is a project.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from keepsake.model.feedback import Placed
from keepsake.model.pack import pack, unpack
from keepsake.record import Share
from keepsake.store.contract import Vectors
from keepsake.vector.contract import Embedder
from keepsake.words.area import DESCRIPTIONS
from keepsake.words.term import terms

__all__ = ["Areas"]

#: how sharply likeness decides
SHARPNESS: Final = 20.0
#: what a category of the person's own lacks in likeness before anything was placed in it: a mere name is a little like everything
RESERVE: Final = 0.2
#: what leaving the beginning costs
PENALTY: Final = 0.07
#: how much the standing of an area as such can change beside what its memories say: the length of its part
STANDING_LENGTH: Final = 0.3
#: how much words count beside vectors: the length of their part
WORD_LENGTH: Final = 0.8
#: corrections that are learnt from, the latest
CORRECTION_LIMIT: Final = 1_000
#: categories of the person's own
CATEGORY_LIMIT: Final = 100
#: words that are kept of corrected memories
WORD_LIMIT: Final = 1_000
#: rounds of the fit, at most, and the change that ends it
ROUND_LIMIT: Final = 400
STILL: Final = 1e-5
#: shares below are not told, and no memory has more areas than this
LEAST_SHARE: Final = 0.12
AREA_LIMIT: Final = 3

Floats: TypeAlias = npt.NDArray[np.float64]


@lru_cache(maxsize=8)
def _described(embed: Callable[[Sequence[str]], Vectors], model: str) -> Vectors:
    del model  # the vectors of another model are others
    return embed(list(DESCRIPTIONS.values()))


def _softmax(logits: Floats) -> Floats:
    raised: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    raised /= raised.sum(axis=1, keepdims=True)
    return raised


class Areas:
    """Tells which areas a memory belongs to.

    :ivar names: all areas, the person's own categories last.
    :ivar model: the embedder's that the weights go with; empty: no weights, no areas.
    """

    def __init__(self, names: Sequence[str], weights: Vectors, words: Mapping[str, int], model: str) -> None:
        self.names = tuple(names)
        self.model = model
        self._weights = weights
        self._words = dict(words)
        self._dimension = weights.shape[1] - len(words) - 1 if weights.size else 0

    @classmethod
    def prior(cls, embedder: Embedder | None, categories: Sequence[str] = ()) -> Areas:
        """What is known before the person said anything: names and descriptions."""
        if embedder is None:
            return cls((), np.empty((0, 0), np.float32), {}, "")
        described = _described(embedder.embed, embedder.model)
        own = [name for name in dict.fromkeys(categories) if name not in DESCRIPTIONS][:CATEGORY_LIMIT]
        vectors = np.concatenate([described, embedder.embed(own)]) if own else described
        standing = np.zeros((len(vectors), 1), np.float32)
        standing[len(described) :] = -RESERVE / STANDING_LENGTH
        weights = SHARPNESS * np.concatenate([vectors, standing], axis=1)
        return cls((*DESCRIPTIONS, *own), weights.astype(np.float32), {}, embedder.model)

    def shares(self, vectors: Vectors, texts: Sequence[str] = ()) -> list[tuple[Share, ...]]:
        """For each row the areas it belongs to, most first.

        :param vectors: shape (memories, dimension), of unit length.
        :param texts: of the memories, where they are at hand; words of the person's own count then too.
        """
        if not self.names:
            return [()] * len(vectors)
        found = self.chances(vectors, texts)
        best = np.argsort(-found, axis=1, kind="stable")[:, :AREA_LIMIT]
        return [
            tuple(Share(self.names[place], round(float(row[place]), 3)) for place in order if row[place] >= LEAST_SHARE)
            for row, order in zip(found, best, strict=True)
        ]

    def chances(self, vectors: Vectors, texts: Sequence[str] = ()) -> Floats:
        """The chance of each area for each row, shape (memories, areas)."""
        rows = self._rows(vectors, texts)
        return _softmax(rows @ self._weights[:, : rows.shape[1]].astype(np.float64).T)

    def _rows(self, vectors: Vectors, texts: Sequence[str]) -> Floats:
        """What weights are for: the vector, one figure that is the same for all, and the words that were learnt."""
        words = self._words if texts else {}
        rows = np.zeros((len(vectors), self._dimension + 1 + len(words)))
        rows[:, : self._dimension] = vectors
        rows[:, self._dimension] = STANDING_LENGTH
        for row, text in enumerate(texts if words else ()):
            places = sorted({words[word] for word in terms(text) if word in words})
            if places:
                rows[row, [self._dimension + 1 + place for place in places]] = WORD_LENGTH / np.sqrt(len(places))
        return rows

    @classmethod
    def learn(cls, embedder: Embedder, placed: Sequence[Placed], categories: Sequence[str] = ()) -> Areas:
        """Areas after corrections; the latest about a memory counts.

        :param categories: names of categories that exist whether or not a correction names them.
        """
        latest = {correction.memory: correction for correction in placed[-CORRECTION_LIMIT:]}
        corrections = list(latest.values())
        start = cls.prior(embedder, [*categories, *(correction.area for correction in corrections)])
        corrections = [correction for correction in corrections if correction.area in start.names]
        if not corrections:
            return start
        texts = [correction.text for correction in corrections]
        seen: dict[str, int] = {}
        for text in texts:
            for word in terms(text):
                if len(seen) < WORD_LIMIT:
                    seen.setdefault(word, len(seen))
        weights = np.concatenate([start._weights, np.zeros((len(start.names), len(seen)), np.float32)], axis=1)
        fresh = cls(start.names, weights, seen, embedder.model)
        rows = fresh._rows(embedder.embed(texts), texts)
        wanted = np.array([start.names.index(correction.area) for correction in corrections])
        fresh._weights = _fit(weights.astype(np.float64), rows, wanted).astype(np.float32)
        return fresh

    def pack(self) -> bytes:
        """As bytes."""
        rest = {"names": self.names, "words": self._words, "model": self.model}
        return pack(rest, weights=self._weights)

    @classmethod
    def unpack(cls, data: bytes) -> Areas:
        """What `pack` made."""
        rest, arrays = unpack(data, "the areas")
        return cls(rest["names"], arrays["weights"], rest["words"], rest["model"])


def _fit(start: Floats, rows: Floats, wanted: npt.NDArray[np.intp]) -> Floats:
    """Weights that minimise the corrections' loss and the penalty, by Nesterov's accelerated descent.

    The step is the inverse of the loss's greatest curvature, so that it cannot overshoot.
    """
    hot = np.zeros((len(rows), len(start)))
    hot[np.arange(len(rows)), wanted] = 1.0
    curvature = 0.5 * np.linalg.norm(rows, 2) ** 2 + PENALTY
    weights, ahead, pace = start.copy(), start.copy(), 1.0
    for _ in range(ROUND_LIMIT):
        slope = (_softmax(rows @ ahead.T) - hot).T @ rows + PENALTY * (ahead - start)
        moved = ahead - slope / curvature
        faster = (1.0 + np.sqrt(1.0 + 4.0 * pace * pace)) / 2.0
        ahead = moved + (pace - 1.0) / faster * (moved - weights)
        is_still = np.abs(moved - weights).max() < STILL
        weights, pace = moved, faster
        if is_still:
            break
    return weights
