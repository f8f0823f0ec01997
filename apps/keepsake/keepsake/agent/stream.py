"""A stream: what one device captures of one kind, in order, kept until it is in the person's memory.

A piece is durable before it is acknowledged, is in the lane ``pieces`` until it is stored, and is stored once: its number names
the message that it becomes.  Text waits for the queue ``read``, in batches; sound for the queue ``hear``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from natant import JobState, Refused, command, lane

from keepsake.agent.home import Home
from keepsake.agent.seal import open_lines
from keepsake.agent.value import (
    HeardAll,
    HeardPiece,
    HearJob,
    Line,
    Noted,
    Piece,
    Reading,
    ReadJob,
    StreamState,
    Take,
    Taken,
)
from keepsake.errors import KeepsakeError
from keepsake.pipeline.house import House
from keepsake.sound.contract import RATE

__all__ = ["Stream"]

KINDS: Final = frozenset(("text", "web", "audio"))
#: pieces in one job; more would make a job that is repeated after a worker's death dear
BATCH_PIECES: Final = 64
#: of sealed pieces in one job; a job has to fit one message of the queue
BATCH_BYTES: Final = 256 * 1024
#: of one piece, sealed
PIECE_BYTES: Final = 256 * 1024
#: pieces in one command
TAKE_PIECES: Final = 256
#: of pieces that wait in one stream, in memory; past it the oldest are moved to the blob store, in parts of so many pieces
SPILL_BYTES: Final = 1024 * 1024
SPILL_PIECES: Final = 64
#: of pieces that wait in one stream in memory although they are being moved, and altogether; past it the sender is told to wait
MEMORY_BYTES: Final = 16 * 1024 * 1024
WAITING_BYTES: Final = 2 * 1024 * 1024 * 1024
#: pieces that nobody could make sense of, kept in a stream; at one more the stream stands until somebody has looked
ASIDE_PIECES: Final = 1000
#: the person is told of sound at least so often
TELL_SAMPLES: Final = 60 * RATE
#: lines that are shown to whoever follows a stream
SHOWN_LINES: Final = 200


class Stream(Home, route="/person/{person}/stream/{stream}"):
    """What one device captures, in order."""

    stream: str
    _is_spilling = False

    #: the number that the next piece has
    received = lane.value(int, default=0)
    #: all pieces before it are in the person's memory or aside
    stored = lane.value(int, default=0)
    #: captured, not stored yet
    pieces = lane.map(int, Piece)
    #: not understood after all attempts, with the reason; kept until somebody has looked
    aside = lane.map(int, Piece)
    reading = lane.jobs("read", ReadJob, Reading, keep=1)
    rereading = lane.jobs("read", ReadJob, Reading, keep=1)
    hearing = lane.jobs("hear", HearJob, HeardAll, keep=1)
    #: whether it was deleted; its name is not used again
    is_deleted = lane.value(bool, default=False)
    #: why nothing more is taken: the person's quota is used up
    held = lane.value(str, default="")
    state = lane.value(StreamState, default=StreamState())
    samples = lane.value(int, default=0)
    #: samples of which the person has been told
    told = lane.value(int, default=0)
    #: bytes of pieces that wait, and how many of them are in memory, where it is sound
    waiting = lane.value(int, default=0)
    resident = lane.value(int, default=0)
    #: contents in the blob store, and how many pieces in each still wait
    spills = lane.map(str, int)
    transcript = lane.map(str, Line, volatile=True, keep=SHOWN_LINES)
    partial = lane.value(str, default="", volatile=True)

    @command
    def take(self, what: Take) -> Taken:
        """Keep pieces; the answer comes when they are durable.  Pieces that are there already are passed over."""
        self._check(what)
        if self.held:
            raise Refused(f"KS-AGENT-020  the quota of {self.person} is used up: {self.held}")
        in_memory = self.resident if self.state.kind == "audio" else self.waiting
        if self.waiting > WAITING_BYTES or in_memory > MEMORY_BYTES:
            raise Refused(
                f"KS-AGENT-004  {self.node} holds {self.waiting} bytes that wait for workers; send it again in a while"
            )
        return self._take(what)

    @command
    def forwarded(self, what: Take) -> None:
        """Keep pieces that an edge has captured, acknowledged and forwarded, in order and once: they are never turned away."""
        self._check(what)
        self._take(what)

    def _take(self, what: Take) -> Taken:
        self.key()  # nothing is taken in for somebody who was deleted
        begin = self.received - what.number
        at = what.at or self.now()
        size = 0
        for place in range(begin, len(what.pieces)):
            sealed = what.pieces[place]
            length = what.lengths[place] if what.lengths else 0
            before = sum(what.lengths[:place]) / RATE if length else 0.0
            self.pieces[what.number + place] = Piece(sealed, self.samples, length, at + before)
            if length:
                self.samples += length
            size += len(sealed)
        if begin < len(what.pieces):
            self.received = what.number + len(what.pieces)
            self.waiting += size
            if what.kind == "audio":
                self.resident += size
            self._note(what)
            self._ask()
            self._spill()
            if self.house.edge:
                self._forward(what, begin)
        return Taken(self.received)

    def _forward(self, what: Take, begin: int) -> None:
        """Send new pieces on to the hub, which has them once, in order, whenever there is a way; its stream bears the edge's name."""
        key, stream = self.key(), f"{self.house.edge}.{self.stream}"
        pieces = []
        for place, sealed in enumerate(what.pieces[begin:], what.number + begin):
            content = key.open(sealed, "lane", f"{self.stream}:{place}")
            pieces.append(key.seal(content, "lane", f"{stream}:{place}"))
        at = what.at or self.now()
        at += sum(what.lengths[:begin]) / RATE
        sent = Take(what.number + begin, what.kind, pieces, what.lengths[begin:], at)
        self.send(f"{self.owner}/stream/{stream}", "forwarded", sent, host="hub:")

    def _check(self, what: Take) -> None:
        kind = self.state.kind or what.kind
        if what.kind not in KINDS or kind != what.kind:
            wanted = f"it is a stream of {kind}" if self.state.kind else f"it takes {', '.join(sorted(KINDS))}"
            raise Refused(f"KS-AGENT-001  {self.node} got a piece of kind {what.kind!r}; {wanted}")
        if what.number > self.received or what.number < 0:
            raise Refused(f"KS-AGENT-002  {self.node} got piece {what.number}; the next one is {self.received}")
        if len(what.pieces) > TAKE_PIECES or any(len(piece) > PIECE_BYTES for piece in what.pieces):
            raise Refused(
                f"KS-AGENT-003  {self.node} takes {TAKE_PIECES} pieces of {PIECE_BYTES} bytes at a time; send smaller ones"
            )
        if what.kind == "audio" and len(what.lengths) != len(what.pieces):
            raise Refused(
                f"KS-AGENT-006  {self.node} got {len(what.pieces)} pieces of sound and {len(what.lengths)} lengths; one each"
            )
        if self.is_deleted:
            raise Refused(f"KS-AGENT-023  {self.node} was deleted; send to a stream of another name")

    def _note(self, what: Take) -> None:
        """Show how the stream is doing, and tell its person at the first piece and every so often."""
        state = self.state
        now = self.now()
        is_new = not state.kind
        is_told = self.samples - self.told < TELL_SAMPLES
        self.state = replace(
            state,
            kind=what.kind,
            opened=state.opened or now,
            changed=now,
            received=self.received,
            seconds=self.samples / RATE,
            is_ended=False,
        )
        if is_new or not is_told:
            self.told = self.samples
            self.send(self.owner, "noted", Noted(self.stream, self.state, None))

    def _ask(self, limit: int = BATCH_PIECES) -> None:
        """Have what waits read or heard, unless somebody is at it."""
        if not self.pieces:
            return
        if self.state.kind == "audio":
            if not any(job.is_open for job in self.hearing.values()):
                self.hearing.submit(HearJob(self.person, self.stream), key=self.node)
            return
        if any(job.is_open for job in self.reading.values()):
            return
        first = self.stored
        chosen: list[bytes] = []
        size = 0
        while len(chosen) < limit and (piece := self.pieces.get(first + len(chosen))) is not None:
            size += len(piece.sealed)
            if chosen and size > BATCH_BYTES:
                break
            chosen.append(piece.sealed)
        self.reading.submit(
            ReadJob(self.person, self.stream, first, self.state.kind, chosen),
            key=self.node,
            about=f"{first}+{len(chosen)}",
        )

    @reading.done
    def read(self, name: str, job: JobState[Reading]) -> None:
        """Pieces are in the person's memory."""
        first, _, count = job.about.partition("+")
        assert int(first) == self.stored
        assert job.result is not None
        self._release(int(count))
        self._show(job.result)
        self._ask()

    @reading.failed
    def not_read(self, name: str, job: JobState[Reading]) -> None:
        """Nobody could make sense of them: one by one they are, until the bad one is found, which is put aside."""
        first, _, count = job.about.partition("+")
        if int(count) > 1:
            self._ask(limit=1)
            return
        number = int(first)
        if len(self.aside) >= ASIDE_PIECES:
            self.log.error(
                "KS-AGENT-007  %s holds %d pieces that nobody can read; it waits for retry", self.node, ASIDE_PIECES
            )
            return
        self.log.warning("KS-AGENT-007  piece %d is put aside: %s", number, job.error)
        self.aside[number] = self.pieces[number]
        self._release(1)
        self.state = replace(self.state, aside=len(self.aside))
        self.send(self.owner, "noted", Noted(self.stream, self.state, None))
        self._ask(limit=1)

    def _release(self, count: int) -> None:
        before = self.waiting
        for number in range(self.stored, self.stored + count):
            self._let_go(self.pieces.pop(number))
        self.stored += count
        self.state = replace(
            self.state,
            changed=self.now(),
            received=self.received,
            stored=self.stored,
            bytes=self.state.bytes + before - self.waiting,
            seconds=self.samples / RATE,
        )

    def _let_go(self, piece: Piece) -> None:
        size = piece.size or len(piece.sealed)
        self.waiting -= size
        if not piece.blob:
            if self.state.kind == "audio":
                self.resident -= size
            return
        self.spills[piece.blob] -= 1
        if not self.spills[piece.blob]:
            del self.spills[piece.blob]
            self.spawn(self.house.blobs.remove, self.person, piece.blob)

    def _spill(self) -> None:
        """Move the oldest pieces of sound out of memory, where many wait."""
        if self.resident <= SPILL_BYTES or self._is_spilling or self.state.kind != "audio":
            return
        chosen: dict[int, bytes] = {}
        for number in range(self.stored, self.received):
            piece = self.pieces[number]
            if not piece.blob:
                chosen[number] = piece.sealed
            if len(chosen) == SPILL_PIECES:
                break
        self._is_spilling = True
        self.spawn(_spill, self.house, self.person, chosen, then=self._spilled)

    def _spilled(self, what: Spill) -> None:
        self._is_spilling = False
        if not what.blob:
            self.log.warning("KS-AGENT-017  the blob store took no sound of %s; it stays in memory", self.node)
            return
        offset = 0
        count = 0
        for number, size in what.sizes.items():
            piece = self.pieces.get(number)
            if piece is not None and not piece.blob:
                self.pieces[number] = replace(piece, sealed=b"", blob=what.blob, offset=offset, size=size)
                self.resident -= size
                count += 1
            offset += size
        if count:
            self.spills[what.blob] = self.spills.get(what.blob, 0) + count
        else:
            self.spawn(self.house.blobs.remove, self.person, what.blob)
        self._spill()

    def _show(self, reading: Reading) -> None:
        if not self.house.ring.has(self.person):
            return  # deleted while this was on its way
        for line in open_lines(self.key(), reading.lines, self.stream):
            self.transcript[line.memory] = line
        self.send(self.owner, "noted", Noted(self.stream, self.state, reading))

    @command
    def heard(self, piece: HeardPiece) -> None:
        """A worker has stored what was said up to a sample."""
        count = 0
        while (waiting := self.pieces.get(self.stored + count)) and waiting.start + waiting.length <= piece.samples:
            count += 1
        self._release(count)
        self.partial = ""
        if piece.reading is not None:
            self._show(piece.reading)

    @command
    def hears(self, text: bytes) -> None:
        """What a worker believes is being said right now, sealed."""
        self.partial = self.key().open(text, "lane", f"partial:{self.stream}").decode()

    @hearing.done
    def heard_all(self, name: str, job: JobState[HeardAll]) -> None:
        """A worker has heard all that was there when it left."""
        if job.result is not None:
            self.send(self.owner, "heard", job.result)
        self._ask()

    @hearing.failed
    def not_heard(self, name: str, job: JobState[HeardAll]) -> None:
        """No worker could hear it: it stays, and is tried again when more comes or somebody asks."""
        self.log.warning("KS-AGENT-008  %s cannot be heard: %s", self.node, job.error)

    @command
    def retry(self) -> None:
        """Try again what was put aside or could not be heard."""
        again = {job.about for job in self.rereading.values() if job.is_open}
        for number, piece in self.aside.items():
            if str(number) not in again:
                job = ReadJob(self.person, self.stream, number, self.state.kind, [piece.sealed])
                self.rereading.submit(job, key=self.node, about=str(number))
        self._ask()

    @rereading.done
    def reread(self, name: str, job: JobState[Reading]) -> None:
        """A piece that was aside is in the person's memory after all."""
        del self.aside[int(job.about)]
        self.state = replace(self.state, aside=len(self.aside))
        if job.result is not None:
            self._show(job.result)

    @command
    def hold(self, reason: str) -> None:
        """Take nothing more, or take again (an empty reason)."""
        self.held = reason

    @command
    def erase(self) -> None:
        """The stream is deleted: what waits goes, and nothing comes in under this name any more."""
        self.is_deleted = True
        for jobs in (self.reading, self.rereading, self.hearing):
            for name in [name for name, job in jobs.items() if job.is_open]:
                jobs.cancel(name)
        for blob in self.spills:
            self.spawn(self.house.blobs.remove, self.person, blob)
        for kept in (self.pieces, self.aside, self.spills, self.transcript):
            kept.clear()
        self.waiting = self.resident = 0
        self.partial = ""

    @command
    def end(self) -> None:
        """Nothing more comes, for now."""
        self.state = replace(self.state, is_ended=True)
        self.send(self.owner, "noted", Noted(self.stream, self.state, None))


@dataclass(frozen=True, slots=True)
class Spill:
    """Pieces that are in the blob store by now, one behind the other, with their sizes; none where it could not take them."""

    blob: str
    sizes: dict[int, int]


def _spill(house: House, person: str, pieces: dict[int, bytes]) -> Spill:
    """Keep pieces, sealed as they are, durably outside memory."""
    try:
        blob = house.blobs.put(person, b"".join(pieces.values()))
    except (KeepsakeError, OSError):
        return Spill("", {})  # they stay in memory, and the sender is told to wait where that fills up
    return Spill(blob, {number: len(sealed) for number, sealed in pieces.items()})
