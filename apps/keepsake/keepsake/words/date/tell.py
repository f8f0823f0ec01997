"""Tells a time in words that hold whenever they are read: "7 May 2023", "the week before 9 June 2023", "since March 2022"."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from keepsake.record import Precision, When
from keepsake.words.date.calendar import MONTHS, SEASONS, WEEKDAYS, place
from keepsake.words.date.number import NUMBER

__all__ = ["tell", "tell_day"]

_WEEKDAY: Final = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)[a-z]*\b", re.IGNORECASE)
_COUNTED: Final = re.compile(
    rf"{NUMBER} (minute|hour|day|night|weekend|week|fortnight|month|year|decade)s?\b", re.IGNORECASE
)
_VAGUE: Final = re.compile(r"\b(?:few|several|some|many|couple)\b", re.IGNORECASE)
_PORTION: Final = re.compile(r"\b(early|mid|late|beginning|start|middle|end)\b")
_LOOSE: Final = re.compile(r"^(?:recently|lately|not .*long ago|the other|just now)", re.IGNORECASE)
_STRETCH: Final = re.compile(rf"^(?:the |these )?(?:last|past|previous) {NUMBER} \w+s?$", re.IGNORECASE)


def _date(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1].capitalize()} {day.year}"


def _local(at: float, where: tzinfo) -> datetime:
    return datetime.fromtimestamp(at, where)


def tell_day(at: float, zone: str = "UTC") -> str:
    """The day of a moment: "7 May 2023"."""
    return _date(_local(at, place(zone)).date())


def tell(when: When, said_at: float, zone: str = "UTC") -> str:
    """A time in words that hold whenever they are read.

    Exact ones are told as dates; those that were counted from the moment of saying, loosely, are told by it: "the Sunday before
    25 May 2023", "a few weeks before 9 June 2023".
    :param said_at: when it was said, epoch seconds.
    """
    where = place(zone)
    first, last = _local(when.start, where), _local(when.end - 1, where)
    said = _local(said_at, where)
    words = when.words.lower()
    if words.startswith(("since", "ever since")) or (_STRETCH.match(words) and when.end <= said_at + 86_400 * 2):
        return "since " + _absolute(When(when.start, when.start + 1, when.precision), first, first)
    if _LOOSE.match(words):
        return f"a few days before {_date(said.date())}"
    return _by_saying(when, words, first, said) or _absolute(when, first, last)


def _by_saying(when: When, words: str, first: datetime, said: datetime) -> str:
    """Told by the moment of saying; empty where a date is better."""
    side = "before" if when.start < said.timestamp() else "after"
    counted = _COUNTED.search(words)
    if counted and re.search(r"\b(?:ago|back|earlier|prior|from now)\b|^in\b", f"{words} "):
        return _counted(counted, side, said)
    if any(letter.isdigit() for letter in words):
        return ""
    if when.precision is Precision.WEEKEND and "weekend" in words and " of " not in words:
        if when.start <= said.timestamp() < when.end:
            return f"the weekend of {_date(first.date())}"
        if re.search("before last|after next", words):
            return f"two weekends {side} {_date(said.date())}"
        return f"the weekend {side} {_date(said.date())}"
    if when.precision is Precision.WEEK and re.search(r"\bweek$", words) and " of " not in words:
        if when.start <= said.timestamp() < when.end:
            return f"the week of {_date(said.date())}"
        if re.search("before last|after next", words):
            return f"two weeks {side} {_date(said.date())}"
        return f"the week {side} {_date(said.date())}"
    if when.precision in {Precision.DAY, Precision.PART} and (found := _WEEKDAY.search(words)) and " of " not in words:
        if first.date() == said.date():
            return ""
        name = next(one for one in WEEKDAYS if one.startswith(found[1].lower())).capitalize()
        if abs((first.date() - said.date()).days) > 7:
            return ""
        return f"the {name} {side} {_date(said.date())}"
    return ""


def _counted(found: re.Match[str], side: str, said: datetime) -> str:
    """As in "two weekends ago", "a few years ago"; days, exact months and years become dates."""
    unit, is_vague = found[2].lower(), bool(_VAGUE.search(found[1])) and "couple" not in found[1].lower()
    number = {"a": "one", "an": "one"}.get(found[1].lower(), found[1].lower())
    number = re.sub(r"^(?:the )?(?=few|couple)", "a ", number).removesuffix(" of")
    plural = unit if number == "one" else f"{unit}s"
    if unit in {"weekend", "week", "fortnight"}:
        if number == "one":
            return f"the {unit} {side} {_date(said.date())}"
        return f"{number} {plural} {side} {_date(said.date())}"
    if not is_vague or unit in {"minute", "hour"}:
        return ""
    if unit == "year":
        return f"{number} {plural} {side} {said.year}"
    if unit == "month":
        return f"{number} {plural} {side} {MONTHS[said.month - 1].capitalize()} {said.year}"
    return f"{number} {plural} {side} {_date(said.date())}"


def _absolute(when: When, first: datetime, last: datetime) -> str:
    """Told as dates of the calendar."""
    precision = when.precision
    month = f"{MONTHS[first.month - 1].capitalize()} {first.year}"
    if precision in {Precision.MINUTE, Precision.HOUR}:
        return f"{_date(first.date())}, {first:%H:%M}"
    if precision in {Precision.DAY, Precision.PART}:
        if first.date() == last.date() or precision is Precision.PART:
            return _date(first.date())
        return f"{_date(first.date())} to {_date(last.date())}"
    if precision is Precision.WEEKEND:
        return f"the weekend of {_date(first.date())}"
    if precision is Precision.WEEK:
        part = _PORTION.search(when.words.lower())
        if part and part[1] in {"early", "mid", "late"}:
            return f"{part[1]} {month}"
        if part:
            return f"the {part[1]} of {month}"
        return f"the week of {_date(first.date())}"
    if precision is Precision.MONTH:
        part = _PORTION.search(when.words.lower())
        if part and first.month != last.month:  # of a year or season
            return (
                f"{part[1]} {first.year}" if part[1] in {"early", "mid", "late"} else f"the {part[1]} of {first.year}"
            )
        later = f"{MONTHS[last.month - 1].capitalize()} {last.year}"
        return month if later == month else f"{month} to {later}"
    if precision is Precision.SEASON:
        return _season(when.words.lower(), first, last)
    if precision is Precision.DECADE:
        return f"the {first.year // 10 * 10}s" if last.year - first.year < 11 else f"{first.year} to {last.year}"
    return str(first.year) if first.year == last.year else f"{first.year} to {last.year}"


def _season(words: str, first: datetime, last: datetime) -> str:
    name = next((one for one in SEASONS if re.search(rf"\b{one}", words)), "")
    if not name:
        return f"{MONTHS[first.month - 1].capitalize()} to {MONTHS[last.month - 1].capitalize()} {last.year}"
    years = (
        str(first.year)
        if first.year == last.year or (last - first) < timedelta(2)
        else f"{first.year}/{last.year % 100:02}"
    )
    return f"{name} {years}"
