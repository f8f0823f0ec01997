"""Frames of a peer, however they are cut into reads: plain messages are taken, all else goes on to picows, in order."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natant.server.inlet import READ_BYTES, Inlet
from natant.server.mask import unmask

MASK = b"\x01\xf2\x33\xc4"
TEXT, BINARY, PING, CLOSE, PIECE, LAST = 0x81, 0x82, 0x89, 0x88, 0x01, 0x80


def frame(kind: int, payload: bytes, mask: bytes = MASK, width: int = 0) -> bytes:
    """A frame of a client; ``width`` is how many bytes tell its length, 0 for as few as will do."""
    size = len(payload)
    flag = 0x80 if mask else 0
    if width == 8 or size >= 65536:
        head = bytes((kind, flag | 127)) + size.to_bytes(8, "big")
    elif width == 2 or size >= 126:
        head = bytes((kind, flag | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((kind, flag | size))
    return head + mask + bytes(byte ^ mask[at % 4] if mask else byte for at, byte in enumerate(payload))


class Transport:
    is_close_frame_sent = False


class Other:
    """Peer, wire and picows in one."""

    is_ended = False

    def __init__(self, largest: int = 1 << 20, fails_at: bytes | None = None) -> None:
        self.transport = Transport()
        self.got: list[str] = []
        self.passed = b""
        self._fails_at = fails_at
        self.inlet = Inlet(self, self, largest)  # type: ignore[arg-type]

    def take(self, text: str) -> None:
        self.got.append(text)

    def refuse_bytes(self) -> None:
        self.got.append("not UTF-8")

    def pass_on(self, data: memoryview) -> None:
        self.passed += bytes(data)
        self.got.append("...")
        if self._fails_at is not None and self._fails_at in self.passed:
            self.transport.is_close_frame_sent = True

    def feed(self, data: bytes, sizes: list[int]) -> None:
        """Let ``data`` come in reads of these sizes, again and again."""
        at = turn = 0
        while at < len(data):
            size = min(sizes[turn % len(sizes)], len(data) - at)
            turn += 1
            if self.inlet.owed:
                size = min(size, self.inlet.owed)
                self.inlet.owed -= size
                self.passed += data[at : at + size]
            else:
                room = self.inlet.room()
                size = min(size, len(room))
                assert size > 0
                room[:size] = data[at : at + size]
                self.inlet.take(size)
            at += size


KINDS = st.sampled_from([TEXT, TEXT, BINARY, PING, PIECE, LAST, CLOSE, 0xC1])
SIZES = st.one_of(
    st.integers(0, 300), st.sampled_from([125, 126, 127, 2000, READ_BYTES - 14, READ_BYTES - 13, READ_BYTES, 70_000])
)
FRAMES = st.lists(
    st.tuples(KINDS, SIZES, st.sampled_from([MASK, MASK, b"\0\0\0\0", b""]), st.sampled_from([0, 2, 8])), max_size=8
)


@given(FRAMES, st.lists(st.integers(1, 20_000), min_size=1, max_size=4), st.sampled_from([100, 1 << 20]))
@settings(max_examples=150, deadline=None)
def test_nothing_is_lost_however_reads_cut_it(
    frames: list[tuple[int, int, bytes, int]], sizes: list[int], largest: int
) -> None:
    other = Other(largest)
    texts: list[str] = []
    passed = data = b""
    for number, (kind, size, mask, width) in enumerate(frames):
        text = (f"{number}é" * size)[:size].encode()[:size].decode("utf-8", "ignore")
        made = frame(kind, text.encode(), mask, width)
        data += made
        if kind in (TEXT, BINARY) and mask and len(text.encode()) <= min(largest, READ_BYTES - 14):
            texts.append(text)
        else:
            passed += made
    other.feed(data, sizes)
    assert [text for text in other.got if text != "..."] == texts
    assert other.passed == passed
    assert other.inlet.owed == 0


def test_messages_and_other_frames_keep_their_order() -> None:
    other = Other()
    other.feed(frame(TEXT, b"a") + frame(PING, b"x") + frame(TEXT, b"b") + frame(TEXT, b"c"), [10_000])
    assert other.got == ["a", "...", "b", "c"]


def test_what_is_not_utf8_is_refused_and_the_rest_is_read() -> None:
    other = Other()
    other.feed(frame(TEXT, b"\xff") + frame(TEXT, b"b"), [10_000])
    assert other.got == ["not UTF-8", "b"]


def test_nothing_is_taken_behind_a_frame_that_ended_the_connection() -> None:
    bad = frame(TEXT, b"unmasked", b"")
    other = Other(fails_at=bad)
    other.feed(frame(TEXT, b"a") + bad + frame(TEXT, b"b"), [10_000])
    assert other.got == ["a", "..."]


@pytest.mark.parametrize("length", [2**63 - 1, 2**63, 2**64 - 1])
def test_a_length_beyond_all_bounds_goes_to_picows(length: int) -> None:
    other = Other()
    head = bytes((TEXT, 0xFF)) + length.to_bytes(8, "big") + MASK
    other.feed(head + b"x" * 100, [10_000])
    assert other.passed == head + b"x" * 100
    assert other.inlet.owed > 0


@given(st.text(max_size=200), st.binary(min_size=4, max_size=4))
def test_a_mask_is_taken_off(text: str, mask: bytes) -> None:
    data = bytearray(frame(TEXT, text.encode(), mask))
    size = len(text.encode())
    assert unmask(data, len(data) - size, size) == text


def test_an_inlet_that_is_released_holds_nobody() -> None:
    other: Any = Other()
    found = weakref.ref(other)
    other.inlet.release()
    gc.disable()
    try:
        del other
        assert found() is None
    finally:
        gc.enable()
