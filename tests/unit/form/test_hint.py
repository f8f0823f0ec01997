"""Type hints of functions and classes, resolved or named."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgspec
import pytest

from natant.codec.form import form, hints
from natant.codec.recon import Record
from natant.errors import FormError

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")


@dataclass
class Fix:
    lat: float


class Vehicle:
    count: int

    def report(self, fix: Fix) -> None: ...

    def late(self, fix: Later) -> None: ...

    def price(self, amount: Decimal, fix: Fix) -> None: ...

    def noted(self, share: Annotated[int, msgspec.Meta(ge=0)]) -> None: ...


class Bus(Vehicle):
    seats: list[Fix]


@dataclass
class Later:
    x: int


@dataclass
class Hidden:
    amount: Decimal


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        return function(*arguments)

    return call


def test_hints_of_functions_and_classes() -> None:
    assert hints(Vehicle.report) == {"fix": Fix, "return": type(None)}
    assert hints(Vehicle().report) == {"fix": Fix, "return": type(None)}
    assert hints(wrapped(Vehicle.report)) == {"fix": Fix, "return": type(None)}
    assert hints(Vehicle.late)["fix"] is Later
    assert hints(Bus) == {"count": int, "seats": list[Fix]}
    assert hints(Vehicle.noted)["share"] == Annotated[int, msgspec.Meta(ge=0)]
    assert hints(len) == {}
    assert hints(lambda x: x) == {}


def test_a_name_that_is_not_known_is_told() -> None:
    with pytest.raises(FormError) as caught:
        hints(Vehicle.price)

    assert caught.value.code == "NT-FORM-011"
    assert "the type Decimal of 'amount' in Vehicle.price cannot be resolved" in str(caught.value)
    assert "outside TYPE_CHECKING" in str(caught.value)


def test_only_what_is_wanted_need_be_known() -> None:
    assert hints(Vehicle.price, only=("fix",)) == {"fix": Fix}


def test_classes_of_a_function_are_found_in_a_namespace() -> None:
    @dataclass
    class Local:
        x: int

    def report(local: Local) -> None: ...

    with pytest.raises(FormError, match="NT-FORM-011"):
        hints(report)
    assert hints(report, namespace=locals())["local"] is Local


def test_a_class_of_a_function_may_contain_itself() -> None:
    @dataclass
    class Node:
        next: Node | None = None

    assert form(Node).decode(form(Node).encode(Node(Node()))) == Node(Node())


def test_an_annotation_that_is_no_type_is_told() -> None:
    def report(fix: Fix) -> None: ...

    for text in ("1 +", "1 + 'x'", "Fix.nothing", "Fix[int]"):
        report.__annotations__["fix"] = text
        with pytest.raises(FormError, match="NT-FORM-011"):
            hints(report)


def test_a_record_with_an_unknown_name_is_refused_when_declared() -> None:
    with pytest.raises(FormError, match=r"NT-FORM-011.*'amount' in Hidden"):
        form(Hidden)


def test_type_variables_of_bases_are_known() -> None:
    @dataclass
    class Box(Generic[T]):
        inside: T

    @dataclass
    class Boxes(Box[list[T]], Generic[T]):
        pass

    @dataclass
    class Numbers(Boxes[int]):
        pass

    assert form(Numbers).decode(Record.of({"inside": Record([1])})) == Numbers([1])
    with pytest.raises(FormError, match=r"at inside\[0\]"):
        form(Numbers).decode(Record.of({"inside": Record(["x"])}))


def test_a_bound_or_constrained_type_variable() -> None:
    bound = TypeVar("bound", bound=int)
    either = TypeVar("either", int, str)

    assert form(list[bound]).name == "list[int]"  # type: ignore[valid-type]
    assert form(list[either]).name == "list[int | str]"  # type: ignore[valid-type]
    assert form(list[T]).name == "list[Any]"  # type: ignore[valid-type]
