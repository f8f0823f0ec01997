"""The export of a Slack workspace: a zip or a folder with a folder a channel and a file of messages a day."""

from __future__ import annotations

import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, Final

from keepsake.record import Source
from keepsake.source.archive import Archive
from keepsake.source.array import elements
from keepsake.source.contract import Choice, Part, Post, Remark, Unit
from keepsake.source.text import cut

__all__ = ["Slack"]

_DAY: Final = re.compile(r"(?P<channel>[^/]+)/\d{4}-\d\d-\d\d\.json")
_LINK: Final = re.compile(r"<(?P<sign>[@#!]?)(?P<target>[^|<>]+)(?:\|(?P<label>[^<>]*))?>")
#: kinds of messages that people wrote; the rest are notices
_WRITTEN: Final = {"", "thread_broadcast", "me_message", "bot_message", "file_comment", "file_share"}
#: bytes of users.json and channels.json, which are read whole
LIST_BYTES: Final = 64 << 20


class Slack:
    """The importer."""

    app = "slack"
    what = "a workspace's export (Slack, zip or folder of JSON)"

    def fits(self, path: Path, head: str) -> bool:
        if path.is_file() and (path.suffix.lower() != ".zip" or not zipfile.is_zipfile(path)):
            return False
        if path.is_dir() and not (path / "users.json").is_file():
            return False
        names = Archive(path).names()
        return "users.json" in names and any(map(_DAY.fullmatch, names))

    def open(self, path: Path, choice: Choice) -> Iterator[Part | Remark]:
        archive = Archive(path)
        names, remark = _people(archive)
        if remark is not None:
            yield remark
        days: defaultdict[str, list[str]] = defaultdict(list)
        for name in archive.names():
            if found := _DAY.fullmatch(name):
                days[found["channel"]].append(name)
        for channel, files in days.items():
            reader = _Channel(archive, channel, files, names, choice)
            yield Part(self.app, channel, sum(map(archive.size, files)), reader.read)


def _people(archive: Archive) -> tuple[dict[str, tuple[str, ...]], Remark | None]:
    """All names of each user, by id, the one to show first."""
    found: dict[str, tuple[str, ...]] = {}
    if archive.size("users.json") > LIST_BYTES:
        return found, Remark(0, "too long; people keep their ids", "users.json")
    with archive.text("users.json") as file:
        for number, user in elements(file):
            if not isinstance(user, dict):
                return found, Remark(number, f"not a user: {str(user)[:80]}", "users.json")
            profile = user.get("profile")
            profile = profile if isinstance(profile, dict) else {}
            names = (profile.get("real_name"), user.get("real_name"), profile.get("display_name"), user.get("name"),
                     profile.get("email"))  # fmt: skip
            known = tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name.strip()))
            if isinstance(user.get("id"), str) and known:
                found[user["id"]] = known
    return found, None


class _Channel:
    def __init__(
        self, archive: Archive, channel: str, files: list[str], names: dict[str, tuple[str, ...]], choice: Choice
    ) -> None:
        self.archive, self.channel, self.files, self.names, self.choice = archive, channel, files, names, choice

    def read(self) -> Iterator[Unit]:
        before = 0
        for name in self.files:
            before += self.archive.size(name)
            try:
                with self.archive.text(name) as file:
                    for number, message in elements(file):
                        yield from self._units(name, number, message, before)
            except (OSError, ValueError, zipfile.BadZipFile) as error:
                yield Remark(0, f"cannot be read: {error}", name)

    def _units(self, name: str, number: int, message: Any, at: int) -> Iterator[Unit]:
        if not isinstance(message, dict):
            yield Remark(number, f"not a message: {str(message)[:80]}", name)
            return
        if message.get("type") != "message" or message.get("subtype", "") not in _WRITTEN:
            yield Remark(number, "a notice of the app, not a message", name, is_fault=False)
            return
        try:
            said_at = float(message["ts"])
        except (KeyError, TypeError, ValueError):
            yield Remark(number, f"no time: ts is {json.dumps(message.get('ts'))[:40]}", name)
            return
        text = message.get("text")
        text = self._plain(text) if isinstance(text, str) else ""
        if not text.strip():
            yield Remark(number, "a message without text", name, is_fault=False)
            return
        source = Source(app="slack", channel=self.channel, file=name)
        for piece in cut(text):
            yield Post(piece, said_at, self._speaker(message), source, at)

    def _speaker(self, message: dict[str, Any]) -> str:
        user, username = message.get("user"), message.get("username")
        known = self.names.get(user, (user,)) if isinstance(user, str) else ()
        others = (username,) if isinstance(username, str) else ()
        return self.choice.speaker(*known, *others) if known or others else "somebody"

    def _plain(self, text: str) -> str:
        """Slack's marks as plain text: ``<@U1>`` is a name, ``<http://x|here>`` is ``here (http://x)``."""

        def word(found: re.Match[str]) -> str:
            sign, target, label = found["sign"], found["target"], found["label"]
            if sign == "@":
                return label or self.names.get(target, (target,))[0]
            if sign in ("#", "!"):
                return ("#" if sign == "#" else "@") + (label or target.partition("^")[0]).lstrip("@#")
            return f"{label} ({target})" if label and label != target else target.removeprefix("mailto:")

        return unescape(_LINK.sub(word, text))
