"""Scalars: what each takes and gives, where numbers widen, what is refused and how the message reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from natant.codec.form import form
from natant.codec.recon import Absent, Attr, Extant, Record, Slot, UInt32, UInt64
from natant.errors import FormError


def refusal(call: Any, *arguments: Any) -> FormError:
    with pytest.raises(FormError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "value", "obj"),
    [
        (None, Extant, None),
        (None, Absent, None),
        (int | None, Absent, None),
        (bool, True, True),
        (int, UInt32(31), 31),
        (int, UInt64(2**40), 2**40),
        (int, 10**30, 10**30),
        (int, 4.0, 4),
        (float, 4, 4.0),
        (float, UInt32(4), 4.0),
        (str, "", ""),
        (str, True, "true"),
        (str, False, "false"),
        (bytes, b"\x00", b"\x00"),
        (datetime, "2013-01-01 05:15:00.5+00:00", datetime(2013, 1, 1, 5, 15, 0, 500_000, tzinfo=UTC)),
        (timedelta, 1.5, timedelta(seconds=1.5)),
        (timedelta, 90, timedelta(seconds=90)),
        (Decimal, 1.1, Decimal("1.1")),
        (Decimal, 7, Decimal(7)),
        (UUID, "00000000000000000000000000000007", UUID(int=7)),
    ],
)
def test_a_scalar_takes(kind: Any, value: Any, obj: Any) -> None:
    got = form(kind).decode(value)

    assert got == obj
    assert type(got) is type(obj)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (None, 0),
        (bool, 1),
        (bool, "true"),
        (int, True),
        (int, "5"),
        (int, 4.5),
        (int, float("inf")),
        (int, Extant),
        (float, "1.5"),
        (float, True),
        pytest.param(float, 10**400, id="huge"),
        (str, 5),
        (str, 1.5),
        (str, Extant),
        (str, Record(["a"])),
        (bytes, "aGkh"),
        (datetime, 1356998400000),
        (datetime, "2013-01-01"),
        (datetime, "20130101T051500Z"),
        (datetime, "2013-02-30T00:00:00Z"),
        (date, "2013-01-01T00:00:00"),
        (date, "20130101"),
        (time, "0515"),
        (timedelta, "soon"),
        (timedelta, 1e300),
        (timedelta, float("nan")),
        (Decimal, "1,5"),
        (UUID, "7"),
        (UUID, "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"),
    ],
)
def test_a_scalar_refuses(kind: Any, value: Any) -> None:
    assert refusal(form(kind).decode, value).code == "NT-FORM-002"


@pytest.mark.parametrize(
    ("kind", "json"),
    [
        (str, "true"),
        (int, "true"),
        (int, '"5"'),
        (float, '"1"'),
        (bytes, '"a b"'),
        (bytes, "5"),
        (str, "null"),
        (bool, "1"),
    ],
)
def test_json_is_read_as_strictly(kind: Any, json: str) -> None:
    assert refusal(form(kind).from_json, json).code == "NT-FORM-002"


@pytest.mark.parametrize(
    ("kind", "json", "obj"), [(int, "4.0", 4), (float, "4", 4.0), (timedelta, "90", timedelta(seconds=90))]
)
def test_json_numbers_widen_too(kind: Any, json: str, obj: Any) -> None:
    got = form(kind).from_json(json)

    assert got == obj
    assert type(got) is type(obj)


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        (None, 5),
        (bool, 1),
        (int, 1.5),
        (int, "5"),
        (int, None),
        (float, float("nan")),
        (float, float("inf")),
        (float, np.float64("nan")),
        (float, 10**400),
        (float, "1.5"),
        (str, 5),
        (bytes, "text"),
        (date, datetime(2013, 1, 1, tzinfo=UTC)),
        (datetime, date(2013, 1, 1)),
        (UUID, "00000000-0000-0000-0000-000000000007"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(kind: Any, obj: Any) -> None:
    error = refusal(form(kind).encode, obj)

    assert error.code == "NT-FORM-008"
    assert "http_status" not in error.context
    assert refusal(form(kind).to_json, obj).code == "NT-FORM-008"


@pytest.mark.parametrize(
    ("kind", "obj", "value"),
    [
        (int, np.int64(5), 5),
        (int, True, 1),
        (float, np.float64(1.5), 1.5),
        (float, np.float32(1.5), 1.5),
        (float, 2, 2.0),
        (bool, np.True_, True),
        (bytes, bytearray(b"a"), b"a"),
    ],
)
def test_objects_of_other_number_classes_become_plain(kind: Any, obj: Any, value: Any) -> None:
    got = form(kind).encode(obj)

    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (float, "x", 'NT-FORM-002  got "x" (text); it takes float'),
        (int, True, "NT-FORM-002  got true (bool); it takes int"),
        (int, 1.5, "NT-FORM-002  got 1.5 (float); it takes int"),
        (str, 5, "NT-FORM-002  got 5 (int); it takes str"),
        (int, Extant, "NT-FORM-002  got nothing; it takes int"),
        (int, b"\x01", "NT-FORM-002  got %01 (data); it takes int"),
        (
            int,
            Record([Attr("a", 1), Slot("x y", "q"), 2]),
            'NT-FORM-002  got {@a(1),"x y":"q",2} (record); it takes int',
        ),
        (int, Record(), "NT-FORM-002  got {} (record); it takes int"),
    ],
)
def test_the_message_tells_what_came(kind: Any, value: Any, message: str) -> None:
    assert str(refusal(form(kind).decode, value)) == message


@pytest.mark.parametrize(
    "value",
    ["long " * 1000, 10**5000, Record(range(10_000)), Record.of({"k" * 1000: "v" * 1000}), Record([Attr("n" * 500)])],
    ids=["text", "int", "record", "slot", "attribute"],
)
def test_the_message_stays_short(value: Any) -> None:
    assert len(str(refusal(form(bool).decode, value))) < 120


def test_a_key_is_the_text_of_a_scalar() -> None:
    assert form(int).from_key("5") == 5
    assert form(int).to_key(5) == "5"
    assert form(bool).from_key("true") is True
    assert form(bool).to_key(False) == "false"
    assert form(float).from_key("-1e-05") == -1e-05
    assert form(str).from_key("5") == "5"
    assert form(bytes).from_key("aGkh") == b"hi!"
    assert form(date).to_key(date(2013, 1, 1)) == "2013-01-01"
    assert form(tuple[int, str]).from_key(form(tuple[int, str]).to_key((1, "a"))) == (1, "a")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (int, "5.0"),
        (int, ""),
        (int, "-"),
        (int, "٣"),
        (int, "9" * 5000),
        (float, "nan"),
        (float, "1."),
        (float, "1_0"),
        (float, " 1"),
        (bool, "1"),
    ],
)
def test_a_key_that_does_not_fit_is_refused(kind: Any, text: str) -> None:
    assert refusal(form(kind).from_key, text).code == "NT-FORM-002"


def test_times_without_offset_stay_naive() -> None:
    naive = datetime(2013, 1, 1, 5, 15)  # noqa: DTZ001  (a naive one is the point)

    got = form(datetime).decode(form(datetime).encode(naive))

    assert got == naive
    assert got.tzinfo is None


def test_malformed_json_is_told_apart() -> None:
    for data in (b"", b"{", b"\xff", b'"\\ud800"', "{a:1}", b"1 2"):
        assert refusal(form(int).from_json, data).code == "NT-FORM-009"


def test_text_that_utf_8_cannot_hold_is_not_written_as_json() -> None:
    assert refusal(form(str).to_json, "\ud800").code == "NT-FORM-008"
