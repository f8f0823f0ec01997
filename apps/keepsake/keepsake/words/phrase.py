"""What a passage is about, in a few phrases: runs of words that say something, weighed by how rare they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from keepsake.words.common import rarity
from keepsake.words.language import COMMON
from keepsake.words.term import STOP_WORDS, plain, stem

__all__ = ["phrases"]

#: words of a phrase
_LONGEST: Final = 3

#: what a phrase's words have to tell together, per word (see `rarity`)
_LEAST: Final = 5.0

#: words of other languages that say nothing by themselves
_FOREIGN: Final = frozenset(word for said in COMMON.values() for word in said.split())

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*|[^\w\s]|\n")
_POSSESSIVE: Final = re.compile(r"['\u2019]\w*$")
_NUMBER: Final = re.compile(r"^[\d.,:]+\w{0,2}$")


def phrases(text: str, limit: int = 5, background: Mapping[str, float] | None = None) -> tuple[str, ...]:
    """The phrases that tell most of what a text is about, as it has them, the most telling first.

    :param background: how rare each stem is in the person's own texts, where that is known; what the person says all the time
        tells little.
    """
    runs: list[list[str]] = [[]]
    for found in _WORD.findall(text):
        word = _POSSESSIVE.sub("", found)
        if (
            not found[0].isalnum()
            or plain(word) in STOP_WORDS
            or word in _FOREIGN
            or _NUMBER.match(word)
            or len(word) < 2
        ):
            runs.append([])
        elif runs[-1] and word[0].isupper() != runs[-1][-1][0].isupper():
            runs.append([word])
        else:
            runs[-1].append(word)
    counts: Counter[str] = Counter(stem(plain(word)) for run in runs for word in run)

    def weight(word: str) -> float:
        term = stem(plain(word))
        own = 1.0 if background is None else background.get(term, 1.0)
        return rarity(term) * own * (1.0 + 0.3 * min(2, counts[term] - 1))

    scored: dict[str, tuple[float, str]] = {}
    for run in runs:
        for start in range(0, len(run), _LONGEST):
            words = run[start : start + _LONGEST]
            while len(words) > 1 and rarity(stem(plain(words[0]))) < _LEAST:
                words = words[1:]
            while len(words) > 1 and rarity(stem(plain(words[-1]))) < _LEAST:
                words = words[:-1]
            weights = [weight(word) for word in words]
            if words and max(weights) >= _LEAST:
                phrase = " ".join(words)
                key = " ".join(stem(plain(word)) for word in words)
                score = sum(weights) / len(weights) ** 0.5
                scored.setdefault(key, (score, phrase))
    ranked = sorted(scored.values(), key=lambda one: -one[0])
    return tuple(phrase for _, phrase in ranked[:limit])
