"""Constraints by ``Annotated[T, msgspec.Meta(...)]`` hold in every direction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import pytest

from natant.codec.form import form
from natant.codec.recon import Record
from natant.errors import FormError

Meta = msgspec.Meta
Percent = Annotated[int, Meta(ge=0, le=100, description="a share")]


@pytest.mark.parametrize(
    ("kind", "good", "bad", "told"),
    [
        (Percent, 100, 101, "int, at least 0, at most 100"),
        (Annotated[float, Meta(gt=0, lt=1)], 0.5, 1.0, "float, more than 0, less than 1"),
        (Annotated[int, Meta(multiple_of=5)], 10, 11, "int, a multiple of 5"),
        (Annotated[str, Meta(pattern="^N[0-9]+$")], "N1", "X1", "str, text like ^N[0-9]+$"),
        (
            Annotated[str, Meta(min_length=2, max_length=3)],
            "ab",
            "abcd",
            "str, of length 2 or more, of length 3 or less",
        ),
        (Annotated[list[int], Meta(min_length=2)], [1, 2], [1], "list[int], of length 2 or more"),
        (
            Annotated[dict[str, int], Meta(max_length=1)],
            {"a": 1},
            {"a": 1, "b": 2},
            "dict[str, int], of length 1 or less",
        ),
        (Annotated[int | None, Meta(ge=0)], None, -1, "int | None, at least 0"),
        (
            Annotated[datetime, Meta(tz=True)],
            datetime(2013, 1, 1, tzinfo=UTC),
            datetime(2013, 1, 1),  # noqa: DTZ001  (a naive one is the point)
            "datetime, with an offset: True",
        ),
    ],
)
def test_a_constraint_holds_both_ways(kind: Any, good: Any, bad: Any, told: str) -> None:
    known, free = form(kind), form(kind.__origin__)

    assert known.decode(known.encode(good)) == good
    assert known.from_json(known.to_json(good)) == good
    for call, given in (
        (known.encode, bad),
        (known.to_json, bad),
        (known.decode, free.encode(bad)),
        (known.from_json, free.to_json(bad)),
    ):
        with pytest.raises(FormError, match="NT-FORM-005") as caught:
            call(given)
        assert caught.value.message.endswith(f"; it takes {told}")


def test_a_constraint_inside_is_named_by_its_path() -> None:
    with pytest.raises(FormError) as caught:
        form(list[Percent]).decode(Record([5, 200]))

    assert str(caught.value) == "NT-FORM-005  at [1] got 200; it takes int, at least 0, at most 100"


def test_constraints_hold_for_keys() -> None:
    assert form(dict[Percent, int]).from_json('{"5":1}') == {5: 1}
    with pytest.raises(FormError, match="NT-FORM-005"):
        form(dict[Percent, int]).from_json('{"500":1}')


def test_constraints_add_up() -> None:
    with pytest.raises(FormError, match="NT-FORM-005"):
        form(Annotated[Percent, Meta(le=50)]).decode(60)
    with pytest.raises(FormError, match="NT-FORM-005"):
        form(Annotated[Percent, Meta(le=50)]).decode(-1)


@pytest.mark.parametrize(
    "kind",
    [
        Annotated[str, Meta(ge=1)],
        Annotated[int, Meta(pattern="x")],
        Annotated[int, Meta(min_length=1)],
        Annotated[str, Meta(tz=True)],
    ],
)
def test_a_constraint_that_means_nothing_is_refused(kind: Any) -> None:
    with pytest.raises(FormError, match="NT-FORM-001"):
        form(kind)


def test_other_annotations_are_left_alone() -> None:
    assert form(Annotated[int, "a note"]).decode(5) == 5
    assert form(Annotated[int, ["a note that can change"]]).decode(5) == 5
