"""Numbers as people say them: "two", "a couple of", "a few"."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["NUMBER", "ORDINAL", "count", "is_vague", "ordinal"]

_NAMES: Final = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty"""
_SMALL: Final = _NAMES.split()
_TENS: Final = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}

#: how many is meant, at least and at most
_VAGUE: Final = {"couple": (2, 2), "few": (2, 5), "several": (3, 7), "some": (2, 6), "many": (5, 20)}

_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth")

#: A pattern of a number of things, one group.
NUMBER: Final = (
    r"((?:\d{1,4}|half an?|an?(?: (?:good|solid|whole|full))? couple(?: of)?|a(?: good)? few|the (?:couple|few)|"
    r"couple(?: of)?|few|several|some|many|an?|"
    + "|".join(f"{ten}[- ](?:{'|'.join(_SMALL[1:10])})" for ten in ("twenty", *_TENS))
    + "|"
    + "|".join(sorted((*_SMALL[1:], *_TENS), key=len, reverse=True))
    + ")(?: and a half)?)"
)

#: A pattern of a place in an order, one group.
ORDINAL: Final = "(" + "|".join(_ORDINALS) + r"|last|[1-5](?:st|nd|rd|th))"

_DIGITS: Final = re.compile(r"\d+")


def is_vague(words: str) -> bool:
    """Whether it says no exact number."""
    return any(word in _VAGUE and word != "couple" for word in words.lower().split())


def count(words: str) -> tuple[float, float]:
    """How many at least and at most: ``two`` gives (2, 2), ``a few`` (2, 5)."""
    words = words.lower()
    half = 0.5 if words.endswith(" and a half") else 0.0
    words = words.removesuffix(" and a half")
    if found := _DIGITS.match(words):
        return float(found.group()) + half, float(found.group()) + half
    parts = re.split(r"[- ]", words)
    if parts[0] == "half":
        return 0.5, 0.5
    for part in parts:
        if part in _VAGUE:
            low, high = _VAGUE[part]
            return float(low), float(high)
    total = sum(_SMALL.index(part) if part in _SMALL else _TENS.get(part, 0) for part in parts)
    return float(total or 1) + half, float(total or 1) + half


def ordinal(words: str) -> int:
    """1 for ``first``, -1 for ``last``."""
    words = words.lower()
    if words == "last":
        return -1
    return int(words[0]) if words[0].isdigit() else _ORDINALS.index(words) + 1
