"""The civil calendar of a place: which interval of time a day, weekend, month or season is there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from keepsake.record import Precision, When

__all__ = ["HOLIDAYS", "MONTHS", "SEASONS", "WEEKDAYS", "Now", "months_after", "place"]

MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

#: the month that each begins with, in the north
SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}

#: zones of the south, where summer begins in December; by the beginning of their names
_SOUTH: Final = (
    "Africa/Harare",
    "Africa/Johannesburg",
    "Africa/Lusaka",
    "Africa/Maputo",
    "Africa/Windhoek",
    "America/Argentina",
    "America/Asuncion",
    "America/Buenos_Aires",
    "America/Montevideo",
    "America/Santiago",
    "America/Sao_Paulo",
    "Antarctica/",
    "Australia/",
    "Pacific/Auckland",
)

#: what comes within so many seconds is meant even where a sentence speaks of the past...
SOON_S: Final = 45 * 86_400.0

#: ...if it was last so long ago
LONG_AGO_S: Final = 240 * 86_400.0

#: zones kept open
_ZONES: Final = 256


@lru_cache(maxsize=_ZONES)
def place(zone: str) -> tzinfo:
    """A time zone by its IANA name; UTC where there is none of that name."""
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # no such name, none that may be one, a folder of names
        return UTC


def months_after(day: date, count: int) -> date:
    """The first of the month that lies ``count`` months later (or earlier)."""
    months = day.year * 12 + day.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm, Nature 1876)."""
    century, position = year // 100, year % 19
    correction = (century - century // 4 - (8 * century + 13) // 25 + 19 * position + 15) % 30
    correction -= (correction // 28) * (1 - (29 // (correction + 1)) * ((21 - position) // 11))
    weekday = (year + year // 4 + correction + 2 - century + century // 4) % 7
    distance = correction - weekday
    month = 3 + (distance + 40) // 44
    return date(year, month, distance + 28 - 31 * (month // 4))


def nth_weekday(year: int, month: int, weekday: int, count: int) -> date:
    """The ``count``-th such weekday of a month, from 1; -1 is the last."""
    if count > 0:
        first = date(year, month, 1)
        return first + timedelta((weekday - first.weekday()) % 7 + 7 * (count - 1))
    last = months_after(date(year, month, 1), 1) - timedelta(1)
    return last - timedelta((last.weekday() - weekday) % 7)


#: Days that people name: month and day, or a function of the year.
HOLIDAYS: Final[dict[str, tuple[int, int] | Callable[[int], date]]] = {
    "new year's eve": (12, 31),
    "new year's day": (1, 1),
    "new year's": (1, 1),
    "new year": (1, 1),
    "valentine's day": (2, 14),
    "valentine's": (2, 14),
    "st patrick's day": (3, 17),
    "good friday": lambda year: easter(year) - timedelta(2),
    "easter monday": lambda year: easter(year) + timedelta(1),
    "easter": easter,
    "mother's day": lambda year: nth_weekday(year, 5, 6, 2),
    "father's day": lambda year: nth_weekday(year, 6, 6, 3),
    "memorial day": lambda year: nth_weekday(year, 5, 0, -1),
    "independence day": (7, 4),
    "fourth of july": (7, 4),
    "labor day": lambda year: nth_weekday(year, 9, 0, 1),
    "halloween": (10, 31),
    "thanksgiving": lambda year: nth_weekday(year, 11, 3, 4),
    "black friday": lambda year: nth_weekday(year, 11, 3, 4) + timedelta(1),
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "christmas": (12, 25),
    "xmas": (12, 25),
    "boxing day": (12, 26),
}


@dataclass(frozen=True, slots=True)
class Now:
    """From where a time is meant: the moment of saying, in the speaker's zone, and what the sentence speaks of.

    :ivar said: the moment of saying, in the zone.
    :ivar day: its day.
    :ivar text: the sentence, capitals kept.
    :ivar is_future: it speaks of what is to come.
    :ivar is_past: it speaks of what was; often neither can be seen.
    """

    said: datetime
    day: date
    text: str = ""
    is_future: bool = False
    is_past: bool = False
    is_south: bool = False
    is_month_first: bool = False

    @classmethod
    def of(cls, said_at: float, zone: str) -> Now:
        """The moment of saying; a moment that no calendar has counts as 1970."""
        where = place(zone)
        try:
            said = datetime.fromtimestamp(said_at, where)
        except (ValueError, OverflowError, OSError):
            said = datetime.fromtimestamp(0, where)
        return cls(
            said, said.date(), is_south=zone.startswith(_SOUTH), is_month_first=zone.startswith(("America/", "US/"))
        )

    def moment(self, day: date, hour: int = 0, minute: int = 0) -> float:
        """Epoch seconds of a time of day here."""
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.said.tzinfo).timestamp()

    def days(self, first: date, after: date, precision: Precision) -> When:
        """From the beginning of a day to the beginning of another."""
        return When(self.moment(first), self.moment(after), precision)

    def one_day(self, day: date) -> When:
        """A whole day."""
        return self.days(day, day + timedelta(1), Precision.DAY)

    def week(self, count: int = 0) -> When:
        """The week, from Monday, that lies ``count`` weeks after this one."""
        monday = self.day - timedelta(self.day.weekday()) + timedelta(7 * count)
        return self.days(monday, monday + timedelta(7), Precision.WEEK)

    def weekend(self, count: int) -> When:
        """The weekend that lies ``count`` after that of this week."""
        saturday = self.day - timedelta(self.day.weekday()) + timedelta(5 + 7 * count)
        return self.days(saturday, saturday + timedelta(2), Precision.WEEKEND)

    def month(self, first: date, count: int = 1) -> When:
        """Whole months, from that of a day."""
        start = first.replace(day=1)
        return self.days(start, months_after(start, count), Precision.MONTH)

    def years(self, year: int, count: int = 1) -> When:
        """Whole years."""
        return self.days(date(year, 1, 1), date(year + count, 1, 1), Precision.YEAR)

    def season(self, name: str, year: int) -> When:
        """A season that begins in a year; in the south summer begins in December."""
        month = SEASONS[name]
        if self.is_south:
            month = (month + 5) % 12 + 1
        first = date(year, month, 1)
        return self.days(first, months_after(first, 3), Precision.SEASON)

    def holiday(self, name: str, year: int) -> When:
        """A day that has a name."""
        rule = HOLIDAYS[name]
        return self.one_day(rule(year) if callable(rule) else date(year, *rule))

    def nearest(self, candidates: list[When], *, direction: int = 0, may_be_soon: bool = False) -> When:
        """Of the same thing in several years the one that is meant: the last that began, or the next that ends.

        :param direction: -1 the last that is over, 1 the next that has not begun, 0 what the sentence speaks of.
        :param may_be_soon: what comes soon is meant even where the sentence speaks of the past: people get ready for it.
        """
        at = self.said.timestamp()
        if direction == 0 and not self.is_future and not self.is_past:
            return min(candidates, key=lambda one: abs(one.start + one.end - 2 * at))
        if may_be_soon and direction == 0 and self.is_past and (soon := self._soon(candidates)):
            return soon
        if direction < 0 or (direction == 0 and self.is_past):
            limit = [one for one in candidates if (one.end if direction < 0 else one.start) <= at]
            return max(limit or candidates, key=lambda one: one.start if limit else -abs(one.start - at))
        limit = [one for one in candidates if (one.start if direction > 0 else one.end) > at]
        return min(limit or candidates, key=lambda one: one.start if limit else abs(one.start - at))

    def _soon(self, candidates: list[When]) -> When | None:
        """What comes soon and was last long ago: "we bought lights for Christmas", said in November."""
        at = self.said.timestamp()
        ahead = min((one.start for one in candidates if one.start > at), default=math.inf)
        behind = max((one.end for one in candidates if one.start <= at), default=-math.inf)
        if ahead - at > SOON_S or at - behind < LONG_AGO_S:
            return None
        return next(one for one in candidates if one.start == ahead)
