"""A mailbox in the mbox format: what was newly written in each mail, without what it quotes of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from keepsake.record import Source
from keepsake.source.contract import Choice, Part, Post, Remark, Unit
from keepsake.source.text import cut, epoch, zone_of

__all__ = ["Mbox"]

#: bytes of one mail, attachments included; of a longer one the rest is left out
MAIL_BYTES: Final = 64 << 20
#: a line of a mail is read in pieces of this size
LINE_BYTES: Final = 1 << 20

#: no mail is older (1971, epoch seconds): a date before it is a mistake
EARLIEST: Final = 31_536_000.0

_FROM: Final = re.compile(rb"From \S*.*\d\d:\d\d.*\d{4}")
_QUOTE: Final = re.compile(
    r"^\s*>|^\s*(?:On|Am|Le|El|Em|Il)\b.{5,200}(?:wrote|schrieb|écrit|escribió|escreveu|ha scritto)\b.{0,80}:\s*$"
)
_REPLY: Final = re.compile(
    r"^(?:-{2,}\s*(?:Original Message|Ursprüngliche Nachricht|Forwarded message).*|_{20,})$", re.I
)
#: the plain policy: the modern one takes ten times as long over headers
_parser: Final = BytesParser()


class Mbox:
    """The importer."""

    app = "mail"
    what = "a mailbox (mbox: Thunderbird, Google Takeout, mutt)"

    def fits(self, path: Path, head: str) -> bool:
        return path.is_file() and _FROM.match(head.encode(errors="replace")) is not None

    def open(self, path: Path, choice: Choice) -> Iterator[Part]:
        yield Part(self.app, path.name, path.stat().st_size, lambda: _read(path, choice))


def _read(path: Path, choice: Choice) -> Iterator[Unit]:
    for line, at, raw, is_whole in _mails(path):
        if not is_whole:
            yield Remark(line, f"a mail of more than {MAIL_BYTES >> 20} MiB; its end is left out")
        try:
            yield from _units(raw, line, at, path, choice)
        except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:  # the parser's, on broken mails
            yield Remark(line, f"a mail that cannot be read: {type(error).__name__}: {error}"[:200])


def _mails(path: Path) -> Iterator[tuple[int, int, bytes, bool]]:
    """Each mail with the number of its first line, the bytes up to its end, and whether it is whole."""
    with path.open("rb") as file:
        mail: list[bytes] = []
        begun = size = at = number = 0
        is_blank = is_line = True
        while raw := file.readline(LINE_BYTES):
            number += is_line
            if is_line and is_blank and raw.startswith(b"From ") and _FROM.match(raw):
                if begun:
                    yield begun, at, b"".join(mail), size <= MAIL_BYTES
                mail, size, begun = [], 0, number
            elif begun:
                size += len(raw)
                if size <= MAIL_BYTES:
                    mail.append(raw[1:] if re.match(rb">+From ", raw) else raw)
            at += len(raw)
            is_line = raw.endswith(b"\n")
            is_blank = is_line and not raw.strip()
        if begun:
            yield begun, at, b"".join(mail), size <= MAIL_BYTES


def _units(raw: bytes, line: int, at: int, path: Path, choice: Choice) -> Iterator[Unit]:
    mail = _parser.parsebytes(raw)
    said_at = _said_at(mail, choice)
    if said_at is None:
        yield Remark(line, f"a mail without a date that can be read: {str(mail.get('Date'))[:60]!r}")
        return
    source = Source(app="mail", channel=path.stem, title=_header(mail, "Subject"), file=path.name)
    name, address = next(iter(getaddresses([_header(mail, "From")])), ("", ""))
    body, attached = _parts(mail)
    text = _new(body)
    if not text:
        yield Remark(line, "a mail in which nothing new is written", is_fault=False)
        return
    for file in attached:
        yield Remark(line, f"an attachment: {file}", is_fault=False)
    for piece in cut(text):
        yield Post(piece, said_at, choice.speaker(name or address, address), source, at)


def _header(mail: Message, name: str) -> str:
    """A header as people read it."""
    value = str(mail.get(name, ""))
    if "=?" in value:
        with suppress(HeaderParseError, LookupError, UnicodeError):
            value = str(make_header(decode_header(value)))
    return " ".join(value.split())


def _said_at(mail: Message, choice: Choice) -> float | None:
    """When it was sent; by the last server that had it where it does not say."""
    received = mail.get_all("Received") or [""]
    for text in (mail.get("Date"), str(received[0]).rpartition(";")[2]):
        try:
            found = parsedate_to_datetime(str(text))
            said_at = epoch(found, zone_of(choice.zone))
        except (TypeError, ValueError, IndexError):
            continue
        if said_at > EARLIEST:
            return said_at
    return None


def _parts(mail: Message) -> tuple[str, list[str]]:
    """The text of a mail, and the names of what is attached."""
    texts: dict[str, str] = {}
    attached = []
    for part in mail.walk():
        kind = part.get_content_type()
        if part.get_filename():
            attached.append(str(part.get_filename()))
        elif kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
            texts.setdefault(kind, _text(part))
    plain = texts.get("text/plain", "")
    return (plain if plain.strip() else _Plain.of(texts.get("text/html", ""))), attached


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    try:
        return payload.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:  # a charset that nobody knows
        return payload.decode("utf-8", "replace")


def _new(text: str) -> str:
    """What the mail adds: without lines that are quoted, the line that announces them, and the signature."""
    kept: list[str] = []
    for line in text.splitlines():
        if _REPLY.match(line.strip()) or line.rstrip("\r\n") in ("-- ", "--"):
            break
        if not _QUOTE.match(line):
            kept.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


class _Plain(HTMLParser):
    """The text of a page of HTML."""

    _BREAKS: Final = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote"})
    _SILENT: Final = frozenset({"script", "style", "head", "title", "blockquote"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.silence = 0

    @classmethod
    def of(cls, html: str) -> str:
        parser = cls()
        parser.feed(html)
        parser.close()
        return "\n".join(" ".join(line.split()) for line in "".join(parser.texts).splitlines())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silence += tag in self._SILENT
        if tag in self._BREAKS:
            self.texts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.silence -= tag in self._SILENT and self.silence > 0
        if tag in self._BREAKS:
            self.texts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.silence:
            self.texts.append(data.replace("\n", " "))
