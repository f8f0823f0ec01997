"""What a recogniser of speech promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["RATE", "Heard", "Recogniser", "Word"]

#: samples a second of all sound in here: mono, 16 bit, little endian
RATE = 16_000


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its times in seconds from the stream's beginning, and how sure it is, 0 to 1."""

    text: str
    start: float
    end: float
    sureness: float = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a piece of a stream.

    :ivar start: where the piece begins, seconds from the stream's beginning.
    :ivar end: where it ends.
    :ivar is_final: it will not change; what lies before ``end`` need not be kept for the recogniser any more.
    :ivar language: ISO 639-1.
    """

    text: str
    start: float
    end: float
    is_final: bool
    words: tuple[Word, ...] = ()
    language: str = ""


class Recogniser(Protocol):
    """Makes text of speech."""

    model: str

    def stream(
        self, chunks: AsyncIterator[bytes], *, names: Sequence[str] = (), start: float = 0.0
    ) -> AsyncIterator[Heard]:
        """Follow a stream of samples (`RATE`, mono, 16 bit), with partial and final pieces as they are known.

        Finals are in order and cover everything up to their end, silence included (an empty text).
        :param names: words of the person that are likely to be said.
        :param start: where the first chunk lies in its stream, in seconds.
        """
        ...

    def transcribe(self, samples: bytes, *, names: Sequence[str] = ()) -> list[Heard]:
        """A whole recording.  Blocks."""
        ...
