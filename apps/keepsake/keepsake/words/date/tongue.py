"""Times that are said in other languages: German, French, Spanish, Italian, Portuguese, Dutch.

Each way of saying a time is put into English, piece by piece (``tongue.txt`` has the words), and the rules for English give its
meaning.  Only what has one plain form is known: days, weekdays, months, counted units, seasons, years.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from keepsake.words.date.calendar import MONTHS, WEEKDAYS

__all__ = ["LANGUAGES", "english"]

LANGUAGES: Final = frozenset({"de", "fr", "es", "it", "pt", "nl"})

_DAYS: Final = ("last night", "the day before yesterday", "the day after tomorrow", "yesterday", "today", "tomorrow")
_UNITS: Final = ("weekend", "week", "day", "month", "year")
_SEASONS: Final = ("spring", "summer", "autumn", "winter")


@dataclass(frozen=True, slots=True)
class _Way:
    """A way of saying a time, and how to put a match of it into English."""

    pattern: re.Pattern[str]
    put: Callable[[re.Match[str]], str]


@cache
def _blocks() -> Mapping[str, Mapping[str, str]]:
    """The words of each language."""
    found: dict[str, dict[str, str]] = {}
    for line in (files("keepsake.words.date") / "tongue.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            block = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            name, _, said = line.partition(":")
            block[name] = said.strip()
    return found


def _any(said: str) -> str:
    """A pattern of words that are parted by ``|``."""
    return "(?:" + "|".join(re.escape(word) for word in sorted(said.split("|"), key=len, reverse=True)) + ")"


def _listed(said: str, english: tuple[str, ...]) -> dict[str, str]:
    """Words of a list, each to its English one."""
    return {word: name for words, name in zip(said.split(" "), english, strict=True) for word in words.split("|")}


def _sided(said: str) -> tuple[str, str]:
    """Patterns of what stands before and of what stands after; empty where nothing does."""
    words = said.split("|")
    before = "|".join(word for word in words if not word.startswith("*"))
    after = "|".join(word[1:] for word in words if word.startswith("*"))
    return (_any(before) if before else "", _any(after) if after else "")


@cache
def _ways(language: str) -> tuple[_Way, ...]:
    """All ways of one language, the longer forms first."""
    block = _blocks()[language]
    units = {word: unit for unit in _UNITS for word in block[unit].split("|")}
    named = _listed(block["weekdays"], WEEKDAYS) | _listed(block["seasons"], _SEASONS)
    months = _listed(block["months"], MONTHS)
    numbers = _listed(block["numbers"], tuple(str(number) for number in range(1, 11)))
    numbers |= dict.fromkeys(block["few"].split("|"), "a few")
    number = rf"(?P<n>\d{{1,3}}|{_any('|'.join(numbers))})"
    unit = rf"(?P<u>{_any('|'.join(units))})"
    thing = rf"(?P<t>{_any('|'.join((*units, *named)))})"
    link = rf"(?: {_any(block['of'])})?" if block["of"] else ""
    ways: list[_Way] = []

    def way(pattern: str, put: Callable[[re.Match[str]], str]) -> None:
        ways.append(_Way(re.compile(rf"(?<![\w-]){pattern}(?![\w-])"), put))

    def counted(found: re.Match[str]) -> str:
        return f"{numbers.get(found['n'], found['n'])} {units[found['u']]}s"

    def of_thing(which: str) -> Callable[[re.Match[str]], str]:
        return lambda found: f"{which} {units.get(found['t']) or named[found['t']]}"

    month = rf"(?P<m>{_any('|'.join(months))})"
    day = rf"(?:(?P<d>[0-3]?\d)(?:\.|er|º|°)?{link} )?"
    way(rf"{day}{month}(?:{link} (?P<y>(?:19|20)\d\d))?", lambda found: _dated(found, months))
    before, after = _sided(block["ago"])
    if before:
        way(rf"{before} {number} {unit}", lambda found: f"{counted(found)} ago")
    if after:
        way(rf"{number} {unit} {after}", lambda found: f"{counted(found)} ago")
    way(rf"{_any(block['in'])} {number} {unit}", lambda found: f"in {counted(found)}")
    for which in ("last", "next", "this"):
        before, after = _sided(block[which])
        if before:
            way(rf"{before} {thing}", of_thing(which))
        if after:
            way(rf"{thing} {after}", of_thing(which))
    for english_day in _DAYS:
        way(_any(block[english_day]), lambda _, said=english_day: said)  # type: ignore[misc]
    weekdays = _any("|".join(_listed(block["weekdays"], WEEKDAYS)))
    way(rf"(?P<t>{weekdays})", lambda found: named[found["t"]])
    way(r"(?:in|im|en|em|nel|anno|jahr) (?:jahr )?(?P<y>(?:19|20)\d\d)", lambda found: f"in {found['y']}")
    way(rf"{_any(block['since'])} (?P<y>(?:19|20)\d\d)", lambda found: f"since {found['y']}")
    return tuple(ways)


def _dated(found: re.Match[str], months: Mapping[str, str]) -> str:
    month = months[found["m"]].capitalize()
    year = f" {found['y']}" if found["y"] else ""
    return f"{found['d']} {month}{year}" if found["d"] else f"in {month}{year}"


def english(text: str, language: str) -> Iterator[tuple[int, int, str]]:
    """Each time that a text speaks of, where it stands, and how English says it; the longest where two overlap.

    :param text: in lower case.
    :param language: one of `LANGUAGES`.
    """
    found = [
        (match.start(), match.end(), way.put(match)) for way in _ways(language) for match in way.pattern.finditer(text)
    ]
    found.sort(key=lambda one: (one[0] - one[1], one[0]))
    taken: list[tuple[int, int, str]] = []
    for start, end, said in found:
        if all(end <= other[0] or start >= other[1] for other in taken):
            taken.append((start, end, said))
    yield from sorted(taken)
