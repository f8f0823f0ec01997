"""Frames as the server writes them, read back by an independent parser."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from natant.codec.warp.frame import event_payload, event_payloads, frame
from natant.server.frame import CLOSE_REASON_BYTES, close_reason


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
    assert parsed(b"".join(map(frame, payloads))) == payloads


def test_sizes_at_the_edges() -> None:
    payloads = [b"x" * size for size in (0, 1, 125, 126, 127, 65535, 65536, 70000)]
    assert parsed(b"".join(map(frame, payloads))) == payloads


def test_an_event_is_framed_where_that_is_wanted() -> None:
    header = '@event(node:"/unit/1",lane:info)'
    bodies = ["1", "{a:ü}", "x" * 200]
    plain = event_payloads(header, bodies, False)
    assert plain[0] == header.encode() + b" 1"
    assert parsed(b"".join(event_payloads(header, bodies, True))) == plain
    assert event_payload(header, bodies[1], True) == frame(plain[1])


@given(st.text())
def test_a_reason_fits_and_is_text(text: str) -> None:
    reason = close_reason(text).encode()
    assert len(reason) <= CLOSE_REASON_BYTES
    if len(text.encode("utf-8", "replace")) <= CLOSE_REASON_BYTES:
        assert reason == text.encode("utf-8", "replace")
