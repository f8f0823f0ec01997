"""A time that was meant: an interval, since people say "last summer" and not a second."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Precision", "When"]


class Precision(StrEnum):
    """How exactly a time was said."""

    MINUTE = "minute"
    HOUR = "hour"
    PART = "part of day"
    DAY = "day"
    WEEKEND = "weekend"
    WEEK = "week"
    MONTH = "month"
    SEASON = "season"
    YEAR = "year"
    DECADE = "decade"


@dataclass(frozen=True, slots=True)
class When:
    """An interval of time.

    :ivar start: its first moment, epoch seconds.
    :ivar end: the first moment after it.
    :ivar precision: how exactly it was said.
    :ivar words: as it was said, "two weekends ago"; empty where it is the time of saying itself.
    """

    start: float
    end: float
    precision: Precision
    words: str = ""
