"""Keys of buckets: every node and every entry has one, which every client of NATS takes, and which leads back."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from natant.fabric.nats.bucket import bucket_key, node_of_key

#: what clients of NATS take for a key
VALID = re.compile(r"[-/_=.a-zA-Z0-9]+")
SEGMENT = st.text("abcXYZ019-._~!$&'()*+,;=:@", min_size=1, max_size=8).filter(lambda text: text.strip("."))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(SEGMENT, min_size=1, max_size=4))
def test_a_node_is_found_again_by_its_key(segments: list[str]) -> None:
    node = "/" + "/".join(segments)
    key = bucket_key(node)

    assert VALID.fullmatch(key)
    assert not key.startswith("_"), "those are the bucket's own"
    assert node_of_key(key, is_map=False) == node


@given(TEXT)
def test_so_is_that_of_an_entry(entry: str) -> None:
    key = bucket_key("/vehicle/7", entry)

    assert VALID.fullmatch(key)
    assert node_of_key(key, is_map=True) == "/vehicle/7"
