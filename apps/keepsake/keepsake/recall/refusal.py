"""Refusal: whether what was found answers the question at all, learned from questions that nothing answers."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from keepsake.errors import KeepsakeError
from keepsake.recall.ask import Asked
from keepsake.recall.evidence import Evidence
from keepsake.recall.feature import NAMES
from keepsake.recall.posting import Floats

__all__ = ["SIGNS", "Refusal", "signs", "turned"]

#: what is shipped; ``bench/prior`` makes it
PRIOR: Final = Path(__file__).with_name("refusal.npz")

#: a file larger than this is none of ours
PRIOR_BYTES: Final = 1_000_000

#: how far one piece of feedback moves the weights
STEP: Final = 0.05

#: the best hits that are looked at
LEADING: Final = 5

_OF_FIRST: Final = (
    "cover",
    "cover around",
    "cover soft around",
    "cover rarest",
    "meaning",
    "pairs",
    "said by",
    "said by other",
    "has wanted",
)
_OF_BEST: Final = (
    "cover around",
    "cover soft around",
    "meaning",
    "said by",
    "said by cover",
    "said by meaning",
    "other cover",
    "other meaning",
)

#: The names of the signs, in their order.
SIGNS: Final = (
    *(f"first {name}" for name in _OF_FIRST),
    *(f"best {name}" for name in _OF_BEST),
    "lead", "share", "words", "meaning", "about", "said gap", "meaning gap", "terms",
    "content gap", "content said by", "content first", "unheard", "together", "asking first",
    "turned", "turned all", "turned after",
)  # fmt: skip


#: columns that change places when a question is turned: asked about the others instead
_TURNED: Final = (("said by", "said by other"), ("said by cover", "other cover"), ("said by meaning", "other meaning"))


def turned(features: Floats) -> Floats:
    """The features as they would be had the question been about the others."""
    places = np.arange(len(NAMES))
    for one, other in _TURNED:
        places[[NAMES.index(one), NAMES.index(other)]] = NAMES.index(other), NAMES.index(one)
    return features[:, places]


def signs(asked: Asked, evidence: Evidence, features: Floats, scores: Floats, other: Floats) -> Floats:
    """The figures that sureness is made of.

    :param features: of the hits, best first.
    :param scores: of the hits, best first.
    :param other: of the hits, had the question been about the others (`turned`): where that fits better, the wrong one was asked about.
    """
    if not len(features):
        return np.zeros(len(SIGNS), np.float32)
    column = {name: features[:, place] for place, name in enumerate(NAMES)}
    shares = np.exp(scores - scores[0])
    top = slice(0, LEADING)
    most = {
        name: float(column[name].max()) for name in ("said by cover", "other cover", "said by meaning", "other meaning")
    }
    made = [float(column[name][0]) for name in _OF_FIRST] + [float(column[name][top].max()) for name in _OF_BEST]
    made += [
        float(scores[0] - scores[min(LEADING, len(scores) - 1)]) / 4,
        float(1 / shares.sum()),
        evidence.best_words,
        float(evidence.meaning.max(initial=0)),
        float(bool(asked.about)),
        most["said by cover"] - most["other cover"],
        most["said by meaning"] - most["other meaning"],
        min(len(asked.terms), 10) / 10,
        *_by_content(column),
        evidence.unheard,
        float(column["cover sitting"].max()),
        float(column["asking"][0]),
        *_turns(scores, other, bool(asked.about)),
    ]
    return np.array(made, np.float32)


def _turns(scores: Floats, other: Floats, is_about: bool) -> tuple[float, float, float]:
    """By how much the question fits better as it was asked than about the others: its best, all of it, and the first hit's own."""
    if not is_about:
        return 0.0, 0.0, 0.0
    all_of_it = np.logaddexp.reduce(scores) - np.logaddexp.reduce(other)
    return float(scores.max() - other.max()) / 4, float(all_of_it) / 4, float(scores[0] - other[0]) / 4


def _by_content(column: dict[str, Floats]) -> tuple[float, float, float]:
    """What was found by what it says alone, whoever said it: by how much the one asked about said the best of it, their share of it.

    A question about the wrong one finds its words with another.
    """
    content = column["fused"] + column["cover soft around"] + column["meaning"]
    said, other = column["said by"] > 0, column["said by other"] > 0
    if not said.any() and not other.any():
        return 0.0, 0.5, 0.5
    gap = float(content[said].max(initial=0)) - float(content[other].max(initial=0))
    best = np.argsort(-content, kind="stable")[:LEADING]
    return gap, float(column["said by"][best].mean()), float(column["said by"][best[0]])


@dataclass(frozen=True, slots=True)
class Refusal:
    """A logistic sum of signs, never changed: learning gives another.

    :ivar weights: one a sign, and the last for none.
    """

    weights: Floats

    @classmethod
    def plain(cls) -> Refusal:
        """Untrained: sure where the first hit has the question's words."""
        weights = np.zeros(len(SIGNS) + 1, np.float32)
        weights[SIGNS.index("best cover around")] = 4
        weights[-1] = -2
        return cls(weights)

    @classmethod
    def prior(cls) -> Refusal:
        """The shipped one, learned from invented people; the plain one where none is shipped."""
        return cls.loads(PRIOR.read_bytes()) if PRIOR.exists() else cls.plain()

    @classmethod
    def loads(cls, data: bytes) -> Refusal:
        """From what `dumps` gave.

        :raises KeepsakeError: ``KS-RECALL-002`` where these are no weights for the signs that there are now.
        """
        try:
            if len(data) > PRIOR_BYTES:
                raise ValueError(f"{len(data):,} bytes")
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                names = tuple(str(name) for name in file["names"])
                weights = np.asarray(file["weights"], np.float32)
            if names != SIGNS or weights.shape != (len(SIGNS) + 1,):
                raise ValueError("weights for other signs")
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as failure:
            raise KeepsakeError(
                "KS-RECALL-002",
                f"the weights of refusal cannot be used: {failure}. They should be for the {len(SIGNS)} signs of this version. "
                "Have the model rebuilt: keepsake learn PERSON --whole.",
            ) from failure
        return cls(weights)

    def dumps(self) -> bytes:
        """As bytes (npz without pickles)."""
        held = io.BytesIO()
        np.savez_compressed(held, allow_pickle=False, names=np.array(SIGNS), weights=self.weights)
        return held.getvalue()

    def sureness(self, found: Floats) -> float:
        """That the answer is among the hits, 0 to 1."""
        return float(1 / (1 + np.exp(-(found @ self.weights[:-1] + self.weights[-1]))))

    def learn(self, found: Floats, is_known: bool, *, step: float = STEP) -> Refusal:
        """Learn from one question: whether its answer was there."""
        slope = np.float32(is_known) - np.float32(self.sureness(found))
        return Refusal(np.asarray(self.weights + step * slope * np.append(found, np.float32(1)), np.float32))
