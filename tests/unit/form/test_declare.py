"""Types that have no form are refused when they are declared, with the field and a cure named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from natant.codec.form import form
from natant.errors import FormError


def refusal(call: Any, *arguments: Any) -> FormError:
    with pytest.raises(FormError) as caught:
        call(*arguments)
    return caught.value


class Own:
    pass


@dataclass(init=False)
class Handmade:
    x: int

    def __init__(self) -> None:
        self.x = 1


@dataclass
class Lossy:
    seed: dataclasses.InitVar[int]
    x: int = 0


@dataclass
class Inner:
    odd: complex


@dataclass
class Outer:
    inner: list[Inner]


@dataclass
class BadTag:
    __tag__ = 5


@pytest.mark.parametrize(
    "kind", [Own, Handmade, Lossy, BadTag, complex, type, list[Own], dict[str, Own], "Fix", 5, Callable[[int], int]]
)
def test_a_class_without_form_is_refused_when_declared(kind: Any) -> None:
    assert refusal(form, kind).code == "NT-FORM-001"


def test_the_field_that_has_no_form_is_named() -> None:
    error = refusal(form, Outer)

    assert str(error).startswith("NT-FORM-001  at inner.odd the type complex has no form: use a dataclass")
