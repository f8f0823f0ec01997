"""What the benchmarks found, as one table for people and JSON for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Row", "lines", "spaced"]


@dataclass
class Row:
    """One figure.

    :ivar work: what was done.
    :ivar value: what it took, in ``unit``; None where it could not be measured, and ``note`` tells why.
    :ivar yard_value: what the yardstick took in the same run, in the same unit; None where there is none.
    :ivar yard: what the yardstick is.
    :ivar reach: the value to reach, None where none was set; ``is_more_better`` tells in which direction.
    :ivar detail: further facts, for the JSON.
    """

    work: str
    value: float | None
    unit: str
    yard: str = ""
    yard_value: float | None = None
    reach: float | None = None
    is_more_better: bool = False
    note: str = ""
    detail: dict[str, Any] | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the yardstick."""
        return self.value / self.yard_value if self.yard_value and self.value is not None else None

    @property
    def is_reached(self) -> bool | None:
        """Whether ``reach`` was reached."""
        if self.reach is None or self.value is None:
            return None
        return self.value >= self.reach if self.is_more_better else self.value <= self.reach

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.__dict__, "ratio": self.ratio, "is_reached": self.is_reached}


def lines(rows: list[Row]) -> list[str]:
    """The table in Markdown."""
    found = ["| work | natant | yardstick | ratio | reach | |", "|---|---|---|---|---|---|"]
    for row in rows:
        yard = f"{_short(row.yard_value)} ({row.yard})" if row.yard_value is not None else row.yard
        ratio = f"{row.ratio:.3g}" if row.ratio is not None else ""
        sign = ">=" if row.is_more_better else "<="
        reach = f"{sign} {_short(row.reach)}" if row.reach is not None else ""
        mark = {True: "yes", False: "no", None: ""}[row.is_reached]
        note = f"{mark}; {row.note}" if mark and row.note else mark or row.note
        value = f"{_short(row.value)} {row.unit}" if row.value is not None else "not measured"
        found.append(f"| {row.work} | {value} | {yard} | {ratio} | {reach} | {note} |")
    return found


def _short(value: float | None) -> str:
    if value is None:
        return ""
    if value >= 10_000:
        return spaced(value)
    return f"{value:.3g}"


def spaced(value: float) -> str:
    """A whole number with blanks between its thousands."""
    return f"{value:,.0f}".replace(",", " ")
