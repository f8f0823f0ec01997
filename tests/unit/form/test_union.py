"""Unions: which member a value is for, and which unions are refused."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict, Union
from uuid import UUID

import msgspec
import pytest

from natant.codec import recon
from natant.codec.form import form
from natant.codec.recon import Absent, Extant, ExtantType, Record, UInt32, Value
from natant.errors import FormError


@dataclass
class Circle:
    r: float


@dataclass
class Square:
    side: float
    inner: Shape | None = None


@dataclass
class Grown(Circle):
    by: int = 0


Shape = Circle | Square


class Add(msgspec.Struct, tag="add", tag_field="op"):
    n: int


class Cut(msgspec.Struct, tag="cut", tag_field="op", forbid_unknown_fields=True):
    n: int


class One(msgspec.Struct, tag=1):
    n: int


class Two(msgspec.Struct, tag=2):
    n: int


class RowA(msgspec.Struct, array_like=True, tag="a"):
    x: int


class RowB(msgspec.Struct, array_like=True, tag="b"):
    x: str


class Bare(msgspec.Struct):
    z: int


@dataclass
class Other:
    __tag__ = "Circle"
    q: int


class Spot(NamedTuple):
    x: int
    y: int


class Options(TypedDict):
    deep: bool


class Level(enum.IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        (int | None, None),
        (Optional[str], "x"),  # noqa: UP045  (the old spellings have forms too)
        (Union[int, str, bool, None], True),  # noqa: UP007
        (int | str | bool | None, 1),
        (int | str | bool | None, "1"),
        (int | float, 1),
        (int | float, 1.5),
        (str | bytes, "aGkh"),
        (str | bytes, b"hi!"),
        (bytes | int, b"hi!"),
        (int | date, date(2013, 1, 1)),
        (int | Decimal, Decimal("1.5")),
        (Literal["auto"] | int, "auto"),
        (Literal["auto"] | date, "auto"),
        (Literal["auto"] | date, date(2013, 1, 1)),
        (Literal["a", 1] | None, None),
        (Shape, Circle(1.5)),
        (Shape, Square(1.5, Circle(2.0))),
        (Shape | None, Square(1.5, Square(2.0, None))),
        (Circle | int, Circle(1.5)),
        (Circle | Grown, Grown(1.5, 2)),
        (Circle | list[int], [1, 2]),
        (Circle | list[int], Circle(1.5)),
        (Circle | Square | dict[str, int], {"r": 1}),
        (Circle | Options, {"deep": True}),
        (Circle | Spot, Spot(1, 2)),
        (list[Shape], [Circle(1.5), Square(2.5)]),
        (dict[str, Shape | int], {"a": Circle(1.5), "b": 5}),
        (Add | Cut, Add(5)),
        (Add | Cut, Cut(5)),
        (Add | Cut | Circle, Circle(1.5)),
        (One | Two, Two(5)),
        (RowA | RowB, RowB("x")),
        (RowA | RowB | None, RowA(5)),
        (Bare | Circle, Bare(5)),
        (Annotated[int, msgspec.Meta(ge=0)] | str, 5),
        (dict[int | str, int], {1: 2, "1": 3}),
        (dict[str | bytes, int], {"a": 2, b"a": 3}),
        (set[int | str], {1, "1"}),
    ],
)
def test_a_member_comes_back_as_itself(kind: Any, obj: Any) -> None:
    known = form(kind)

    for got in (
        known.decode(known.encode(obj)),
        known.decode(recon.decode(recon.encode(known.encode(obj)))),
        known.from_json(known.to_json(obj)),
    ):
        assert got == obj
        assert type(got) is type(obj)


def test_tags_are_written_only_where_they_are_needed() -> None:
    assert recon.encode(form(Circle | None).encode(Circle(1.5))) == "{r:1.5}"
    assert recon.encode(form(Circle | int | str).encode(Circle(1.5))) == "{r:1.5}"
    assert recon.encode(form(Circle | list[int]).encode(Circle(1.5))) == "@Circle{r:1.5}"
    assert form(Circle | list[int]).to_json([1]) == b"[1]"
    assert form(Add | Cut).to_json(Add(5)) == b'{"op":"add","n":5}'
    assert form(RowA | RowB).to_json(RowA(5)) == b'["a",5]'


@pytest.mark.parametrize(
    ("kind", "value", "obj"),
    [
        (int | None, Absent, None),
        (int | None, Extant, None),
        (int | ExtantType, Extant, None),
        (int | str, 1.0, 1),
        (float | str, 1, 1.0),
        (float | str, UInt32(1), 1.0),
        (int | float, UInt32(1), 1),
        (Level | str, 1, Level.LOW),
        (Add | Cut, Record.of({"op": "add", "n": 5}), Add(5)),
        (Add | Cut, Record.of({"n": 5}, "cut"), Cut(5)),
        (Decimal | None, 1.5, Decimal("1.5")),
    ],
)
def test_what_else_a_union_takes(kind: Any, value: Any, obj: Any) -> None:
    got = form(kind).decode(value)

    assert got == obj
    assert type(got) is type(obj)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (int | None, "x", 'NT-FORM-002  got "x" (text); it takes int | None'),
        (int | str, "true", "NT-FORM-002  got true (bool); it takes int | str"),
        (int | str, "1.5", "NT-FORM-002  got 1.5 (float); it takes int"),
        (int | str, "{1}", None),
        (Shape, "5", "NT-FORM-002  got 5 (int); it takes Circle | Square"),
        (
            Shape,
            "{r:1}",
            "NT-FORM-002  got {r:1} (record); it takes Circle | Square, so a record that starts with one of @Circle, @Square",
        ),
        (Shape, "@Oval{r:1}", "NT-FORM-007  got the tag @Oval; it takes one of @Circle, @Square"),
        (Shape, "@Circle{r:x}", 'NT-FORM-002  at r got "x" (text); it takes float'),
        (Shape, "@Square{side:1,inner:@Circle}", "NT-FORM-003  at inner.r is missing; it takes float. Got {@Circle}"),
        (
            list[Shape],
            "{@Circle{r:1},@Oval}",
            "NT-FORM-007  at [1] got the tag @Oval; it takes one of @Circle, @Square",
        ),
        (Literal["auto"] | date, "later", "NT-FORM-002  got \"later\" (text); it takes date | Literal['auto']"),
    ],
)
def test_what_no_member_takes_is_refused(kind: Any, text: str, message: str | None) -> None:
    with pytest.raises(FormError) as caught:
        form(kind).decode(recon.decode(text))

    if message is not None:
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("kind", "json", "message"),
    [
        (int | None, '"x"', 'NT-FORM-002  got "x" (text); it takes int | None'),
        (int | None, "{}", "NT-FORM-002  got {} (object); it takes int | None"),
        (Shape, "[]", None),
        (
            Shape,
            '{"r":1}',
            "NT-FORM-002  got {r:1} (object); it takes Circle | Square, so an object with @tag, one of Circle, Square",
        ),
        (Shape, '{"@tag":"Oval"}', "NT-FORM-007  got the tag Oval; it takes one of Circle, Square"),
        (Add | Cut, '{"op":"sub"}', "NT-FORM-007  got the tag sub; it takes one of add, cut"),
        (RowA | RowB, '["c",1]', None),
        (One | Two, '{"type":"1","n":1}', "NT-FORM-007  got the tag 1; it takes one of 1, 2"),
        (bytes | int, '"%"', 'NT-FORM-002  got "%" (text); it takes bytes, as base64 text'),
    ],
)
def test_json_that_no_member_takes_is_refused(kind: Any, json: str, message: str | None) -> None:
    with pytest.raises(FormError) as caught:
        form(kind).from_json(json)

    if message is not None:
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("kind", "obj"), [(int | str, 1.5), (Shape, 5), (Shape, Grown(1.0)), (Shape, None), (int | None, "x")]
)
def test_an_object_that_is_no_member_is_not_written(kind: Any, obj: Any) -> None:
    with pytest.raises(FormError, match="NT-FORM-008"):
        form(kind).encode(obj)
    with pytest.raises(FormError, match="NT-FORM-008"):
        form(kind).to_json(obj)


@pytest.mark.parametrize(
    "kind",
    [
        str | datetime,
        str | UUID | None,
        date | datetime,
        list[int] | dict[str, int],
        list[int] | set[int],
        list[int] | Spot,
        dict[str, int] | Options,
        Circle | Other,
        int | Level,
        float | Level,
        Annotated[int, msgspec.Meta(ge=0)] | Level,
    ],
)
def test_members_that_look_alike_are_refused_when_declared(kind: Any) -> None:
    with pytest.raises(FormError, match="NT-FORM-001"):
        form(kind)


def test_a_union_with_any_is_any() -> None:
    for kind in (Any | None, int | Any, Value):
        assert form(kind).is_any


def test_union_with_untyped_record() -> None:
    known = form(Record | None)

    assert known.decode(Record([1])) == Record([1])
    assert known.decode(Extant) is None
    assert known.from_json("null") is None
    assert known.from_json(known.to_json(Record.of({"a": 1}, "t"))) == Record.of({"a": 1}, "t")
