"""Enums, flags and literals: one of a few values."""

from __future__ import annotations

import enum
from typing import Any, Literal

import pytest

from natant.codec.form import form
from natant.codec.recon import Extant, UInt32
from natant.errors import FormError


class Color(enum.StrEnum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Shade(enum.Enum):
    DARK = "dark"
    DIM = "dark"  # noqa: PIE796  (an alias)
    LIGHT = "light"

    @classmethod
    def _missing_(cls, value: object) -> Shade | None:
        return cls.DARK if value == "black" else None


class Mixed(enum.Enum):
    A = 1
    B = "b"
    C = (1, 2)


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2


class Empty(enum.Enum):
    pass


@pytest.mark.parametrize(
    ("kind", "obj", "value"),
    [
        (Color, Color.RED, "red"),
        (Level, Level.HIGH, 2),
        (Shade, Shade.DIM, "dark"),
        (Mixed, Mixed.A, "A"),
        (Mixed, Mixed.C, "C"),
        (Access, Access.READ | Access.WRITE, 3),
        (Access, Access(0), 0),
        (Literal["a", 1, True, None], 1, 1),
        (Literal["a", 1, True, None], True, True),
        (Literal["a", 1, True, None], None, Extant),
        (Literal[Color.RED, 5], Color.RED, "red"),
        (Literal["a"] | int, "a", "a"),
        (Literal["a"] | Literal["b"], "b", "b"),
        (Literal["a", Literal["b"]], "b", "b"),  # noqa: RUF041  (nested ones have a form too)
    ],
)
def test_a_choice_is_written_and_read(kind: Any, obj: Any, value: Any) -> None:
    known = form(kind)

    assert known.encode(obj) == value
    assert type(known.encode(obj)) is type(value)
    assert known.decode(value) is obj or known.decode(value) == obj
    assert type(known.decode(value)) is type(obj)
    assert known.from_json(known.to_json(obj)) == obj


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Color, "RED"),
        (Color, 5),
        (Level, True),
        (Level, "1"),
        (Level, 1.5),
        (Mixed, 1),
        (Access, "READ"),
        (Literal["a"], "b"),
        (Literal[1], True),
        (Literal[1], "1"),
        (Literal["a"] | int, "b"),
    ],
)
def test_another_value_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(FormError, match="NT-FORM-002"):
        form(kind).decode(value)


@pytest.mark.parametrize(
    ("kind", "obj"), [(Color, "red"), (Level, 1), (Literal["a"], "b"), (Literal["a"], ["a"]), (Access, 3)]
)
def test_another_object_is_refused(kind: Any, obj: Any) -> None:
    with pytest.raises(FormError, match="NT-FORM-008"):
        form(kind).encode(obj)


def test_numbers_in_other_spellings_are_read() -> None:
    assert form(Level).decode(2.0) is Level.HIGH
    assert form(Level).decode(UInt32(2)) is Level.HIGH
    assert form(Literal[1, 2]).decode(2.0) == 2
    assert type(form(Literal[1, 2]).decode(2.0)) is int


def test_an_enum_may_know_more_spellings() -> None:
    assert form(Shade).decode("black") is Shade.DARK


def test_the_message_lists_the_choices() -> None:
    with pytest.raises(FormError) as caught:
        form(Color).decode("blue")

    assert str(caught.value) == "NT-FORM-002  got \"blue\" (text); it takes Color, one of 'red', 'green'"


def test_choices_can_be_keys() -> None:
    assert form(dict[Level, Color]).to_json({Level.LOW: Color.RED}) == b'{"1":"red"}'
    assert form(dict[Level, Color]).from_json('{"1":"red"}') == {Level.LOW: Color.RED}
    assert form(dict[Access, int]).from_json('{"3":1}') == {Access.READ | Access.WRITE: 1}
    assert form(dict[Literal["a", "b"], int]).from_json('{"a":1}') == {"a": 1}
    for kind in (dict[Level, int], dict[Access, int]):
        with pytest.raises(FormError, match="NT-FORM-002"):
            form(kind).from_json('{"x":1}')


@pytest.mark.parametrize("kind", [Empty, Literal[b"x"], Literal["red", Color.RED]])
def test_a_choice_that_cannot_be_written_is_refused(kind: Any) -> None:
    with pytest.raises(FormError, match="NT-FORM-001"):
        form(kind)
