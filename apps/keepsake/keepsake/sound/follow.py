"""Follows a stream of samples with a recogniser of utterances: the same for what is said now and for what was recorded.

`Recording` is the plain form: samples in, finals out.  `follow` is for live streams: it takes samples while an utterance is being
recognised, tells partials where there is time for them, and begins to recognise an utterance in the short silence that may be its
end, so that the final is often ready when the silence has lasted long enough.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import numpy as np

from keepsake.sound.contract import RATE, Heard, Word
from keepsake.sound.cut import Cutter, Piece
from keepsake.sound.mel import Samples
from keepsake.sound.utterance import Hearer, Utterance
from keepsake.sound.voice import Follower

__all__ = ["Recording", "follow"]

#: bytes that wait for the recogniser, 60 s; beyond them chunks are not asked for
_MAX_WAITING: Final = 60 * RATE * 2
#: bytes that go through voice activity at a time, 0.25 s: so long the event loop waits, about 2 ms
_SLICE: Final = RATE // 4 * 2
#: a partial comes after this many times as long as the one before took: recognising them takes a third of the time at most
_REST: Final = 2.0
#: samples of an utterance at most for which a partial still is told, 15 s: with a longer utterance they would cost too much
_LONGEST_PARTIAL: Final = 15 * RATE


class Recording:
    """Samples in, finals out.

    :param start: where the first sample lies in its stream, in seconds.
    """

    def __init__(self, hearer: Hearer, follower: Follower, *, names: Sequence[str] = (), start: float = 0.0) -> None:
        self._hearer = hearer
        self._names = tuple(names)
        self._cutter = Cutter(follower, round(start * RATE))
        self._half = b""  # of a sample
        self.language = ""

    def feed(self, chunk: bytes) -> list[Heard]:
        """Take samples; gives what is final.  Blocks while it is recognised."""
        found = []
        for start in range(0, len(chunk), _SLICE):
            found += [self.final(piece) for piece in self.cut(chunk[start : start + _SLICE])]
        return found

    def end(self) -> list[Heard]:
        """The recording is over."""
        return [self.final(piece) for piece in self._cutter.end()]

    def cut(self, chunk: bytes) -> list[Piece]:
        """Take samples; gives what can be recognised."""
        chunk = self._half + chunk
        whole = len(chunk) // 2 * 2
        self._half = chunk[whole:]
        return self._cutter.feed(np.frombuffer(chunk[:whole], "<i2").astype(np.float32) / 32768.0)

    @property
    def cutter(self) -> Cutter:
        """Where the utterance that goes on is."""
        return self._cutter

    def hear(self, samples: Samples, *, is_quick: bool = False) -> Utterance:
        """Recognise an utterance with what is known of the stream.  Blocks."""
        return self._hearer.hear(samples, names=self._names, language=self.language, is_quick=is_quick)

    def final(self, piece: Piece, utterance: Utterance | None = None) -> Heard:
        """The final for a piece.  Blocks, unless the utterance is known."""
        if piece.samples is None:
            return Heard("", piece.start / RATE, piece.end / RATE, is_final=True)
        utterance = utterance or self.hear(piece.samples)
        self.language = utterance.language or self.language
        return heard(piece, utterance, is_final=True)


def heard(piece: Piece, utterance: Utterance, *, is_final: bool) -> Heard:
    """An utterance at its place in the stream."""
    begin = round(piece.begin / RATE, 2)
    words = tuple(
        Word(word.text, round(begin + word.start, 2), round(begin + word.end, 2), word.sureness)
        for word in utterance.words
    )
    return Heard(utterance.text, begin, piece.end / RATE, is_final, words, utterance.language)


async def follow(
    hearer: Hearer,
    follower: Follower,
    chunks: AsyncIterator[bytes],
    *,
    names: Sequence[str] = (),
    start: float = 0.0,
    partial_s: float = 1.0,
) -> AsyncIterator[Heard]:
    """Partials and finals of a live stream.

    :param partial_s: seconds of new speech after which a partial is told; 0: none, which takes half the processor time.
    :param chunks: of samples; what they raise is raised here, after what they gave before.
    """
    recording = Recording(hearer, follower, names=names, start=start)
    waiting = _Waiting(chunks)
    live = _Live(recording, partial_s)
    with ThreadPoolExecutor(1, "recogniser") as thread:
        loop = asyncio.get_running_loop()
        try:
            async for chunk in waiting:
                for piece in recording.cut(chunk):
                    yield await loop.run_in_executor(thread, live.final, piece)
                if not waiting.is_behind and (part := live.wanted()):
                    yield await loop.run_in_executor(thread, live.partial, part)
            for piece in recording.cutter.end():
                yield await loop.run_in_executor(thread, live.final, piece)
        finally:
            await waiting.stop()


class _Live:
    """What was already recognised of the utterance that goes on."""

    def __init__(self, recording: Recording, partial_s: float) -> None:
        self._recording = recording
        self._each = round(partial_s * RATE)
        self._next = 0  # samples up to which no partial is told
        self._early: tuple[int, int, Utterance] | None = None  # begin, end of an utterance that is perhaps over

    def wanted(self) -> Piece | None:
        """A piece that is worth a partial now."""
        if not self._each:
            return None
        if breath := self._recording.cutter.breath:
            is_known = self._early is not None and self._early[:2] == (breath.begin, breath.end)
            return None if is_known else breath
        piece = self._recording.cutter.speaking
        if piece is None or piece.end < max(self._next, piece.begin + self._each):
            return None
        return piece if piece.end - piece.begin <= _LONGEST_PARTIAL else None

    def partial(self, piece: Piece) -> Heard:
        """Recognise it; with all care where it may be the final."""
        assert piece.samples is not None
        is_breath = self._recording.cutter.breath is not None
        begun = time.monotonic()
        utterance = self._recording.hear(piece.samples, is_quick=not is_breath)
        took = time.monotonic() - begun
        self._next = piece.end + max(self._each, round(took * (1 + _REST) * RATE))
        if is_breath:
            self._early = (piece.begin, piece.end, utterance)
        return heard(piece, utterance, is_final=False)

    def final(self, piece: Piece) -> Heard:
        """The final; nothing is left to do where it was recognised early."""
        early, self._early = self._early, None
        if early and early[:2] == (piece.begin, piece.end):
            return self._recording.final(piece, early[2])
        return self._recording.final(piece)


class _Waiting:
    """Takes chunks as they come, keeps a bounded number of them, and gives them in slices."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._changed = asyncio.Condition()
        self._is_over = False
        self._error: Exception | None = None
        self._task = asyncio.create_task(self._take())

    @property
    def is_behind(self) -> bool:
        """More than half a second waits: there is no time for partials."""
        return self._size > RATE

    async def _take(self) -> None:
        try:
            async for chunk in self._chunks:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._size < _MAX_WAITING)
                    self._kept.extend(chunk[start : start + _SLICE] for start in range(0, len(chunk), _SLICE))
                    self._size += len(chunk)
                    self._changed.notify_all()
        except Exception as error:  # it is raised where the stream is followed
            self._error = error
        async with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._give()

    async def _give(self) -> AsyncIterator[bytes]:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._kept) or self._is_over)
                if not self._kept:
                    break
                chunk = self._kept.popleft()
                self._size -= len(chunk)
                self._changed.notify_all()
            yield chunk
        if self._error:
            raise self._error

    async def stop(self) -> None:
        """Take no more, and let the stream know."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if isinstance(self._chunks, AsyncGenerator):
            await self._chunks.aclose()
