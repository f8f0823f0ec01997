"""Which sentences of a prose answer are borne out by what it cites."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from keepsake.record import Citation
from keepsake.words.common import rarity
from keepsake.words.passage import sentences
from keepsake.words.term import plain, terms

__all__ = ["unsupported"]

#: the share of what a sentence tells, by rarity of its terms, that one citation has to have
LEAST_SHARE: Final = 0.5

_FIGURE: Final = re.compile(r"\d+")
_MARK: Final = re.compile(r"\[\d+\]")
_NAME: Final = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'-]+")


def unsupported(text: str, citations: Sequence[Citation], question: str = "") -> tuple[str, ...]:
    """The sentences of a text that no citation bears out.

    A sentence is borne out by one citation that has most of its telling terms, and every figure and name in it (those of the
    question count as had: repeating it claims nothing).  That is a bound on words, not a proof of meaning.
    """
    bases = [_Basis(citation, question) for citation in citations]
    return tuple(
        piece.text
        for piece in sentences(text)
        if not any(base.bears(piece.text) for base in bases) and _claims(piece.text)
    )


def _claims(sentence: str) -> bool:
    """Whether a sentence says anything of the world: "I do not know." does not."""
    return any(term not in _EMPTY for term in terms(_MARK.sub("", sentence)))


_EMPTY: Final = frozenset(
    terms("know knows memory memories answer sorry say says said mention mentioned unknown remember information")
)


class _Basis:
    """What one citation has."""

    def __init__(self, citation: Citation, question: str) -> None:
        text = f"{citation.text} {citation.speaker} {citation.date} {question}"
        self._terms = frozenset(terms(text))
        self._figures = frozenset(_FIGURE.findall(text))
        self._plain = plain(text)

    def bears(self, sentence: str) -> bool:
        """Whether a sentence says no more than this."""
        sentence = _MARK.sub("", sentence)
        said = set(terms(sentence))
        if not said:
            return True
        if any(figure not in self._figures for figure in _FIGURE.findall(sentence)):
            return False
        if any(not _has(self._plain, name) for name in _names(sentence)):
            return False
        weight = sum(rarity(term) for term in said)
        return sum(rarity(term) for term in said & self._terms) >= LEAST_SHARE * weight


def _names(sentence: str) -> Iterable[str]:
    return (plain(name.removesuffix("'s")) for name in _NAME.findall(sentence))


def _has(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}", text) is not None
