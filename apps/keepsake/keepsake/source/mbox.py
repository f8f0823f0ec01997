"""A mailbox in the mbox format: what was newly written in each mail, without what it quotes of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
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

_FROM: Final = re.compile(rb"From \S*.*\d\d:\d\d.*\d{4}")
_QUOTE: Final = re.compile(
    r"^\s*>|^\s*(?:On|Am|Le|El|Em|Il)\b.{5,200}(?:wrote|schrieb|écrit|escribió|escreveu|ha scritto)\b.{0,80}:\s*$"
)
_REPLY: Final = re.compile(
    r"^(?:-{2,}\s*(?:Original Message|Ursprüngliche Nachricht|Forwarded message).*|_{20,})$", re.I
)
_parser: Final = BytesParser(policy=policy.default)


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
    assert isinstance(mail, EmailMessage)
    said_at = _said_at(mail, choice)
    if said_at is None:
        yield Remark(line, f"a mail without a date that can be read: {str(mail.get('Date'))[:60]!r}")
        return
    subject = " ".join(str(mail.get("Subject", "")).split())
    source = Source(app="mail", channel=path.stem, title=subject, file=path.name)
    name, address = next(iter(getaddresses([str(mail.get("From", ""))])), ("", ""))
    text = _new(_text(mail))
    if not text:
        yield Remark(line, "a mail in which nothing new is written", is_fault=False)
        return
    for attached in mail.iter_attachments():
        if attached.get_filename():
            yield Remark(line, f"an attachment: {attached.get_filename()}", is_fault=False)
    for piece in cut(text):
        yield Post(piece, said_at, choice.speaker(name or address, address), source, at)


def _said_at(mail: EmailMessage, choice: Choice) -> float | None:
    """When it was sent; by the last server that had it where it does not say."""
    received = mail.get_all("Received") or [""]
    for text in (mail.get("Date"), str(received[0]).rpartition(";")[2]):
        try:
            found = parsedate_to_datetime(str(text))
            said_at = epoch(found, zone_of(choice.zone))
        except (TypeError, ValueError, IndexError):
            continue
        if said_at > datetime(1971, 1, 1, tzinfo=UTC).timestamp():
            return said_at
    return None


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain", "html"))
    if body is None:
        return ""
    try:
        content = str(body.get_content())
    except (LookupError, UnicodeError):  # a charset that nobody knows
        payload = body.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return _Plain.of(content) if body.get_content_type() == "text/html" else content


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
