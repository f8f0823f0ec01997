"""What recall gives: memories that may answer a question, with all that is known of why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from keepsake.record import Memory, Question
from keepsake.store.contract import Store

__all__ = ["Found", "Hit", "Index"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that may answer.

    :ivar score: what it is ranked by, greater is better.
    :ivar features: what the score is made of, in the order of ``keepsake.recall.feature.NAMES``.
    """

    memory: Memory
    score: float
    features: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of one look.

    :ivar hits: best first.
    :ivar sureness: that the answer is among them, 0 to 1 (`keepsake.recall.refusal`).
    :ivar signs: the figures that ``sureness`` is made of, for learning from feedback.
    :ivar built_to: the sequence of the newest message that could be found.
    """

    hits: tuple[Hit, ...]
    sureness: float
    signs: npt.NDArray[np.float32]
    built_to: int


class Index(Protocol):
    """One person's memories, resident, ready to be looked through.  Safe for several threads that read."""

    person: str
    built_to: int

    def refresh(self, store: Store) -> None:
        """Take in what the store has since."""
        ...

    def look(self, question: Question, *, limit: int = 50) -> Found:
        """What may answer the question, ranked by the person's model."""
        ...

    def size(self) -> int:
        """Bytes it takes in memory, about."""
        ...
