"""Streams are cut into utterances and silences that leave nothing out, whatever the sizes of the chunks."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keepsake.sound.cut import Cutter, Piece
from keepsake.sound.mel import Samples
from keepsake.sound.voice import FRAME


class Loudness:
    """Takes a frame's first sample for the likelihood that it is speech."""

    def __init__(self) -> None:
        self.rest = np.empty(0, np.float32)

    def feed(self, samples: Samples) -> Samples:
        samples = np.concatenate([self.rest, samples])
        count = len(samples) // FRAME
        self.rest = samples[count * FRAME :]
        return samples[: count * FRAME : FRAME].copy()


def sound(*runs: tuple[float, int]) -> Samples:
    """Frames of one likelihood after another: (likelihood, count)."""
    return np.concatenate([np.full(count * FRAME, likely, np.float32) for likely, count in runs])


def cut(samples: Samples, sizes: list[int] | None = None) -> list[Piece]:
    cutter = Cutter(Loudness())
    found: list[Piece] = []
    place = 0
    for size in sizes or [len(samples)]:
        found += cutter.feed(samples[place : place + size])
        place += size
    return [*found, *cutter.feed(samples[place:]), *cutter.end()]


def shape(pieces: list[Piece]) -> list[tuple[int, int, int, int | None]]:
    return [
        (piece.start, piece.end, piece.begin, None if piece.samples is None else len(piece.samples)) for piece in pieces
    ]


def test_an_utterance_ends_in_a_pause_and_has_a_margin() -> None:
    first, rest = cut(sound((0, 50), (0.9, 40), (0, 30)))

    assert first.samples is not None
    assert (first.start, first.begin, first.end) == (0, 42 * FRAME, 98 * FRAME)
    assert len(first.samples) == 56 * FRAME
    assert (rest.start, rest.end, rest.samples) == (98 * FRAME, 120 * FRAME, None)


def test_a_breath_does_not_end_it() -> None:
    utterances = [piece for piece in cut(sound((0.9, 20), (0, 12), (0.9, 20), (0, 40))) if piece.samples is not None]

    assert len(utterances) == 1


def test_a_click_is_no_utterance() -> None:
    assert all(piece.samples is None for piece in cut(sound((0, 20), (0.9, 2), (0, 200))))


def test_silence_is_told_so_that_it_can_be_let_go() -> None:
    pieces = cut(sound((0, 1000)))

    assert len(pieces) > 5
    assert max(piece.end - piece.start for piece in pieces) <= 157 * FRAME


def test_endless_speech_is_cut_where_it_is_least_likely() -> None:
    pieces = cut(sound((0.9, 560), (0.4, 1), (0.9, 400), (0, 40)))

    first, second = (piece for piece in pieces if piece.samples is not None)
    assert first.end == second.start == 561 * FRAME


def test_what_is_perhaps_over_is_what_it_becomes_if_the_silence_lasts() -> None:
    cutter = Cutter(Loudness())
    assert not cutter.feed(sound((0, 10), (0.9, 30), (0, 8)))
    early = cutter.breath
    assert early is not None

    final, *_ = cutter.feed(sound((0, 12)))

    assert (early.begin, early.end) == (final.begin, final.end)
    assert early.samples is not None
    assert final.samples is not None
    assert np.array_equal(early.samples, final.samples)


@settings(max_examples=60, deadline=None)
@given(
    runs=st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.4, 0.6, 1.0]), st.integers(1, 300)), max_size=12),
    sizes=st.lists(st.integers(0, 9000), max_size=40),
    rest=st.integers(0, FRAME - 1),
)
def test_nothing_is_left_out_and_chunks_do_not_matter(
    runs: list[tuple[float, int]], sizes: list[int], rest: int
) -> None:
    samples = np.concatenate([sound(*runs), np.zeros(rest, np.float32)]) if runs else np.zeros(rest, np.float32)

    pieces = cut(samples, sizes)

    assert shape(pieces) == shape(cut(samples))
    places = [0, *(piece.end for piece in pieces)]
    assert [piece.start for piece in pieces] == places[:-1]
    assert places[-1] == len(samples)
    for piece in pieces:
        assert piece.start < piece.end
        if piece.samples is not None:
            assert np.array_equal(piece.samples, samples[piece.begin : piece.end])
            assert piece.end - piece.start <= 626 * FRAME
