"""Defaults of value lanes fit their type, or the class cannot be made."""

from __future__ import annotations

import pytest

from natant import lane
from natant.errors import FormError


def test_a_default_that_does_not_fit_is_refused_where_it_is_declared() -> None:
    with pytest.raises(FormError) as refusal:
        lane.value(int, default="zero")
    assert refusal.value.code == "NT-FORM-008"


def test_defaults_that_fit_and_lanes_of_any_type_are_taken() -> None:
    lane.value(float, default=1)
    lane.value(int | None, default=None)
    lane.value(list[str], default=[])
    lane.value(default=object())
