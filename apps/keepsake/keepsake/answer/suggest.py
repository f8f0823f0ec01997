"""Suggests what the person might write: things they have said themselves that fit what they were asked.

A suggestion is the person's own sentence, never a made one, so that what is accepted is theirs; whether it was taken, edited or left
is feedback that the model learns from (`keepsake.model.feedback`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from keepsake.answer.contract import Voiced
from keepsake.answer.when import told
from keepsake.recall.contract import Found
from keepsake.record import Kind, Question
from keepsake.words.common import rarity
from keepsake.words.fold import likeness
from keepsake.words.passage import sentences
from keepsake.words.term import terms

__all__ = ["Suggestion", "suggest"]

#: suggestions at most
MOST: Final = 5

#: hits that are looked at
LOOKED_AT: Final = 20

#: below this sureness nothing is suggested
LEAST_SURE: Final = 0.3

#: letters of a suggestion
LETTERS: Final = 240

#: suggestions that are more alike than this are one
ALIKE: Final = 0.6

#: how much a bit a letter of likeness to the person's voice moves a suggestion
VOICE_WEIGHT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that the person might say.

    :ivar text: in the person's own words; for a question of time, the time.
    :ivar memory: the id of the memory that it is taken from.
    """

    text: str
    memory: str
    score: float


def suggest(question: Question, found: Found, model: Voiced | None = None, *, limit: int = 3) -> list[Suggestion]:
    """What the person might reply, best first; nothing where nothing fits.

    :param question: what they were asked or are writing about.
    """
    if found.sureness < LEAST_SURE or not found.hits:
        return []
    asked = frozenset(terms(question.text))
    best = found.hits[0].score
    scored: list[Suggestion] = []
    for hit in found.hits[:LOOKED_AT]:
        memory = hit.memory
        if memory.speaker or memory.kind is Kind.WEB:
            continue
        base = math.exp(max(-20.0, hit.score - best))
        for piece in sentences(memory.text):
            if len(piece.text) > LETTERS or piece.text.endswith("?") or len(terms(piece.text)) < 2:
                continue
            has = sum(rarity(term) for term in asked & set(terms(piece.text)))
            voice = model.voice.likeness(piece.text) if model is not None else 0.0
            score = base * (1.0 + has) * math.exp(VOICE_WEIGHT * max(-2.0, min(2.0, voice)))
            scored.append(Suggestion(piece.text, memory.id, score))
    scored.sort(key=lambda one: -one.score)
    result: list[Suggestion] = []
    time = told(question, found.hits)
    if time is not None and not found.hits[time.place].memory.speaker:
        top = scored[0].score if scored else 1.0
        result.append(Suggestion(time.text[0].upper() + time.text[1:] + ".", found.hits[time.place].memory.id, top))
    for one in scored:
        if len(result) >= min(limit, MOST):
            break
        if all(likeness(one.text, other.text) < ALIKE for other in result):
            result.append(one)
    return result[: min(limit, MOST)]
