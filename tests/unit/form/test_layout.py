"""Record classes written without a record in between, and objects made without their class: the same as the plain way."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any

import msgspec
import pytest

from natant.codec import recon
from natant.codec.form import form
from natant.errors import CodecError, FormError


@dataclass(frozen=True, slots=True)
class Fix:
    at: int
    lat: float
    line: str = "B6"
    late: bool = False


@dataclass
class Trip:
    __tag__ = "trip"
    name: str | None
    fix: Fix | None = None
    speed: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    tags: list[str] = field(default_factory=list)
    more: Any = None


@dataclass
class Alone:
    only: Fix


def _outcome(call: Callable[[Any], Any], obj: Any) -> Any:
    try:
        return call(obj)
    except (FormError, CodecError) as error:
        return (error.code, error.message)


def _unset() -> Fix:
    obj = object.__new__(Fix)
    object.__setattr__(obj, "at", 1)
    return obj


FIX = Fix(7, 59.25)


@pytest.mark.parametrize(
    "obj",
    [
        FIX,
        Fix(2**70, -0.0, "a b", True),
        Fix(7, 54.0),
        Fix(True, 1),
        Fix(7, math.nan),
        Fix("7", 1.0),  # type: ignore[arg-type]
        Fix(7, math.inf, "\ud800"),
        Fix(7, 1.0, "\ud800"),
        Fix(10**5000, 1.0),
        _unset(),
        Trip("a"),
        Trip(None, FIX, 1.5, ["x", "y z"], {"a": [1, 2.0]}),
        Trip("true", FIX, -1.0),
        Trip("a", Fix(7, math.nan)),
        Trip("a", Trip("b")),  # type: ignore[arg-type]
        Trip("a", more=object()),
        Trip("\ud800", more=object()),
        Alone(FIX),
        Alone(None),  # type: ignore[arg-type]
        "text",
    ],
    ids=lambda obj: ascii(obj)[:40] if obj is not None and type(obj) is not Fix else "fix",
)
@pytest.mark.parametrize("kind", [Fix, Trip, Alone])
def test_the_short_way_is_the_way_over_a_record(kind: Any, obj: Any) -> None:
    known = form(kind)
    expected = _outcome(lambda it: recon.encode_pair(known.encode(it)), obj)

    assert _outcome(known.texts, obj) == expected
    refusal = expected if expected[0].startswith("NT-") else None
    assert _outcome(known.check, obj) == refusal


def test_a_deep_class_is_refused_as_ever() -> None:
    deep: Any = []
    for _ in range(recon.limit.MAX_WRITE_DEPTH - 2):
        deep = [deep]
    form(Trip).texts(Trip("a", more=deep))
    for call in (form(Trip).texts, form(Trip).check):
        with pytest.raises((CodecError, FormError)):
            call(Trip("a", more=[[deep]]))


def test_scalars_and_any_have_texts_too() -> None:
    assert form(float).texts(1.0) == ("1", "1.0")
    assert form(Any).texts({"a": 1}) == ("{a:1}", "{a:1}")
    with pytest.raises(FormError):
        form(int).check("a")
    with pytest.raises(CodecError):
        form(Any).check(object())


@dataclass
class Counted:
    x: int
    made = 0

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        type(self).made += 1


@dataclass
class Checked:
    x: int

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("below zero")


@dataclass
class Own:
    x: int

    def __init__(self, x: int) -> None:
        self.x = 2 * x


@dataclass
class New:
    x: int

    def __new__(cls, x: int) -> New:
        obj = object.__new__(cls)
        obj.__dict__["seen"] = x
        return obj


@dataclass
class Given:
    x: int
    twice: InitVar[int] = 3

    def __post_init__(self, twice: int) -> None:
        self.x *= twice


@dataclass
class Later:
    x: int
    y: int = field(init=False, default=5)


@dataclass
class Abstract(ABC):
    x: int

    @abstractmethod
    def go(self) -> None: ...


@dataclass
class Proper:
    x: int

    @property
    def double(self) -> int:
        return 2 * self.x


class Derived(Proper):
    pass


def test_a_class_with_its_own_ways_is_asked_to_make_its_objects() -> None:
    value = recon.decode("{x:4}")

    assert form(Counted).decode(value).x == 4
    assert Counted.made == 1
    with pytest.raises(FormError, match="below zero"):
        form(Checked).decode(recon.decode("{x:-1}"))
    assert form(Own).decode(value).x == 8
    assert form(New).decode(value).__dict__ == {"seen": 4, "x": 4}
    assert form(Given).decode(value).x == 12
    assert form(Later).decode(recon.decode("{x:4,y:6}")) == form(Later).decode(recon.decode("{y:6,x:4}"))
    assert form(Later).decode(value).y == 5
    with pytest.raises(FormError, match="NT-FORM-006"):
        form(Abstract).decode(value)
    assert form(Derived).decode(value) == Derived(4)
    assert type(form(Derived).decode(value)) is Derived


def test_objects_made_of_their_fields_are_like_any_others() -> None:
    fix = form(Fix).decode(recon.decode("{lat:1,at:7,late:true,unknown:1}"))

    assert fix == Fix(7, 1.0, "B6", True)
    assert hash(fix) == hash(Fix(7, 1.0, "B6", True))
    with pytest.raises(AttributeError):
        fix.at = 8
    one, other = (form(Trip).decode(recon.decode("@trip{name:a}")) for _ in range(2))
    assert one == Trip("a")
    assert one.tags is not other.tags
