"""Recon order: what take and drop go by."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.codec.recon import Absent, Attr, Extant, Record, Slot, UInt32, compare, sort_key
from natant.errors import CodecError
from tests.unit.codec.strategy import values

#: One of each type and the cases within a type, in order.
ORDER = [
    Record(),
    Record([Attr("k", 1)]),
    Record([Attr("k", 2)]),
    Record([Slot("k", 1)]),
    Record([1]),
    Record([1, 2]),
    b"",
    b"\0",
    b"\1",
    "",
    "B",
    "a",
    "b c",
    "é",
    "\U0001f600",  # its first UTF-16 unit is U+D83D
    "\ufffd",
    -(2**70),
    -1.5,
    0,
    UInt32(1),
    1.5,
    2**70,
    True,
    False,
    Extant,
    Absent,
]


def test_order() -> None:
    assert sorted(ORDER[5:] + ORDER[:5], key=sort_key) == ORDER
    for at, value in enumerate(ORDER):
        assert [compare(value, other) for other in ORDER] == [1] * at + [0] + [-1] * (len(ORDER) - at - 1)


def test_the_order_a_live_server_synced_in() -> None:
    keys = [Record([Attr("k", 1)]), Record([Slot("k", 1)]), "a", "b c", "e", 1, 1.5, True, Extant]
    assert sorted(keys[5:] + keys[:5], key=sort_key) == keys


@given(values, values, values)
def test_the_order_is_one(a: Any, b: Any, c: Any) -> None:
    assert compare(a, b) == -compare(b, a)
    assert compare(a, a) == 0
    if compare(a, b) <= 0 and compare(b, c) <= 0:
        assert compare(a, c) <= 0


@given(st.text(), st.text())
def test_text_goes_by_utf_16_unit(a: str, b: str) -> None:
    one, other = a.encode("utf-16-be"), b.encode("utf-16-be")
    assert compare(a, b) == (one > other) - (one < other)


def test_plain_python_has_its_place() -> None:
    assert compare({"a": 1}, Record([Slot("a", 1)])) == 0
    assert compare([1, None], Record([1, Extant])) == 0
    assert compare(bytearray(b"a"), b"a") == 0


@pytest.mark.parametrize("value", [math.nan, object(), [math.nan]])
def test_no_place(value: object) -> None:
    with pytest.raises(CodecError, match="NT-RECON-010"):
        sort_key(value)
