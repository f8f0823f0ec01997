"""Signs: what kind of thing a text says, and what kind a question wants, by its words alone.

A text that answers "when" speaks of a time, one that answers "how many" has a number.  Signs are cheap and rough on purpose: the
ranker learns how much each is worth.  They are of English; in other languages most of them are simply absent.
"""

from __future__ import annotations

import re
from enum import IntFlag
from functools import lru_cache
from typing import Final

from keepsake.words.term import plain, words

__all__ = ["Sign", "signs_of", "wants_of"]


class Sign(IntFlag):
    """Kinds of what a text says."""

    TIME = 1
    PLACE = 2
    PERSON = 4
    NUMBER = 8
    REASON = 16
    TITLE = 32
    FEELING = 64
    PLAN = 128
    PAST = 256
    SELF = 512
    ASKING = 1024
    NAME = 2048
    PICTURE = 4096
    SPAN = 8192
    THANKS = 16384


_MONTHS: Final = "january february march april june july august september october november december"
_DAYS: Final = "monday tuesday wednesday thursday friday saturday sunday"
_COUNTS: Final = "two three four five six seven eight nine ten eleven twelve dozen hundred thousand couple twice once several few many"
_UNITS: Final = "minute minutes hour hours day days week weeks month months year years decade decades"

#: Words that are signs; a star stands for any end.
_WORDS: Final = {
    Sign.TIME: "yesterday today tonight tomorrow ago last next recently weekend morning evening afternoon since summer winter spring autumn"
    f" fall birthday anniversary just {_MONTHS} {_DAYS} {_UNITS}",
    Sign.PERSON: "mom mum mother dad father parent parents brother sister sibling siblings son daughter kid kids child children wife husband"
    " partner friend friends grand* aunt uncle cousin cousins nephew niece boss colleague colleagues coworker coworkers teacher coach"
    " neighbour neighbours neighbor neighbors girlfriend boyfriend team family roommate mentor doctor class classes group",
    Sign.NUMBER: f"{_COUNTS} first second third lot lots",
    Sign.REASON: "because since reason why help helps hoping inspire inspired inspires motivat* keeps drove wanted makes",
    Sign.FEELING: "feel* felt happy sad glad proud excited nervous scared afraid worried love loved loves hate hated hates enjoy* grateful"
    " amazing awesome great tired stress* angry upset lonely thrilled anxious calm* relax* thankful honored honoured overwhelm* joy fun"
    " special peace*",
    Sign.PLAN: "will gonna plan* want hope hoping would thinking forward next soon tomorrow goal goals dream dreams",
    Sign.PAST: "was were had went did got made took saw came met bought gave found told been won lost wrote read ate began left kept",
    Sign.SELF: "i my me we our us mine",
    Sign.THANKS: "thanks thank wow congrats congratulations cool nice sounds sorry glad luck care bye hey hi hello",
    Sign.PICTURE: "photo picture image photograph poster painting screenshot shared shares",
}
_UNIT: Final = frozenset(_UNITS.split())
_PLACE_WORDS: Final = """park beach lake mountain mountains city town village forest woods school university college church museum gallery library cafe
restaurant bar shop store market mall hospital clinic shelter center centre studio gym office house home farm garden theater theatre
cinema club hotel airport station island river coast country street yard zoo stadium festival fair conference convention
camp"""
_PLACES: Final = frozenset(_PLACE_WORDS.split())
_TO_PLACE: Final = frozenset(["at", "in", "to", "into", "from", "near", "by", "on"])
_ARTICLES: Final = frozenset(["the", "a", "an", "my", "our", "this"])
_OF_SPAN: Final = frozenset(["for", "since", "over", "about", "almost", "nearly", "past", "now", "already"])

_EXACT: Final[dict[str, int]] = {}
_BEGUN: Final[list[tuple[str, int]]] = []
for _sign, _text in _WORDS.items():
    for _word in _text.split():
        if _word.endswith("*"):
            _BEGUN.append((_word[:-1], _sign.value))
        else:
            _EXACT[_word] = _EXACT.get(_word, 0) | _sign.value


# plain figures: members of a flag are slow to put together
_PAST_BIT: Final = Sign.PAST.value
_NUMBER_BIT: Final = Sign.NUMBER.value
_TIME_BIT: Final = Sign.TIME.value
_PLACE_BIT: Final = Sign.PLACE.value
_SPAN_BIT: Final = Sign.SPAN.value
_NAME_BIT: Final = Sign.NAME.value
_TITLE_BIT: Final = Sign.TITLE.value
_ASKING_BIT: Final = Sign.ASKING.value


@lru_cache(maxsize=65_536)
def _sign_of(word: str) -> int:
    """The signs of one plain word."""
    found = _EXACT.get(word, 0)
    for begun, sign in _BEGUN:
        if word.startswith(begun):
            found |= sign
    if len(word) > 4 and word.endswith("ed"):
        found |= _PAST_BIT
    if word[0].isdigit():
        found |= _NUMBER_BIT
        if len(word) == 4 and word[:2] in ("19", "20"):
            found |= _TIME_BIT
    return found


_PLACE: Final = re.compile(r"\b(?:in|at|to|from|near|around|through|visit(?:ed|ing)?)\s+(?:the\s+)?[A-Z]\w+")
_QUOTES: Final = frozenset("\"'\u201c")
_NAME: Final = re.compile(r"(?<=[a-z,;:&]\s)[A-Z][\w'-]+")
_TITLE: Final = re.compile(r"[\"\u201c][^\"\u201d]{2,80}[\"\u201d]|(?<!\w)'[A-Z][^']{2,60}'(?!\w)")


def signs_of(text: str) -> Sign:
    """What a text says."""
    found, earlier, last = 0, "", ""
    has_unit = has_span = False
    for word in words(text):
        found |= _sign_of(word)
        has_unit = has_unit or word in _UNIT
        has_span = has_span or word in _OF_SPAN
        if word in _PLACES and (last in _TO_PLACE or (last in _ARTICLES and earlier in _TO_PLACE)):
            found |= _PLACE_BIT
        earlier, last = last, word
    if has_unit and has_span:
        found |= _SPAN_BIT
    if _NAME.search(text):
        found |= _NAME_BIT
        if _PLACE.search(text):
            found |= _PLACE_BIT
    if not _QUOTES.isdisjoint(text) and _TITLE.search(text):
        found |= _TITLE_BIT
    if "?" in text and (text.rstrip(" \"')\u201d\u2019]").endswith("?") or "? " in text):
        found |= _ASKING_BIT
    return Sign(found)


_WANTS: Final = (
    (re.compile(r"^how (?:long|old)|for how long"), Sign.SPAN),
    (re.compile(r"\bhow (?:many|much|often|far|tall|big)\b|\bwhat (?:number|age|price)\b|\bhow old\b"), Sign.NUMBER),
    (
        re.compile(r"^(?:since )?when\b|\b(?:what|which) (?:day|date|month|year|time|week|season|weekend)\b|\bwhen (?:did|was|is|will|does|do|has)\b"),
        Sign.TIME,
    ),
    (
        re.compile(r"^(?:from )?where\b|\b(?:what|which) (?:city|country|town|place|state|location|area|restaurant|park|beach|venue)"
                   r"|\bwhere (?:did|does|is|was|has|do)\b"),
        Sign.PLACE,
    ),
    (re.compile(r"^(?:with |to |for |from )?who(?:m|se)?\b|\bwhat (?:friend|relative|person|people)\b|\bwho (?:did|does|is|was)\b"), Sign.PERSON),
    (re.compile(r"\bwhy\b|\bwhat (?:made|motivat\w+|inspir\w+|caus\w+|drove|led|prompt\w+)|\breason\b|\bwhat is .* motivation"), Sign.REASON),
    (re.compile(r"\b(?:book|movie|film|song|show|series|novel|band|album|game|title|called|named?|artist|author|musician)s?\b"), Sign.TITLE),
    (re.compile(r"\b(?:feel|feels|felt|feeling|think of|thinks? about|opinion|reaction|react|like about|mood|attitude|enjoy|favou?rite|love)\b"), Sign.FEELING),
    (re.compile(r"\b(?:plan|plans|planning|going to|will|want to|intend|future|next|goal|goals|hope|hoping|dream)\b"), Sign.PLAN),
    (re.compile(r"\b(?:photo|picture|image|painting|poster|drawing|share|shared|show|sign|look like)\b"), Sign.PICTURE),
)  # fmt: skip


def wants_of(question: str) -> Sign:
    """What kinds of things a question wants to hear."""
    small = plain(question).replace("\u2019", "'").strip()
    found = Sign(0)
    for pattern, sign in _WANTS:
        if pattern.search(small):
            found |= sign
    if re.search(r"^(?:what|which|how|who|where|when|why) (?:did|was|were|has|had)\b", small):
        found |= Sign.PAST
    return found
