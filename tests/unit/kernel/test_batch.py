"""The records of a commit group."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from natant.kernel.batch import gather
from natant.store.memory import MemoryStore

KEYS = st.sampled_from([b"a", b"ab", b"abc", b"b", b"bc"])
RECORDS = st.one_of(
    st.tuples(st.just(0), KEYS, st.binary(min_size=1, max_size=2)),
    st.tuples(st.just(1), KEYS, st.just(b"")),
    st.tuples(st.just(2), KEYS, st.just(b"")),
)


def state(batches: list[list[tuple[int, bytes, bytes]]]) -> list[Any]:
    store = MemoryStore()
    for batch in batches:
        store.apply(batch)
    return list(store.scan(b""))


@given(st.lists(st.lists(RECORDS, max_size=4), max_size=6))
def test_a_gathered_batch_has_the_effect_of_all_records_in_their_order(groups: list[list[Any]]) -> None:
    units: list[Any] = [SimpleNamespace(records=records) for records in groups]
    assert state([gather(units)]) == state(groups)
