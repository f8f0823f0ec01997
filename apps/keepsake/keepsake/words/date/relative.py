"""Dates that are counted from the moment of saying: "yesterday", "two weekends ago", "last Friday", "a few years ago"."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from keepsake.record import Precision, When
from keepsake.words.date.absolute import PART, Rule, directed, portion, rule
from keepsake.words.date.calendar import WEEKDAYS, Now, months_after
from keepsake.words.date.number import NUMBER, count, is_vague

__all__ = ["RULES", "UNIT"]

UNIT: Final = r"(minute|min|hour|hr|day|night|morning|afternoon|evening|weekend|week|fortnight|month|quarter|season|year|yr|decade|centur)(?:ie|y)?s?"

_WHICH: Final = r"(last|past|this past|this coming|this|next|coming|previous|following|upcoming)"
_WEEKDAY: Final = (
    r"(monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues|tue|wed|thurs|thur|thu|fri|sat|sun)"
)
_STRETCH: Final = "(last|past|previous|next|coming|upcoming)"
_PART: Final = r"(?: (early |late )?(morning|afternoon|evening|night|lunchtime))"

#: parts of a day: from which hour to which
PARTS: Final = {
    "morning": (5, 12),
    "lunchtime": (11, 14),
    "afternoon": (12, 18),
    "evening": (17, 23),
    "tonight": (18, 24),
    "night": (18, 24),
}

#: days of each unit that is counted in days
_DAYS: Final = {"day": 1, "night": 1, "morning": 1, "afternoon": 1, "evening": 1, "week": 7, "fortnight": 14}

#: months of each unit that is counted in months
_MONTHS: Final = {"month": 1, "quarter": 3, "season": 3, "year": 12, "yr": 12, "decade": 120, "centur": 1200}

#: how many minutes
_MINUTES: Final = {"minute": 1, "min": 1, "hour": 60, "hr": 60}


def part_of(now: Now, day: date, part: str) -> When:
    """A part of a day."""
    start, end = PARTS[part]
    return When(
        now.moment(day, start),
        now.moment(day + timedelta(1)) if end == 24 else now.moment(day, end),
        Precision.PART,
    )


def _near_day(found: re.Match[str], now: Now) -> When | None:
    words = found[1]
    shift = {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1, "tmrw": 1}.get(words.split(" ")[-1], 0)
    if words.startswith(("the day before y", "day before y", "the day after t", "day after t")):
        shift *= 2
    day = now.day + timedelta(shift)
    part = "night" if words == "tonight" else found[3] or ""
    return part_of(now, day, part) if part else now.one_day(day)


def _part_of_today(found: re.Match[str], now: Now) -> When | None:
    which, part = found[1], found[2]
    shift = 0 if which in {"this", "earlier this", "later this"} else -1 if which == "last" else 1
    return part_of(now, now.day + timedelta(shift), part)


def _counted(found: re.Match[str], now: Now) -> When | None:
    low, high = count(found[1])
    unit = found[2]
    sign = -1 if found[3] else 1
    return _away(now, (sign * low, sign * high), unit, is_vague=is_vague(found[1]))


def _half_more(found: re.Match[str], now: Now) -> When | None:
    """As in "a year and a half ago"."""
    low, high = count(found[1])
    sign = -1 if found[3] in {"ago", "back", "earlier"} else 1
    return _away(now, (sign * (low + 0.5), sign * (high + 0.5)), found[2], is_vague=False)


def _ahead(found: re.Match[str], now: Now) -> When | None:
    if now.is_past and found[0].startswith(("in", "within")):
        return None  # "I ran it in two hours": how long it took
    low, high = count(found[1])
    return _away(now, (low, high), found[2], is_vague=is_vague(found[1]))


def _away(now: Now, counts: tuple[float, float], unit: str, *, is_vague: bool) -> When | None:
    """What lies so many units before (negative) or after the moment of saying."""
    low, high = min(counts), max(counts)
    if unit in _MINUTES:
        minutes = _MINUTES[unit]
        at = now.said.timestamp()
        size = 60.0 if minutes == 1 else 3600.0
        start = at + low * minutes * 60
        precision = Precision.MINUTE if minutes == 1 else Precision.HOUR
        return When(start - size / 2, at + high * minutes * 60 + size / 2, precision)
    if low % 1 and unit in {"year", "yr"}:  # half a year, a year and a half
        low, high, unit = low * 12, high * 12, "month"
    if unit == "weekend":
        return _weekends(now, int(low), int(high))
    if unit in _DAYS:
        return _days_away(now, low, high, unit, is_vague=is_vague)
    first = months_after(now.day, round(low * _MONTHS[unit]))
    last = months_after(now.day, round(high * _MONTHS[unit]))
    if unit in {"year", "yr"}:
        return now.years(first.year, last.year - first.year + 1)
    if unit in {"decade", "centur"}:
        return now.days(date(first.year - 1, 1, 1), date(last.year + 2, 1, 1), Precision.DECADE)
    when = now.days(first, months_after(last, 1), Precision.MONTH)
    return when if unit != "season" else When(when.start, when.end, Precision.SEASON)


def _days_away(now: Now, low: float, high: float, unit: str, *, is_vague: bool) -> When:
    first = now.day + timedelta(round(low * _DAYS[unit]))
    last = now.day + timedelta(round(high * _DAYS[unit]))
    if unit in {"week", "fortnight"}:
        return now.days(first - timedelta(3), last + timedelta(4), Precision.WEEK)
    return now.days(first, last + timedelta(1), Precision.WEEK if is_vague else Precision.DAY)


def _weekends(now: Now, low: int, high: int) -> When:
    """Weekends before or after: a weekend that runs is none of them."""
    is_running = now.day.weekday() >= 5
    shift = 0 if is_running else 1
    start = now.weekend(low - (0 if low < 0 else shift))
    end = now.weekend(high - (0 if high < 0 else shift))
    return When(start.start, end.end, Precision.WEEKEND)


def _unit(found: re.Match[str], now: Now) -> When | None:
    """As in "last week", "this month", "next year"."""
    which, unit = found[2], found[3]
    when = _one_unit(now, directed(which), unit)
    return portion(when, found[1]) if when else None


def _portion_of_this(found: re.Match[str], now: Now) -> When | None:
    """As in "at the end of the month"."""
    when = _one_unit(now, 0, found[2])
    return portion(when, found[1]) if when and found[1] else None


def _one_unit(now: Now, steps: int, unit: str) -> When | None:
    if unit == "weekend":
        return _weekend(now, steps)
    if unit in _DAYS:
        if unit == "week":
            return now.week(steps)
        if unit == "fortnight":
            first = now.day + timedelta(14 * min(steps, 0))
            return now.days(first, first + timedelta(14), Precision.WEEK)
        return now.one_day(now.day + timedelta(steps)) if unit == "day" and not steps else None
    if unit == "month":
        return now.month(months_after(now.day, steps))
    if unit == "year":
        return now.years(now.day.year + steps)
    if unit == "decade":
        return now.days(
            date((now.day.year // 10 + steps) * 10, 1, 1),
            date((now.day.year // 10 + steps + 1) * 10, 1, 1),
            Precision.DECADE,
        )
    if unit == "quarter":
        first = months_after(now.day, -((now.day.month - 1) % 3) + 3 * steps)
        return now.days(first, months_after(first, 3), Precision.SEASON)
    return None


def _twice(found: re.Match[str], now: Now) -> When | None:
    """As in "the week before last", "the weekend after next"."""
    unit, steps = found[1], -2 if found[2] == "before last" else 2
    if unit == "weekend":
        return now.weekend(steps)
    if unit == "week":
        return now.week(steps)
    return now.month(months_after(now.day, steps)) if unit == "month" else now.years(now.day.year + steps)


def _weekend(now: Now, steps: int) -> When:
    """The last, this or next weekend.  "This weekend", of the past, is within a week the one that just was."""
    if steps == 0 and now.is_past and now.day.weekday() < 5:
        return now.weekend(-1)
    return now.weekend(steps)


def _the_weekend(_found: re.Match[str], now: Now) -> When | None:
    """As in "over the weekend": the coming or the last one, by what the sentence speaks of."""
    if not now.is_past or now.day.weekday() >= 5:
        return now.weekend(0)
    return now.weekend(-1)


def _weekday(found: re.Match[str], now: Now) -> When | None:
    which, weekday = found[1] or "", _weekday_number(found[2])
    if len(found[2]) <= 3 and not (which or now.text[found.start(2)].isupper()):
        return None
    ahead = (weekday - now.day.weekday()) % 7
    behind = (now.day.weekday() - weekday) % 7
    if which in {"this", "this coming", "coming", "upcoming"}:
        day = (
            now.day + timedelta(ahead)
            if which != "this" or now.is_future
            else now.day + timedelta(weekday - now.day.weekday())
        )
    elif which in {"next", "following"}:
        day = now.day + timedelta(ahead or 7)
        if ahead and ahead <= 6 - now.day.weekday():  # later in this week: "next" is that of the week after
            day += timedelta(7)
    elif which in {"last", "past", "this past", "previous"} or not now.is_future:
        day = now.day - timedelta(behind or (7 if which else 0))
    else:
        day = now.day + timedelta(ahead)
    if found[5]:
        day += timedelta(7 * (1 if found[5] == "after next" else -1))
    part = found[4] or ""
    return part_of(now, day, part) if part else now.one_day(day)


def _weekday_number(name: str) -> int:
    return next(number for number, one in enumerate(WEEKDAYS) if one.startswith(name[:3]))


def _stretch(found: re.Match[str], now: Now) -> When | None:
    """As in "the last three months", "the next few days": from or to the moment of saying."""
    low, high = count(found[2])
    unit = found[3]
    is_ahead = found[1] in {"next", "coming", "upcoming"}
    middle = (low + high) / 2
    far = _away(now, (middle, middle) if is_ahead else (-middle, -middle), unit, is_vague=False)
    if far is None:
        return None
    at = now.said.timestamp()
    return When(min(at, far.start), max(at, far.end), far.precision)


def _vague(found: re.Match[str], now: Now) -> When | None:
    words = found[0]
    days = 7 if "other" in words or "just" in words else 21
    return now.days(now.day - timedelta(days), now.day + timedelta(0 if "other" in words else 1), Precision.WEEK)


def _soon(_found: re.Match[str], now: Now) -> When | None:
    return now.days(now.day, now.day + timedelta(28), Precision.WEEK)


_ABOUT: Final = r"(?:about |around |almost |nearly |over |like |just |maybe |roughly |more than |only )?"

RULES: Final[tuple[Rule, ...]] = (
    rule(
        "yesterday|today|tonight|tomorrow|tmrw",
        r"\b((?:the )?day before yesterday|yesterday|today|tonight|tomorrow|tmrw|(?:the )?day after tomorrow)"
        rf"{_PART}?\b",
        _near_day,
    ),
    rule(
        "morning|afternoon|evening|night",
        r"\b(last|this|earlier this|later this) (morning|afternoon|evening|night)\b",
        _part_of_today,
    ),
    rule(
        "ago|back|earlier|prior",
        rf"\b{_ABOUT}{NUMBER}(?: more| odd| full| whole)? {UNIT}(?: or (?:so|two))? (ago|back|earlier|prior)\b",
        _counted,
    ),
    rule("and a half", rf"\b{_ABOUT}{NUMBER} {UNIT} and a half (ago|back|earlier|from now)\b", _half_more),
    rule(
        "in |now|today|to go",
        rf"\b(?:in|within) {_ABOUT}{NUMBER}(?: more| short)? {UNIT}(?:['\u2019]? time)?(?: or so)?\b(?! of)",
        _ahead,
    ),
    rule("in |now|today|to go", rf"\b{NUMBER} {UNIT} (?:from now|from today|to go)\b", _ahead),
    rule(
        "last|past|this|next|coming|previous|following",
        rf"\b(?:earlier |later )?{PART}(?:the )?{_WHICH}[- ]{UNIT}(?![\w-]| ago)",
        _unit,
    ),
    rule("of the ", rf"\b{PART}the (week|month|year)\b", _portion_of_this),
    rule("before last|after next", r"\b(?:the )?(week|weekend|month|year) (before last|after next)\b", _twice),
    rule("weekend", r"\b(?:over|on|at|during|for|all) the (?:whole |long )?weekend\b", _the_weekend),
    rule(
        "mon|tue|wed|thu|fri|sat|sun",
        rf"(?<!every )(?<!each )\b(?:{_WHICH} |on |by |since |until )?{_WEEKDAY}\b\.?{_PART}?(?: (before last|after next))?",
        _weekday,
    ),
    rule(
        "last|past|previous|next|coming",
        rf"\b(?:over |in |during |for |within )?(?:the |these )?{_STRETCH} {NUMBER} {UNIT}\b",
        _stretch,
    ),
    rule(
        "other|recently|lately|ago|just now",
        r"\b(?:the other (?:day|night|week)|recently|lately|not (?:too |that |so )?long ago|just now)\b",
        _vague,
    ),
    rule(
        "soon|in the",
        r"\b(?:in the (?:near future|coming (?:days|weeks))|(?:very |pretty )?soon(?= |\.|!|,|$)(?! as| after| enough))",
        _soon,
    ),
)
