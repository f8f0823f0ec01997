"""Values for property tests of the codec, and equality that looks at types too."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from natant.codec.recon import Attr, Extant, Record, Slot, UInt32, UInt64

texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["", "true", "false", "a", "a-b", "lane", "été", "日本", "/unit/1", '"', "\\", "\t", "#", "0x1", "1a"]
    ),
)

atoms = st.one_of(
    texts,
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**6), 10**6).map(float),
    st.booleans(),
    st.binary(max_size=6),
    st.integers(0, 2**32 - 1).map(UInt32),
    st.integers(0, 2**64 - 1).map(UInt64),
    st.just(Extant),
)


def _records(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    items = st.one_of(children, st.builds(Slot, children, children), st.builds(Attr, texts, children))
    return st.lists(items, max_size=4).map(Record)


#: Values in normal form: all that Recon can hold; Absent only stands for no value at all, so it is in no record.
values = st.recursive(atoms, _records, max_leaves=12)

records = _records(values)


def shape(value: Any) -> Any:
    """Plain data that is equal for values that are equal in value and type."""
    if isinstance(value, Record):
        return ["record", *map(shape, value.items)]
    if isinstance(value, Slot):
        return ["slot", shape(value.key), shape(value.value)]
    if isinstance(value, Attr):
        return ["attr", value.name, shape(value.value)]
    return [type(value).__name__, repr(value)]
