"""The dict of maps without a key type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.codec import recon
from natant.codec.recon.value import Record
from natant.lane.exact_dict import ExactDict

KEYS: st.SearchStrategy[Any] = st.one_of(
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([0.0, 1.0, 0.5]),
    st.sampled_from(["", "1", "true", "a"]),
    st.builds(lambda n: Record.of({"x": n}), st.integers(0, 1)),
)


def text(key: Any) -> str:
    return recon.encode(key)


@given(st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers()))))
def test_it_is_a_dict_by_what_recon_writes(steps: list[tuple[Any, int | None]]) -> None:
    found: ExactDict[int] = ExactDict()
    model: dict[str, tuple[Any, int]] = {}
    for key, value in steps:
        if value is None:
            assert found.pop(key, None) == model.pop(text(key), (None, None))[1]
        else:
            found[key] = value
            model[text(key)] = (key, value)
        assert (key in found) == (text(key) in model)
        assert found.get(key) == model.get(text(key), (None, None))[1]
    assert len(found) == len(model)
    assert {text(key): value for key, value in found.items()} == {name: value for name, (_, value) in model.items()}
    assert {(text(key), key.__class__) for key in found} == {(name, key.__class__) for name, (key, _) in model.items()}
    assert list(reversed(list(found))) == list(reversed(found))


def test_a_missing_key_is_named() -> None:
    found: ExactDict[int] = ExactDict([(True, 1)])
    with pytest.raises(KeyError):
        found[1]
    assert found[True] == 1
