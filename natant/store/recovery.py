"""What a start has to bring from the log into the database, and whether all is there.

Called by :mod:`natant.store.rocks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from natant.store.contract import Operation
from natant.store.entry import unpack
from natant.store.log import Lap
from natant.store.trouble import lost

__all__ = ["batches", "check"]


def check(folder: Path, laps: list[Lap], applied: int, acknowledged: int) -> int:
    """Check that the log goes on where the database ends, without a gap, and has all that was acknowledged.

    :param laps: what the files of the log hold, oldest first.
    :param applied: the commit up to which the database has everything.
    :param acknowledged: the last commit that was acknowledged, as the tail mark says.
    :returns: the last commit.
    :raises StoreError: ``NT-STORE-004`` where commits are missing.
    """
    last = applied
    for lap in laps:
        if lap.later > applied:
            raise lost(folder, f"{lap.last + 1} is not there, and {lap.later} is", [lap])
        if lap.last > applied:
            if lap.first > last + 1:
                raise lost(folder, f"{last + 1} is not there, and {lap.first} is", laps)
            last = lap.last
    if last < acknowledged:
        raise lost(folder, f"{acknowledged} were acknowledged, the last one there is {last}", laps)
    return last


def batches(laps: list[Lap], applied: int) -> Iterator[list[Operation]]:
    """The batches of the commits behind ``applied``, in their order."""
    for lap in laps:
        for start in lap.starts(applied):
            yield unpack(lap.data, start)
