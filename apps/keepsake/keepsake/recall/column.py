"""Columns that grow: rows of figures in one block of memory that is enlarged by a quarter at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["Column"]

#: rows that there is room for at first
FIRST: Final = 256


class Column:
    """A one- or two-dimensional array that rows are appended to.

    :ivar size: rows in use.
    """

    def __init__(self, kind: npt.DTypeLike, width: int | None = None) -> None:
        self._shape: tuple[int, ...] = () if width is None else (width,)
        self._rows: npt.NDArray[Any] = np.zeros((FIRST, *self._shape), kind)
        self.size = 0

    def append(self, row: Any) -> None:
        """Append one row."""
        self.reserve(self.size + 1)
        self._rows[self.size] = row
        self.size += 1

    def reserve(self, size: int) -> None:
        """Make room for so many rows."""
        if size <= len(self._rows):
            return
        grown = np.zeros((max(size, len(self._rows) * 5 // 4), *self._shape), self._rows.dtype)
        grown[: self.size] = self._rows[: self.size]
        self._rows = grown

    @property
    def rows(self) -> npt.NDArray[Any]:
        """The rows in use; a view, valid until the next append."""
        return self._rows[: self.size]

    def bytes(self) -> int:
        """Bytes it takes."""
        return int(self._rows.nbytes)


def total(columns: Mapping[str, Column]) -> int:
    """Bytes that columns take together."""
    return sum(column.bytes() for column in columns.values())
