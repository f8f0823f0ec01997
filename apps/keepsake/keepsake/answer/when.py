"""Answers questions of time by rule: which of the memories that were found speaks of it, which of its times is meant, and how to say it.

A time is weighed by how well its memory was found, by how much of the question its own sentence has, and by whether it lies on the
side (past or to come) that is asked of.  A memory that names no time was said at one: that is the weakest answer, and often right.
The weights were chosen on made-up people (``bench/prior``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keepsake.answer.ask import Want, side, wanted
from keepsake.recall.contract import Hit
from keepsake.record import Memory, Precision, Question, When
from keepsake.words.common import rarity
from keepsake.words.date import Spot, spots, tell, tell_day
from keepsake.words.date.calendar import MONTHS, months_after, place
from keepsake.words.date.number import NUMBER, count
from keepsake.words.passage import Piece, sentences
from keepsake.words.term import terms

__all__ = ["Told", "told"]

#: memories that are looked at
LOOKED_AT: Final = 8

#: by what a score counts: the ranker's scores are logarithms of odds, softened, as it is less sure than it says
WARMTH: Final = 2.5

#: what a time weighs that is only that of saying, beside one that is named
SAID_WEIGHT: Final = 0.15

#: the same for a note of one's own: people write down the day's things on the day, and seldom say so
NOTED_WEIGHT: Final = 0.4

#: what a time weighs whose sentence has nothing of the question, beside one that has all of it
LEAST_FIT: Final = 0.5

#: what a loose time weighs ("recently")
LOOSE_WEIGHT: Final = 0.5

#: what a time on the other side weighs, to come where the past is asked for
OTHER_SIDE_WEIGHT: Final = 0.4

_LOOSE: Final = re.compile(
    r"^(?:recently|lately|soon|not .*ago|just now|(?:the )?near future|today|tonight|this (?:morning|afternoon|evening))",
    re.I,
)
_LENGTH: Final = re.compile(
    rf"\b(?:for|about|almost|nearly|over|around|been|took|lasts?|lasted|last|past|took me|it's|of|after|spent)?\s*(?:the (?:last|past) )?"
    rf"{NUMBER}[ -](minute|hour|day|night|week|month|year|decade)s?\b(?! ago| old|-old| later| from now)",
    re.IGNORECASE,
)
_AGO: Final = re.compile(r"\b(?:ago|back)$", re.IGNORECASE)
_LASTING: Final = re.compile(r"\b(?:has|have|been|had)\b")
_START: Final = re.compile(
    r"\b(?:start|begin|began|begun|first|since when|take up|took up|become|became|join|get into|got into|meet|met)\w*\b"
)


@dataclass(frozen=True, slots=True)
class Told:
    """A time that answers.

    :ivar text: in words, without a sentence around it.
    :ivar place: of its memory among the hits.
    :ivar when: the time; None for a length of time.
    """

    text: str
    place: int
    when: When | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    weight: float
    told: Told


def told(question: Question, hits: Sequence[Hit]) -> Told | None:
    """The time that a question asks for; None where it asks for none, or where nothing was found.

    :param hits: what was found, best first.
    """
    want = wanted(question.text)
    hits = hits[:LOOKED_AT]
    if want is Want.OTHER or not hits:
        return None
    asked = frozenset(terms(question.text))
    best = max(hit.score for hit in hits)
    found: list[_Candidate] = []
    for number, hit in enumerate(hits):
        base = math.exp((hit.score - best) / WARMTH)
        found += _candidates(question, want, hit.memory, asked, base, number)
    return max(found, key=lambda one: one.weight).told if found else None


def _candidates(
    question: Question, want: Want, memory: Memory, asked: frozenset[str], base: float, number: int
) -> Iterator[_Candidate]:
    """The answers that one memory may give, weighed."""
    pieces = list(sentences(memory.text))
    if want is Want.LENGTH:
        is_lasting = bool(_LASTING.search(question.text.lower()))
        yield from _lengths(memory, pieces, asked, base, number, is_lasting=is_lasting)
        return
    asked_side = side(question.text)
    is_start = bool(_START.search(question.text.lower()))
    found = spots(memory.text, memory.said_at, memory.zone, language=memory.language)
    for spot in found:
        weight = base * _fit(spot.start, pieces, asked)
        if _LOOSE.match(spot.when.words):
            weight *= LOOSE_WEIGHT
        if asked_side and (spot.when.start > memory.said_at) != (asked_side > 0):
            weight *= OTHER_SIDE_WEIGHT
        yield _Candidate(weight, Told(_worded(want, spot, memory, is_start=is_start), number, spot.when))
    if is_start:
        yield from _starts(memory, pieces, asked, base, number)
    said_weight = SAID_WEIGHT if memory.speaker or found else NOTED_WEIGHT
    fit = max((_share(piece.text, asked) for piece in pieces), default=0.0)
    day = When(memory.said_at, memory.said_at + 1, Precision.DAY)
    said = Spot(0, 0, day)
    yield _Candidate(
        base * said_weight * (LEAST_FIT + fit), Told(_worded(want, said, memory, is_start=is_start), number, day)
    )


def _fit(at: int, pieces: Sequence[Piece], asked: frozenset[str]) -> float:
    """How well the sentence around a place answers: it or the one before has the question's words."""
    here = next((row for row, piece in enumerate(pieces) if piece.start <= at < piece.end), 0)
    own = _share(pieces[here].text, asked) if pieces else 0.0
    before = _share(pieces[here - 1].text, asked) if here else 0.0
    return LEAST_FIT + max(own, 0.7 * before)


def _share(text: str, asked: frozenset[str]) -> float:
    """How much of a question a text has, by how much each term tells, 0 to 1."""
    found = set(terms(text))
    total = sum(rarity(term) for term in asked)
    return sum(rarity(term) for term in asked & found) / total if total else 0.0


def _worded(want: Want, spot: Spot, memory: Memory, *, is_start: bool) -> str:
    """A time as the question wants it."""
    when = spot.when
    first = datetime.fromtimestamp(when.start, place(memory.zone))
    if want is Want.YEAR:
        return str(first.year)
    if want is Want.MONTH:
        return f"{MONTHS[first.month - 1].capitalize()} {first.year}"
    if want is Want.CLOCK and when.precision in {Precision.HOUR, Precision.MINUTE}:
        return f"{first:%H:%M}"
    if want is Want.AGO and _AGO.search(when.words):
        return when.words
    if not when.words:
        return tell_day(memory.said_at, memory.zone)
    text = tell(when, memory.said_at, memory.zone)
    return text.removeprefix("since ") if is_start else text


def _lengths(
    memory: Memory, pieces: Sequence[Piece], asked: frozenset[str], base: float, number: int, *, is_lasting: bool
) -> Iterator[_Candidate]:
    """Lengths of time that a memory names, and those that have lasted since a time.

    :param is_lasting: what is asked of still lasts, so that any time at which it began tells its length.
    """
    for found in _LENGTH.finditer(memory.text):
        words = found.group(0)[found.start(1) - found.start() :]
        yield _Candidate(base * _fit(found.start(), pieces, asked), Told(re.sub(r"^an? ", "one ", words), number))
    for spot in spots(memory.text, memory.said_at, memory.zone, language=memory.language):
        words = spot.when.words.lower()
        is_since = words.startswith(("since", "ever since"))
        if not is_since and (not is_lasting or spot.when.start > memory.said_at):
            continue
        weight = base * _fit(spot.start, pieces, asked) * (1.0 if is_since else LOOSE_WEIGHT)
        since = tell(spot.when, memory.said_at, memory.zone)
        text = words if _AGO.search(words) else f"since {since.removeprefix('since ')}"
        yield _Candidate(weight, Told(re.sub(r" (?:ago|back)$", "", text), number, spot.when))


def _starts(
    memory: Memory, pieces: Sequence[Piece], asked: frozenset[str], base: float, number: int
) -> Iterator[_Candidate]:
    """When began what has lasted so long: "for three years now", said in 2023, began in 2020."""
    said = datetime.fromtimestamp(memory.said_at, place(memory.zone)).date()
    for found in _LENGTH.finditer(memory.text):
        unit = found[2].lower()
        if unit not in {"year", "month"}:
            continue
        low, high = count(found[1])
        first = months_after(said, -round((low + high) / 2 * (12 if unit == "year" else 1)))
        text = str(first.year) if unit == "year" else f"{MONTHS[first.month - 1].capitalize()} {first.year}"
        weight = base * _fit(found.start(), pieces, asked) * 0.8
        yield _Candidate(weight, Told(text, number))
