"""Following a stream: finals cover it in order, partials never stand in their way, errors arrive after what was heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from keepsake.sound.contract import RATE, Heard, Word
from keepsake.sound.follow import Recording, follow
from keepsake.sound.mel import Samples
from keepsake.sound.utterance import Utterance
from keepsake.sound.voice import FRAME


class Loudness:
    """Speech is what is loud."""

    def __init__(self) -> None:
        self.rest = np.empty(0, np.float32)
        self.fed = 0

    def feed(self, samples: Samples) -> Samples:
        self.fed += len(samples) * 2
        samples = np.concatenate([self.rest, samples])
        count = len(samples) // FRAME
        self.rest = samples[count * FRAME :]
        found: Samples = np.abs(samples[: count * FRAME]).reshape(-1, FRAME).max(axis=1) * 2
        return found


class Counter:
    """Hears how long an utterance is."""

    model = "counter"

    def __init__(self) -> None:
        self.heard: list[tuple[int, bool, tuple[str, ...]]] = []

    def hear(
        self, samples: Samples, *, names: Sequence[str] = (), language: str = "", is_quick: bool = False
    ) -> Utterance:
        self.heard.append((len(samples), is_quick, tuple(names)))
        words = () if is_quick else (Word("spoken", 0.1, 0.2),)
        return Utterance(f"{len(samples) // FRAME} frames", words, "en")


def pcm(*runs: tuple[float, float]) -> bytes:
    """Sound of a loudness for some seconds, one after another."""
    return b"".join(np.full(int(seconds * RATE), loud * 32767, "<i2").tobytes() for loud, seconds in runs)


SPEECH = pcm((0, 1.0), (0.9, 2.5), (0, 1.0), (0.9, 1.5), (0, 1.0))


async def chunked(content: bytes, size: int, follower: Loudness) -> AsyncIterator[bytes]:
    """Like a microphone with a patient listener: a chunk comes when the one before was taken."""
    for start in range(0, len(content), size):
        yield content[start : start + size]
        while follower.fed < start:
            await asyncio.sleep(0)


def listen(content: bytes, size: int, hearer: Counter, **options: float) -> list[Heard]:
    async def run() -> list[Heard]:
        follower = Loudness()
        chunks = chunked(content, size, follower)
        return [heard async for heard in follow(hearer, follower, chunks, names=["Ana"], **options)]

    return asyncio.run(run())


@pytest.mark.parametrize("size", [333, 3200, 64_000, len(SPEECH)])
def test_finals_are_those_of_the_recording_whatever_the_chunks(size: int) -> None:
    finals = [heard for heard in listen(SPEECH, size, Counter()) if heard.is_final]
    recording = Recording(Counter(), Loudness())

    assert finals == [*recording.feed(SPEECH), *recording.end()]
    assert [heard.text for heard in finals if heard.text] == ["95 frames", "64 frames"]
    assert finals[-1].end == len(SPEECH) / 2 / RATE


def test_times_are_from_the_streams_beginning() -> None:
    first, *_ = (heard for heard in listen(SPEECH, 3200, Counter(), start=100.0) if heard.is_final)

    assert first.start == pytest.approx(100.74, abs=0.05)
    assert first.words[0].start == pytest.approx(first.start + 0.1, abs=0.01)


def test_partials_come_while_somebody_speaks_and_the_early_one_is_the_final() -> None:
    hearer = Counter()

    heard = listen(SPEECH, 3200, hearer)

    texts = [(piece.is_final, piece.text) for piece in heard]
    assert (False, "95 frames") in texts
    assert texts.index((False, "95 frames")) < texts.index((True, "95 frames"))
    careful = [length for length, is_quick, _ in hearer.heard if not is_quick]
    assert careful == [95 * FRAME, 64 * FRAME]
    assert all(names == ("Ana",) for *_, names in hearer.heard)


def test_no_partials_where_none_are_wanted() -> None:
    assert all(heard.is_final for heard in listen(SPEECH, 3200, Counter(), partial_s=0))


def test_an_error_of_the_stream_arrives_after_what_was_heard_before() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield SPEECH
        raise ConnectionError("the device is gone")

    async def run() -> list[Heard]:
        found = []
        pieces = follow(Counter(), Loudness(), broken())
        try:
            async for piece in pieces:
                found.append(piece)
        except ConnectionError as error:
            found.append(Heard(str(error), 0, 0, is_final=True))
        return found

    assert [heard.text for heard in asyncio.run(run()) if heard.is_final and heard.text] == [
        "95 frames",
        "64 frames",
        "the device is gone",
    ]


def test_who_stops_listening_stops_the_stream() -> None:
    taken = 0
    is_closed = False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken, is_closed
        try:
            while True:
                taken += 1
                yield SPEECH
                await asyncio.sleep(0)
        finally:
            is_closed = True

    async def run() -> None:
        pieces = follow(Counter(), Loudness(), endless())
        async for _ in pieces:
            break
        await pieces.aclose()  # type: ignore[attr-defined]

    asyncio.run(run())

    assert is_closed
    assert taken < 30  # what waits is bounded


def test_half_a_sample_waits_for_its_other_half() -> None:
    recording = Recording(Counter(), Loudness())
    recording.feed(SPEECH[:1001])
    recording.feed(SPEECH[1001:])

    assert recording.end()[-1].end == len(SPEECH) / 2 / RATE
