"""The export of ChatGPT: ``conversations.json``, alone, in its folder or in its zip."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from keepsake.record import Source
from keepsake.source.archive import Archive
from keepsake.source.array import elements
from keepsake.source.contract import Choice, Part, Post, Remark, Unit
from keepsake.source.text import cut

__all__ = ["ChatGPT"]

_FILE: Final = re.compile(r"(?:[^/]+/)?conversations(?:-\d+)?\.json")
#: messages of one conversation
NODES: Final = 100_000


class ChatGPT:
    """The importer."""

    app = "chatgpt"
    what = "conversations.json (ChatGPT, or the zip around it)"

    def fits(self, path: Path, head: str) -> bool:
        if path.is_file() and path.suffix.lower() == ".json":
            return head.lstrip().startswith("[") and '"mapping"' in head
        if path.is_file() and path.suffix.lower() == ".zip" and zipfile.is_zipfile(path):
            return any(map(_FILE.fullmatch, Archive(path).names()))
        return path.is_dir() and (path / "conversations.json").is_file()

    def open(self, path: Path, choice: Choice) -> Iterator[Part]:
        if path.is_file() and path.suffix.lower() == ".json":
            archive, names = Archive(path.parent, path.name), [path.name]
        else:
            archive = Archive(path)
            names = [name for name in archive.names() if _FILE.fullmatch(name)]
        for name in names:
            yield Part(self.app, name, archive.size(name), lambda name=name: _read(archive, name))  # type: ignore[misc]


def _read(archive: Archive, name: str) -> Iterator[Unit]:
    with archive.text(name) as file:
        try:
            for number, conversation in elements(file):
                if isinstance(conversation, dict) and isinstance(conversation.get("mapping"), dict):
                    yield from _conversation(conversation, name, number, file.buffer.tell())  # type: ignore[attr-defined]
                else:
                    yield Remark(number, f"not a conversation: {str(conversation)[:80]}", name)
        except (OSError, zipfile.BadZipFile) as error:
            yield Remark(0, f"cannot be read: {error}", name)


def _conversation(conversation: dict[str, Any], name: str, number: int, at: int) -> Iterator[Unit]:
    """All messages in the order of their time, those of branches that were left included."""
    title = conversation.get("title")
    source = Source(app="chatgpt", channel="ChatGPT", title=title if isinstance(title, str) else "", file=name)
    begun = _time(conversation.get("create_time"))
    found = []
    for place, node in enumerate(conversation["mapping"].values()):
        message = node.get("message") if isinstance(node, dict) else None
        if place >= NODES:
            yield Remark(number, f"more than {NODES} messages; the rest is left out", name)
            break
        if not isinstance(message, dict):
            continue
        author = message.get("author")
        role = author.get("role") if isinstance(author, dict) else None
        text = _text(message.get("content"))
        if role not in ("user", "assistant") or not text:
            continue
        said_at = _time(message.get("create_time")) or begun
        if said_at is None:
            yield Remark(number, f"a message without a time: {text[:40]!r}", name)
            continue
        found.append((said_at, place, "" if role == "user" else "ChatGPT", text))
    for said_at, _, speaker, text in sorted(found):
        for piece in cut(text):
            yield Post(piece, said_at, speaker, source, at)


def _time(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def _text(content: Any) -> str:
    """What was written; pictures and the output of tools are left out."""
    if not isinstance(content, dict):
        return ""
    parts = content.get("parts")
    if content.get("content_type") not in ("text", "multimodal_text") or not isinstance(parts, list):
        return ""
    return "\n".join(part for part in parts if isinstance(part, str)).strip()
