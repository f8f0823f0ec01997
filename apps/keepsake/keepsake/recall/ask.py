"""What a question asks for: its telling terms, whom it asks about, what kind of answer it wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from keepsake.recall.sign import Sign, wants_of
from keepsake.words.term import STOP_WORDS, stem, words
from keepsake.words.verb import FORMS

__all__ = ["Asked", "analyse", "heard"]

#: Words of a question that say what kind of answer is wanted, or that the asker asks; an answer does not repeat them.
_FORMAL_WORDS: Final = """
kind type kinds types sort mention mentioned describe described say said tell told according conversation talk talked many long often
ago date day month year time recently currently different specific someone something anything thing things would likely considered
might still
"""
_FORMAL: Final = frozenset(_FORMAL_WORDS.split())

_OWN: Final = re.compile(r"\b(?:i|my|me|mine|myself|am|we|our)\b")


def _without(text: str, names: list[str]) -> str:
    """A text less names, with what shows whose something is."""
    if not names:
        return text
    pattern = r"\b(?:" + "|".join(re.escape(name) for name in names) + r")\b(?:['\u2019]s\b)?"
    return " ".join(re.sub(pattern, "", text, flags=re.IGNORECASE).split()) or text


@dataclass(frozen=True, slots=True)
class Asked:
    """A question taken apart.

    :ivar bare: the question without the names of speakers: what somebody says of themselves does not have their name.
    :ivar terms: telling terms in order, each once, without the names of those who are asked about and without words of form.
    :ivar formal: telling terms that only say what kind of answer is wanted.
    :ivar about: numbers of the speakers that are asked about.
    :ivar names: terms of their names.
    :ivar wants: what an answer would say.
    """

    text: str
    bare: str
    terms: tuple[str, ...]
    formal: tuple[str, ...]
    about: tuple[int, ...]
    names: tuple[str, ...]
    wants: Sign


def analyse(text: str, speakers: Mapping[str, int]) -> Asked:
    """Take a question apart.

    :param speakers: each speaker's name in small letters, whole and its first word, to the speaker's number; "" is the owner.
    """
    found = list(words(text))
    about = {speakers[word]: word for word in found if word in speakers and word}
    joined = " ".join(found)
    about |= {number: name for name, number in speakers.items() if " " in name and name in joined}
    if "" in speakers and _OWN.search(joined):
        about.setdefault(speakers[""], "")
    names = {part for name in about.values() for part in name.split()}
    terms: list[str] = []
    formal: list[str] = []
    for word in found:
        if word in STOP_WORDS or word in names:
            continue
        (formal if word in _FORMAL else terms).append(stem(word))
    if not terms:  # nothing but words of form: then they are all that there is
        terms, formal = formal or [stem(word) for word in found], []
    return Asked(
        text,
        _without(text, sorted(filter(None, about.values()), key=len, reverse=True)),
        tuple(dict.fromkeys(terms)),
        tuple(dict.fromkeys(formal)),
        tuple(sorted(about)),
        tuple(sorted(stem(name) for name in names)),
        wants_of(text),
    )


def heard(asked: Asked, is_known: Callable[[str], bool]) -> Asked:
    """The question with verbs in the form in which they were said, where the form that is asked in was never said.

    :param is_known: whether any memory has a term.
    """
    terms = [
        next((form for form in FORMS.get(term, ()) if is_known(form)), term) if not is_known(term) else term
        for term in asked.terms
    ]
    return replace(asked, terms=tuple(dict.fromkeys(terms)))
