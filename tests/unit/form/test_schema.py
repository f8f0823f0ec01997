"""JSON Schema: what it says, and that it agrees with what is read and written."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

import msgspec
import pytest

from natant.codec.form import form


@dataclass
class Fix:
    """Where a vehicle is.

    More words.
    """

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    name: str = "x"
    tags: list[str] = field(default_factory=list)
    at: datetime | None = None


@dataclass
class Circle:
    r: float


@dataclass
class Square:
    side: float


@dataclass
class Tree:
    kids: list[Tree]


class Row(msgspec.Struct, array_like=True, tag="row"):
    x: int
    y: int = 0


class Shut(msgspec.Struct, forbid_unknown_fields=True, tag=True):
    x: int


class Spot(NamedTuple):
    x: int
    y: int = 0


class Options(TypedDict):
    deep: bool
    name: NotRequired[str]


class Color(enum.StrEnum):
    RED = "red"


def outer() -> type:
    @dataclass
    class Fix:
        other: int

    return Fix


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (str, {"type": "string"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (Any, {}),
        (bytes, {"type": "string", "contentEncoding": "base64"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Literal["a", 1, None], {"enum": ["a", 1, None]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (
            tuple[int, str],
            {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "items": False,
            },
        ),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (dict[int, Any], {"type": "object", "additionalProperties": True}),
        (
            dict[Literal["a"], int],
            {"type": "object", "additionalProperties": {"type": "integer"}, "propertyNames": {"enum": ["a"]}},
        ),
        (
            Annotated[int, msgspec.Meta(ge=0, title="n", examples=[1])],
            {"type": "integer", "minimum": 0, "title": "n", "examples": [1]},
        ),
        (Annotated[str, msgspec.Meta(min_length=1, pattern="a")], {"type": "string", "minLength": 1, "pattern": "a"}),
        (
            Annotated[list[int], msgspec.Meta(max_length=1)],
            {"type": "array", "items": {"type": "integer"}, "maxItems": 1},
        ),
        (
            Annotated[dict[str, int], msgspec.Meta(max_length=1)],
            {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 1},
        ),
        (Annotated[int, msgspec.Meta(extra_json_schema={"format": "int64"})], {"type": "integer", "format": "int64"}),
    ],
)
def test_the_schema_of(kind: Any, schema: dict[str, Any]) -> None:
    assert form(kind).schema() == schema


def test_a_class_is_a_definition() -> None:
    schema = form(list[Fix]).schema()

    assert schema["items"] == {"$ref": "#/$defs/Fix"}
    assert schema["$defs"]["Fix"] == {
        "title": "Fix",
        "type": "object",
        "description": "Where a vehicle is.",
        "required": ["lat"],
        "properties": {
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "name": {"type": "string", "default": "x"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}], "default": None},
        },
    }


def test_references_may_point_elsewhere() -> None:
    assert form(Fix).schema("#/components/schemas/{name}")["$ref"] == "#/components/schemas/Fix"


def test_a_class_that_contains_itself_refers_to_itself() -> None:
    assert form(Tree).schema()["$defs"]["Tree"]["properties"]["kids"]["items"] == {"$ref": "#/$defs/Tree"}


def test_a_union_tells_its_tags() -> None:
    definitions = form(Circle | Square | None).schema()["$defs"]

    assert definitions["Circle"]["properties"]["@tag"] == {"const": "Circle"}
    assert definitions["Square"]["required"] == ["@tag", "side"]


def test_two_classes_of_one_name_are_kept_apart() -> None:
    definitions = form(tuple[Fix, outer()]).schema()["$defs"]  # type: ignore[misc]

    assert set(definitions) == {"Fix", "Fix_2"}


def test_structs_and_others() -> None:
    assert form(Row).schema()["$defs"]["Row"] == {
        "title": "Row",
        "type": "array",
        "prefixItems": [{"const": "row"}, {"type": "integer"}, {"type": "integer"}],
        "minItems": 2,
    }
    assert form(Shut).schema()["$defs"]["Shut"]["additionalProperties"] is False
    assert form(Shut).schema()["$defs"]["Shut"]["properties"]["type"] == {"const": "Shut"}
    assert form(Spot).schema()["$defs"]["Spot"]["minItems"] == 1
    assert form(Options).schema()["$defs"]["Options"]["required"] == ["deep"]
    assert form(Color).schema() == {"$ref": "#/$defs/Color", "$defs": {"Color": {"enum": ["red"]}}}
    assert "anyOf" in form(dict[Any, int]).schema()
    assert form(dict[tuple[int, int], int]).schema()["type"] == "array"


@pytest.mark.parametrize("kind", [int, float, str, bool, None, list[int], dict[str, float], bytes, Literal["a", "b"]])
def test_the_schema_agrees_with_msgspec(kind: Any) -> None:
    assert form(kind).schema() == msgspec.json.schema(kind)


def test_each_schema_is_json() -> None:
    for kind in (Fix, Circle | Square, Tree, Row, Shut, Spot, Options, Color, str | bytes):
        assert msgspec.json.encode(form(kind).schema())
