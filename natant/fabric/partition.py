"""Which partition holds a node: FNV-1a-32 over the node's tokens, as ``partition()`` of a NATS server's mapping computes it.

The number of partitions of a plane never changes, so the answer never does.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from natant.fabric.token import tokens_of

__all__ = ["DEFAULT_PARTITIONS", "MAX_PARTITIONS", "fnv1a", "partition_of", "partition_of_tokens"]

#: partitions of a plane that says nothing else; each is a unit of hand-over and has one journal
DEFAULT_PARTITIONS: Final = 64
#: each costs its owner a host and the server a stream
MAX_PARTITIONS: Final = 1024
#: nodes whose partition is remembered, about 200 bytes each
CACHED_NODES: Final = 32_768

_OFFSET: Final = 0x811C9DC5
_PRIME: Final = 0x01000193


def fnv1a(content: bytes) -> int:
    """The 32-bit FNV-1a hash of ``content``."""
    value = _OFFSET
    for byte in content:
        value = ((value ^ byte) * _PRIME) & 0xFFFFFFFF
    return value


def partition_of_tokens(tokens: Iterable[str], count: int) -> int:
    """The partition, from 0 to ``count - 1``, of the node with these subject tokens."""
    return fnv1a("".join(tokens).encode("utf-8")) % count


@lru_cache(CACHED_NODES)
def partition_of(node: str, count: int) -> int:
    """The partition, from 0 to ``count - 1``, of a node in any of its spellings.

    :raises WarpError: ``NT-WARP-004`` where ``node`` is no URI.
    """
    return partition_of_tokens(tokens_of(node), count)
