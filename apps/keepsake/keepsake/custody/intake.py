"""Reads an archive that `keepsake.custody.archive` wrote, or somebody changed: nothing in it is believed.

Names are looked up and never become paths; each file is read to its end against its SHA-256 before the next one; lines, files and
counts have bounds.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from base64 import b64decode
from collections.abc import Iterator
from typing import IO, Any, Final, TypeVar

import msgspec

from keepsake.custody.archive import FORMAT
from keepsake.errors import KeepsakeError
from keepsake.record import Message

__all__ = ["Intake"]

#: of one line in the archive
LINE_BYTES: Final = 1 << 24
#: of one recording
SOUND_BYTES: Final = 1 << 30
MANIFEST_BYTES: Final = 1 << 28
#: what is read at once
READ_BYTES: Final = 1 << 20
#: the head of a WAV file that an archive has written
WAV_HEAD_BYTES: Final = 44

T = TypeVar("T")


def _bad(what: str) -> KeepsakeError:
    return KeepsakeError("KS-CUSTODY-013", f"this archive cannot be read: {what}")


class Intake:
    """An archive.

    :ivar person: whose it was.
    :ivar head: the sequence of the newest message in it.
    :ivar count: how many there are of each.
    :raises KeepsakeError: ``KS-CUSTODY-013``, here and in all calls, where it is none, damaged or too large.
    """

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._packed = zipfile.ZipFile(file)
            with self._packed.open("manifest.json") as entry:
                manifest: dict[str, Any] = json.loads(entry.read(MANIFEST_BYTES))
            if manifest["format"] != FORMAT:
                raise ValueError(f"its format is {manifest['format']!r}, not {FORMAT!r}")
            self.person = str(manifest["person"])
            self.head = int(manifest["head"])
            self.count = {str(name): int(count) for name, count in manifest["count"].items()}
            self._known = {str(name): str(known["sha256"]) for name, known in manifest["file"].items()}
        except (
            zipfile.BadZipFile,
            KeyError,
            ValueError,
            TypeError,
            AttributeError,
            zlib.error,
            OSError,
            RecursionError,
        ) as fault:
            raise _bad(str(fault)) from None

    def messages(self) -> Iterator[Message]:
        """All messages, in order, as they were; `Message.sound` is a name for `sound`."""
        return self._lines("message.jsonl", Message)

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        """Kind, name and content of all documents."""
        for fields in self._lines("document.jsonl", dict[str, str]):
            try:
                yield fields["kind"], fields["name"], b64decode(fields["data"], validate=True)
            except (KeyError, ValueError):
                raise _bad("a line of document.jsonl is none") from None

    def records(self) -> Iterator[bytes]:
        """All records of the log."""
        return (line.encode() for line in self._lines("custody/record.jsonl", str))

    def sound(self, name: str) -> bytes:
        """A recording as Keepsake keeps it: samples, or an Ogg file."""
        for ending in ("wav", "ogg"):
            if f"sound/{name}.{ending}" in self._known:
                content = b"".join(self._read(f"sound/{name}.{ending}", SOUND_BYTES))
                return content[WAV_HEAD_BYTES:] if ending == "wav" and content[36:40] == b"data" else content
        raise _bad(f"the recording {name[:80]!r} is missing")

    def _read(self, name: str, limit: int) -> Iterator[bytes]:
        """A file in pieces; its end is given only where all of it was as the manifest says."""
        digest, size = hashlib.sha256(), 0
        try:
            with self._packed.open(name) as file:
                while piece := file.read(READ_BYTES):
                    digest.update(piece)
                    size += len(piece)
                    if size > limit:
                        raise _bad(f"{name} has more than {limit} bytes")
                    yield piece
        except (
            zipfile.BadZipFile,
            KeyError,
            zlib.error,
            OSError,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ) as fault:
            raise _bad(f"{name}: {fault}") from None
        if self._known.get(name) != digest.hexdigest():
            raise _bad(f"{name} is not the file that the manifest speaks of")

    def _lines(self, name: str, kind: type[T]) -> Iterator[T]:
        """A file of JSON lines, checked as a whole first, so that nothing is taken from one that was changed."""
        for _ in self._read(name, 1 << 40):
            pass
        decode = msgspec.json.Decoder(kind).decode
        rest = b""
        for piece in self._read(name, 1 << 40):
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > LINE_BYTES:
                raise _bad(f"a line of {name} has more than {LINE_BYTES} bytes")
            for line in lines:
                try:
                    yield decode(line)
                except (msgspec.DecodeError, RecursionError) as fault:
                    raise _bad(f"a line of {name}: {fault}") from None
