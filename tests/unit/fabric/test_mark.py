"""Marks: what was noted is read, anything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natant.errors import FabricError
from natant.fabric.nats.mark import pack_mark, unpack_mark
from natant.fabric.nats.record import Position

numbers = st.integers(0, 2**64 - 1)
sixteen = st.binary(min_size=16, max_size=16)


@settings(deadline=None)
@given(st.builds(Position, sixteen, numbers, sixteen, numbers, numbers))
def test_what_was_noted_is_read(position: Position) -> None:
    assert unpack_mark(pack_mark(position), "the mark") == position


@settings(deadline=None)
@given(st.data())
def test_damage_is_seen(data: st.DataObject) -> None:
    whole = pack_mark(Position(b"i" * 16, 1, b"l" * 16, 2, 3))
    message = bytearray(whole)
    message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    for damaged in (bytes(message), whole[: data.draw(st.integers(0, len(whole) - 1))]):
        with pytest.raises(FabricError, match=r"NT-FABRIC-10[38]"):
            unpack_mark(damaged, "the mark")


def test_a_newer_format_is_not_guessed() -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-108"):
        unpack_mark(b"ntM\x02" + bytes(100), "the mark")
