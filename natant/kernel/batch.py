"""The records of a commit group: of several for one key only the last is written.

A busy agent runs many turns between two commits.  Their units become durable together or not at all, so nobody can tell a batch with each
of its states from one with the last.  Called by :mod:`natant.kernel.journal` at each cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

__all__ = ["gather"]

Record = tuple[int, bytes, bytes]

#: the operation of the store's contract that concerns more than one key
_DELETE_PREFIX: Final = 2


class _Unit(Protocol):
    @property
    def records(self) -> list[Record]: ...


def gather(units: Iterable[_Unit]) -> list[Record]:
    """All records of ``units`` as one batch with the same effect, in which no key is written twice without need."""
    batch: list[Record] = []
    latest: dict[bytes, Record] = {}
    for unit in units:
        for record in unit.records:
            if record[0] == _DELETE_PREFIX:  # concerns what was written before it, and not what comes after
                batch.extend(latest.values())
                latest.clear()
                batch.append(record)
            else:
                latest[record[1]] = record
    batch.extend(latest.values())
    return batch
