"""The hashes of a log in tiles of 256, so that a proof reads a handful of them however long the log is (C2SP tlog-tiles).

Tile ``LEVEL/NUMBER`` holds hashes of subtrees of height ``8 * LEVEL``; only the last tile of a level has fewer than 256, and it only
ever grows.  What is not in a tile yet is hashed from the records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from keepsake.custody.tree import leaf_hash, node_hash

__all__ = ["Tiles"]

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
HASH_BYTES: Final = 32

#: tiles that are kept in memory, 8 KB each
CACHE_TILES: Final = 64


def _top(hashes: bytes) -> bytes:
    """The hash over a row of hashes, whose number is a power of two."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


class Tiles:
    """Reads tiles, makes new ones.

    :param tile: gives a tile by its name, None where there is none.
    :param records: gives the records from an index on, at most so many.
    """

    def __init__(self, tile: Callable[[str], bytes | None], records: Callable[[int, int], list[bytes]]) -> None:
        self._tile = tile
        self._records = records
        self._cache: dict[str, bytes] = {}

    def node(self, height: int, index: int) -> bytes:
        """The hash of a complete subtree: `keepsake.custody.tree.Node`."""
        level, rest = divmod(height, HEIGHT)
        first = index << rest
        hashes = self._hashes(level, first >> HEIGHT, (first + (1 << rest) - 1) % WIDTH + 1)
        start = (first % WIDTH) * HASH_BYTES
        return _top(hashes[start : start + (HASH_BYTES << rest)])

    def _hashes(self, level: int, number: int, width: int) -> bytes:
        """At least the first ``width`` hashes of a tile."""
        name = f"{level}/{number}"
        known = self._cache.get(name, b"")
        if len(known) < width * HASH_BYTES:
            known = max(known, self._tile(name) or b"", key=len)
        have = len(known) // HASH_BYTES
        if have < width:
            start = number * WIDTH
            if level == 0:
                rows = self._records(start + have, width - have)
                known += b"".join(map(leaf_hash, rows))
            else:
                below = (self._hashes(level - 1, start + at, WIDTH) for at in range(have, width))
                known += b"".join(map(_top, below))
        assert len(known) >= width * HASH_BYTES, (name, width, len(known))
        self._cache.pop(name, None)
        self._cache[name] = known
        if len(self._cache) > CACHE_TILES:
            del self._cache[next(iter(self._cache))]
        return known

    def grow(self, old: int, size: int) -> Iterator[tuple[str, bytes]]:
        """The tiles that are new or wider in a log of ``size`` records than in one of ``old``."""
        for level in count():
            before, now = old >> level * HEIGHT, size >> level * HEIGHT
            if now == 0:
                return
            for number in range(before // WIDTH, (now + WIDTH - 1) // WIDTH):
                width = min(WIDTH, now - number * WIDTH)
                if number * WIDTH + width > before:
                    yield f"{level}/{number}", self._hashes(level, number, width)[: width * HASH_BYTES]
