"""Canonical JSON: the vectors of RFC 8785, and what has no canonical form."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake.custody import canon
from keepsake.errors import KeepsakeError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (-1.7976931348623157e308, "-1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (1e21, "1e+21"),
        (999999999999999700000.0, "999999999999999700000"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (4.50, "4.5"),
        (1e30, "1e+30"),
    ],
)
def test_numbers_are_written_as_ecmascript_does(value: float, text: str) -> None:
    assert canon.encode(value).decode() == text


def test_names_are_in_the_order_of_utf16() -> None:
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}

    assert list(json.loads(canon.encode(value))) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_text_is_escaped_no_more_than_it_must() -> None:
    assert canon.encode('\u20ac$\u000f\nA\'B"\\\\"/\x7f').decode() == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"'


@given(VALUES)
def test_it_reads_back_as_the_same_value_and_is_the_same_again(value: object) -> None:
    text = canon.encode(value)

    assert json.loads(text, parse_int=float) == value
    assert canon.encode(json.loads(text, parse_int=float)) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, "\ud800", {1: 2}, {"\ud800": 1}, b"x", {1, 2}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-001"):
        canon.encode({"value": value})


def test_depth_has_a_bound() -> None:
    value: object = []
    for _ in range(100):
        value = [value]

    with pytest.raises(KeepsakeError, match="KS-CUSTODY-001"):
        canon.encode(value)
