"""Which memories have a word, and how often: the words' half of the resident index, made to be appended to.

Texts are given by place (0, 1, 2...), in order.  Terms come from `keepsake.words.term`; this module does not know what they are.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Places", "Postings"]

Places: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float32]

#: BM25's saturation and length normalisation: Robertson and Zaragoza, The Probabilistic Relevance Framework (2009)
K1: Final = 1.2
B: Final = 0.6

#: a count is one byte; more of a word in one memory says no more
COUNTED: Final = 255

NOWHERE: Final = np.zeros(0, np.int32)
NOTHING: Final = np.zeros(0, np.float32)


class Postings:
    """Terms and their places.

    :ivar size: places so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._lists: dict[str, tuple[array[int], array[int]]] = {}
        self._numbers: dict[str, int] = {}
        self._starts = array("I", [0])
        self._sequence = array("I")
        self._lengths = array("H")

    def __len__(self) -> int:
        return len(self._lists)

    def add(self, found: Sequence[str]) -> None:
        """Take in the next text, by its terms in order."""
        for term, count in Counter(found).items():
            lists = self._lists.get(term)
            if lists is None:
                lists = self._lists[term] = (array("i"), array("B"))
                self._numbers[term] = len(self._numbers)
            lists[0].append(self.size)
            lists[1].append(min(count, COUNTED))
        self._sequence.extend(self._numbers[term] for term in found)
        self._starts.append(len(self._sequence))
        self._lengths.append(min(len(found), 65_535))
        self.size += 1

    def where(self, term: str) -> tuple[Places, Floats]:
        """The places that have a term, in order, and how often."""
        lists = self._lists.get(term)
        if lists is None:
            return NOWHERE, NOTHING
        # copies: an array that is looked into cannot grow
        return np.array(lists[0], np.int32), np.array(lists[1], np.float32)

    def weight(self, term: str) -> float:
        """How telling a term is (inverse document frequency), above 0; of an unknown one as of one that a single text has."""
        lists = self._lists.get(term)
        count = len(lists[0]) if lists else 0.5
        return float(np.log1p((self.size - count + 0.5) / (count + 0.5)))

    def number(self, term: str) -> int:
        """The number of a term in `sequence`; -1 where it is unknown."""
        return self._numbers.get(term, -1)

    def sequence(self, place: int) -> Sequence[int]:
        """The numbers of a text's terms, in order."""
        return self._sequence[self._starts[place] : self._starts[place + 1]]

    def pairs(self, place: int) -> set[tuple[int, int]]:
        """The pairs of terms that follow each other in a text."""
        return set(pairwise(self.sequence(place)))

    def score(self, wanted: Iterable[str]) -> Floats:
        """BM25 of each place."""
        scores = np.zeros(self.size, np.float32)
        lengths = np.frombuffer(self._lengths.tobytes(), np.uint16)
        mean = max(1.0, len(self._sequence) / max(1, self.size))
        for term in wanted:
            places, counts = self.where(term)
            if len(places):
                damped = K1 * (1 - B + B * lengths[places] / np.float32(mean))
                scores[places] += np.float32(self.weight(term) * (K1 + 1)) * counts / (counts + damped)
        return scores

    def bytes(self) -> int:
        """Bytes it takes, about: 300 a term for two arrays, a word and two entries of dictionaries."""
        held = sum(5 * len(places) for places, _ in self._lists.values())
        return held + 300 * len(self._lists) + 4 * len(self._sequence) + 6 * self.size
