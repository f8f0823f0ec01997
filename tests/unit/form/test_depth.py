"""Values nested too deeply are refused, in every direction and without exhausting the stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from natant.codec import recon
from natant.codec.form import DEPTH_LIMIT, form
from natant.codec.recon import Extant, Record, Slot
from natant.errors import FormError


@dataclass
class Tree:
    value: int
    kids: list[Tree] = field(default_factory=list)
    twin: Tree | None = None


def refusal(call: Any, *arguments: Any) -> FormError:
    with pytest.raises(FormError) as caught:
        call(*arguments)
    return caught.value


def chain(length: int) -> Tree:
    tree = Tree(0)
    for _ in range(length):
        tree = Tree(0, [], tree)
    return tree


def test_depth_has_a_limit() -> None:
    known = form(Tree)
    deepest = chain(DEPTH_LIMIT - 2)

    assert known.decode(recon.decode(recon.encode(known.encode(deepest)))) == deepest
    assert known.from_json(known.to_json(deepest)) == deepest
    for length in (DEPTH_LIMIT, 100_000):
        too_deep = chain(length)
        assert refusal(known.encode, too_deep).code == "NT-FORM-010"
        assert refusal(known.to_json, too_deep).code == "NT-FORM-010"
        while too_deep.twin is not None:  # take it apart, so that freeing it does not recurse
            too_deep = too_deep.twin
    value: Any = Extant
    for _ in range(DEPTH_LIMIT + 1):
        value = Record([Slot("value", 0), Slot("twin", value)])
    assert refusal(known.decode, value).code == "NT-FORM-010"
    assert refusal(known.from_json, '{"value":0,"twin":' * 70 + "null" + "}" * 70).code == "NT-FORM-010"
    assert refusal(known.from_json, "[" * 5000 + "]" * 5000).code == "NT-FORM-010"


def test_an_object_that_contains_itself_is_refused() -> None:
    tree = Tree(0)
    tree.twin = tree

    assert refusal(form(Tree).encode, tree).code == "NT-FORM-010"


def test_an_error_deep_inside_is_found_once() -> None:
    tree = Tree("x")  # type: ignore[arg-type]
    for _ in range(50):
        tree = Tree(0, [tree])

    assert refusal(form(Tree).encode, tree).context["path"].count("kids[0]") == 50
