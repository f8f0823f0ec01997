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

__all__ = ["SIGNS", "Refusal", "signs"]

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
)  # fmt: skip


def signs(asked: Asked, evidence: Evidence, features: Floats, scores: Floats) -> Floats:
    """The figures that sureness is made of.

    :param features: of the hits, best first.
    :param scores: of the hits, best first.
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
    ]
    return np.array(made, np.float32)


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
