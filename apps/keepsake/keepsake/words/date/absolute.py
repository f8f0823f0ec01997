"""Dates that name a day, month, season or year of the calendar: "7 May 2023", "May 7th", "early June", "summer 2022"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from keepsake.record import Precision, When
from keepsake.words.date.calendar import HOLIDAYS, MONTHS, SEASONS, WEEKDAYS, Now, months_after, nth_weekday
from keepsake.words.date.number import ORDINAL, ordinal

__all__ = ["RULES", "PART", "Meaning", "Rule", "directed", "month_number", "portion", "rule"]

#: What a match means; None where it means no time after all.
Meaning: TypeAlias = Callable[[re.Match[str], Now], When | None]


class Rule(NamedTuple):
    """A way of saying a time.

    :ivar hints: a text without any of these has no match, which is quicker to see; none: always look.
    :ivar pattern: of texts in lower case.
    """

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    meaning: Meaning


_SHORT: Final = {name[:3]: number for number, name in enumerate(MONTHS, 1)} | {"sept": 9}

#: May, March and the short forms are common words or parts of them: alone they take a capital, see `_month`
MONTH: Final = "(" + "|".join((*MONTHS, "sept", *(name[:3] for name in MONTHS if name != "may"))) + r")\b\.?"
YEAR: Final = r"((?:19|20)\d\d)"
_SEASON: Final = "(" + "|".join(SEASONS) + r")(?:time)?"
PART: Final = (
    r"(?:(early|mid|late|(?:the )?(?:very )?(?:beginning|start|first half|middle|second half|end) of)(?:[- ]in)?[- ])?"
)
_WHICH: Final = r"(?:(last|past|this past|this coming|this|next|coming|previous|following)[- ])?"

#: how far off a date without a year may lie, in years, either way
_YEARS_ABOUT: Final = (-2, -1, 0, 1, 2)

#: Words that a month without a day may follow, so that "may" and "march" are months.
_BEFORE: Final = r"(?:(?:in|since|by|until|till|from|during|of|through|around|about|before|after)(?: the)?[- ])"


def month_number(name: str) -> int:
    """1 to 12 of a month's name, short or long."""
    return _SHORT[name.lower()[:4].rstrip(".") if name.lower().startswith("sept") else name.lower()[:3]]


def directed(which: str | None) -> int:
    """-1, 0 or 1 for what lies before, is not said, or lies after."""
    if which is None or which.startswith("this"):
        return 1 if which == "this coming" else -1 if which == "this past" else 0
    return -1 if which.startswith(("last", "past", "previous")) else 1


def _safe_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _day(now: Now, month: int, day: int, year: str | None, direction: int = 0) -> When | None:
    """A day of a month, in the year that is said or meant."""
    if year:
        number = int(year) if len(year) == 4 else 2000 + int(year)
        found = _safe_day(number, month, day)
        return now.one_day(found) if found else None
    about = (_safe_day(now.day.year + shift, month, day) for shift in _YEARS_ABOUT)
    candidates = [now.one_day(one) for one in about if one]
    if not candidates:
        return None
    at = now.said.timestamp()
    if direction == 0 and (today := [one for one in candidates if one.start <= at < one.end]):
        return today[0]
    return now.nearest(candidates, direction=direction)


def portion(whole: When, part: str | None) -> When:
    """The early, middle or late third of a month, season or year."""
    if not part:
        return whole
    third = (whole.end - whole.start) / 3
    place = 0 if re.search("early|begin|start|first", part) else 1 if "mid" in part else 2
    precision = Precision.WEEK if whole.precision is Precision.MONTH else Precision.MONTH
    return When(whole.start + place * third, whole.start + (place + 1) * third, precision)


def _iso(found: re.Match[str], now: Now) -> When | None:
    day = _safe_day(int(found[1]), int(found[2]), int(found[3]))
    return now.one_day(day) if day else None


def _figures(found: re.Match[str], now: Now) -> When | None:
    first, second, year = int(found[1]), int(found[3]), found[4]
    is_month_first = found[2] == "/" and (second > 12 or (now.is_month_first and first <= 12))
    month, day = (first, second) if is_month_first else (second, first)
    return _day(now, month, day, year) if month <= 12 else None


def _day_month(found: re.Match[str], now: Now) -> When | None:
    return _day(now, month_number(found[2]), int(found[1]), found[3])


def _month_day(found: re.Match[str], now: Now) -> When | None:
    return _day(now, month_number(found[1]), int(found[2]), found[3])


def _nth_of_month(found: re.Match[str], now: Now) -> When | None:
    """As in "the first of May"."""
    return _day(now, month_number(found[2]), ordinal(found[1]), found[3])


def _day_alone(found: re.Match[str], now: Now) -> When | None:
    """As in "on the 14th": of this month, the last or the next one, as the sentence speaks of what was or will be."""
    months = (months_after(now.day, shift) for shift in (-1, 0, 1))
    days = (_safe_day(month.year, month.month, int(found[1])) for month in months)
    candidates = [now.one_day(day) for day in days if day]
    return now.nearest(candidates) if candidates else None


def _days_of_month(found: re.Match[str], now: Now) -> When | None:
    """As in "June 3-5", "3 to 5 June"."""
    name, first, last, year = (
        (found[1], found[2], found[3], found[4]) if found[1] else (found[7], found[5], found[6], found[8])
    )
    start, end = (_day(now, month_number(name), int(one), year) for one in (first, last))
    return When(start.start, end.end, Precision.DAY) if start and end and start.start < end.start else None


def _month(found: re.Match[str], now: Now) -> When | None:
    before, part, which, name, year = found[1], found[2], found[3], found[4], found[5]
    number = month_number(name)
    is_doubtful = name in {"may", "march"} or len(name) < 4
    if is_doubtful and not (year or which or ((before or part) and now.text[found.start(4)].isupper())):
        return None
    if year:
        return portion(now.month(date(int(year), number, 1)), part)
    candidates = [now.month(date(now.day.year + shift, number, 1)) for shift in _YEARS_ABOUT]
    if which == "this":
        return portion(candidates[2], part)
    return portion(now.nearest(candidates, direction=directed(which)), part)


def _season(found: re.Match[str], now: Now) -> When | None:
    part, which, name, year = found[1], found[2], found[3], found[4]
    if year:
        return portion(now.season(name, int(year)), part)
    is_verb = name in {"spring", "fall"}
    if is_verb and not which and not re.match(r"(?:early |late )?(?:in|during|over|since|by|of)(?: the)? ", found[0]):
        return None
    candidates = [now.season(name, now.day.year + shift) for shift in _YEARS_ABOUT]
    if which == "this":
        at = now.said.timestamp()
        running = [one for one in candidates if one.start <= at < one.end]
        return running[0] if running else min(candidates, key=lambda one: abs(one.start - at))
    if not which and not re.match(r"(?:in|during|over|since|by|of|early|late|the)\b", found[0]):
        return None
    return portion(now.nearest(candidates, direction=directed(which)), part)


def _year(found: re.Match[str], now: Now) -> When | None:
    return portion(now.years(int(found[2])), found[1])


def _decade(found: re.Match[str], now: Now) -> When | None:
    part, century, tens = found[1], found[2], found[3]
    start = int(century + tens) if century else (1900 if int(tens) > 20 else 2000) + int(tens)
    when = now.days(date(start, 1, 1), date(start + 10, 1, 1), Precision.DECADE)
    return portion(when, part)


def _holiday(found: re.Match[str], now: Now) -> When | None:
    which, name, year = found[1], found[2].replace("\u2019", "'"), found[3]
    if year:
        return now.holiday(name, int(year))
    if name == "new year" and not which and not re.match(r"(?:on|at|for|over|since|by) ", found[0]):
        return None
    candidates = [now.holiday(name, now.day.year + shift) for shift in _YEARS_ABOUT]
    if which == "this":
        return candidates[2]
    at = now.said.timestamp()
    today = [one for one in candidates if one.start <= at < one.end]
    if today and not which:
        return today[0]
    return now.nearest(candidates, direction=directed(which), may_be_soon=True)


def _within_month(found: re.Match[str], now: Now) -> When | None:
    """As in "the first weekend of August", "the last Friday of last month"."""
    place, thing, which, name, year = ordinal(found[1]), found[2], found[3], found[4], found[5]
    if name:
        if year:
            month = date(int(year), month_number(name), 1)
        else:
            candidates = [now.month(date(now.day.year + shift, month_number(name), 1)) for shift in _YEARS_ABOUT]
            month = _local_day(now, now.nearest(candidates, direction=directed(which)).start)
    else:
        month = months_after(now.day, directed(which))
    if thing == "week":
        first = month + timedelta(7 * (place - 1)) if place > 0 else months_after(month, 1) - timedelta(7)
        return now.days(first, first + timedelta(7), Precision.WEEK)
    if thing == "day":
        return now.one_day(month + timedelta(place - 1) if place > 0 else months_after(month, 1) - timedelta(1))
    weekday = 5 if thing == "weekend" else WEEKDAYS.index(thing)
    day = nth_weekday(month.year, month.month, weekday, place)
    if thing == "weekend":
        return now.days(day, day + timedelta(2), Precision.WEEKEND)
    return now.one_day(day)


def _local_day(now: Now, at: float) -> date:
    return datetime.fromtimestamp(at, now.said.tzinfo).date()


def rule(hints: str, pattern: str, meaning: Meaning) -> Rule:
    """A rule with its hints, parted by ``|``."""
    return Rule(tuple(hints.split("|")) if hints else (), re.compile(pattern), meaning)


_MONTHS_HINT: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_YEAR_HINT: Final = "19|20"
_HOLIDAY: Final = "(" + "|".join(sorted(HOLIDAYS, key=len, reverse=True)).replace("'", "['\u2019]") + ")"
_ENDING: Final = r"(?:st|nd|rd|th)?"
_THING: Final = "(weekend|week|day|" + "|".join(WEEKDAYS) + ")"

RULES: Final[tuple[Rule, ...]] = (
    rule(_YEAR_HINT, r"\b((?:19|20)\d\d)-([01]\d)-([0-3]\d)(?!\d)", _iso),
    rule("/|.", r"\b([0-3]?\d)([./])([0-3]?\d)\2((?:19|20)?\d\d)\b", _figures),
    rule(_MONTHS_HINT, rf"\b([0-3]?\d){_ENDING}(?: of)?[ -]{MONTH}(?:,? ?{YEAR})?(?!\w)", _day_month),
    rule(_MONTHS_HINT, rf"\b{MONTH} (?:the )?([0-3]?\d){_ENDING}(?:,? {YEAR})?(?![\w:])", _month_day),
    rule(
        "the ",
        r"\b(?:on|by|until|since|from|for) the ([0-3]?\d)(?:st|nd|rd|th)(?! \w+ (?:time|day|floor|place|street|grade|century))\b",
        _day_alone,
    ),
    rule(_MONTHS_HINT, rf"\bthe (first|second|third|fourth|fifth) of {MONTH}(?:,? {YEAR})?(?!\w)", _nth_of_month),
    rule(
        _MONTHS_HINT,
        rf"\b(?:{MONTH} ([0-3]?\d){_ENDING} ?(?:-|\u2013|to|through|and) ?([0-3]?\d){_ENDING}(?:,? {YEAR})?|"
        rf"([0-3]?\d){_ENDING} ?(?:-|\u2013|to|through|and) ?([0-3]?\d){_ENDING}(?: of)? {MONTH}(?:,? {YEAR})?)(?![\w:])",
        _days_of_month,
    ),
    rule(_MONTHS_HINT, rf"\b({_BEFORE})?{PART}{_WHICH}{MONTH}(?:,?(?: of)? ?{YEAR})?(?!\w| \d)", _month),
    rule(
        "spring|summer|autumn|fall|winter",
        rf"\b(?:(?:in|during|over|since|by|of|the) )*{PART}{_WHICH}{_SEASON}(?:,?(?: of)? {YEAR})?\b",
        _season,
    ),
    rule(
        _YEAR_HINT,
        rf"\b(?:in|since|from|until|till|of|by|back in|around|during|year|before|after|for|circa|through)"
        rf"(?: the year)? {PART}{YEAR}(?![\w-]|[.,]\d| (?:people|dollars|euros|pounds|miles|steps|words))",
        _year,
    ),
    rule(_YEAR_HINT, rf"(?:(?<=\()|^){PART}{YEAR}(?=[).,;:!?]|$)", _year),
    rule(_YEAR_HINT, rf"\b(early|mid|late)[ -]{YEAR}\b", _year),
    rule("0s|0's|0\u2019s", rf"\b{PART}(?:the )?['\u2019]?(19|20)?(\d0)['\u2019]?s\b", _decade),
    rule(
        "day|christmas|xmas|easter|new year|valentine|halloween|thanksgiving|fourth of july",
        rf"\b(?:(?:on|at|for|over|since|by|this time) )?{_WHICH}{_HOLIDAY}(?: (?:of )?{YEAR})?(?!\w)",
        _holiday,
    ),
    rule(
        "week|day",
        rf"\b(?:the )?{ORDINAL} {_THING} (?:of|in) (?:(last|this|next) )?(?:{MONTH}(?:,? {YEAR})?|(?:the )?month)(?!\w)",
        _within_month,
    ),
)
