"""All of a person in one ZIP file of open formats: JSON lines, CSV, WAV or Ogg, NumPy arrays, and the log with its verifier.

What is in it, each file once, in this order: ``README.txt``, ``message.jsonl``, ``sound/NAME.wav``, ``memory.jsonl``, ``memory.csv``,
``fact.jsonl``, ``fact.csv``, ``vector/MODEL/NUMBER.npy`` with ``.txt`` (the memories' ids, a line a row), ``document.jsonl``,
``custody/record.jsonl``, ``custody/checkpoint.txt``, ``custody/key.txt``, ``custody/verify.py``, and at last ``manifest.json`` with the
SHA-256 of every other file.  `keepsake.custody.intake` reads it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import struct
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final, Protocol

import msgspec
import numpy as np

from keepsake.custody import verify
from keepsake.custody.log import Log
from keepsake.custody.note import key_text
from keepsake.key import PersonKey
from keepsake.record import Memory
from keepsake.sound.contract import RATE
from keepsake.store.contract import Blobs, Store

__all__ = ["FORMAT", "KINDS", "Archive", "sound_file"]

FORMAT: Final = "keepsake archive 1"

#: kinds of documents that go into an archive (`Writer.put_document`)
KINDS: Final = (
    *(
        "anchor",
        "category",
        "certificate",
        "checkpoint",
        "confirmation",
        "correction",
        "deletion",
        "feedback",
        "gone",
        "grant",
    ),
    *("heard", "model", "revoked", "salt", "tile"),
)

#: rows that are read from the store at once
PAGE: Final = 1000

#: times in ZIP files begin here
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)

#: with these a spreadsheet takes a cell for a formula
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

_README: Final = """\
This is everything that Keepsake keeps of {person}, as of {date}.

message.jsonl   what was captured, a message a line: the truth, all else was derived from it
sound/          recordings, named in "sound" of their messages
memory.*        passages, with the names, times and areas that were found in them (.csv for spreadsheets)
fact.*          what holds by now, as the passages say, and since when
vector/         vectors of the passages, rows in the order of the ids in the .txt file beside
document.jsonl  model, feedback, grants, salts of the log and other small things, in base64
custody/        the log of all that happened to these data; verify.py checks receipts
manifest.json   the SHA-256 of each file here

keepsake backup restore reads this file again, also elsewhere and for another person.
"""


class Output(Protocol):
    """Where bytes can be written to, one behind the other."""

    def write(self, data: bytes, /) -> int:
        """Take bytes."""
        ...

    def flush(self) -> None:
        """Give them on."""
        ...

    def close(self) -> None:
        """End; whoever opened it does so."""
        ...


@dataclass(slots=True)
class _Entry:
    """A file in the archive while it is written."""

    file: IO[bytes]
    digest: Any
    size: int = 0

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self.digest.update(data)
        self.size += len(data)

    def line(self, value: object) -> None:
        self.write(msgspec.json.encode(value) + b"\n")


class Archive:
    """Writes an archive.

    :param models: names of embedders whose vectors are wanted.
    :param progress: is told how many messages are written, and how many there are.
    """

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        key: PersonKey,
        log: Log,
        *,
        models: Sequence[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._key = key
        self._log = log
        self._models = models
        self._progress = progress or (lambda done, total: None)
        self._entries: dict[str, dict[str, object]] = {}
        self._counts: dict[str, int] = {}
        self._head = store.head()

    def write(self, out: Output, at: float, *, has_derived: bool = True) -> dict[str, int]:
        """Write all; gives how many of each there are.  ``out`` need not be seekable.

        :param at: epoch seconds.
        :param has_derived: with memories, facts and vectors, which can be made again from the messages.
        """
        checkpoint = self._log.checkpoint()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as packed:
            date = datetime.fromtimestamp(at, UTC).strftime("%d %B %Y, %H:%M UTC")
            self._put(packed, "README.txt", _README.format(person=self._key.person, date=date).encode())
            self._messages(packed)
            if has_derived:
                self._memories(packed)
                self._facts(packed)
                self._vectors(packed)
            self._documents(packed)
            with self._entry(packed, "custody/record.jsonl") as entry:
                self._counts["record"] = _lines(entry, (record.decode() for record in self._records()))
            self._put(packed, "custody/checkpoint.txt", checkpoint.encode())
            self._put(packed, "custody/key.txt", key_text(self._log.origin, self._log.public).encode() + b"\n")
            self._put(packed, "custody/verify.py", Path(verify.__file__).read_bytes())
            manifest = {
                "format": FORMAT,
                "person": self._key.person,
                "at": at,
                "head": self._head,
                "count": self._counts,
                "file": self._entries,
            }
            with packed.open(_named("manifest.json"), "w") as file:
                file.write(json.dumps(manifest, indent=1).encode())
        return self._counts

    @contextmanager
    def _entry(self, packed: zipfile.ZipFile, name: str) -> Iterator[_Entry]:
        with packed.open(_named(name), "w", force_zip64=True) as file:
            entry = _Entry(file, hashlib.sha256())
            yield entry
        self._entries[name] = {"sha256": entry.digest.hexdigest(), "size": entry.size}

    def _put(self, packed: zipfile.ZipFile, name: str, content: bytes) -> None:
        with self._entry(packed, name) as entry:
            entry.write(content)

    def _messages(self, packed: zipfile.ZipFile) -> None:
        sounds: dict[str, str] = {}
        count = after = 0
        with self._entry(packed, "message.jsonl") as entry:
            while rows := self._store.messages(after=after, limit=PAGE):
                for message in rows:
                    if message.seq > self._head:
                        break
                    if message.sound:
                        sounds[message.sound] = message.id
                    entry.line(message)
                    count += 1
                after = rows[-1].seq
                self._progress(count, self._head)
                if after >= self._head:
                    break
        self._counts |= {"message": count, "sound": len(sounds)}
        for name in sounds:
            content, ending = sound_file(self._key.open(self._blobs.get(self._key.person, name), "blob", "sound"))
            self._put(packed, f"sound/{name}.{ending}", content)

    def _memories(self, packed: zipfile.ZipFile) -> None:
        def memories() -> Iterator[Memory]:
            after = 0
            while after < self._head and (rows := self._store.memories(after=after, limit=PAGE)):
                yield from (memory for memory in rows if memory.seq <= self._head)
                after = rows[-1].seq

        with self._entry(packed, "memory.jsonl") as entry:
            self._counts["memory"] = _lines(entry, memories())
        columns = ["id", "said_at", "speaker", "text", "areas", "names", "app", "channel", "title"]
        with self._entry(packed, "memory.csv") as entry:
            _table(entry, columns, map(_memory_row, memories()))

    def _facts(self, packed: zipfile.ZipFile) -> None:
        facts = sorted(self._store.facts(), key=lambda fact: (fact.seq, fact.id))
        with self._entry(packed, "fact.jsonl") as entry:
            self._counts["fact"] = _lines(entry, facts)
        columns = ["subject", "relation", "value", "since", "memory"]
        with self._entry(packed, "fact.csv") as entry:
            _table(entry, columns, ([f.subject, f.relation, f.value, _date(f.since), f.memory] for f in facts))

    def _vectors(self, packed: zipfile.ZipFile) -> None:
        for model in self._models:
            folder = re.sub(r"[^\w.-]", "-", model)
            for number, (ids, _, rows) in enumerate(self._store.vectors(model)):
                content = io.BytesIO()
                np.save(content, rows, allow_pickle=False)
                self._put(packed, f"vector/{folder}/{number:05}.npy", content.getvalue())
                self._put(packed, f"vector/{folder}/{number:05}.txt", "".join(f"{id_}\n" for id_ in ids).encode())

    def _documents(self, packed: zipfile.ZipFile) -> None:
        def documents() -> Iterator[dict[str, str]]:
            for kind in KINDS:
                for name in self._store.documents(kind):
                    data = self._store.document(kind, name)
                    if data is not None:
                        yield {"kind": kind, "name": name, "data": b64encode(data).decode()}

        with self._entry(packed, "document.jsonl") as entry:
            self._counts["document"] = _lines(entry, documents())

    def _records(self) -> Iterator[bytes]:
        start = 0
        while rows := self._store.records(start, PAGE):
            yield from rows
            start += len(rows)


def _named(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_STORED if name.endswith(".ogg") else zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _lines(entry: _Entry, values: Iterable[object]) -> int:
    count = 0
    for value in values:
        entry.line(value)
        count += 1
    return count


def _table(entry: _Entry, columns: list[str], rows: Iterable[list[str]]) -> None:
    """A table as CSV (RFC 4180).  A cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text)
    for cells in chain([columns], rows):
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
        entry.write(text.getvalue().encode("utf-8", "replace"))
        text.seek(0)
        text.truncate()


def _memory_row(memory: Memory) -> list[str]:
    source = memory.source
    areas = ", ".join(share.name for share in memory.areas)
    names = ", ".join(entity.name for entity in memory.entities)
    first = [memory.id, _date(memory.said_at), memory.speaker, memory.text, areas, names]
    return [*first, source.app, source.channel, source.title]


def _date(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat()


def sound_file(content: bytes) -> tuple[bytes, str]:
    """A recording as a file, and its ending: samples (16 kHz, mono, 16 bit) become a WAV file, Ogg stays as it is."""
    if content[:4] == b"OggS":
        return content, "ogg"
    if content[:4] == b"RIFF":
        return content, "wav"
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(content), b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    return head + struct.pack("<4sI", b"data", len(content)) + content, "wav"
