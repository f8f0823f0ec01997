"""The state of one partition: its records in memory, its journal and its snapshots in JetStream.

A batch is packed into a record, appended to the journal behind the owner's fence, and once that is durable it takes effect in memory
and is acknowledged.  Opening appends an epoch, which deposes every earlier owner, then reads the newest snapshot and the records
after it, and verifies each of them (:mod:`natant.fabric.nats.record`).

Invariants:

* One append is in flight.  A batch whose outcome is not known is appended again, the same bytes with the same id, before any other.
* Memory shows exactly what was acknowledged.
* A barrier is answered by an append that left after it was asked for.

Called by the cluster through :class:`natant.fabric.contract.PartitionStore`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from natant.errors import FabricError, NatantError, StoreError
from natant.fabric.contract import DEPOSED
from natant.fabric.nats.archive import Archive
from natant.fabric.nats.journal import Journal, Message
from natant.fabric.nats.record import IDENTITY_SIZE, Chain, Epoch, Position, pack_record
from natant.fabric.nats.snapshot import Head
from natant.store.contract import Operation
from natant.store.entry import pack
from natant.store.memory import MemoryStore

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["PartitionStore"]

#: bytes of the journal after which a snapshot is taken, or this many times those of the last one where that is more: what a recovery
#: reads against what snapshots cost while work goes on
SNAPSHOT_AFTER_BYTES: Final = 4 << 20
SNAPSHOT_FACTOR: Final = 2
#: what a message costs in the journal besides its batch
MESSAGE_BYTES: Final = 250
#: how often an opening begins again because the snapshot changed under it
OPENINGS: Final = 5
#: where there is no room: a journal of so many bytes is worth a snapshot, which lets it go
WORTH_BYTES: Final = 64 << 10
#: after a commit, how soon it is noted elsewhere that the journal reaches so far (natant.fabric.nats.mark)
MARK_AFTER_S: Final = 1.0
#: no limit to the bytes of a journal but the account's
UNLIMITED: Final = -1

_LOG = logging.getLogger("natant.fabric.nats")

#: errors of an append after which nothing more is appended
_FATAL: Final = frozenset({DEPOSED, "NT-FABRIC-102"})

Done = Callable[[BaseException | None], None]


@dataclass(slots=True)
class _Record:
    """A batch on its way into the journal."""

    batch: Sequence[Operation]
    number: int
    messages: list[bytes]
    link: bytes
    #: so many of the messages were acknowledged
    sent: int = 0


class PartitionStore:
    """An ordered map of bytes whose journal is a stream.  Made by :meth:`open`; all calls in the loop.

    :ivar partition: which one.
    :ivar epoch: sequence of our epoch message; grows with each owner.
    :ivar position: behind the last record that was acknowledged.
    :ivar tail_bytes: in the journal behind the newest snapshot.
    :ivar fault: why the last snapshot was not taken, None where it was.
    """

    is_durable = True

    def __init__(self, engine: Engine, partition: int, snapshot_after_bytes: int) -> None:
        self.partition = partition
        self.epoch = 0
        self.tail_bytes = 0
        self.fault: NatantError | None = None
        self._counts = engine.journals
        self._journal = Journal(engine, partition)
        self._archive = Archive(engine, partition)
        self._loop = asyncio.get_running_loop()
        self._snapshot_after_bytes = snapshot_after_bytes
        self._memory = MemoryStore()
        self.position = Position.start(b"")
        self._is_closed = False
        #: what ended it for good
        self._fatal: FabricError | None = None
        self._work: asyncio.Task[None] | None = None
        self._snapshot: asyncio.Task[None] | None = None
        #: a commit that waits for the append under way
        self._next: tuple[Sequence[Operation], Done] | None = None
        self._waiting: list[Done] = []
        self._mark_timer: asyncio.TimerHandle | None = None
        self._marking: set[asyncio.Task[None]] = set()
        #: a record of which we do not know whether it is in the journal: nothing else may be appended before it
        self._doubtful: _Record | None = None
        #: a batch whose commit was given up, and that got into the journal after all: the next commit brings it again
        self._settled: Sequence[Operation] | None = None

    @classmethod
    async def open(
        cls,
        engine: Engine,
        partition: int,
        owner: str,
        *,
        max_bytes: int = UNLIMITED,
        snapshot_after_bytes: int = SNAPSHOT_AFTER_BYTES,
    ) -> PartitionStore:
        """Take the partition over and recover its state; every earlier owner is deposed.

        :param owner: who we are, for people.
        :param max_bytes: of the journal where it has to be made.
        :param snapshot_after_bytes: how far the journal grows behind a snapshot before the next one; large states let it grow further.
        :raises FabricError: ``NT-FABRIC-101`` to ``-103`` damaged, ``-104`` gone or replaced, ``-105`` no room, ``-106`` no answer,
            ``-107`` refused, ``-108`` of a newer format, ``-100`` somebody else took it over meanwhile.
        """
        store = cls(engine, partition, snapshot_after_bytes)
        try:
            await store._open(owner, max_bytes)
        except FabricError as error:
            store._counts.journal_refusals += 1
            _LOG.error("partition %d is not opened: %s", partition, error)
            raise
        store._counts.journal_openings += 1
        return store

    # Reading ---------------------------------------------------------------------------------------------------------

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``, or None."""
        self._check()
        return self._memory.get(key)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key starts with ``prefix``, in the order of their keys, as of now."""
        self._check()
        return self._memory.scan(prefix)

    # Writing ---------------------------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Operation], done: Done) -> None:
        """Begin to make all operations of ``batch`` true at once; ``done(error)`` is called later, in the loop.

        One at a time.  After an error the same batch is committed again before any other: it may have been written, and is
        there once in effect.

        :raises StoreError: ``NT-STORE-008`` after :meth:`close`.
        """
        self._check()
        assert self._next is None, "one commit at a time"
        self._next = (batch, done)
        self._go_on()

    def barrier(self, done: Done) -> None:
        """Call ``done(None)`` once the server has said that no other owner took over before this call; errors as for :meth:`commit`.

        Whoever waits at the same time shares one append.

        :raises StoreError: ``NT-STORE-008`` after :meth:`close`.
        """
        self._check()
        self._waiting.append(done)
        self._go_on()

    def close(self) -> None:
        """Let go of everything, at once.  What is under way gets no answer; what was acknowledged stays."""
        self._is_closed = True
        for task in (self._work, self._snapshot):
            if task is not None:
                task.cancel()
        self._next, self._waiting = None, []
        self._memory = MemoryStore()
        if self._mark_timer is not None:
            self._mark_timer.cancel()
            self._mark_now()

    async def settle(self) -> None:
        """Wait for what is under way in the background, a snapshot for example."""
        for task in (self._work, self._snapshot, *self._marking):
            if task is not None:
                await asyncio.wait([task])

    def _check(self) -> None:
        if self._is_closed:
            raise StoreError(
                "NT-STORE-008", f"the store of partition {self.partition} was closed; open it again to go on."
            )

    def _go_on(self) -> None:
        if self._work is None and not self._is_closed:
            self._work = self._loop.create_task(self._append_all())

    async def _append_all(self) -> None:
        """Append as long as somebody waits."""
        try:
            while self._next is not None or self._waiting:
                commit, self._next = self._next, None
                waiting, self._waiting = self._waiting, []
                error: BaseException | None = None
                try:
                    await self._append(commit[0] if commit else ())
                except Exception as caught:
                    # Whatever it is, whoever waits is told.
                    error = caught
                self._counts.journal_barriers += len(waiting)
                self._counts.journal_failures += error is not None
                if commit is not None:
                    waiting.insert(0, commit[1])
                for done in waiting:
                    # For himself: what he raises concerns nobody else.
                    self._loop.call_soon(done, error)
        finally:
            self._work = None

    async def _append(self, batch: Sequence[Operation]) -> None:
        """Append one batch and let it take effect."""
        if self._fatal is not None:
            raise self._fatal
        if self._doubtful is not None:
            settled = self._doubtful.batch
            await self._send(self._doubtful)
            if settled:
                self._settled = settled
        if batch and self._settled is not None:
            # It is there already; a barrier that waits with it still wants an append of its own.
            assert self._settled == batch, "after an error the same batch is committed again before any other"
            self._settled, batch = None, ()
        number = self.position.number + 1
        entry = pack(number, batch)
        messages, link = pack_record(self.epoch, number, self.position.link, entry, self._journal.part_bytes)
        await self._send(_Record(batch, number, messages, link))

    async def _send(self, record: _Record) -> None:
        """Append what of a record was not acknowledged yet."""
        self._doubtful = record
        sequence = self.position.sequence
        try:
            while record.sent < len(record.messages):
                message = record.messages[record.sent]
                sequence = await self._journal.append(message, f"{self.epoch}.{record.number}.{record.sent}")
                if sequence <= self.position.sequence:
                    raise self._lost_end(self.position, f"took message {sequence} now")
                record.sent += 1
                self.tail_bytes += len(message) + MESSAGE_BYTES
                self._counts.journal_bytes += len(message)
        except FabricError as error:
            if error.code in _FATAL:
                self._fatal = error
                self._counts.journal_deposed += error.code == DEPOSED
            elif error.code == "NT-FABRIC-105" and self.tail_bytes >= WORTH_BYTES:
                # What is in a snapshot makes room in the journal.
                self._begin_snapshot()
            raise
        self._doubtful = None
        self._counts.journal_records += 1
        self._memory.apply(record.batch)
        self.position = self.position._replace(number=record.number, link=record.link, sequence=sequence)
        self._mark_soon()
        if self.tail_bytes >= max(self._snapshot_after_bytes, SNAPSHOT_FACTOR * self._archive.size_bytes):
            self._begin_snapshot()

    # Marks -----------------------------------------------------------------------------------------------------------

    def _mark_soon(self) -> None:
        if self._mark_timer is None and not self._is_closed:
            self._mark_timer = self._loop.call_later(MARK_AFTER_S, self._mark_now)

    def _mark_now(self) -> None:
        self._mark_timer = None
        if self._fatal is None:
            task = self._loop.create_task(self._mark(self.position))
            self._marking.add(task)
            task.add_done_callback(self._marking.discard)

    async def _mark(self, position: Position) -> None:
        # Where it fails the next commit brings the next one.
        with suppress(NatantError):
            await self._archive.mark(position)
            self._counts.journal_marks += 1

    # Snapshots -------------------------------------------------------------------------------------------------------

    async def snapshot(self) -> None:
        """Take a snapshot now, unless one is under way; the journal behind it goes.

        :raises FabricError: what went wrong; the journal has everything.
        """
        await asyncio.wait([self._begin_snapshot()])
        if self.fault is not None:
            raise self.fault

    def _begin_snapshot(self) -> asyncio.Task[None]:
        if self._snapshot is None:
            self._snapshot = self._loop.create_task(self._take_snapshot())
        return self._snapshot

    async def _take_snapshot(self) -> None:
        try:
            position, tail_bytes = self.position, self.tail_bytes
            await self._archive.write(position, self._memory.copy())
            await self._journal.purge(position.sequence + 1, position.epoch)
            self.tail_bytes -= tail_bytes
            self._counts.journal_snapshots += 1
            self.fault = None
        except NatantError as error:
            # The journal has everything: the next append tries again.
            self.fault = error
            self._counts.journal_snapshot_failures += 1
            _LOG.warning("no snapshot of partition %d was taken: %s", self.partition, error)
        finally:
            self._snapshot = None

    # Opening ---------------------------------------------------------------------------------------------------------

    async def _open(self, owner: str, max_bytes: int) -> None:
        head, mark, identity = await self._take_over(owner, max_bytes)
        for left in reversed(range(OPENINGS)):
            try:
                await self._recover(identity, head)
                break
            except FabricError:
                # An owner who did not know yet that he was deposed may have taken a snapshot.
                newer = await self._archive.newest()
                if newer == head or not left:
                    raise
                head = newer
        if mark is not None and self.position.number < mark.number:
            raise self._lost_end(mark, f"ends at record {self.position.number}")
        self._mark_soon()

    async def _take_over(self, owner: str, max_bytes: int) -> tuple[Head | None, Position | None, bytes]:
        """Append our epoch; the snapshot and the mark before that, and the identity of the journal."""
        left = OPENINGS
        while True:
            head, mark, last, newest = await asyncio.gather(
                self._archive.newest(), self._archive.marked(), self._journal.last(), self._journal.newest_epoch()
            )
            # All that can be seen is looked at before the journal is touched.
            identity = self._identity(newest)
            for known in (head and head.position, mark):
                if known is not None:
                    self._check_end(known, last, identity if newest else None)
            if last is None:
                await self._journal.create(max_bytes)
            message = Epoch(identity, owner).pack()
            nonce = f"epoch.{secrets.token_hex(8)}"
            try:
                self.epoch = await self._journal.append_epoch(message, nonce, 0 if newest is None else None)
                return head, mark, identity
            except FabricError as error:
                # Somebody else began the journal at the same time: it has his identity now.
                left -= 1
                if error.code != DEPOSED or not left:
                    raise

    def _identity(self, newest: Message | None) -> bytes:
        """Of the journal that is there, or a new one."""
        if newest is None:
            return secrets.token_bytes(IDENTITY_SIZE)
        return Epoch.unpack(newest.data, f"{self._journal.place}, message {newest.sequence}").identity

    def _check_end(self, known: Position, last: int | None, identity: bytes | None) -> None:
        """See that the journal is there, is the same, and reaches as far as somebody knows it did."""
        if last is None:
            raise self._journal.gone()
        if identity is None:
            raise FabricError(
                "NT-FABRIC-104",
                f"{self._journal.place} is empty, but it had reached record {known.number}: the stream was emptied or made again. "
                "Bring it back from a backup.",
            )
        if identity != known.identity:
            raise FabricError(
                "NT-FABRIC-104",
                f"{self._journal.place} is not the one that the snapshots of partition {self.partition} belong to (record "
                f"{known.number}): the stream was deleted and made again, or replaced. Bring both streams back from a backup.",
            )
        if last < known.sequence:
            raise self._lost_end(known, f"ends at message {last}")

    async def _recover(self, identity: bytes, head: Head | None) -> None:
        """Read the snapshot and the records behind it."""
        start = Position.start(identity) if head is None else head.position
        chain = Chain(start, self._journal.place)
        memory = MemoryStore()
        if head is not None:
            memory.fill(await self._archive.read(head))
        tail_bytes = 0
        async for page in self._journal.read(start.sequence + 1, self.epoch):
            for message in page:
                tail_bytes += len(message.data) + MESSAGE_BYTES
                _replay(chain, message, memory)
        self._memory, self.position, self.tail_bytes = memory, chain.position, tail_bytes
        self._counts.journal_repeats += chain.ignored

    def _lost_end(self, known: Position, fact: str) -> FabricError:
        return FabricError(
            "NT-FABRIC-102",
            f"{self._journal.place} {fact}, but record {known.number} in message {known.sequence} was acknowledged: a server lost the "
            "end of the stream, which happens where it finds a damaged message in its file. Bring the stream back from a backup, "
            "or from a server of the cluster that has it whole.",
        )


def _replay(chain: Chain, message: Message, memory: MemoryStore) -> None:
    if message.is_epoch:
        chain.take_epoch(message.sequence, message.data)
    elif batch := chain.take(message.sequence, message.data):
        memory.apply(batch)
