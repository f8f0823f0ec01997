"""BM25 over documents that were found, for servers that find by terms but do not rank."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["rank"]

#: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009
K1: Final = 1.2
B: Final = 0.75


def rank(found: Mapping[str, Sequence[str]], wanted: Sequence[str], count: int, limit: int) -> list[tuple[str, float]]:
    """The best of the documents that have any of the wanted terms: id and score, best first, then in order of ids.

    :param found: ids and terms of all documents that have any of them.
    :param count: of all documents.
    """
    having = Counter(term for terms in found.values() for term in set(wanted).intersection(terms))
    length = sum(map(len, found.values())) / max(len(found), 1)
    rare = {term: math.log(1 + (count - number + 0.5) / (number + 0.5)) for term, number in having.items()}
    scores = {}
    for name, terms in found.items():
        norm = K1 * (1 - B + B * len(terms) / length)
        counts = Counter(terms)
        scores[name] = sum(
            weight * counts[term] * (K1 + 1) / (counts[term] + norm) for term, weight in rare.items() if counts[term]
        )
    return sorted(scores.items(), key=lambda one: (-one[1], one[0]))[:limit]
