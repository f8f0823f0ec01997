"""Reading text: lines with their numbers, times of a zone, and long texts cut into posts."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from keepsake.errors import KeepsakeError
from keepsake.source.contract import POST_CHARS

__all__ = ["Line", "cut", "epoch", "head", "lines", "zone_of"]

#: a line that is longer is given in pieces of this size
LINE_BYTES: Final = 1 << 20
#: of a file's beginning, by which its kind is told
HEAD_BYTES: Final = 4096

_UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end.

    :ivar number: from 1.
    :ivar at: bytes of the file up to the end of the line.
    :ivar is_guessed: it is not UTF-8 and was read as Windows-1252.
    """

    number: int
    at: int
    text: str
    is_guessed: bool = False


def lines(path: Path) -> Iterator[Line]:
    """The lines of a file in UTF-8, or UTF-16 with its mark; a line in another encoding is read as Windows-1252."""
    with path.open("rb") as file:
        mark = file.read(2)
        file.seek(0)
        if mark in _UTF16:
            yield from _wide(path, _UTF16[mark])
            return
        at = number = 0
        while raw := file.readline(LINE_BYTES):
            at += len(raw)
            number += 1
            raw = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            try:
                text, is_guessed = raw.decode(), False
            except UnicodeDecodeError:
                text, is_guessed = raw.decode("cp1252", errors="replace"), True
            yield Line(number, at, text.rstrip("\r\n"), is_guessed)


def _wide(path: Path, encoding: str) -> Iterator[Line]:
    at = 2
    with path.open("r", encoding=encoding, errors="replace") as file:
        number = 0
        while text := file.readline(LINE_BYTES):
            number += 1
            at += len(text) * 2
            yield Line(number, at, text.removeprefix("\ufeff").rstrip("\r\n"))


def head(path: Path) -> str:
    """The beginning of a file as far as it is text, for telling what it is."""
    with path.open("rb") as file:
        raw = file.read(HEAD_BYTES)
    encoding = _UTF16.get(raw[:2], "utf-8")
    return raw.decode(encoding, errors="replace").removeprefix("\ufeff")


def zone_of(name: str) -> ZoneInfo:
    """The time zone of a name.

    :raises KeepsakeError: ``KS-SOURCE-004`` where there is none.
    """
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        pass
    except KeyError:
        pass
    raise KeepsakeError(
        "KS-SOURCE-004", f"there is no time zone {name!r}; it takes an IANA name such as Europe/Lisbon or UTC"
    )


def epoch(moment: datetime, zone: ZoneInfo) -> float:
    """Epoch seconds of a time; one without a zone is of ``zone``.

    :raises ValueError: where it lies outside what a time can be.
    """
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except OverflowError as error:
        raise ValueError(str(error)) from None


def cut(text: str, limit: int = POST_CHARS) -> Iterator[str]:
    """A text in pieces of at most ``limit`` characters, cut between paragraphs, else lines, else words."""
    text = text.strip()
    while len(text) > limit:
        at = next((at for sign in ("\n\n", "\n", " ") if (at := text.rfind(sign, limit // 2, limit)) > 0), limit)
        if piece := text[:at].rstrip():
            yield piece
        text = text[at:].lstrip()
    if text:
        yield text
