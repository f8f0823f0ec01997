"""The records of a commit group: one batch.

Several records of one key stay in it, in their order: the store keeps the last, and its log takes the others at next to no cost.  A hot
module: types for Cython are in ``batch.pxd``.  Called by :mod:`natant.kernel.journal` at each cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

__all__ = ["gather"]

Record = tuple[int, bytes, bytes]


class _Unit(Protocol):
    @property
    def records(self) -> list[Record]: ...


def gather(units: Iterable[_Unit]) -> list[Record]:
    """All records of ``units`` as one batch."""
    batch: list[Record] = []
    for unit in units:
        batch.extend(unit.records)
    return batch
