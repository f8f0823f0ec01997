"""Taking in at the hub: what edges forwarded becomes commands, and how far each edge has come goes into the commit of their effects.

The hub's stream is read from its start, which is short: what is committed is deleted.  What has been done is known for each edge by
the place of its last command: the bundle's sequence in the edge's stream and the command's place in it.  So a parcel that comes twice,
in whatever way, is done once, and a bundle that is missing is noticed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon, uri
from natant.codec.recon.value import Record, Slot
from natant.edge.batch import Command, decode_bundle, decode_parcel, to_send
from natant.edge.name import SOURCE
from natant.errors import EdgeError, NatantError, WarpError
from natant.ingress.pump import BURST, Pump
from natant.kernel import key
from natant.plane import SourceSpec

if TYPE_CHECKING:
    from natant.edge.name import EdgeNames
    from natant.edge.status import EdgeStatus
    from natant.fabric.nats.wire import Entry, Log
    from natant.kernel.kernel import Kernel

__all__ = ["Ingest", "Place"]

#: bytes of parcels that one read gives
READ_BYTES: Final = 2 * 1024 * 1024
#: so often it is looked for parcels, besides whenever an edge says that there is one
LOOK_EVERY_S: Final = 1.0
#: streams of one edge whose places are remembered: an edge gets another with each fresh data folder
ORIGINS: Final = 16
#: parcels that are committed are deleted so often, and whenever there are so many: an edge may have 128 at the hub
PURGE_EVERY_S: Final = 1.0
PURGE_PARCELS: Final = 32

_log = logging.getLogger("natant.edge")


@dataclass(frozen=True, slots=True)
class Place:
    """How far the commands of one stream of an edge have been done.

    :ivar sequence: of the last bundle that was done to its end.
    :ivar index: commands of the bundle behind it that have been done.
    """

    sequence: int
    index: int = 0


#: an edge and the identity of its stream
Origin = tuple[str, str]


class Ingest(Pump):
    """Drives what comes from all edges, in one host of the hub.

    :param log: the hub's stream.
    """

    def __init__(self, kernel: Kernel, log: Log, names: EdgeNames, status: EdgeStatus) -> None:
        super().__init__(kernel, SourceSpec(SOURCE, lambda _: ()))
        self._stream = log
        self._names = names
        self._status = status
        #: by edge and stream; what moved last is last
        self.places: dict[Origin, Place] = {}
        #: those that have moved since the last commit group was cut, and those that are to be forgotten
        self._moved: set[Origin] = set()
        self._gone: set[Origin] = set()
        #: by edge: its newest parcel that has been handed over whole
        self._handed: dict[str, int] = {}
        self._unpurged = 0
        self._burst = 0
        self._news = asyncio.Event()

    def start(self) -> None:
        """Go on where the journal says."""
        prefix = key.source_key(f"{SOURCE}:")
        found: list[tuple[bytes, Record]] = [
            (name, recon.decode(text)) for name, text in self._kernel.store.scan(prefix)
        ]
        for name, record in sorted(found, key=lambda each: int(each[1].get("at"))):
            edge, _, origin = name[len(prefix) :].decode().partition(" ")
            self.places[edge, origin] = Place(int(record.get("sequence")), int(record.get("index")))
        super().start()

    def wake(self) -> None:
        """An edge says that something has come."""
        self._news.set()

    def _journal(self, batch: list[tuple[int, bytes, bytes]]) -> None:
        now = int(self._kernel.env.now())
        for edge, origin in self._gone:
            batch.append((1, _key(edge, origin), b""))
        for edge, origin in self._moved:
            place = self.places[edge, origin]
            slots = [Slot("sequence", place.sequence), Slot("index", place.index), Slot("at", now)]
            batch.append((0, _key(edge, origin), recon.encode(Record(slots), exact=True).encode()))
        self._moved.clear()
        self._gone.clear()

    async def _read(self) -> None:
        """Read the hub's stream until told to stop."""
        start = 1
        purge_at_s = 0.0
        while not self._is_stopped:
            self._news.clear()
            try:
                entries = await self._stream.read(start, self._names.parcels(), max_bytes=READ_BYTES)
            except EdgeError as error:  # the server is away, or elects a leader
                self._status.count("read_failures")
                _log.info("the hub's stream cannot be read at present: %s", error)
                entries = []
            for entry in entries:
                await self._take(entry)
                start = entry.sequence + 1
                if self._unpurged >= PURGE_PARCELS:
                    await self._purge()
            if self._handed and self._kernel.env.now() >= purge_at_s:
                purge_at_s = self._kernel.env.now() + PURGE_EVERY_S
                await self._purge()
            if not entries:
                await self._wait()

    async def _wait(self) -> None:
        """Wait until an edge says that something has come, or until it is time to look."""
        env = self._kernel.env
        late = env.call_at(env.now() + LOOK_EVERY_S, self._news.set)
        await self._news.wait()
        late.cancel()

    async def _take(self, entry: Entry) -> None:
        """Do the commands of one parcel that have not been done."""
        try:
            edge = self._names.edge_of(entry.subject)
        except NatantError as error:  # an engine's mistake: edges cannot publish there
            self._refuse(entry.subject, error)
            return
        for step in self._steps(edge, entry):
            self._burst += step
            if self._burst >= BURST or self._busy is not None or self._kernel.pressure.is_high:
                self._burst = 0
                await self._yield()
        self._handed[edge] = entry.sequence
        self._unpurged += 1

    def _steps(self, edge: str, entry: Entry) -> Iterator[int]:
        try:
            parcel = decode_parcel(entry.data)
        except EdgeError as error:
            self._refuse(edge, error)
            return
        origin = (edge, parcel.origin)
        for sequence, data in parcel.bundles:
            place = self._place(origin, sequence)
            if sequence <= place.sequence:
                self._status.count("repeated")
                continue
            try:
                commands = decode_bundle(data).commands
            except EdgeError as error:
                self._refuse(edge, error)
                commands = []
            for index in range(place.index, len(commands)):
                self._command(edge, commands[index])
                self._move(origin, Place(sequence - 1, index + 1))
                yield 1
            self._move(origin, Place(sequence))

    def _move(self, origin: Origin, place: Place) -> None:
        if place.index == 0:
            self.places.pop(origin, None)  # what moved last is last
        self.places[origin] = place
        self._moved.add(origin)

    def _place(self, origin: Origin, sequence: int) -> Place:
        """How far a stream of an edge has come, seen from one of its bundles; what is missing before that is told."""
        place = self.places.get(origin)
        if place is None:
            self._make_room(origin)
            place = Place(0)
        if sequence > place.sequence + 1:
            missing = sequence - 1 - place.sequence
            self._status.count("missing", missing)
            error = EdgeError(
                "NT-EDGE-008",
                f"{missing} bundles of edge {origin[0]} before number {sequence} are missing at the hub: they were deleted from "
                "the stream of the edge or of the hub before they were done. What came after them is done",
            )
            _log.error("%s", error)
            place = Place(sequence - 1)
        return place

    def _make_room(self, origin: Origin) -> None:
        """An edge comes with a stream that is not known."""
        others = [other for other in self.places if other[0] == origin[0]]
        if others:
            _log.warning(
                "edge %s comes with another stream than before: it has a fresh data folder, or two edges have one name",
                origin[0],
            )
        for other in others[: max(0, len(others) - ORIGINS + 1)]:
            del self.places[other]
            self._moved.discard(other)
            self._gone.add(other)

    def _command(self, edge: str, command: Command) -> None:
        """Hand over one command; one that can never be done is told of and passed over.

        :raises StoreError: where the agent cannot be had at present; the source is opened again.
        """
        kernel = self._kernel
        try:
            send = to_send(command)
            if send.node not in kernel.agents:
                send.node = uri.resolve(send.node)[1]
        except (EdgeError, WarpError) as error:
            self._refuse(edge, error)
            return
        kernel.outbox.take_in(send)
        self.count += 1
        self._status.count("done")
        cell: Any = kernel.agents.get(send.node)
        if cell is not None and cell._mail is not None and kernel.pressure.is_full(cell):
            self._busy = cell

    def _refuse(self, edge: str, error: NatantError) -> None:
        self._status.count("refused")
        _log.error("what edge %s forwarded is passed over: %s", edge, error)

    async def _purge(self) -> None:
        """Delete the parcels whose effects are durable, but for the newest of each edge, which the next one is fenced by."""
        handed, self._handed = self._handed, {}
        self._unpurged = 0
        durable = self._kernel.env.future()
        self._kernel.journal.after(lambda _: None if durable.done() else durable.set_result(None))
        await durable
        try:
            for edge, sequence in handed.items():
                await self._stream.purge(self._names.parcels(edge), sequence)
        except EdgeError as error:
            _log.info("parcels that have been done cannot be deleted at present: %s", error)
            self._handed = handed | self._handed


def _key(edge: str, origin: str) -> bytes:
    return key.source_key(f"{SOURCE}:{edge} {origin}")
