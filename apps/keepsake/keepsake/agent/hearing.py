"""What a worker does with a stream of sound: follow its pieces over a link, recognise, store what is final, and let the stream
release the pieces that it covers.

How far a stream was heard is stored in the same transaction as the words themselves.  A worker that dies leaves the pieces where
they are; the next one begins at the sample after the last word that is stored, so that nothing is lost and nothing is there twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec
import natant.client
from natant import Job, Refused

from keepsake.agent.seal import seal_lines
from keepsake.agent.value import HeardAll, HeardPiece, HearJob, Piece, Reading
from keepsake.agent.view import line
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.pipeline.read import keep
from keepsake.record import Kind, Message, Source
from keepsake.sound.contract import RATE, Heard
from keepsake.store.contract import Store, Writer

if TYPE_CHECKING:
    from natant.client import Client

    from keepsake.pipeline.house import House

__all__ = ["hear"]

#: a stream in which nothing comes for so long is left; it is taken up again when something comes
IDLE_S: Final = 8.0
#: sound that is heard in one go, to the end of a sentence, so that other streams have their turn
SLICE_S: Final = 120.0
#: between two tellings of what is being said
PARTIAL_S: Final = 0.3
#: names that are told to the recogniser as likely
NAMES: Final = 40
SAMPLE_BYTES: Final = 2
#: kind of the document that says how far a stream was heard
HEARD: Final = "heard"


@dataclass(slots=True)
class _Ear:
    """One stream that is being heard.

    :ivar begin: the first sample that is not understood yet.
    :ivar buffer: samples from ``begin`` on, as far as they were given to the recogniser.
    :ivar at: where pieces begin, in samples, and when that was.
    :ivar told: when it was last told what is being said.
    :ivar spill: the content of the blob store that was read last.
    """

    house: House
    client: Client
    job: Job[HearJob]
    key: PersonKey
    names: list[str]
    begin: int
    buffer: bytearray = field(default_factory=bytearray)
    at: list[tuple[int, float]] = field(default_factory=list)
    told: float = 0.0
    spill: tuple[str, bytes] = ("", b"")

    @property
    def node(self) -> str:
        return f"/person/{self.job.input.person}/stream/{self.job.input.stream}"

    async def pieces(self) -> AsyncIterator[bytes]:
        """Samples from ``begin`` on, until nothing comes any more."""
        link = self.client.map(self.node, "pieces", int, Piece)
        async with link:
            await link.synced()
            given = self.begin
            number = min(link, default=0)
            changes = link.changes()
            while True:
                piece = link.get(number)
                if piece is None:
                    try:
                        await asyncio.wait_for(anext(changes), IDLE_S)
                    except (TimeoutError, StopAsyncIteration):
                        return
                    number = max(number, min(link, default=number))
                    continue
                number += 1
                samples = await self._samples(number - 1, piece)
                skip = max(0, given - piece.start) * SAMPLE_BYTES
                if skip >= len(samples):
                    continue
                if not self.at or skip == 0:
                    self.at.append((piece.start, piece.at))
                self.buffer += samples[skip:]
                given = piece.start + piece.length
                yield bytes(samples[skip:])

    async def _samples(self, number: int, piece: Piece) -> bytes:
        sealed = piece.sealed
        if piece.blob:
            if piece.blob != self.spill[0]:
                self.spill = (
                    piece.blob,
                    await asyncio.to_thread(self.house.blobs.get, self.job.input.person, piece.blob),
                )
            sealed = self.spill[1][piece.offset : piece.offset + piece.size]
        return self.key.open(sealed, "lane", f"{self.job.input.stream}:{number}")

    def said_at(self, sample: int) -> float:
        """When a sample was captured, epoch seconds."""
        start, at = self.at[0]
        for next_start, next_at in self.at:
            if next_start > sample:
                break
            start, at = next_start, next_at
        return at + (sample - start) / RATE

    async def partial(self, heard: Heard) -> None:
        """Show what is being said."""
        now = time.monotonic()
        if now - self.told >= PARTIAL_S:
            self.told = now
            self.client.command(
                self.node, "hears", self.key.seal(heard.text.encode(), "lane", f"partial:{self.job.input.stream}")
            )

    async def final(self, heard: Heard) -> None:
        """Store what was said, then let the stream release its sound."""
        end = round(heard.end * RATE)
        reading = await asyncio.to_thread(self._keep, heard, end)
        del self.buffer[: (end - self.begin) * SAMPLE_BYTES]
        while len(self.at) > 1 and self.at[1][0] <= end:
            del self.at[0]
        self.begin = end
        await self.client.ask(self.node, "heard", HeardPiece(end, reading))

    def _keep(self, heard: Heard, end: int) -> Reading | None:
        what = self.job.input
        note = msgspec.json.encode(end)

        def mark(writer: Writer) -> None:
            writer.put_document(HEARD, what.stream, note)

        with self.house.shelf.desk(what.person) as desk:
            if _heard_to(desk.store, what.stream) >= end:
                return None  # stored by a worker that died before it could say so
            if not heard.text.strip():
                with desk.store.write() as writer:
                    mark(writer)
                return None
            start = max(self.begin, round(heard.start * RATE))
            sound = bytes(self.buffer[(start - self.begin) * SAMPLE_BYTES : (end - self.begin) * SAMPLE_BYTES])
            kept = keep(
                desk.store,
                [self._message(heard, start, end, self._blob(sound))],
                reader=self.house.reader,
                embedder=self.house.embedder,
                model=desk.model,
                log=desk.log,
                folder=desk.folder,
                by=self.node,
                also=mark,
            )
        lines = seal_lines(self.key, [line(memory) for memory in kept.memories], what.stream)
        return Reading(kept.new, len(kept.memories), kept.head, lines)

    def _blob(self, samples: bytes) -> str:
        return self.house.blobs.put(self.job.input.person, self.key.seal(samples, "blob", "sound"))

    def _message(self, heard: Heard, start: int, end: int, sound: str) -> Message:
        return Message(
            id=f"{self.job.input.stream}:{start}",
            kind=Kind.AUDIO,
            said_at=self.said_at(start),
            received_at=time.time(),
            body=heard.text.strip(),
            source=Source(app="recording" if self.job.input.stream.startswith("recording-") else "microphone"),
            sound=sound,
            span=(start / RATE, end / RATE),
        )


def _heard_to(store: Store, stream: str) -> int:
    note = store.document(HEARD, stream)
    return 0 if note is None else int(msgspec.json.decode(note, type=int))


async def hear(house: House, job: Job[HearJob]) -> HeardAll:
    """Follow a stream until nothing is left to hear, or others are to have their turn."""
    what = job.input
    try:
        key = house.ring.key(what.person)
    except KeepsakeError as error:
        raise Refused(str(error)) from None
    begin, names = await asyncio.to_thread(_start, house, what)
    recogniser = await asyncio.to_thread(house.recogniser)
    busy = time.process_time()
    async with natant.client.connect(house.address(), auth={"token": house.worker_token()}) as client:
        ear = _Ear(house, client, job, key, names, begin)
        first = begin
        heard = recogniser.stream(ear.pieces(), names=names, start=begin / RATE)
        try:
            async for piece in heard:
                await (ear.final(piece) if piece.is_final else ear.partial(piece))
                if ear.begin - first >= SLICE_S * RATE:
                    break  # here a sentence is over; where the sound itself is stopped, one may be cut
        finally:
            if isinstance(heard, AsyncGenerator):
                await heard.aclose()
    samples = ear.begin - first
    return HeardAll(ear.begin, samples / RATE, time.process_time() - busy)


def _start(house: House, what: HearJob) -> tuple[int, list[str]]:
    with house.shelf.desk(what.person) as desk:
        return _heard_to(desk.store, what.stream), desk.model.names(NAMES)
