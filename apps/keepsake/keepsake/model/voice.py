"""How the person puts things: counts of runs of characters, in what the person said and in what was said to them.

A prediction of the next character from the five before it, each order leaning on the shorter one (interpolation with Dirichlet
priors: MacKay and Peto, 1995, "A hierarchical Dirichlet language model").  It says how much a wording sounds like the person; it
writes nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from keepsake.model.pack import pack, unpack
from keepsake.record import Memory

__all__ = ["Voice"]

#: characters that a prediction looks back on, plus the predicted one
ORDERS: Final = 6
#: a run is counted in one of so many places for each order; few runs share one
PLACES: Final = 2**17
#: how much a shorter run counts against a longer one, in sightings
LEAN: Final = 8.0
#: characters of one passage that are counted
PASSAGE_LIMIT: Final = 2_000
#: bytes are predicted: 256 of them
ALPHABET: Final = 256
#: fewer counted characters of the person's own are no voice
LEAST_CHARACTERS: Final = 2_000

Counts: TypeAlias = npt.NDArray[np.uint32]
Places: TypeAlias = npt.NDArray[np.int64]

#: odd constants that spread runs over the places (Knuth, The Art of Computer Programming 6.4: multiplicative hashing)
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)


def _places(padded: npt.NDArray[np.uint8]) -> list[Places]:
    """For each order from 1, the place of the run that ends at each byte; the first ones lack what precedes them."""
    bytes_ = padded.astype(np.uint64)
    mixed = np.zeros(len(bytes_), np.uint64)
    found = []
    for order in range(1, ORDERS + 1):
        before = bytes_.copy() if order == 1 else np.concatenate([np.zeros(order - 1, np.uint64), bytes_[: 1 - order]])
        mixed = (mixed ^ (before + np.uint64(order << 9))) * _SPREAD
        mixed ^= mixed >> np.uint64(29)
        found.append((mixed % np.uint64(PLACES)).astype(np.int64))
    return found


def _padded(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Bytes of texts, each between line feeds so that none leans on the one before it, and which of them count."""
    pieces, counts = [], []
    lead = b"\n" * (ORDERS - 1)
    for text in texts:
        piece = (text[:PASSAGE_LIMIT] + "\n").encode("utf-8", "replace")
        pieces.append(lead + piece)
        counts.append(np.repeat([False, True], [len(lead), len(piece)]))
    return np.frombuffer(b"".join(pieces), np.uint8), np.concatenate(counts)


class _Counts:
    """Sightings of runs, for each order."""

    def __init__(self, runs: Counts | None = None) -> None:
        self.runs = np.zeros((ORDERS, PLACES), np.uint32) if runs is None else runs

    def add(self, texts: Sequence[str]) -> int:
        """Count texts; gives how many characters that were."""
        if not texts:
            return 0
        padded, counts = _padded(texts)
        for order, places in enumerate(_places(padded)):
            self.runs[order] += np.bincount(places[counts], minlength=PLACES).astype(np.uint32)
        return int(counts.sum())

    def bits(self, text: str) -> float:
        """Bits that each byte of a text takes, on average."""
        padded, counts = _padded([text])
        places = _places(padded)
        at = np.flatnonzero(counts)
        chance = np.full(len(at), 1.0 / ALPHABET)
        for order in range(ORDERS):
            runs = self.runs[order][places[order][at]]
            # How often what precedes the byte was seen: the shorter run that ended one byte before.
            stems = self.runs[order - 1][places[order - 1][at - 1]] if order else self.runs[0].sum()
            chance = (np.minimum(runs, stems) + LEAN * chance) / (stems + LEAN)
        return float(-np.log2(chance).mean())


class Voice:
    """The voice of one person.

    :ivar built_to: the sequence of the last message that was counted.
    :ivar last: the name of the last wording that was counted (`keepsake.model.feedback.Worded`).
    :ivar characters: counted ones of the person's own.
    """

    def __init__(self) -> None:
        self.built_to = 0
        self.last = ""
        self.characters = 0
        self._own = _Counts()
        self._others = _Counts()

    @property
    def is_known(self) -> bool:
        """Whether enough was counted to tell the person from others."""
        return self.characters >= LEAST_CHARACTERS

    def count(self, memories: Iterable[Memory]) -> None:
        """Take in memories, in the order of their sequence; those that were counted already are passed over.

        Web pages are nobody's voice.
        """
        own: list[str] = []
        others: list[str] = []
        start = self.built_to
        for memory in memories:
            if memory.seq <= start:
                continue
            self.built_to = max(self.built_to, memory.seq)
            if memory.kind != "web":
                (others if memory.speaker else own).append(memory.text)
        self.characters += self._own.add(own)
        self._others.add(others)

    def hear(self, wordings: Iterable[tuple[str, str]]) -> None:
        """Take in what the person sent for what was suggested: names of feedback, in order, and texts.

        Those that were counted already are passed over.
        """
        new = [(name, text) for name, text in wordings if name > self.last]
        if new:
            self.characters += self._own.add([text for _, text in new])
            self.last = new[-1][0]

    def bits(self, text: str) -> float:
        """Bits that a character of a text takes, by what the person said; fewer: it is more like the person."""
        return self._own.bits(text)

    def bits_of_others(self, text: str) -> float:
        """The same by what others said to the person."""
        return self._others.bits(text)

    def likeness(self, text: str) -> float:
        """Bits a character by which a text is more like the person than like those who talk to them; 0 where no voice is known."""
        if not self.is_known:
            return 0.0
        return self.bits_of_others(text) - self.bits(text)

    def rank(self, wordings: Sequence[str]) -> list[int]:
        """Places of wordings, the one most like the person first; in their order where no voice is known."""
        if not self.is_known:
            return list(range(len(wordings)))
        return sorted(range(len(wordings)), key=lambda place: (self.bits(wordings[place]), place))

    def pack(self) -> bytes:
        """As bytes."""
        return pack(
            {"built_to": self.built_to, "last": self.last, "characters": self.characters},
            own=self._own.runs,
            others=self._others.runs,
        )

    @classmethod
    def unpack(cls, data: bytes) -> Voice:
        """What `pack` made."""
        rest, arrays = unpack(data, "a voice")
        voice = cls()
        voice.built_to, voice.last, voice.characters = rest["built_to"], rest["last"], rest["characters"]
        voice._own = _Counts(arrays["own"])
        voice._others = _Counts(arrays["others"])
        return voice
