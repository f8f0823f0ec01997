"""Signs: what kind of thing a text says, and what kind a question wants, by its words alone.

A text that answers "when" speaks of a time, one that answers "how many" has a number.  Signs are cheap and rough on purpose: the
ranker learns how much each is worth.  They are of English; in other languages most of them are simply absent.
"""

from __future__ import annotations

import re
from enum import IntFlag
from typing import Final

from keepsake.words.term import plain

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


_MONTH: Final = "january|february|march|april|june|july|august|september|october|november|december"
_DAY: Final = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_COUNT: Final = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|couple|twice|once"
_UNIT: Final = "minutes?|hours?|days?|weeks?|months?|years?|decades?"

_SIGNS: Final = {
    Sign.TIME: rf"yesterday|today|tonight|tomorrow|ago|last|next|recently|weekend|morning|evening|afternoon|since|{_MONTH}|{_DAY}"
    rf"|(?:19|20)\d\d|{_UNIT}|summer|winter|spring|autumn|fall|birthday|anniversary|just",
    Sign.PERSON: "mom|mum|mother|dad|father|parents?|brother|sister|siblings?|son|daughter|kids?|child|children|wife|husband|partner"
    "|friends?|grand\\w+|aunt|uncle|cousins?|nephew|niece|boss|colleagues?|coworkers?|teacher|coach|neighbou?rs?|girlfriend|boyfriend"
    "|team|family|roommate|mentor|doctor|class(?:es)?|group",
    Sign.NUMBER: rf"\d[\d,.]*|{_COUNT}|first|second|third|several|few|many|lots?",
    Sign.REASON: "because|since|so that|due to|reason|why|in order|to help|wanted to|hoping|inspired?|motivat\\w+|thanks to|helps?|made me"
    "|makes me|keeps?|drove",
    Sign.FEELING: "feel\\w*|felt|happy|sad|glad|proud|excited|nervous|scared|afraid|worried|love[ds]?|hate[ds]?|enjoy\\w*|grateful|amazing"
    "|awesome|great|tired|stress\\w*|angry|upset|lonely|thrilled|anxious|calm\\w*|relax\\w*|thankful|honou?red|overwhelm\\w*|joy"
    "|fun|special|peace\\w*",
    Sign.PLAN: "will|going to|gonna|plan\\w*|want to|hope|hoping|would like|'ll|thinking of|thinking about|looking forward|next|soon"
    "|tomorrow|goals?|dream",
    Sign.PAST: "was|were|had|went|did|got|made|took|saw|came|met|bought|gave|found|told|started|been|took|won|lost|wrote|read|ate|\\w{3,}ed",
    Sign.SELF: "i|my|me|we|our|us|mine|i'm|i've|we're|we've",
    Sign.SPAN: rf"(?:for|since|over|about|almost|nearly)\s+(?:the\s+)?(?:an?\s+|\d+\s+|(?:{_COUNT}|few|past|last|many|several)\s+)*(?:{_UNIT})"
    r"|\w+\s+years?|years?\s+(?:ago|now|already)|since",
    Sign.THANKS: "thanks|thank|wow|congrats|congratulations|cool|nice|sounds|sorry|glad|good luck|take care|bye|hey|hi|hello",
}

_PLAIN: Final = {sign: re.compile(rf"(?<![\w'])(?:{words})(?![\w])") for sign, words in _SIGNS.items()}
_PLACE: Final = re.compile(
    r"\b(?:in|at|to|from|near|around|through|visit(?:ed|ing)?)\s+(?:the\s+)?[A-Z]\w+"
    r"|\b(?:at|in|to|into|from|near|by|on)\s+(?:the|a|an|my|our)\s+(?:\w+\s+)?(?:park|beach|lake|mountains?|city|town|village|forest|woods|school"
    r"|university|college|church|museum|gallery|library|cafe|restaurant|bar|shop|store|market|mall|hospital|clinic|shelter|cent(?:er|re)|studio"
    r"|gym|office|house|home|farm|garden|theat(?:er|re)|cinema|club|hotel|airport|station|island|river|coast|country|street|yard|zoo|stadium"
    r"|festival|fair|conference|convention|camp)"
)
_NAME: Final = re.compile(r"(?<=[a-z,;:&]\s)[A-Z][\w'-]+")
_TITLE: Final = re.compile(r"[\"\u201c][^\"\u201d]{2,80}[\"\u201d]|(?<!\w)'[A-Z][^']{2,60}'(?!\w)")
_PICTURE: Final = re.compile(
    r"\b(?:photo|picture|image|photograph|poster|painting|screenshot|shared|shares)\b", re.IGNORECASE
)


def signs_of(text: str) -> Sign:
    """What a text says."""
    small = plain(text).replace("\u2019", "'")
    found = Sign(0)
    for sign, pattern in _PLAIN.items():
        if pattern.search(small):
            found |= sign
    for sign, pattern in ((Sign.PLACE, _PLACE), (Sign.NAME, _NAME), (Sign.TITLE, _TITLE), (Sign.PICTURE, _PICTURE)):
        if pattern.search(text):
            found |= sign
    return found | Sign.ASKING if text.rstrip(" \"')\u201d\u2019]").endswith("?") or "? " in text else found


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
