"""Makes the shipped priors, ``keepsake/recall/prior.npz`` and ``refusal.npz``, from made-up people alone::

    python bench/prior/train.py            # learn, check on other made-up people, write
    python bench/prior/train.py --dry      # the same without writing

The weights are kept small: what made-up talk teaches strongly may be its maker's habit.  A quarter of the talks is looked through a
second time by words alone, so that the same weights serve where there is no embedder.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parent))
from generate import invent

from keepsake.bench.held import Held
from keepsake.bench.locomo import Talk, auc, vectors_of
from keepsake.recall.feature import NAMES
from keepsake.recall.index import MemoryIndex
from keepsake.recall.index import Seen as Look
from keepsake.recall.posting import Floats
from keepsake.recall.rank import PRIOR, Ranker
from keepsake.recall.refusal import PRIOR as REFUSAL_PRIOR
from keepsake.recall.refusal import Refusal, signs, turned
from keepsake.vector.contract import Embedder
from keepsake.vector.minilm import MiniLM

#: made-up people to learn from and to check with; their stories are the same, what they say is not
LEARNED, CHECKED = 30, 8
EPOCHS: Final = 4
BATCH: Final = 16
STEP: Final = 0.02
PULL: Final = 0.02
HIDDEN: Final = 8
SEEDS: Final = 3
REFUSAL_PULL: Final = 5e-2


@dataclass(frozen=True, slots=True)
class Seen:
    """One question's candidates, which of them answer it, how many gold ones there are, and whether it can be answered at all."""

    look: Look
    right: npt.NDArray[np.bool_]
    gold: int
    category: int

    @property
    def features(self) -> Floats:
        """Candidates by features."""
        return self.look.features

    def signs(self, ranker: Ranker) -> Floats:
        """The signs of refusal where a ranker ranks."""
        best = self.features[np.argsort(-ranker.score(self.features), kind="stable")]
        return signs(self.look.asked, self.look.evidence, best, ranker.score(best), ranker.score(turned(best)))


def see(talks: Sequence[Talk], embedder: Embedder | None) -> list[Seen]:
    """What a ranker sees of each question."""
    found = []
    for talk in talks:
        index = MemoryIndex(talk.name, embedder)
        index.refresh(Held(talk.memories, None if embedder is None else vectors_of(talk.memories, embedder)))
        for asking in talk.askings:
            seen = index.see(asking.question)
            right = np.array([talk.memories[place].id in asking.gold for place in seen.places], bool)
            found.append(Seen(seen, right, len(asking.gold), asking.category))
    return found


def learn(seen: Sequence[Seen], seed: int = 0) -> Ranker:
    """A ranker by Adam (Kingma and Ba, 2015) over the listwise loss, begun from the plain one."""
    random = np.random.default_rng(seed)
    origin = Ranker.plain()
    width = len(NAMES)
    parts: list[npt.NDArray[np.float64]] = [
        origin.linear.astype(np.float64), random.normal(0, 0.3, (width, HIDDEN)), random.normal(0, 0.1, HIDDEN), np.zeros(HIDDEN),
    ]  # fmt: skip
    first, second = ([np.zeros_like(part) for part in parts] for _ in range(2))
    wanted = [question for question in seen if question.category != 5 and question.right.any()]
    count = 0
    for epoch in range(EPOCHS):
        order = random.permutation(len(wanted))
        for at in range(0, len(order), BATCH):
            slopes = [np.zeros_like(part) for part in parts]
            for row in order[at : at + BATCH]:
                for slope, more in zip(slopes, _slopes(wanted[row], parts), strict=True):
                    slope += more / BATCH
            count += 1
            for place, part in enumerate(parts):
                slope = slopes[place] + PULL * part
                first[place] = 0.9 * first[place] + 0.1 * slope
                second[place] = 0.99 * second[place] + 0.01 * slope**2
                mean, spread = first[place] / (1 - 0.9**count), second[place] / (1 - 0.99**count)
                part -= STEP * (1 - epoch / EPOCHS) * mean / (np.sqrt(spread) + 1e-8)
    return Ranker(*(part.astype(np.float32) for part in parts))


def join(rankers: Sequence[Ranker]) -> Ranker:
    """One ranker that gives the mean of the scores of several."""
    count = len(rankers)
    return Ranker(
        np.mean([ranker.linear for ranker in rankers], axis=0, dtype=np.float32),
        np.concatenate([ranker.inward for ranker in rankers], axis=1),
        np.concatenate([ranker.bias for ranker in rankers]),
        np.concatenate([ranker.outward for ranker in rankers]) / np.float32(count),
    )


def _slopes(question: Seen, parts: list[npt.NDArray[np.float64]]) -> tuple[npt.NDArray[np.float64], ...]:
    linear, inward, bias, outward = parts
    features = question.features.astype(np.float64)
    hidden = np.tanh(features @ inward + bias)
    scores = features @ linear + hidden @ outward
    shares = np.exp(scores - scores.max())
    slope = shares / shares.sum() - question.right / question.right.sum()
    inner = np.outer(slope, outward) * (1 - hidden**2)
    return features.T @ slope, features.T @ inner, inner.sum(0), hidden.T @ slope


def learn_refusal(seen: Sequence[Seen], ranker: Ranker) -> Refusal:
    """Logistic regression by gradient descent, answerable and unanswerable questions weighing the same."""
    told = np.stack([np.append(question.signs(ranker), 1) for question in seen]).astype(np.float64)
    known = np.array([question.category != 5 for question in seen])
    weight = np.where(known, 0.5 / known.sum(), 0.5 / (~known).sum())
    spread = told.std(0) + 1e-3
    spread[-1] = 1
    scaled = told / spread
    weights = np.zeros(scaled.shape[1])
    for _ in range(2000):
        slope = scaled.T @ (weight * (1 / (1 + np.exp(-scaled @ weights)) - known))
        weights -= 0.5 * (slope + REFUSAL_PULL * np.append(weights[:-1], 0))
    return Refusal((weights / spread).astype(np.float32))


def recall_of(seen: Sequence[Seen], ranker: Ranker, count: int) -> float:
    """The share of gold ones among the first so many, mean over answerable questions, in %."""
    shares = []
    for question in seen:
        if question.category != 5:
            order = np.argsort(-ranker.score(question.features), kind="stable")[:count]
            shares.append(question.right[order].sum() / question.gold)
    return 100 * float(np.mean(shares))


def refusal_of(seen: Sequence[Seen], ranker: Ranker, refusal: Refusal) -> float:
    """The chance that an answerable question looks surer than an unanswerable one."""
    sure: dict[bool, list[float]] = {True: [], False: []}
    for question in seen:
        sure[question.category != 5].append(refusal.sureness(question.signs(ranker)))
    return auc(sure[True], sure[False])


def main(embedder: Embedder) -> None:
    """Learn, say how well, write."""
    learned, checked = invent(LEARNED, seed=1), invent(CHECKED, seed=2)
    material = see(learned, embedder) + see(learned[::4], None)
    ranker = join([learn(material, seed) for seed in range(SEEDS)])
    refusal = learn_refusal(material, ranker)
    for name, others in (("with vectors", see(checked, embedder)), ("by words alone", see(checked, None))):
        for kind, held in (("untrained", Ranker.plain()), ("learned", ranker)):
            print(
                f"{name}, {kind}: recall@5 {recall_of(others, held, 5):.1f}, recall@10 {recall_of(others, held, 10):.1f}"
            )
        print(f"{name}, refusal: AUC {refusal_of(others, ranker, refusal):.3f}")
    if "--dry" not in sys.argv:
        PRIOR.write_bytes(ranker.dumps())
        REFUSAL_PRIOR.write_bytes(refusal.dumps())


if __name__ == "__main__":
    main(MiniLM())
