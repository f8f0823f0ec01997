"""Snapshots: what was packed is unpacked, and whatever else was done to it is seen."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natant.errors import FabricError
from natant.fabric.nats import snapshot
from natant.fabric.nats.record import Position, digest
from natant.fabric.nats.snapshot import Head, pack_pieces, unpack_pieces

POSITION = Position(b"i" * 16, 7, b"l" * 16, 12, 3)
PLACE = "the snapshot of a test"

states = st.dictionaries(st.binary(max_size=20), st.binary(max_size=100), max_size=20)


def packed(values: dict[bytes, bytes], piece_bytes: int = 50) -> tuple[Head, list[bytes]]:
    pieces = pack_pieces(values, piece_bytes)
    return Head(POSITION, len(values), 5, tuple(map(digest, pieces))), pieces


@settings(deadline=None)
@given(states, st.integers(1, 300))
def test_what_was_packed_is_unpacked_in_order(values: dict[bytes, bytes], piece_bytes: int) -> None:
    head, pieces = packed(values, piece_bytes)
    found = unpack_pieces(Head.unpack(head.pack(), PLACE), pieces, PLACE)

    assert list(found.items()) == sorted(values.items())


def test_many_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "SECTION_BYTES", 100)
    values = {b"%05d" % number: b"v" * (number % 50) for number in range(500)}

    assert unpack_pieces(*packed(values), PLACE) == values


@settings(deadline=None)
@given(states.filter(len), st.data())
def test_damage_to_a_piece_is_seen(values: dict[bytes, bytes], data: st.DataObject) -> None:
    head, pieces = packed(values)
    index = data.draw(st.integers(0, len(pieces) - 1))
    match data.draw(st.sampled_from(["bit", "cut", "gone"])):
        case "bit":
            changed = bytearray(pieces[index])
            changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
            pieces[index] = bytes(changed)
        case "cut":
            pieces[index] = pieces[index][:-1]
        case _:
            del pieces[index]

    with pytest.raises(FabricError, match=f"NT-FABRIC-103.*{PLACE}"):
        unpack_pieces(head, pieces, PLACE)


@settings(deadline=None)
@given(st.data())
def test_damage_to_the_head_is_seen(data: st.DataObject) -> None:
    message = bytearray(packed({b"key": b"value"})[0].pack())
    message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = message[: data.draw(st.integers(0, len(message) - 1))]

    for damaged in (message, cut):
        with pytest.raises(FabricError, match=r"NT-FABRIC-10[38]"):
            Head.unpack(bytes(damaged), PLACE)


def test_a_newer_format_is_not_guessed() -> None:
    message = packed({})[0].pack()

    with pytest.raises(FabricError, match="NT-FABRIC-108"):
        Head.unpack(b"ntH\x02" + message[4:], PLACE)


def test_a_wrong_count_is_seen() -> None:
    head, pieces = packed({b"key": b"value"})

    with pytest.raises(FabricError, match="holds 1 records, expected 2"):
        unpack_pieces(head._replace(records=2), pieces, PLACE)
