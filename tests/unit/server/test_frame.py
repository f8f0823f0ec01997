"""Frames as the server writes them, read back by an independent parser."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from natant.server.frame import CLOSE_REASON_BYTES, close_reason, join


def parsed(data: bytes) -> list[bytes]:
    reader = StreamReader()
    reader.feed_data(data)
    found: list[bytes] = []
    while reader.buffer:
        steps = Frame.parse(reader.read_exact, mask=False)
        try:
            next(steps)
        except StopIteration as done:
            frame: Frame = done.value
        assert frame.fin
        assert frame.opcode is Opcode.TEXT
        found.append(bytes(frame.data))
    return found


@given(st.lists(st.binary(max_size=300)))
def test_messages_come_back(payloads: list[bytes]) -> None:
    assert parsed(join(payloads)) == payloads


def test_sizes_at_the_edges() -> None:
    payloads = [b"x" * size for size in (0, 1, 125, 126, 127, 65535, 65536, 70000)]
    assert parsed(join(payloads)) == payloads


@given(st.text())
def test_a_reason_fits_and_is_text(text: str) -> None:
    reason = close_reason(text).encode()
    assert len(reason) <= CLOSE_REASON_BYTES
    if len(text.encode("utf-8", "replace")) <= CLOSE_REASON_BYTES:
        assert reason == text.encode("utf-8", "replace")
