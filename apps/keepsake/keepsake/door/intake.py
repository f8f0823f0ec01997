"""From an uploaded file to streams: the importers read it, the streams' agents keep it.

A part's stream is named by the content of the file, so that a file that comes twice, or whose reading was cut short, is stored once.
The content is in memory while it is read, and on no disk in the clear.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from natant import NatantError
from natant.server import Caller

from keepsake.agent.seal import Draft, seal_draft
from keepsake.agent.value import Take
from keepsake.door.caller import code_of
from keepsake.door.take import take
from keepsake.errors import KeepsakeError
from keepsake.pipeline.parcel import About, Parcel
from keepsake.sound.contract import RATE
from keepsake.sound.decode import decoder
from keepsake.source.contract import Choice, Part, Post, Recording, Remark
from keepsake.source.importer import open_source

__all__ = ["Intake"]

#: pieces in one command
BATCH: Final = 32
#: files that are read at a time in one process
AT_A_TIME: Final = 1
#: remarks that are told
REMARKS: Final = 5
DIGEST_DIGITS: Final = 20

_LOG: Final = logging.getLogger("keepsake.door")


@dataclass(frozen=True, slots=True)
class _Way:
    """From a file to one stream."""

    parcel: Parcel
    zone: str
    node: str
    caller: Caller

    @property
    def stream(self) -> str:
        return self.node.rpartition("/")[2]


@dataclass
class Intake:
    """Reads files that are here as a whole, one after the other."""

    gates: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_A_TIME))

    async def read(self, person: str, parcel: Parcel, caller: Caller) -> None:
        """Read a file into streams, and note what became of it."""
        async with self.gates:
            about = await asyncio.to_thread(parcel.about)
            if about.state != "waiting":
                return
            try:
                note = await self._read(person, parcel, about, caller)
            except (KeepsakeError, NatantError) as error:
                code, words = code_of(error)
                if isinstance(error, NatantError) and code == error.code:
                    _LOG.warning("upload %s waits for the next start of the plane: %s", parcel.id, error)
                    return
                about = msgspec.structs.replace(about, state="failed", note=f"{code}  {words}")
            else:
                about = msgspec.structs.replace(about, state="done", note=note)
            await asyncio.to_thread(parcel.note, about)
            await asyncio.to_thread(parcel.drop_data)

    async def _read(self, person: str, parcel: Parcel, about: About, caller: Caller) -> str:
        count, faults = 0, []
        with _in_memory(parcel, about.name) as (path, digest):
            choice = Choice(me=about.me, zone=about.zone, app=about.app)
            units = open_source(path, choice)
            number = 0
            while (unit := await asyncio.to_thread(next, units, None)) is not None:
                if isinstance(unit, Remark):
                    faults.append(unit)
                    continue
                stream = f"upload-{digest[:DIGEST_DIGITS]}-{number}"
                node = f"/person/{person}/stream/{stream}"
                number += 1
                if isinstance(unit, Part):
                    count += await self._part(unit, _Way(parcel, about.zone, node, caller), faults)
                else:
                    count += await self._recording(unit, _Way(parcel, about.zone, node, caller))
                await caller.command(node, "end")
        told = "; ".join(f"line {remark.line}: {remark.what}" for remark in faults[:REMARKS])
        more = f" and {len(faults) - REMARKS} more" if len(faults) > REMARKS else ""
        return f"{count} pieces" + (f"; left out: {told}{more}" if told else "")

    async def _part(self, part: Part, way: _Way, faults: list[Remark]) -> int:
        begin: int = await way.caller.read(way.node, "received") or 0
        posts = _posts(part, faults)
        number = 0
        while batch := await asyncio.to_thread(lambda: list(islice(posts, BATCH))):
            now = time.time()
            sealed = [
                seal_draft(
                    way.parcel.key,
                    Draft(post.text, post.said_at, post.speaker, way.zone, post.source, now),
                    way.stream,
                    number + place,
                )
                for place, post in enumerate(batch)
            ]
            number += len(batch)
            if number > begin:
                await take(way.caller, way.node, Take(number - len(batch), "text", sealed))
        return number

    async def _recording(self, recording: Recording, way: _Way) -> int:
        begin: int = await way.caller.read(way.node, "received") or 0
        sound = decoder("pcm", rate=recording.rate)
        blocks = recording.read()
        number = samples = 0
        while (found := await asyncio.to_thread(next, blocks, None)) is not None:
            content = sound.feed(found[0])
            length = len(content) // 2
            if number >= begin:
                sealed = way.parcel.key.seal(content, "lane", f"{way.stream}:{number}")
                at = recording.said_at + samples / RATE
                await take(way.caller, way.node, Take(number, "audio", [sealed], [length], at))
            number += 1
            samples += length
        return number


def _posts(part: Part, faults: list[Remark]) -> Iterator[Post]:
    for unit in part.read():
        if isinstance(unit, Post):
            yield unit
        elif unit.is_fault:
            faults.append(unit)


@contextmanager
def _in_memory(parcel: Parcel, name: str) -> Iterator[tuple[Path, str]]:
    """The file under its own name, where importers can open it, and its SHA-256.  Its content is on no disk where the system can do without."""
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix="keepsake-") as folder:
        path = Path(folder) / (Path(name).name or "file")
        if hasattr(os, "memfd_create"):
            handle = os.memfd_create("upload")
            path.symlink_to(f"/proc/self/fd/{handle}")
        else:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            for part in parcel.content():
                digest.update(part)
                view = memoryview(part)
                while view:
                    view = view[os.write(handle, view) :]
            yield path, digest.hexdigest()
        finally:
            with suppress(OSError):
                os.close(handle)
