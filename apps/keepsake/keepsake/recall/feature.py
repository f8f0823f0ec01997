"""Features: what a ranker sees of a memory that may answer a question.

Each is a figure of about 0 to 1 that means the same in any person's memories, so that weights learned from some serve others.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from keepsake.recall.ask import Asked
from keepsake.recall.evidence import Evidence, Rows, shifted
from keepsake.recall.posting import Floats, Places, Postings
from keepsake.recall.sign import Sign
from keepsake.recall.soft import near

__all__ = ["NAMES", "features"]

_MATCHED: Final = (
    Sign.TIME, Sign.PLACE, Sign.PERSON, Sign.NUMBER, Sign.REASON, Sign.TITLE, Sign.FEELING, Sign.PLAN, Sign.PICTURE, Sign.SPAN, Sign.PAST,
)  # fmt: skip

#: What weighs otherwise where there is nothing but words.
_ALONE: Final = (
    "words", "words before", "fused", "cover", "cover before", "cover both", "cover next", "cover around", "cover soft",
    "cover soft around", "cover sitting", "cover rarest", "pairs", "said by cover", "other cover",
)  # fmt: skip

#: The names of the features, in their order.
NAMES: Final = (
    "words", "words before", "words after", "words sitting", "words sitting mean", "words rank",
    "meaning", "meaning best", "meaning before", "meaning after", "meaning sitting", "meaning rank", "whole", "whole best", "whole sitting",
    "fused", "fused before", "fused after",
    "cover", "cover before", "cover after", "cover both", "cover next", "cover around", "cover sitting", "cover soft", "cover soft around",
    "cover rarest", "cover count", "pairs", "pairs around", "formal",
    "said by", "said by other", "said by nobody", "names", "names before", "said by cover", "said by meaning", "other cover", "other meaning",
    "asking", "asking before", "answers asking", "short", "long", "self", "name", "thanks",
    *(f"wants {sign.name.lower()}" for sign in _MATCHED if sign.name), "has wanted", "wants nothing",
    *(f"plain {sign.name.lower()}" for sign in _MATCHED if sign.name), "bias when",
    *(f"alone {name}" for name in _ALONE),
)  # fmt: skip


def _matrix(terms: tuple[str, ...], pool: Places, postings: Postings, *, soft: bool) -> Floats:
    """Which of the terms (columns) each place (rows) has, 1 or how near the nearest word comes; a place of -1 has none."""
    table: Floats = np.zeros((len(pool), len(terms)), np.float32)
    for column, term in enumerate(terms):
        for other, likeness in ((term, 1.0), *(near(term) if soft else ())):
            places, _ = postings.where(other)
            if len(places):
                at = np.searchsorted(places, pool).clip(max=len(places) - 1)
                table[:, column] = np.maximum(table[:, column], np.float32(likeness) * (places[at] == pool))
    return table


def _rank(values: Floats) -> Floats:
    """1 for the best, 1/2 for the second, 1/3..."""
    order: Floats = np.empty(len(values), np.float32)
    order[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1, dtype=np.float32)
    return np.asarray(1 / order, np.float32)


def _covers(asked: Asked, pool: Places, rows: Rows, postings: Postings, sittings: Places) -> dict[str, Floats]:
    """How much of the question's terms a memory has, weighed by how telling they are, alone and with those around it."""
    weights = np.array([postings.weight(term) for term in asked.terms], np.float32)
    share = weights / max(float(weights.sum()), 1e-6)
    before, after = rows.before[pool], rows.after[pool]
    here = _matrix(asked.terms, pool, postings, soft=False)
    earlier, later = (_matrix(asked.terms, places, postings, soft=False) for places in (before, after))
    kin = _matrix(asked.terms, pool, postings, soft=True)
    kin_around = np.maximum.reduce(
        [
            _matrix(asked.terms, places, postings, soft=True)
            for places in (before, after, np.append(rows.before, np.int32(-1))[before])
        ]
    )
    sitting = np.zeros((int(sittings.max(initial=0)) + 1, len(asked.terms)), np.float32)
    np.maximum.at(sitting, sittings, here)
    rarest = here[:, int(np.argmax(weights))] if len(weights) else np.zeros(len(pool), np.float32)
    return {
        "cover": here @ share,
        "cover before": earlier @ share,
        "cover after": later @ share,
        "cover both": np.maximum(here, earlier) @ share,
        "cover next": np.maximum(here, later) @ share,
        "cover around": np.maximum.reduce([here, earlier, later]) @ share,
        "cover sitting": sitting[sittings] @ share,
        "cover soft": kin @ share,
        "cover soft around": np.maximum(kin, kin_around) @ share,
        "cover rarest": rarest,
        "cover count": here.sum(1) / 4,
        "formal": _matrix(asked.formal, pool, postings, soft=False).sum(1)
        if asked.formal
        else np.zeros(len(pool), np.float32),
    }


def _pairs(asked: Asked, pool: Places, rows: Rows, postings: Postings, made: dict[str, Floats]) -> dict[str, Floats]:
    """Terms that follow each other in the question and do so in a memory, too."""
    numbers = [postings.number(term) for term in asked.terms]
    wanted = {pair for pair in pairwise(numbers) if min(pair) >= 0}
    here, around = np.zeros(len(pool), np.float32), np.zeros(len(pool), np.float32)
    if wanted:
        # a pair needs two of the terms
        for row in np.flatnonzero(made["cover count"] >= 0.5).tolist():
            here[row] = len(wanted & postings.pairs(int(pool[row])))
        place_of = {place: row for row, place in enumerate(pool.tolist())}
        for row, before in enumerate(rows.before[pool].tolist()):
            around[row] = here[place_of[before]] if before in place_of else 0
    half = np.float32(0.5)
    return {"pairs": np.asarray(here * half), "pairs around": np.asarray(around * half)}


def _speech(asked: Asked, pool: Places, rows: Rows, postings: Postings, made: dict[str, Floats]) -> dict[str, Floats]:
    """Who says it, and whether that is whom the question is about."""
    is_about = np.isin(rows.speaker[pool], asked.about).astype(np.float32)
    is_other = (1 - is_about) * np.float32(bool(asked.about))
    names = _matrix(asked.names, pool, postings, soft=False) if asked.names else np.zeros((len(pool), 1), np.float32)
    names_before = _matrix(asked.names, rows.before[pool], postings, soft=False) if asked.names else names
    return {
        "said by": is_about,
        "said by other": is_other,
        "said by nobody": np.full(len(pool), not asked.about, np.float32),
        "names": names.max(1),
        "names before": names_before.max(1),
        "said by cover": is_about * made["cover around"],
        "said by meaning": is_about * made["meaning"],
        "other cover": is_other * made["cover around"],
        "other meaning": is_other * made["meaning"],
    }


def _signs(asked: Asked, pool: Places, rows: Rows) -> dict[str, Floats]:
    """What kind of thing a memory says against what the question wants."""
    here, before = rows.signs[pool], shifted(rows.signs, rows.before[pool])
    has = {sign: (here & int(sign) != 0).astype(np.float32) for sign in Sign}
    asks_before = (before & int(Sign.ASKING) != 0).astype(np.float32)
    changes = (rows.speaker[pool] != shifted(rows.speaker, rows.before[pool])).astype(np.float32)
    made = {
        "asking": has[Sign.ASKING],
        "asking before": asks_before,
        "answers asking": asks_before * changes * (1 - has[Sign.ASKING]),
        "short": (rows.length[pool] < 5).astype(np.float32),
        "long": np.log1p(rows.length[pool].astype(np.float32)) / 4,
        "self": has[Sign.SELF],
        "name": has[Sign.NAME],
        "thanks": has[Sign.THANKS],
    }
    wanted = np.zeros(len(pool), np.float32)
    for sign in _MATCHED:
        name = str(sign.name).lower()
        made[f"wants {name}"] = has[sign] * np.float32(bool(asked.wants & sign))
        made[f"plain {name}"] = has[sign] * np.float32(not asked.wants & sign)
        wanted = np.maximum(wanted, made[f"wants {name}"])
    made["has wanted"] = wanted
    made["wants nothing"] = np.full(len(pool), not asked.wants, np.float32)
    made["bias when"] = np.float32(bool(asked.wants & Sign.TIME)) * (has[Sign.PAST] + has[Sign.SELF]) / 2
    return made


def features(asked: Asked, pool: Places, evidence: Evidence, rows: Rows, postings: Postings) -> Floats:
    """The features of the places of a pool, row by row, columns as in `NAMES`."""
    before, after = rows.before[pool], rows.after[pool]
    sittings = np.unique(rows.sitting[pool], return_inverse=True)[1].astype(np.int32).reshape(-1)
    count = int(sittings.max(initial=0)) + 1
    most_words, most_meaning = np.zeros(count, np.float32), np.zeros(count, np.float32)
    words, meaning, fused = evidence.words[pool], evidence.meaning[pool], evidence.fused[pool] / 2
    np.maximum.at(most_words, sittings, words)
    np.maximum.at(most_meaning, sittings, meaning)
    whole, most_whole = evidence.whole[pool], np.zeros(count, np.float32)
    np.maximum.at(most_whole, sittings, whole)
    mean = np.bincount(sittings, words, minlength=count) / 5
    made = {
        "words": words,
        "words before": shifted(evidence.words, before),
        "words after": shifted(evidence.words, after),
        "words sitting": most_words[sittings],
        "words sitting mean": np.minimum(mean[sittings], 1.0),
        "words rank": _rank(words),
        "meaning": meaning,
        "meaning best": meaning / max(float(meaning.max(initial=0)), 1e-3),
        "meaning before": shifted(evidence.meaning, before),
        "meaning after": shifted(evidence.meaning, after),
        "meaning sitting": most_meaning[sittings],
        "meaning rank": _rank(meaning),
        "whole": whole,
        "whole best": whole / max(float(whole.max(initial=0)), 1e-3),
        "whole sitting": most_whole[sittings],
        "fused": fused,
        "fused before": np.maximum(shifted(evidence.fused, before) / 2, 0),
        "fused after": np.maximum(shifted(evidence.fused, after) / 2, 0),
    }
    made |= _covers(asked, pool, rows, postings, sittings)
    made |= _pairs(asked, pool, rows, postings, made)
    made |= _speech(asked, pool, rows, postings, made)
    made |= _signs(asked, pool, rows)
    is_alone = np.float32(not evidence.meaning.any())
    made |= {f"alone {name}": made[name] * is_alone for name in _ALONE}
    return np.stack([made[name] for name in NAMES], axis=1).astype(np.float32)
