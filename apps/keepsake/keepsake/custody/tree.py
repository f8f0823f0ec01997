"""The Merkle tree of RFC 9162 (Certificate Transparency 2.0): roots, proofs, and how proofs are checked.  No store, no keys.

Nodes are asked for by height and index: ``node(h, i)`` is the hash over the leaves ``i * 2**h`` up to ``(i + 1) * 2**h``, all of
which exist.  Where they come from is the caller's affair (`keepsake.custody.tile`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

__all__ = [
    "EMPTY",
    "Node",
    "consistency",
    "inclusion",
    "is_consistent",
    "is_included",
    "leaf_hash",
    "node_hash",
    "root",
]

#: gives the hash of a complete subtree by height and index
Node: TypeAlias = Callable[[int, int], bytes]

#: the root of a tree without leaves
EMPTY: Final = hashlib.sha256(b"").digest()


def leaf_hash(record: bytes) -> bytes:
    """The hash of a leaf (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1


def _range(node: Node, start: int, end: int) -> bytes:
    """The root over some leaves; ``start`` is as aligned as the tree's own recursion makes it."""
    count = end - start
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return node(height, start >> height)
    middle = start + _split(count)
    return node_hash(_range(node, start, middle), _range(node, middle, end))


def root(node: Node, size: int) -> bytes:
    """The root of the first ``size`` leaves."""
    return _range(node, 0, size) if size else EMPTY


def inclusion(node: Node, index: int, size: int) -> list[bytes]:
    """The proof that a leaf is in the tree of ``size`` leaves (2.1.3.1), from the leaf upwards."""
    assert 0 <= index < size, (index, size)
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range(node, middle, end))
            end = middle
        else:
            path.append(_range(node, start, middle))
            start = middle
    return path[::-1]


def consistency(node: Node, old: int, size: int) -> list[bytes]:
    """The proof that the tree of ``size`` leaves begins with the one of ``old`` leaves (2.1.4.1)."""
    assert 0 <= old <= size, (old, size)
    if old in {0, size}:
        return []
    path: list[bytes] = []
    start, end, is_whole = 0, size, True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range(node, middle, end))
            end = middle
        else:
            path.append(_range(node, start, middle))
            start, is_whole = middle, False
    if not is_whole:
        path.append(_range(node, start, end))
    return path[::-1]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], head: bytes) -> bool:
    """Whether ``path`` proves that ``leaf`` (its hash) is at ``index`` below the root ``head`` (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            found = node_hash(sibling, found)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and found == head


def is_consistent(old: int, size: int, old_head: bytes, head: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` proves that the tree below ``head`` begins with the one below ``old_head`` (2.1.4.2)."""
    if old == size:
        return not path and old_head == head
    if old == 0:
        return not path and old_head == EMPTY and size > 0
    if not 0 < old < size:
        return False
    hashes = list(path) if old & (old - 1) else [old_head, *path]
    if not hashes:
        return False
    first, last = old - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    left = right = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            left, right = node_hash(sibling, left), node_hash(sibling, right)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            right = node_hash(right, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and left == old_head and right == head
