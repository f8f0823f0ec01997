"""Cuts a stream into utterances and silences, from how likely it is in each frame that somebody speaks.

`Cutter` keeps no more than one utterance of samples.  It knows nothing of recognisers, threads or clocks: samples in, pieces out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from keepsake.sound.mel import Samples
from keepsake.sound.voice import FRAME, Follower

__all__ = ["Cutter", "Piece"]

#: likelihoods at which speech begins and, lower, at which it goes on
_BEGIN: Final = 0.5
_GO_ON: Final = 0.35
#: frames of silence that end an utterance: 0.54 s
_PAUSE: Final = 17
#: frames of speech that make an utterance: what is shorter is a click or a cough, 0.13 s
_SHORTEST: Final = 4
#: frames kept around speech, 0.26 s; as many are silent when an utterance may be over
_MARGIN: Final = 8
#: frames of an utterance at most, 20 s; it is cut where speech was least likely within the last 5 s of that
_LONGEST: Final = 625
_SEARCH: Final = 156
#: frames after which silence is told, so that what is over can be let go: 5 s
_SILENCE: Final = 156


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a stream; pieces follow each other without a gap.

    :ivar start: the number in the stream of the first sample that it covers.
    :ivar end: of the first one that it does not.
    :ivar samples: of an utterance, from ``begin`` on; None of a silence.
    """

    start: int
    end: int
    samples: Samples | None = None
    begin: int = 0


class Cutter:
    """Follows one stream.

    :param first: the number of the first sample to come.
    """

    def __init__(self, follower: Follower, first: int = 0) -> None:
        self._follower = follower
        self._kept = np.empty(0, np.float32)  # samples from `_first` on
        self._first = first
        self._likely: list[float] = []  # of the frames from `_first` on
        self._begun: int | None = None  # the frame in which speech began
        self._spoken = 0  # frames of speech since
        self._last = 0  # the last frame of speech

    @property
    def speaking(self) -> Piece | None:
        """The utterance that goes on, as far as it is known."""
        if self._begun is None or self._spoken < _SHORTEST:
            return None
        return self._from_speech(len(self._kept))

    @property
    def breath(self) -> Piece | None:
        """The same, where a short silence has come that may be its end: what `feed` gives if the silence lasts."""
        silent = len(self._likely) - 1 - self._last
        if self._begun is None or self._spoken < _SHORTEST or silent < _MARGIN:
            return None
        return self._utterance()

    def feed(self, samples: Samples) -> list[Piece]:
        """Take samples; gives what is over."""
        likely = self._follower.feed(samples)
        self._kept = np.concatenate([self._kept, samples])
        found = []
        for value in likely:
            if piece := self._take(float(value)):
                found.append(piece)
        return found

    def end(self) -> list[Piece]:
        """The stream is over: what is left of it."""
        found = []
        if self._begun is not None and self._spoken >= _SHORTEST:
            found.append(self._release(self._utterance()))
        if len(self._kept):
            found.append(self._release(Piece(self._first, self._first + len(self._kept))))
        return found

    def _take(self, likely: float) -> Piece | None:
        self._likely.append(likely)
        now = len(self._likely) - 1
        if self._begun is None:
            if likely >= _BEGIN:
                self._begun, self._spoken, self._last = now, 1, now
            elif now >= _SILENCE:
                return self._release(self._silence(now - _MARGIN))
            return None
        if likely >= _GO_ON:
            self._spoken, self._last = self._spoken + 1, now
        if now - self._last >= _PAUSE:
            if self._spoken >= _SHORTEST:
                return self._release(self._utterance())
            self._begun = None
        elif now >= _LONGEST:
            return self._cut()
        return None

    def _silence(self, frames: int) -> Piece:
        return Piece(self._first, self._first + frames * FRAME)

    def _utterance(self) -> Piece:
        return self._from_speech(min((self._last + 1 + _MARGIN) * FRAME, len(self._kept)))

    def _from_speech(self, end: int) -> Piece:
        """Speech with a little of the silence before it, up to a sample of what is kept."""
        begin = max(0, ((self._begun or 0) - _MARGIN) * FRAME)
        return Piece(self._first, self._first + end, self._kept[begin:end], self._first + begin)

    def _cut(self) -> Piece:
        """Speech that does not end is cut where it is least likely to hurt."""
        first = len(self._likely) - _SEARCH
        frame = first + int(np.argmin(self._likely[first:]))
        piece = self._release(self._from_speech((frame + 1) * FRAME))
        self._begun, self._spoken = 0, sum(value >= _GO_ON for value in self._likely)
        self._last = max((at for at, value in enumerate(self._likely) if value >= _GO_ON), default=0)
        return piece

    def _release(self, piece: Piece) -> Piece:
        """Let go of all up to the piece's end, which lies at a frame's end (or is the stream's)."""
        count = piece.end - self._first
        self._kept = self._kept[count:].copy()
        self._likely = self._likely[count // FRAME :]
        self._first = piece.end
        self._begun, self._spoken, self._last = None, 0, 0
        return piece
