"""Markdown and plain text: diaries, notes, letters.

A heading or a line that is a date stands for what follows it; a heading or the first words that are a time of day make it exact. Without one the name of
the file says when (``2023-05-14.md``), else the ``date:`` of its front matter, else the time the file was last changed. What stands under one
heading is one post.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from keepsake.record import Source
from keepsake.source.contract import POST_CHARS, Choice, Part, Post, Remark, Unit
from keepsake.source.dated import date_in, file_time, time_in
from keepsake.source.text import cut, epoch, lines, zone_of

__all__ = ["Markdown", "Text"]

_HEADING: Final = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_RULE: Final = re.compile(r"(?:[-*_]\s*){3,}$")
#: what may stand beside the date on a line that is only a date
_WEEKDAY: Final = re.compile(
    r"\W*(?:(?:mon|tues?|wednes|thurs?|fri|satur|sun)(?:day)?|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|"
    r"lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|mi[ée]rcoles|jueves|viernes|s[áa]bado|domingo|dear diary)?\W*$",
    re.IGNORECASE,
)
#: times of day without a clock: noon stands for them
NOON: Final = time(12)


class Text:
    """The importer of plain text."""

    app = "text"
    what = "plain text (a diary, notes, a letter)"
    suffixes: ClassVar = frozenset({".txt", ".text"})

    def fits(self, path: Path, head: str) -> bool:
        return path.is_file() and path.suffix.lower() in self.suffixes and head.count("\0") * 8 <= len(head)

    def open(self, path: Path, choice: Choice) -> Iterator[Part]:
        yield Part(self.app, path.name, path.stat().st_size, lambda: _Reader(path, choice, self.app).read())


class Markdown(Text):
    """The importer of Markdown."""

    app = "markdown"
    what = "Markdown (a diary, notes; Obsidian, Logseq, Day One)"
    suffixes: ClassVar = frozenset({".md", ".markdown", ".mdown"})


class _Reader:
    """Reads one file: keeps the time and headings that hold, and the text that is coming."""

    def __init__(self, path: Path, choice: Choice, app: str) -> None:
        self.path, self.choice, self.app = path, choice, app
        self.zone: ZoneInfo = zone_of(choice.zone)
        self.file_at, self.is_dated = file_time(path, choice.zone)
        self.said_at = self.file_at
        #: the date that holds, once one was found
        self.day: datetime | None = None
        if self.is_dated:
            self.day = datetime.fromtimestamp(self.file_at, self.zone)
        self.titles: dict[int, str] = {}
        self.texts: list[str] = []
        self.chars = self.at = 0

    def read(self) -> Iterator[Unit]:
        is_front = False
        for line in lines(self.path):
            text = line.text
            if line.is_guessed:
                yield Remark(line.number, "not in UTF-8; read as Windows-1252")
            if "\0" in text:
                yield Remark(line.number, "not text")
                continue
            if line.number == 1 and text.strip() == "---" and self.app == "markdown":
                is_front = True
            elif is_front:
                is_front = text.strip() not in ("---", "...")
                self._front(text)
            else:
                yield from self._line(text)
            self.at = line.at
        yield from self._flush()

    def _front(self, text: str) -> None:
        name, _, value = text.partition(":")
        if name.strip().lower() in ("date", "created", "day") and (found := date_in(value)) is not None:
            self.day = datetime.combine(found[0], NOON, self.zone)
            clock = time_in(found[1].strip(" \"'T"))
            self._set(clock[0] if clock else NOON)
        elif name.strip().lower() == "title" and value.strip():
            self.titles[0] = value.strip(" \"'")

    def _set(self, clock: time) -> None:
        assert self.day is not None
        self.said_at = epoch(datetime.combine(self.day.date(), clock), self.zone)

    def _line(self, text: str) -> Iterator[Unit]:
        heading = _HEADING.match(text) if self.app == "markdown" else None
        dated = date_in(heading[2] if heading else text) if heading or len(text) < 60 else None
        if dated is not None and (heading or self._is_date_alone(dated[1])):
            yield from self._flush()
            self.day = datetime.combine(dated[0], NOON, self.zone)
            rest = dated[1].strip(" ,:\u2013\u2014-|()[]*_")
            clock = time_in(rest) if rest else None
            self._set(clock[0] if clock else NOON)
            rest = clock[1] if clock else rest
            self._title(len(heading[1]) if heading else 6, "" if _WEEKDAY.match(rest) else rest.lstrip("T"))
        elif heading:
            yield from self._flush()
            clock = time_in(heading[2]) if self.day is not None else None
            if clock:
                self._set(clock[0])
            self._title(len(heading[1]), clock[1] if clock else heading[2])
        elif _RULE.match(text.strip()):
            yield from self._flush()
        else:
            self.texts.append(text)
            self.chars += len(text) + 1
            if self.chars > POST_CHARS:  # a long one is given in pieces as it comes
                yield from self._flush()

    def _is_date_alone(self, rest: str) -> bool:
        clock = time_in(rest.strip(" ,"))
        return _WEEKDAY.match(clock[1] if clock else rest) is not None

    def _title(self, level: int, title: str) -> None:
        self.titles = {known: text for known, text in self.titles.items() if known < level}
        if title:
            self.titles[level] = title

    def _flush(self) -> Iterator[Post]:
        text = "\n".join(self.texts).strip()
        self.texts, self.chars = [], 0
        if not text:
            return
        said_at = self.said_at
        clock = time_in(text) if self.day is not None else None
        if clock is not None and clock[1]:
            self._set(clock[0])
            said_at, text = self.said_at, clock[1]
        source = Source(
            app=self.app, channel=self.path.parent.name, title=" / ".join(self.titles.values()), file=self.path.name
        )
        for piece in cut(text):
            yield Post(piece, said_at, "", source, self.at)
