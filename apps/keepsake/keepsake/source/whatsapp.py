"""Chats that WhatsApp exports as text, on Android and iOS, as the phones of many countries write them.

A message begins with a date and a time, in brackets (iOS) or before a dash (Android), and goes on over the lines that begin
otherwise. Which number is the day is found by reading the stamps of the whole file first; where all of them fit both readings,
the one in which time never goes back is taken, and the day first where that tells nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from keepsake.record import Source
from keepsake.source.contract import POST_CHARS, Choice, Part, Post, Remark, Unit
from keepsake.source.text import Line, cut, epoch, lines, zone_of

__all__ = ["WhatsApp"]

#: marks of direction and spaces that phones put into stamps
_MARKS: Final = str.maketrans(
    {"\u200e": None, "\u200f": None, "\u202a": None, "\u202c": None, "\u202f": " ", "\u00a0": " "}
)
_DIGITS: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९", "0123456789" * 3)

#: before noon and after it, as phones of several languages write them
_NOON: Final = r"(?P<{0}>[AaPp]\.?\s?[Mm]\.?|午前|午後|上午|下午|오전|오후|ص|م|πμ|μμ|प्र|अ)"
_DATE: Final = r"(?P<a>\d{1,4})(?P<s>[/.\-]|년\s?)(?P<b>\d{1,2})(?:[/.\-]|월\s?)(?P<c>\d{1,4})(?:\.|일)?"
_CLOCK: Final = (
    rf"(?:{_NOON.format('n1')}\s?)?(?P<h>\d{{1,2}})[:.](?P<m>\d\d)(?:[:.](?P<sec>\d\d))?(?:\s?{_NOON.format('n2')})?"
)
_STAMP: Final = rf"{_DATE}(?:,|،)?\s?(?:à|klo|um|às|kl\.?)?\s?{_CLOCK}"
_IOS: Final = re.compile(rf"\[{_STAMP}\]\s?(?P<rest>.*)", re.DOTALL)
_ANDROID: Final = re.compile(rf"{_STAMP}\s?(?:-|\u2013|(?<=\d),)\s(?P<rest>.*)", re.DOTALL)
_SPEAKER: Final = re.compile(r"(?P<name>[^:\n]{1,80}?)\s?: ?(?P<text>.*)", re.DOTALL)
_LATE: Final = ("p", "午後", "下午", "오후", "م", "μμ", "अ")

#: what stands for something that was not exported: alone on its line
_OMITTED: Final = re.compile(
    r"<[^<>]{3,60}>|(?:image|video|audio|sticker|GIF|document|Contact card|Bild|Video|Audio|Sticker|Dokument|imagen|imagem)"
    r" (?:omitted|weggelassen|absente?|omitid[oa]|omessa?|ocultad[oa])",
    re.IGNORECASE,
)
_ATTACHED: Final = re.compile(r"<[^<>:]{3,20}: (?P<a>[^<>]+\.\w{2,5})>|(?P<b>[\w-]+\.\w{2,5}) \([^()]{5,30}\)")
_EDITED: Final = re.compile(r"\s*<(?:This message was edited|Diese Nachricht wurde bearbeitet\.?|Ce message a été modifié"
                           r"|Se editó este mensaje\.?|Esta mensagem foi editada|Mensagem editada)>$")  # fmt: skip

#: stamps that are read to find the order of day and month
ORDER_STAMPS: Final = 20_000


class WhatsApp:
    """The importer."""

    app = "whatsapp"
    what = "a chat exported as text (WhatsApp, without media)"

    def fits(self, path: Path, head: str) -> bool:
        if path.suffix.lower() not in {".txt", ""}:
            return False
        first = [text for text in head.splitlines()[:40] if text.strip()]
        return bool(first) and sum(_stamp(text) is not None for text in first) * 4 >= len(first)

    def open(self, path: Path, choice: Choice) -> Iterator[Part]:
        yield Part(self.app, path.name, path.stat().st_size, lambda: _read(path, choice))


def _stamp(text: str) -> re.Match[str] | None:
    text = text.translate(_MARKS)
    if not (text[:1] == "[" or text[:1].isdigit()):
        return None
    if not text.isascii():
        front, back = text[:40].translate(_DIGITS), text[40:]
        text = front + back
    return (_IOS if text[0] == "[" else _ANDROID).match(text)


def _channel(path: Path) -> str:
    """``WhatsApp Chat with Ana.txt`` -> ``Ana``."""
    stem = path.stem.strip()
    for start in ("WhatsApp Chat with ", "WhatsApp Chat - ", "WhatsApp Chat mit ", "Chat de WhatsApp con ", "Conversa do WhatsApp com ",
                  "Discussion WhatsApp avec ", "Chat WhatsApp con "):  # fmt: skip
        if stem.lower().startswith(start.lower()):
            return stem[len(start) :].strip()
    return path.parent.name if stem == "_chat" else stem


def _is_day_first(path: Path) -> bool:
    """Whether the day comes before the month, as far as the file shows."""
    days: list[tuple[int, int, int]] = []
    for line in lines(path):
        found = _stamp(line.text)
        if found is None or len(found["a"]) == 4:
            continue
        first, second = int(found["a"]), int(found["b"])
        if first > 12 or second > 12:
            return first > 12
        days.append((int(found["c"]), first, second))
        if len(days) >= ORDER_STAMPS:
            break

    def steps_back(order: list[tuple[int, int, int]]) -> int:
        return sum(after < before for before, after in itertools.pairwise(order))

    return steps_back([(year, month, day) for year, day, month in days]) <= steps_back(days)


def _moment(found: re.Match[str], is_day_first: bool) -> datetime:
    """:raises ValueError: where there is no such time."""
    a, b, c = int(found["a"]), int(found["b"]), int(found["c"])
    if len(found["a"]) == 4:
        year, month, day = a, b, c
    else:
        day, month = (a, b) if is_day_first else (b, a)
        year = c if c >= 100 else 2000 + c
    hour = int(found["h"])
    noon = (found["n1"] or found["n2"] or "").lower()
    if noon:
        hour = hour % 12 + (12 if noon.startswith(_LATE) else 0)
    return datetime(year, month, day, hour, int(found["m"]), int(found["sec"] or 0))  # noqa: DTZ001  its zone follows


class _Open:
    """A message whose lines are still coming."""

    __slots__ = ("at", "chars", "line", "said_at", "speaker", "texts")

    def __init__(self, line: Line, said_at: float, speaker: str, text: str) -> None:
        self.line, self.at, self.said_at, self.speaker = line.number, line.at, said_at, speaker
        self.texts, self.chars = [text.translate(_MARKS)], len(text)

    def add(self, line: Line) -> None:
        self.texts.append(line.text.translate(_MARKS))
        self.chars += len(line.text) + 1
        self.at = line.at

    def units(self, choice: Choice, source: Source) -> Iterator[Unit]:
        first = self.texts[0].translate(_MARKS).strip()
        attached = _ATTACHED.fullmatch(first)
        if attached or _OMITTED.fullmatch(first):
            what = f"a medium: {attached['a'] or attached['b']}" if attached else "a medium that was not exported"
            yield Remark(self.line, what, is_fault=False)
            del self.texts[0]  # what follows is its caption
        text = _EDITED.sub("", "\n".join(self.texts).strip())
        for piece in cut(text):
            yield Post(piece, self.said_at, choice.speaker(self.speaker), source, self.at)


def _read(path: Path, choice: Choice) -> Iterator[Unit]:
    is_day_first = _is_day_first(path) if choice.is_day_first is None else choice.is_day_first
    zone = zone_of(choice.zone)
    source = Source(app="whatsapp", channel=_channel(path), file=path.name)
    current: _Open | None = None
    for line in lines(path):
        found = _stamp(line.text)
        if found is None:
            if current is not None and current.chars < POST_CHARS:
                current.add(line)
            elif current is not None:  # a message without end goes on in another post
                yield from current.units(choice, source)
                current = _Open(line, current.said_at, current.speaker, line.text)
            elif line.text.strip():
                yield Remark(line.number, "a line before the first message")
            continue
        if current is not None:
            yield from current.units(choice, source)
        if line.is_guessed:
            yield Remark(line.number, "not in UTF-8; read as Windows-1252")
        begun = _begin(line, found, is_day_first, zone)
        current = begun if isinstance(begun, _Open) else None
        if isinstance(begun, Remark):
            yield begun
    if current is not None:
        yield from current.units(choice, source)


def _begin(line: Line, found: re.Match[str], is_day_first: bool, zone: ZoneInfo) -> _Open | Remark:
    try:
        said_at = epoch(_moment(found, is_day_first), zone)
    except ValueError:
        return Remark(line.number, f"no such time: {line.text[:30]!r}")
    said = _SPEAKER.match(found["rest"])
    if said is None:
        return Remark(line.number, "a notice of the app, not a message", is_fault=False)
    return _Open(line, said_at, said["name"].lstrip("~ "), said["text"])
