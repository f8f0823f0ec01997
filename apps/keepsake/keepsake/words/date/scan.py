"""Finds the times that a text speaks of.

All rules look at the whole text; where two matches overlap, the longer one is meant.  Then neighbours are joined: a day with
a time of day, two ends of a stretch, "since" with what follows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

from keepsake.record import Precision, When
from keepsake.words.date import absolute, relative
from keepsake.words.date.calendar import Now
from keepsake.words.date.number import NUMBER, count
from keepsake.words.date.tense import direction
from keepsake.words.date.tongue import LANGUAGES, english

__all__ = ["MAX_DATES", "MAX_LETTERS", "Spot", "resolve", "spots"]

#: times kept of one text
MAX_DATES: Final = 32

#: letters of a text that are looked at
MAX_LETTERS: Final = 20_000

#: What every date has one of; most sentences have none, and cost nothing more.
_HINT: Final = re.compile(
    r"\d|ago\b|back\b|earlier|day\b|night|morning|noon|evening|tomorrow|tmrw|\b(?:last|past|this|next|coming|the|upcoming|previous|following)"
    r" \w|month|year|weekend|recently|lately|soon|decade|"
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun|spring|summer|autumn|fall|winter|christmas|xmas|"
    r"easter|halloween|thanksgiving|new year|valentine|in (?:a|an|one|two|three|four|five|six|seven|eight|nine|ten|some))",
    re.IGNORECASE,
)
_CLOCK: Final = re.compile(
    r"\b(?:at |around |about |by |from )?(?:([01]?\d|2[0-3])[:.]([0-5]\d) ?(am|pm|a\.m\.|p\.m\.)?|(1[0-2]|0?[1-9]) ?(am|pm|a\.m\.|p\.m\.)|"
    r"(?:at |around )(1[0-2]|[1-9]) o['\u2019]?clock|(noon|midday|midnight))(?![\w%])",
    re.IGNORECASE,
)
_SINCE: Final = re.compile(r"(?:\bever )?\bsince(?: about| around| at least| the)? ?$", re.IGNORECASE)
_TO: Final = re.compile(r"^ ?(?:-|\u2013|to|until|till|through|and) ?(?:the )?$", re.IGNORECASE)
_FROM: Final = re.compile(r"\b(?:from|between)(?: the)? ?$", re.IGNORECASE)
_EDGE: Final = re.compile(
    r"^(?:in(?! \S+ (?:\S+ )?(?:min|hour|hr|day|week|fortnight|month|year|decade))|on|at|by|over|during|for|from|until|till|of|since|within|before|after|around)\s+",
    re.IGNORECASE,
)
_SHIFT: Final = re.compile(rf"\b{NUMBER} (day|week)s? (before|after|from) (?:the )?$", re.IGNORECASE)
_WEEKDAY: Final = re.compile(
    r"(?:on )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:on )?(?:mon|tue|wed|thu|fri|sat|sun)", re.IGNORECASE
)
_COMMA: Final = re.compile(r",? (?:the )?")

#: A clause, with what ends it; each has a tense of its own.
_CLAUSE: Final = re.compile(
    r"(?:(?!, (?:and|but|so|because|then) | but | because |; | and (?:i|we|he|she|they|it|the) ).)+(?:.{1,2}|$)",
    re.DOTALL,
)
_SENTENCE_END: Final = re.compile(r"[.!?\n]+(?=\s|$)|\n")


_RULES: Final = (*absolute.RULES, *relative.RULES)


class Spot(NamedTuple):
    """A time and where the text speaks of it."""

    start: int
    end: int
    when: When


def _sentences(text: str) -> list[tuple[int, int]]:
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    return list(zip([0, *ends], [*ends, len(text)], strict=True))


def _lower(text: str) -> str:
    """In lower case, letter by letter, so that places stay what they are."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


def _matches(text: str, now: Now) -> list[Spot]:
    """What the rules find in one sentence, overlaps resolved."""
    lower = _lower(text)
    clauses = [(clause.start(), clause.end()) for clause in _CLAUSE.finditer(lower)]
    courses = [direction(lower[start:end]) for start, end in clauses]
    whole = next((course for course in courses if course), 0) if len(clauses) > 1 else sum(courses)
    ways = {course: replace(now, text=text, is_future=course > 0, is_past=course < 0) for course in (-1, 0, 1)}
    found: list[Spot] = []
    for rule in _RULES:
        if rule.hints and not any(hint in lower for hint in rule.hints):
            continue
        for match in rule.pattern.finditer(lower):
            try:
                row = next(row for row, (_, end) in enumerate(clauses) if match.start() < end)
                when = rule.meaning(match, ways[courses[row] or whole])
            except (ValueError, OverflowError, OSError):  # beyond the calendar
                continue
            if when is not None and when.start < when.end:
                found.append(Spot(match.start(), match.end(), when))
    found.sort(key=lambda spot: (-(spot.end - spot.start), spot.start))
    chosen: list[Spot] = []
    for spot in found:
        if all(spot.end <= other.start or spot.start >= other.end for other in chosen):
            chosen.append(spot)
    return sorted(chosen)


def _clock(text: str, now: Now, days: list[Spot]) -> list[Spot]:
    """Times of day, each joined with the nearest day that is said; today's where none is."""
    result = list(days)
    for match in _CLOCK.finditer(text):
        hour, minute, half = _hour(match)
        if any(spot.start <= match.start() < spot.end and spot.when.precision is not Precision.DAY for spot in days):
            continue
        near = [spot for spot in result if spot.when.precision in {Precision.DAY, Precision.PART}]
        near.sort(key=lambda spot: min(abs(spot.start - match.end()), abs(match.start() - spot.end)))
        part = near[0] if near else None
        if part is not None and not half and part.when.precision is Precision.PART and hour < 12:
            hour += 12 if (part.when.end - part.when.start) and _hour_of(now, part.when.start) >= 12 else 0
        elif not half and match[6] and hour < 8:
            hour += 12
        day = now.day if part is None else now.said.fromtimestamp(part.when.start, now.said.tzinfo).date()
        precision = Precision.MINUTE if minute else Precision.HOUR
        start = now.moment(day, hour % 24, minute)
        when = When(start, start + (60 if minute else 3600), precision)
        if part is None:
            result.append(Spot(match.start(), match.end(), when))
        else:
            result.remove(part)
            result.append(Spot(min(part.start, match.start()), max(part.end, match.end()), when))
    return sorted(result)


def _hour(match: re.Match[str]) -> tuple[int, int, str]:
    """Hour, minute, and which half of the day was said."""
    if match[7]:
        return (0 if match[7].lower() == "midnight" else 12), 0, "said"
    hour = int(match[1] or match[4] or match[6])
    half = (match[3] or match[5] or "").lower()
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return hour, int(match[2] or 0), half


def _hour_of(now: Now, at: float) -> int:
    return now.said.fromtimestamp(at, now.said.tzinfo).hour


def _joined(text: str, found: list[Spot], now: Now) -> list[Spot]:
    """Stretches from one time to another, and those that last since one."""
    result: list[Spot] = []
    said = now.said.timestamp()
    for spot in found:
        spot = _shifted(text, spot)
        before = result[-1] if result else None
        if before and _is_its_weekday(text, before, spot):
            result[-1] = Spot(before.start, spot.end, spot.when)
            continue
        if (
            before
            and _TO.match(text[before.end : spot.start])
            and before.when.start < spot.when.start
            and (
                _FROM.search(text[: before.start])
                or text[before.start :][:4].lower() == "from"
                or "and" not in text[before.end : spot.start]
            )
        ):
            precision = spot.when.precision
            result[-1] = Spot(before.start, spot.end, When(before.when.start, spot.when.end, precision))
            continue
        starts = text[spot.start : spot.end].lower().startswith("since")
        if (since := _SINCE.search(text[: spot.start])) or starts:
            start = since.start() if since and not starts else spot.start
            if spot.when.start < said:
                spot = Spot(start, spot.end, When(spot.when.start, said, spot.when.precision))
        result.append(spot)
    return result


def _is_its_weekday(text: str, before: Spot, spot: Spot) -> bool:
    """Whether the first is only the weekday of the second: "Tuesday, 2 May"."""
    return (
        spot.when.precision in {Precision.DAY, Precision.HOUR, Precision.MINUTE}
        and _WEEKDAY.fullmatch(text[before.start : before.end]) is not None
        and _COMMA.fullmatch(text[before.end : spot.start]) is not None
    )


def _shifted(text: str, spot: Spot) -> Spot:
    """As in "two days before Christmas", "a week from Friday"."""
    found = _SHIFT.search(text[: spot.start])
    if found is None or spot.when.precision is not Precision.DAY:
        return spot
    days = {"day": 1, "week": 7}[found[2].lower()] * count(found[1])[0] * (-1 if found[3].lower() == "before" else 1)
    start, end = (at + days * 86_400 for at in (spot.when.start, spot.when.end))
    return Spot(found.start(), spot.end, When(start, end, Precision.DAY))


def spots(text: str, said_at: float, zone: str = "UTC", *, language: str = "en") -> list[Spot]:
    """The times that a text speaks of and where, in their order.

    :param said_at: when it was said, epoch seconds.
    :param zone: the speaker's time zone, an IANA name; an unknown one counts as UTC.
    :param language: ISO 639-1; of languages that are not known, what reads as English is found.
    """
    text = text[:MAX_LETTERS]
    now = Now.of(said_at, zone)
    if language in LANGUAGES:
        return list(islice(_foreign(text, now, language), MAX_DATES))
    if not _HINT.search(text):
        return []
    return list(islice(_english(text, now), MAX_DATES))


def _english(text: str, now: Now) -> Iterator[Spot]:
    for start, end in _sentences(text):
        sentence = text[start:end]
        if not _HINT.search(sentence):
            continue
        for spot in _joined(sentence, _clock(sentence, now, _matches(sentence, now)), now):
            said = sentence[spot.start : spot.end].strip(" .,")
            words = said if said.lower().startswith(("since", "ever since")) else _EDGE.sub("", said)
            yield Spot(start + spot.start, start + spot.end, replace(spot.when, words=words))


def _foreign(text: str, now: Now, language: str) -> Iterator[Spot]:
    """What other languages say, put into English and resolved; the words stay what was said."""
    for start, end, said in english(_lower(text), language):
        found = _joined(said, _matches(said, now), now)
        if found:
            yield Spot(start, end, replace(found[0].when, words=text[start:end]))


def resolve(text: str, said_at: float, zone: str = "UTC", *, language: str = "en") -> tuple[When, ...]:
    """The times that a text speaks of, in their order, as intervals with the precision they were said with.

    :param said_at: when it was said, epoch seconds.
    :param zone: the speaker's time zone, an IANA name; an unknown one counts as UTC.
    :param language: ISO 639-1.
    """
    return tuple(spot.when for spot in spots(text, said_at, zone, language=language))
