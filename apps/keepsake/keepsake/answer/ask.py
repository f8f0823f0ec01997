"""What a question wants: a date, a length of time, or something else."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

__all__ = ["Want", "side", "wanted"]


class Want(StrEnum):
    """Kinds of answers to questions of time, and the rest."""

    DATE = "date"
    YEAR = "year"
    MONTH = "month"
    CLOCK = "time of day"
    AGO = "how long ago"
    LENGTH = "how long"
    OTHER = "other"


_WANTS: Final = (
    (Want.AGO, re.compile(r"\bhow (?:long|many \w+) ago\b")),
    (
        Want.LENGTH,
        re.compile(
            r"\bhow long (?:has|have|had|did|do|does|will|was|were|is it since|since)\b|\bfor how long\b|how long\W*$|"
            r"\bhow many (?:minutes|hours|days|weeks|months|years)\b"
        ),
    ),
    (Want.YEAR, re.compile(r"\b(?:what|which) year\b")),
    (Want.MONTH, re.compile(r"\b(?:what|which) month\b")),
    (Want.CLOCK, re.compile(r"\bwhat time\b|\b(?:what|which) hour\b")),
    (
        Want.DATE,
        re.compile(
            r"^(?:\W*(?:so|and|hey|ok|do you (?:know|remember)|can you tell me|tell me|since|until|by|around|about|on|in)\W+)*when\b|"
            r"\b(?:what|which) (?:exact )?(?:date|day|weekday|week|weekend|season|holiday)\b|\bdate of\b|, when\b|\bwhen (?:did|was|were|is|are|will|does|do|has|have|had)\b"
        ),
    ),
)
_AHEAD: Final = re.compile(
    r"\b(?:will|going to|plan(?:s|ning|ned)?|upcoming|next|is .* (?:due|scheduled)|are .* (?:going|planning|visiting))\b"
)

_BACK: Final = re.compile(r"\b(?:did|was|were|had|has|have|ago|last|used to)\b")


def wanted(question: str) -> Want:
    """What a question wants."""
    lower = question.lower()
    return next((want for want, pattern in _WANTS if pattern.search(lower)), Want.OTHER)


def side(question: str) -> int:
    """Of what a question asks: 1 of what is to come, -1 of what was, 0 where it may be either."""
    lower = question.lower()
    if _AHEAD.search(lower):
        return 1
    return -1 if _BACK.search(lower) else 0
