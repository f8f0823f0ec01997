"""Terms: what a text is searched by.

The same text gives the same terms everywhere: in the resident index, in each store's full text, in a person's model.  A term is a
word in lower case without accents, as its stem (Porter2, `snowball <https://snowballstem.org/algorithms/english/stemmer.html>`_),
and no stop word.  Scripts that do not part words (Chinese, Japanese, Thai) give pairs of letters.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import snowballstemmer

__all__ = ["STOP_WORDS", "plain", "stem", "terms", "words"]

#: stems kept at hand, since making one takes 50 to 100 microseconds
CACHED_STEMS: Final = 65_536

#: what is longer is no word: an address, a key, a picture in letters; it is cut
WORD_LETTERS: Final = 40

_STOP: Final = """
a about above after again against all also am an and any are aren as at be because been before being below between both
but by can cannot could couldn did didn do does doesn doing don down during each either else etc few for from further
gets getting got had hadn has hasn have haven having he her here hers herself him himself his how however i if in into
is isn it its itself just ll let lets like ma maybe me might more most much must my myself neither no nor not now of off
oh ok okay on once one only or other our ours ourselves out over own quite rather re really s same shall shan she should
shouldn so some such t than that the their theirs them themselves then there these they this those though through to too
under until up upon us ve very was wasn we well were weren what when where whether which while who whom whose why will
with won would wouldn yeah yep yes yet you your yours yourself yourselves
"""

#: Words that nearly every text has, as `words` gives them.  "May" is none: it is a month.
STOP_WORDS: Final = frozenset(_STOP.split())

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W\d_]+)*")

#: letters of scripts without blanks between words: Thai to Khmer, kana, Han
_UNPARTED: Final = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")

_stemmer: Final = snowballstemmer.stemmer("english")

#: a stemmer works on letters that it keeps in itself
_stemming: Final = threading.Lock()


def plain(text: str) -> str:
    """The text in lower case, without accents, wide and joined forms taken apart."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(letter for letter in parts if not unicodedata.combining(letter)))


@lru_cache(maxsize=CACHED_STEMS)
def stem(word: str) -> str:
    """The stem of one plain word: ``painted``, ``painting`` and ``paints`` give ``paint``."""
    if not word.isalpha() or len(word) < 3 or not word.isascii():
        return word
    with _stemming:
        return str(_stemmer.stemWord(word))


def words(text: str) -> Iterator[str]:
    """The plain words of a text, in order, stop words too; what follows an apostrophe is left off (``Ann's`` is ``ann``)."""
    for found in _WORD.findall(plain(text)):
        word = found.replace("\u2019", "'").partition("'")[0][:WORD_LETTERS]
        if word.isascii() or not _UNPARTED.search(word):
            yield word
        else:
            yield from _pairs(word)


def _pairs(word: str) -> Iterator[str]:
    """A word with letters of scripts that part no words: each run of those in overlapping pairs, the rest as it is."""
    position = 0
    for run in _UNPARTED.finditer(word):
        if run.start() > position:
            yield word[position : run.start()]
        letters = run.group()
        yield from (letters[start : start + 2] for start in range(max(1, len(letters) - 1)))
        position = run.end()
    if position < len(word):
        yield word[position:]


def terms(text: str) -> list[str]:
    """What a text is searched by, in order, with repetitions.

    A text of nothing but stop words gives its words as they are, so that "to be or not to be" can still be found.
    """
    found = list(words(text))
    wanted = [stem(word) for word in found if word not in STOP_WORDS]
    return wanted or found
