"""Cuts a text into sentences, and joins sentences to passages that are small enough to be quoted and to have one meaning.

A cut never loses a letter of what is said: joined with blanks, the passages are the text, blanks aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["PASSAGE_LETTERS", "Piece", "passages", "sentences"]

#: letters of a passage, about what the vectors' model reads at once
PASSAGE_LETTERS: Final = 480

#: a sentence that is longer than this is cut between words
SENTENCE_LETTERS: Final = 1_000

#: what ends a sentence: a mark with closing quotes, then a blank and no small letter; or a line's end that looks like one
_END: Final = re.compile(
    r"(?<=[.!?\u2026])[\"'\u201d\u2019)\]]*\s+(?=[\"'\u201c\u2018(\[]*[^\sa-z])|(?<=[\u3002\uff01\uff1f])\s*|\s*\n\s*(?:\n\s*)*"
)

#: what a full stop follows that ends no sentence
_SHORTENED: Final = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|sr|jr|vs|etc|e\.g|i\.e|approx|dept|est|fig|no|vol|inc|ltd|co|u\.s|u\.k|a\.m|p\.m|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)|(?:^|\s)[A-Z]|(?:^|\s)\d{1,2})\.$",
    re.IGNORECASE,
)

#: a month, of the languages that write "3. May"
_MONTH: Final = re.compile(r"(?:jan|feb|m[a\u00e4]r|apr|ma[iyj]|jun|jul|aug|sep|o[ck]t|nov|de[cz])", re.IGNORECASE)

_PARAGRAPH: Final = re.compile(r"\n\s*\n")


class Piece(NamedTuple):
    """A piece of a text and where it stands."""

    text: str
    start: int
    end: int


def sentences(text: str) -> Iterator[Piece]:
    """The sentences of a text, blanks around them left off; a line's end ends one too."""
    start = 0
    for end in _END.finditer(text):
        before = text[start : end.start()]
        is_line = "\n" in end.group()
        if not is_line and _SHORTENED.search(before[-12:]) and not _ends_with_number(before, text[end.end() :]):
            continue
        stop = end.end() if not is_line else end.start()
        yield from _cut(text, start, stop)
        start = end.end()
    yield from _cut(text, start, len(text))


def _ends_with_number(before: str, after: str) -> bool:
    """Whether a sentence ends with a number ("I'm 34. We..."), and no date ("am 3. Mai") or point of a list ("2. Milk") begins."""
    return before[-2:-1].isdigit() and not before[:-1].isdigit() and not _MONTH.match(after)


def _cut(text: str, start: int, end: int) -> Iterator[Piece]:
    """One sentence without blanks around it, in pieces where it is too long."""
    while True:
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start >= end:
            return
        if end - start <= SENTENCE_LETTERS:
            yield Piece(text[start:end], start, end)
            return
        middle = text.rfind(" ", start + SENTENCE_LETTERS // 2, start + SENTENCE_LETTERS)
        middle = middle if middle > 0 else start + SENTENCE_LETTERS
        yield Piece(text[start:middle], start, middle)
        start = middle


def passages(text: str) -> Iterator[Piece]:
    """Passages of a text: what is short stays one, paragraphs part where they are long enough to stand for themselves."""
    if len(text) <= PASSAGE_LETTERS and (stripped := text.strip()):
        start = text.index(stripped[0])
        yield Piece(stripped, start, start + len(stripped))
        return
    start = end = -1
    for piece in sentences(text):
        is_apart = end >= 0 and end - start >= PASSAGE_LETTERS // 2 and bool(_PARAGRAPH.search(text[end : piece.start]))
        if end >= 0 and (piece.end - start > PASSAGE_LETTERS or is_apart):
            yield Piece(text[start:end], start, end)
            start = -1
        start = piece.start if start < 0 else start
        end = piece.end
    if end >= 0:
        yield Piece(text[start:end], start, end)
