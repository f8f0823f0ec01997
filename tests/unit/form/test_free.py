"""Untyped values: Any, Record, and their JSON."""

from __future__ import annotations

import enum
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from natant.codec import recon
from natant.codec.form import DEPTH_LIMIT, any_from_json, any_to_json, form
from natant.codec.recon import Absent, Attr, Extant, Record, Slot, UInt32
from natant.errors import FormError


@dataclass
class Fix:
    lat: float


class Color(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "value", [5, "x", True, 1.5, b"x", Extant, Absent, UInt32(5), Record([1, Attr("a"), Slot("k", 2)])]
)
def test_any_passes_values_as_they_are(value: Any) -> None:
    assert form(Any).decode(value) is value
    assert form(Any).encode(value) is value
    assert form(object).encode(value) is value


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        (None, ""),
        ({"a": None, 5: [1, {"b": ()}]}, "{a:,5:{1,{b:{}}}}"),
        ((1, "x"), "{1,x}"),
        ({"b", "a"}, "{a,b}"),
        (OrderedDict(a=1), "{a:1}"),
        (Fix(1.5), "{lat:1.5}"),
        ([Fix(1.5)], "{{lat:1.5}}"),
        (Color.RED, "red"),
        (datetime(2013, 1, 1, tzinfo=UTC), '"2013-01-01T00:00:00Z"'),
    ],
)
def test_any_writes_plain_python_and_objects_with_a_form(obj: Any, text: str) -> None:
    assert recon.encode(form(Any).encode(obj)) == text
    assert form(Any).from_json(form(Any).to_json(obj)) == (Extant if obj is None else recon.decode(text))


@pytest.mark.parametrize("obj", [object(), 1j, float("nan"), [float("inf")], {"a": object()}, {1: {2: type}}])
def test_any_refuses_what_has_no_recon(obj: Any) -> None:
    with pytest.raises(FormError, match="NT-FORM-008"):
        form(Any).encode(obj)
    with pytest.raises(FormError, match="NT-FORM-008"):
        any_to_json(obj)


def test_depth_has_a_limit() -> None:
    def nested(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    assert recon.decode(recon.encode(form(Any).encode(nested(DEPTH_LIMIT)))) == form(Any).encode(nested(DEPTH_LIMIT))
    assert any_from_json(any_to_json(nested(DEPTH_LIMIT))) == form(Any).encode(nested(DEPTH_LIMIT))
    loop: list[Any] = []
    loop.append(loop)
    for obj in (nested(DEPTH_LIMIT + 1), loop):
        for call in (form(Any).encode, any_to_json):
            with pytest.raises(FormError, match="NT-FORM-010"):
                call(obj)
    for levels in (DEPTH_LIMIT + 1, 50_000):
        with pytest.raises(FormError, match="NT-FORM-010"):
            any_from_json("[" * levels + "1" + "]" * levels)


def test_a_record_may_be_declared() -> None:
    known = form(Record)

    assert known.decode(Record([1])) == Record([1])
    assert known.decode(Absent) == Record()
    assert known.encode({"a": 1}) == Record.of({"a": 1})
    assert known.from_json('{"@tag":"t"}') == Record([Attr("t")])
    with pytest.raises(FormError, match="NT-FORM-002"):
        known.decode(5)
    with pytest.raises(FormError, match="NT-FORM-008"):
        known.encode(5)


@pytest.mark.parametrize(
    "record",
    [
        Record([Attr("tag", 1)]),
        Record([Attr("tag")]),
        Record([Attr("items"), Slot("a", 1)]),
        Record([Attr("")]),
        Record([Attr("", 5)]),
        Record([Attr("a"), Attr("a", 1)]),
        Record([Attr("a"), Attr("b"), Attr("data", 5), 6]),
        Record([Slot("@tag", "x")]),
        Record([Slot("a", 1), Slot("a", 2)]),
        Record([Slot("", 1)]),
        Record([Slot(Record([1]), 2)]),
        Record([Slot("data", "x")]),
        Record([Slot("@data", "x")]),
        Record([Attr("slot", Record(["a", "b"]))]),
        Record([Attr("attr", Record(["a", "b"])), 1]),
        Record([Slot("a", 1), Attr("b"), 5]),
        Record([Record(), Record([Record()])]),
        Record([Record([Slot("x", 1)]), Record([Attr("slot", 5)]), Slot(5, 5)]),
        Record([Attr("update", Record.of({"key": "a"})), Slot("x", 1)]),
    ],
)
def test_odd_records_survive_json(record: Record) -> None:
    assert any_from_json(any_to_json(record)) == record


def test_big_integers_keep_their_digits() -> None:
    for number in (2**53 + 1, 2**64, -(2**63) - 1, 10**40):
        assert any_from_json(any_to_json(number)) == number
        assert form(int).from_json(form(int).to_json(number)) == number


@pytest.mark.parametrize(
    "json", ['{"@data":"a b"}', '{"@data":5}', '{"@":1}', '{"@items":5}', '{"@slot":[1,2]}', '{"@tag":5}']
)
def test_json_that_breaks_the_rules_of_at_is_refused(json: str) -> None:
    with pytest.raises(FormError, match="NT-FORM-002"):
        any_from_json(json)


@pytest.mark.parametrize("json", ["", "{", "nope", b"\xff\xff", "{'a':1}"])
def test_what_is_not_json_is_refused(json: Any) -> None:
    with pytest.raises(FormError, match="NT-FORM-009"):
        any_from_json(json)
