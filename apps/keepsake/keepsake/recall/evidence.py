"""Evidence: what each memory has of a question's words and meaning, over all memories at once, and the few that deserve a closer look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from keepsake.recall.ask import Asked
from keepsake.recall.posting import Floats, Places, Postings

__all__ = ["Evidence", "Flags", "Rows", "gather", "pool_of"]

Flags: TypeAlias = npt.NDArray[np.bool_]

#: how much the turn before counts for a turn that is taken together with it
BEFORE: Final = 0.5

#: memories that are looked at closely: the best by each of these
FUSED: Final = 150
SINGLE: Final = 50
SPOKEN: Final = 80

#: a sample of eight times this tells where the greatest of very many values begin
SAMPLED: Final = 64

#: of the best, those before and after are looked at too: a question is answered by the next turn
NEIGHBOURED: Final = 40


@dataclass(frozen=True, slots=True)
class Rows:
    """What the index knows of each memory, in columns; ``before``, ``after``: -1 where there is none in the same sitting."""

    before: Places
    after: Places
    sitting: Places
    speaker: Places
    signs: npt.NDArray[np.uint32]
    length: npt.NDArray[np.uint16]
    said_at: npt.NDArray[np.float64]
    allowed: Flags


@dataclass(frozen=True, slots=True)
class Evidence:
    """For each memory, by place.

    :ivar words: BM25 of the telling terms, 0 to 1 (of the best).
    :ivar meaning: cosine, 0 where there are no vectors.
    :ivar whole: the same with the names of speakers in the question.
    :ivar fused: words and meaning with the turn before, both from 0 to 1.
    :ivar best_words: what 1 of ``words`` stands for, as a share of what a memory with every term would have.
    :ivar unheard: the share of the question's telling terms, by weight, that no memory has.
    """

    words: Floats
    meaning: Floats
    whole: Floats
    fused: Floats
    best_words: float
    unheard: float


def shifted(values: npt.NDArray[Any], places: Places) -> npt.NDArray[Any]:
    """The values at places, 0 where a place is -1."""
    return np.append(values, values.dtype.type(0))[places]


def _unit(values: Floats, allowed: Flags) -> Floats:
    """Values moved and stretched so that the allowed ones go from 0 to 1."""
    if not allowed.any():
        return np.zeros_like(values)
    low, high = float(values[allowed].min()), float(values[allowed].max())
    return np.asarray((values - low) / max(high - low, 1e-6), np.float32)


def gather(asked: Asked, postings: Postings, meaning: tuple[Floats, Floats] | None, rows: Rows) -> Evidence:
    """Weigh every memory roughly.

    :param meaning: cosine of each memory with the bare question and with the whole one; None where there is no embedder.
    """
    found = postings.score(asked.terms) + np.float32(0.3) * postings.score(asked.formal)
    found[~rows.allowed] = 0
    most = float(found.max(initial=0))
    possible = 2.2 * sum(postings.weight(term) for term in asked.terms)
    bare, whole = (np.where(rows.allowed, cosine, np.float32(0)) for cosine in meaning or (np.zeros_like(found),) * 2)
    fused = _unit(found + np.float32(BEFORE) * shifted(found, rows.before), rows.allowed)
    if meaning is not None:
        fused = fused + _unit(bare + np.float32(BEFORE / 2) * shifted(bare, rows.before), rows.allowed)
    fused[~rows.allowed] = -1
    words = np.asarray(found / np.float32(max(most, 1e-6)), np.float32)
    unheard = 2.2 * sum(postings.weight(term) for term in asked.terms if postings.number(term) < 0)
    return Evidence(words, bare, whole, fused, most / max(possible, 1e-6), unheard / max(possible, 1e-6))


def _top(values: Floats, count: int) -> Places:
    """The places of the greatest values, in no order; about those where many are the same."""
    if len(values) <= count:
        return np.arange(len(values), dtype=np.int32)
    places = None
    if len(values) > SAMPLED * count:
        # what a sample says is far enough down: looking at all of it is what takes time
        sample = values[:: len(values) // (SAMPLED * 8)]
        low = np.partition(sample, -max(2, 2 * count * len(sample) // len(values)))[
            -max(2, 2 * count * len(sample) // len(values))
        ]
        places = np.flatnonzero(values > low)
    if places is None or len(places) < count:
        return np.argpartition(values, len(values) - count)[-count:].astype(np.int32)
    kept = values[places]
    return places[np.argpartition(kept, len(kept) - count)[-count:]].astype(np.int32)


def pool_of(asked: Asked, evidence: Evidence, rows: Rows) -> Places:
    """The places that deserve a closer look, in order."""
    best = _top(evidence.fused, FUSED)
    said = np.flatnonzero(evidence.words).astype(np.int32)
    parts = [
        best,
        said[_top(evidence.words[said], SINGLE)],
        _top(evidence.meaning, SINGLE),
        _top(evidence.whole, SINGLE),
    ]
    if asked.about:
        spoken = np.flatnonzero(np.logical_or.reduce([rows.speaker == number for number in asked.about])).astype(
            np.int32
        )
        parts.append(spoken[_top(evidence.fused[spoken], SPOKEN)])
    leading = best[np.argsort(-evidence.fused[best])[:NEIGHBOURED]]
    parts += [rows.after[leading], rows.before[leading]]
    pool = np.unique(np.concatenate(parts))
    pool = pool[pool >= 0]
    return np.asarray(pool[rows.allowed[pool]], np.int32)
