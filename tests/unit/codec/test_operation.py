"""Operations on map and list lanes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from natant.codec import recon
from natant.codec.recon import Absent, Attr, Extant, Record, Slot
from natant.codec.warp import operation
from natant.codec.warp.operation import Operation
from tests.unit.codec.strategy import shape, values


def read(text: str) -> Operation | None:
    return operation.read(recon.decode_body(text))


@given(values, values)
def test_update_reads_back(key: Any, value: Any) -> None:
    body = recon.encode_body(value, whole=True)
    change = read(operation.update(recon.encode(key), body))
    assert change is not None
    assert change.op == operation.UPDATE
    assert shape(change.key) == shape(recon.decode(f"k:{recon.encode(key)}")[0].value)
    assert shape(change.value) == shape(recon.decode_body(body))


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("@update(key:a) 1", Operation("update", "a", 1)),
        ("@update(key:a)", Operation("update", "a", Absent)),
        ("@update(key:a){x:1}", Operation("update", "a", Record([Slot("x", 1)]))),
        ("@update(key:a){{1}}", Operation("update", "a", Record([1]))),
        ("@update(key:a)@v(2)", Operation("update", "a", Record([Attr("v", 2)]))),
        ("@update(key:{k:1})@v(2)", Operation("update", Record([Slot("k", 1)]), Record([Attr("v", 2)]))),
        ("@update(a) 5", Operation("update", Extant, 5)),
        ("@update 5", Operation("update", Extant, 5)),
        ("@update(key:k,index:3) c", Operation("update", "k", "c", 3)),
        ("@update(index:2.0) c", Operation("update", Extant, "c", 2)),
        ("@update(index:x) c", None),
        ("@update(index:-1) c", None),
        ("@remove(key:a)", Operation("remove", "a")),
        ("@remove(index:1)", Operation("remove", index=1)),
        ("@remove(index:1.5)", None),
        ("@move(from:0,to:2,key:k)", Operation("move", "k", Absent, 0, 2)),
        ("@move(from:0,to:x)", None),
        ("@take(2)", Operation("take", n=2)),
        ("@drop(-1)", Operation("drop", n=0)),
        ("@drop(true)", None),
        ("@drop(x)", None),
        ("@drop", None),
        ("@clear", Operation("clear")),
        ("@bogus(1)", None),
        ("5", None),
        ("{a:1}", None),
        ("", None),
    ],
)
def test_read(text: str, change: Operation | None) -> None:
    assert read(text) == change


def test_print() -> None:
    assert operation.update("a", "1") == "@update(key:a) 1"
    assert operation.update("a", "{x:1}") == "@update(key:a){x:1}"
    assert operation.update("a", "") == "@update(key:a)"
    assert operation.remove("{k:1}") == "@remove(key:{k:1})"
    assert operation.clear() == "@clear"
    assert operation.take(3) == "@take(3)"
    assert operation.drop(3) == "@drop(3)"
    assert operation.list_update(3, "%3smaVV77", '"disk full"') == '@update(index:3,key:%3smaVV77)"disk full"'
    assert operation.list_remove(1, "") == "@remove(index:1,key:)"
    assert operation.list_move(0, 2, "k") == "@move(from:0,to:2,key:k)"
