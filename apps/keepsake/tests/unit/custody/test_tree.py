"""The Merkle tree against its definition, written down anew, and against proofs that were tampered with."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from keepsake.custody import tree
from keepsake.custody.tile import Tiles

SIZES = st.integers(0, 600)


def leaves(count: int) -> list[bytes]:
    return [b"record %d" % number for number in range(count)]


def by_definition(records: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word by word."""
    if not records:
        return hashlib.sha256(b"").digest()
    if len(records) == 1:
        return hashlib.sha256(b"\x00" + records[0]).digest()
    k = 1
    while k * 2 < len(records):
        k *= 2
    return hashlib.sha256(b"\x01" + by_definition(records[:k]) + by_definition(records[k:])).digest()


def node_of(records: list[bytes]) -> tree.Node:
    return Tiles(lambda name: None, lambda start, count: records[start : start + count]).node


@given(SIZES)
def test_the_root_is_the_defined_one(size: int) -> None:
    records = leaves(size)

    assert tree.root(node_of(records), size) == by_definition(records)


@given(st.integers(1, 600), st.data())
def test_every_record_is_proved_and_no_other(size: int, data: st.DataObject) -> None:
    records = leaves(size)
    node = node_of(records)
    index = data.draw(st.integers(0, size - 1))
    path, head = tree.inclusion(node, index, size), tree.root(node, size)
    leaf = tree.leaf_hash(records[index])

    assert len(path) <= size.bit_length()
    assert tree.is_included(leaf, index, size, path, head)
    assert not tree.is_included(tree.leaf_hash(b"another"), index, size, path, head)
    assert not tree.is_included(leaf, index, size, [*path, head], head)
    assert not tree.is_included(leaf, size, size, path, head)
    if path:
        assert not tree.is_included(leaf, index, size, path[:-1], head)
    if size > 1:
        assert not tree.is_included(leaf, (index + 1) % size, size, path, head)


@given(SIZES, st.data())
def test_a_grown_log_begins_with_the_old_one(size: int, data: st.DataObject) -> None:
    records = leaves(size)
    node = node_of(records)
    old = data.draw(st.integers(0, size))
    path = tree.consistency(node, old, size)
    before, after = tree.root(node, old), tree.root(node, size)

    assert tree.is_consistent(old, size, before, after, path)
    if 0 < old < size:
        assert not tree.is_consistent(old, size, tree.leaf_hash(b"x"), after, path)
        assert not tree.is_consistent(old, size, before, tree.leaf_hash(b"x"), path)
        assert not tree.is_consistent(old, size, before, after, path[:-1])
        assert not tree.is_consistent(old, size, before, after, [*path, after])
        assert not tree.is_consistent(size, old, after, before, path)


@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_tiles_that_grew_in_steps_tell_the_same(steps: list[int]) -> None:
    records = leaves(max(steps))
    kept: dict[str, bytes] = {}
    old = 0
    for size in sorted(steps):
        tiles = Tiles(kept.get, lambda start, count: records[start : start + count])
        kept |= dict(tiles.grow(old, size))
        old = size

    assert sum(map(len, kept.values())) == 32 * (old + (old >> 8))
    assert tree.root(Tiles(kept.get, lambda start, count: []).node, old) == by_definition(records)


def test_a_proof_in_a_long_log_reads_few_tiles() -> None:
    records = leaves(70_000)
    kept = dict(Tiles(lambda name: None, lambda start, count: records[start : start + count]).grow(0, len(records)))
    read: list[str] = []

    def tile(name: str) -> bytes | None:
        read.append(name)
        return kept.get(name)

    node = Tiles(tile, lambda start, count: []).node
    path = tree.inclusion(node, 12_345, len(records))

    assert tree.is_included(tree.leaf_hash(records[12_345]), 12_345, len(records), path, by_definition(records))
    assert len(read) <= 8
