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

#: a share of another language's commonest words that tells it, where no other has as many
_SHARE: Final = 0.25

#: of 1, how sure the model has to be
_SURE: Final = 0.6

_LETTER: Final = re.compile(r"[^\W\d_]")

#: the commonest words of some languages, as `words` gives them
COMMON: Final = {
    "de": """ich du er sie es wir ihr der die das den dem des ein eine einen einem einer und oder aber nicht mit von bei nach
        auf aus zu zum zur im am um ist war sind waren hat habe haben wird sich mein meine meiner mir mich uns auch noch schon
        nur sehr wie was wenn als fur uber""",
    "fr": """je tu il elle nous vous ils le la les un une des du de et ou mais ne pas avec pour dans sur par est suis sont ai ont
        mon ma mes au aux ce cette qui que ete etait plus tres chez""",
    "es": """yo el ella los las la una unos y o pero no con para por en es son era mi mis su que como muy hay lo se te me al del
        de un esta estaba fui fuimos ha he""",
    "it": """io lui lei noi gli uno una il la le e ma non per da di in nel nella con sono ho hanno mio mia che come molto un del
        della era abbiamo siamo si""",
    "pt": """eu ele ela nos eles o a os as um uma e mas nao com para por em no na dos das do da de que foi fui sao meu minha muito
        como estava esta ao""",
    "nl": """ik jij je hij zij ze wij we het een de en of maar niet met van voor op in zijn ben was heb heeft mijn ook nog er dat
        die naar te aan""",
}
_COMMON: Final = {name: frozenset(said.split()) for name, said in COMMON.items()}

#: letters that one language is written in, or mostly one, the surest first
_SCRIPTS: Final = tuple(
    (name, re.compile(letters))
    for name, letters in (
        ("ja", "[\u3040-\u30ff]"),
        ("ko", "[\uac00-\ud7af]"),
        ("zh", "[\u4e00-\u9fff]"),
        ("th", "[\u0e00-\u0e7f]"),
        ("el", "[\u0370-\u03ff]"),
        ("he", "[\u0590-\u05ff]"),
    )
)


@cache
def _identifier() -> Any:
    """Loaded when it is first needed (py3langid, a model of 97 languages, 85 MB in memory)."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language(text: str, *, likely: str = "en", has_model: bool = True) -> str:
    """The language of a text; `UNKNOWN` where it has no letters.

    The commonest words and scripts tell most; a model is asked for the rest.
    :param likely: what a text is in that is too short to tell.
    :param has_model: False: the model is never loaded, for small machines.
    """
    text = text[:_LETTERS]
    found = list(words(text))
    if not found or not _LETTER.search(text):
        return UNKNOWN
    if sum(word in STOP_WORDS for word in found) >= _ENGLISH_SHARE * len(found):
        return "en"
    for name, letters in _SCRIPTS:
        if len(letters.findall(text)) * 4 >= len(text):
            return name
    counts = sorted(((sum(word in common for word in found), name) for name, common in _COMMON.items()), reverse=True)
    if counts[0][0] > max(1, counts[1][0]) and counts[0][0] >= _SHARE * len(found):
        return counts[0][1]
    if not has_model or (text.isascii() and len(text) < _SHORT):
        return likely
    name, sureness = _identifier().classify(text)
    return str(name) if sureness >= _SURE else likely
