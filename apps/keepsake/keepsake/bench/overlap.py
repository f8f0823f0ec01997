"""Token F1 of an answer, with the normalisation of LoCoMo's own evaluation: no commas, articles, "and" or marks, Porter stems."""

from __future__ import annotations

import re
import string
from collections import Counter
from typing import Final

import snowballstemmer

__all__ = ["token_f1"]

_DROPPED: Final = re.compile(r"\b(?:a|an|the|and)\b")
_MARKS: Final = str.maketrans("", "", string.punctuation)
_stemmer: Final = snowballstemmer.stemmer("porter")


def _tokens(text: str) -> list[str]:
    words = _DROPPED.sub(" ", text.replace(",", "").lower().translate(_MARKS)).split()
    return [str(stem) for stem in _stemmer.stemWords(words)]


def token_f1(given: str, gold: str) -> float:
    """How much of an answer and of the gold one is the same, token by token, 0 to 1."""
    found, wanted = _tokens(given), _tokens(gold)
    common = sum((Counter(found) & Counter(wanted)).values())
    return 2 * common / (len(found) + len(wanted)) if common else 0.0
