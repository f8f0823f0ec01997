"""Which words nearly everybody uses, so that a person's own ones stand out.

``common.txt`` was written by hand for Keepsake: a line is a class, the commonest words first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from keepsake.words.term import STOP_WORDS, stem

__all__ = ["is_common", "rarity"]

#: in how many of a thousand texts a word of each class is, about; the last is of all that are in no class
_SHARES: Final = (60.0, 25.0, 15.0, 8.0, 6.0, 40.0, 5.0, 0.3)


@cache
def _classes() -> Mapping[str, int]:
    """The class of each stem."""
    found: dict[str, int] = {}
    for number, line in enumerate((files("keepsake.words") / "common.txt").read_text("utf-8").splitlines()):
        for word in line.split():
            found.setdefault(stem(word), number)
    return MappingProxyType(found)


def is_common(word: str) -> bool:
    """Whether a plain word is one that nearly everybody uses."""
    return word in STOP_WORDS or stem(word) in _classes()


def rarity(term: str) -> float:
    """How much a term tells: the logarithm of one over its share of texts, 2.8 for the commonest to 8.1 for what is in no class."""
    return math.log(1000.0 / _SHARES[_classes().get(term, len(_SHARES) - 1)])
