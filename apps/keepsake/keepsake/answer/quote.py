"""Chooses which memories to quote, and quotes them with who, when and where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from keepsake.answer.contract import Memories, Voiced
from keepsake.recall.contract import Hit
from keepsake.record import Citation, Memory, Question, When
from keepsake.words.common import rarity
from keepsake.words.date import resolve, tell, tell_day
from keepsake.words.fold import likeness
from keepsake.words.passage import sentences
from keepsake.words.term import terms

__all__ = ["chosen", "cited", "line", "telling"]

#: what another memory's odds have to be beside the best one's, to be quoted too
LEAST_ODDS: Final = 0.2

#: memories that are more alike than this say the same; one is quoted
ALIKE: Final = 0.7

#: letters of a quotation; what is longer is cut to its telling sentences
QUOTE_LETTERS: Final = 280

#: of a person's own words beside another's, in the ranker's scores, for each bit a letter of likeness
VOICE_WEIGHT: Final = 0.5

#: the most that likeness may move a memory
VOICE_MOST: Final = 0.5


def chosen(hits: Sequence[Hit], memories: Memories, *, limit: int, model: Voiced | None = None) -> list[Hit]:
    """The hits to quote, best first: those nearly as good as the best one, each thing said once, the person's own words first.

    :param model: whose voice decides between hits that are nearly as good.
    """
    if not hits:
        return []

    def weight(hit: Hit) -> float:
        if model is None:
            return hit.score
        return hit.score + max(-VOICE_MOST, min(VOICE_MOST, VOICE_WEIGHT * model.voice.likeness(hit.memory.text)))

    best = hits[0].score
    near = [hit for hit in hits if math.exp(hit.score - best) >= LEAST_ODDS]
    result: list[Hit] = []
    for hit in sorted(near, key=lambda one: -weight(one)) if model is not None else near:
        stood = _stands(hit, memories)
        if all(likeness(stood.memory.text, other.memory.text) < ALIKE for other in result):
            result.append(stood)
        if len(result) >= limit:
            break
    return result


def _stands(hit: Hit, memories: Memories) -> Hit:
    """The hit with the memory that stands for its own, where it folds into one."""
    if not hit.memory.folds_into:
        return hit
    stood = memories.memory(hit.memory.folds_into)
    return hit if stood is None else Hit(stood, hit.score, hit.features)


def cited(hit: Hit, when: When | None = None) -> Citation:
    """A memory as it is quoted.

    :param when: the time of it that answers, where one does.
    """
    memory = hit.memory
    if when is None:
        when = next(
            iter(memory.meant or resolve(memory.text, memory.said_at, memory.zone, language=memory.language)), None
        )
    has_words = when is not None and bool(when.words)
    date = tell(when, memory.said_at, memory.zone) if when is not None and has_words else ""
    return Citation(
        memory=memory.id,
        text=memory.text,
        speaker=memory.speaker,
        said_at=memory.said_at,
        score=hit.score,
        when=when if has_words else None,
        date=date or tell_day(memory.said_at, memory.zone),
        source=memory.source,
    )


def telling(memory: Memory, question: Question, letters: int = QUOTE_LETTERS) -> str:
    """The part of a memory that tells most of what is asked: all of it where it is short."""
    if len(memory.text) <= letters:
        return memory.text
    asked = frozenset(terms(question.text))
    pieces = list(sentences(memory.text))
    scores = [sum(rarity(term) for term in asked & set(terms(piece.text))) for piece in pieces]
    best = max(range(len(pieces)), key=lambda row: (scores[row], -row))
    first = last = best
    while True:  # grow around it, as far as it fits
        after = last + 1 < len(pieces) and pieces[last + 1].end - pieces[first].start <= letters
        before = not after and first > 0 and pieces[last].end - pieces[first - 1].start <= letters
        if not after and not before:
            break
        last, first = last + after, first - before
    text = memory.text[pieces[first].start : pieces[last].end]
    if len(text) > letters:
        text = text[: text.rfind(" ", 0, letters)] if " " in text[:letters] else text[:letters]
    return ("… " if first else "") + text + (" …" if len(text) + pieces[first].start < len(memory.text) else "")


def line(memory: Memory, question: Question) -> str:
    """A quotation with who said it, when and where."""
    where = memory.source.place or memory.source.channel or memory.source.title
    about = [memory.speaker or "you", tell_day(memory.said_at, memory.zone), *([where] if where else [])]
    return f"\u201c{telling(memory, question)}\u201d ({', '.join(about)})"
