"""Which language a text is in, as ISO 639-1."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from keepsake.words.term import STOP_WORDS, words

__all__ = ["UNKNOWN", "language"]

#: of a text that has too little to tell
UNKNOWN: Final = ""

#: letters of a text that are looked at
_LETTERS: Final = 2_000

#: below so many letters only whole known words tell a language
_SHORT: Final = 16

#: a share of English stop words as no other language's text has
_ENGLISH_SHARE: Final = 0.3

#: of 1, how sure the model has to be
_SURE: Final = 0.6

_LETTER: Final = re.compile(r"[^\W\d_]")


@cache
def _identifier() -> Any:
    """Loaded when it is first needed (py3langid, a model of 97 languages)."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language(text: str, *, likely: str = "en") -> str:
    """The language of a text; `UNKNOWN` where it has no letters.

    :param likely: what a text is in that is too short to tell.
    """
    text = text[:_LETTERS]
    found = list(words(text))
    if not found or not _LETTER.search(text):
        return UNKNOWN
    if sum(word in STOP_WORDS for word in found) >= _ENGLISH_SHARE * len(found):
        return "en"
    if text.isascii() and len(text) < _SHORT:
        return likely
    name, sureness = _identifier().classify(text)
    return str(name) if sureness >= _SURE else likely
