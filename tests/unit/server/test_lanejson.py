"""Lanes in JSON: what goes out comes in again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.codec.form import form
from natant.codec.recon.value import Absent, Record, Slot
from natant.codec.warp import operation
from natant.errors import ServerError
from natant.server.http.lanejson import LaneJson


@dataclass
class Fix:
    at: datetime
    lat: float


FIX = Fix(datetime(2013, 1, 1, 5, tzinfo=UTC), 40.5)
MAP = LaneJson("map", {"key": form(int), "value": form(Fix)})
TEXTS = LaneJson("map", {"key": form(str), "value": form(str)})
LIST = LaneJson("list", {"value": form(int)})
ANY = LaneJson("map", {"key": form(Any), "value": form(Any)})


def test_declared_types_decide_the_json() -> None:
    value = form(Fix).encode(FIX)
    state = json.loads(MAP.state(Record([Slot(5, value)])))
    assert state == {"5": {"at": "2013-01-01T05:00:00Z", "lat": 40.5}}
    assert json.loads(LaneJson("value", {"value": form(Fix)}).state(value)) == state["5"]


def test_nothing_is_null_and_an_empty_map_is_an_object() -> None:
    assert LaneJson("value", {"value": form(int)}).state(Absent) == b"null"
    assert MAP.state(Record([])) == b"{}"
    assert LIST.state(Record([])) == b"[]"
    assert LaneJson("supply", {}).state(Absent) == b"null"


def test_a_value_that_does_not_fit_its_type_is_shown_as_it_is() -> None:
    assert json.loads(LIST.state(Record([1, "two"]))) == [1, "two"]


@given(st.text(), st.text())
def test_an_update_of_a_map_comes_back(key: str, value: str) -> None:
    sent = json.dumps({"op": "update", "key": key, "value": value}).encode()
    found = operation.read(TEXTS.command(sent))
    assert found is not None
    assert (found.op, found.key) == ("update", key)
    assert json.loads(TEXTS.change(found, None)) == {"op": "update", "key": key, "value": value}


@pytest.mark.parametrize(
    "sent",
    [
        {"op": "update", "index": 3, "value": 7},
        {"op": "remove", "index": 0},
        {"op": "move", "from": 2, "to": 0},
        {"op": "take", "n": 3},
        {"op": "drop", "n": 1},
        {"op": "clear"},
    ],
)
def test_operations_of_a_list_come_back(sent: dict[str, Any]) -> None:
    found = operation.read(LIST.command(json.dumps(sent).encode()))
    assert json.loads(LIST.change(found, None)) == sent


@pytest.mark.parametrize(
    "data",
    [
        b"5",
        b"[]",
        b"{}",
        b'{"op":5}',
        b'{"op":"update"}',
        b'{"op":"update","key":"a"}',
        b'{"op":"move","from":1,"to":2}',
    ],
)
def test_what_is_no_operation_is_refused(data: bytes) -> None:
    with pytest.raises(ServerError, match="NT-SERVER-016"):
        TEXTS.command(data)


def test_an_empty_body_is_absent() -> None:
    assert LaneJson("command", {}).command(b" ") is Absent


def test_an_entry_is_found_by_the_text_of_its_key() -> None:
    entries = [Slot(5, 1), Slot("5", 2), Slot(True, 3), Slot("a b", 4), Slot(1.5, 5)]
    assert ANY.find(entries, "a b") == 3
    assert ANY.find(entries, "1.5") == 4
    assert ANY.find(entries, "nope") is None
    assert MAP.find([Slot(5, 1)], "5") == 0
    assert MAP.find([Slot(5, 1)], "x") is None
    assert TEXTS.find([Slot("5", 1)], "5") == 0
