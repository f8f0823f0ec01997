"""The fabric on NATS: a table of members and owners, pings that tell who has died, messages on subjects of the workers.

The bucket has a row ``w.<worker>`` for each member, which expires where nobody renews it, and a row ``p.<n>`` for each partition that
was claimed.  A claim counts as long as its worker is a member, so nothing but the row of the member is ever renewed.  Whoever finds a
worker dead removes its row, behind the revision it has seen: a row renewed since then stays.

Nobody gives anything up because the servers are away: rows outlive an outage of ``MEMBER_LIFE_S`` less ``RENEW_EVERY_S``, and after it
everybody has time to come back.  What two workers believe at the same time is settled by the journal's fence.

Called by the cluster.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from natant.errors import FabricError
from natant.fabric.assign import assign
from natant.fabric.contract import Member, Owner, PartitionStore
from natant.fabric.detector import ALARM_EVERY_S, LATE_S, PING_EVERY_S, Detector
from natant.fabric.mesh import Mesh
from natant.fabric.nats.directory import member_of, member_row, owner_of, owner_row
from natant.fabric.nats.table import Table
from natant.fabric.nats.trunk import Trunk

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["NatsFabric"]

#: a member that does not renew its row this long is none any more, however few are there to notice
MEMBER_LIFE_S: Final = 30
RENEW_EVERY_S: Final = 8.0
#: how often the table is read without being told to
POLL_EVERY_S: Final = 2.0
#: how long a worker that closes tries to tell the others
GOODBYE_S: Final = 2.0
#: how often a claim that found an old revision is tried again
CLAIM_TRIES: Final = 3

_LOG = logging.getLogger("natant.fabric")


class NatsFabric:
    """One worker's fabric; :class:`natant.fabric.contract.Fabric` says the rest.

    :param engine: the connection; it is the caller's, who closes it after the fabric.
    """

    def __init__(self, engine: Engine) -> None:
        self.worker = secrets.token_hex(5)
        self.members: Mapping[str, Member] = {}
        self.owners: Sequence[Owner | None] = [None] * engine.spec.partitions
        self.on_change: Callable[[], None] = lambda: None
        self.on_message: Callable[[str, bytes], None] = lambda worker, payload: None
        self.on_gap: Callable[[str], None] = lambda worker: None
        #: how many workers we found dead
        self.verdicts = 0
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._table = Table(engine)
        self._detector = Detector(self.worker)
        self._trunk = Trunk(engine, self.worker, self._arrived, self._detector)
        self._mesh = Mesh(self.worker, self._trunk.send, self._heard, self._missed)
        self._member = Member(self.worker)
        self._is_open = False
        self._is_current = True
        self._wanted: list[int] | None = None
        self._beat: asyncio.Task[None] | None = None
        self._jobs: dict[str, asyncio.Task[None]] = {}

    # Membership ------------------------------------------------------------------------------------------------------

    async def open(self, info: Mapping[str, Any]) -> None:
        """Become a member."""
        self._member = Member(self.worker, dict(info))
        self._table.on_change = self._table_changed
        self._table.on_loss = self._table_lost
        await self._table.open()
        await self._trunk.open()
        self._is_open = True
        self._engine.on_change.append(self._connection_changed)
        self._engine.courier.on_up.append(self._pings_back)
        await self._renew()
        self._look()
        self._beat = self._loop.create_task(self._beat_on())

    async def leave(self) -> None:
        """Be assigned nothing more."""
        self._member = Member(self.worker, self._member.info, is_leaving=True)
        await self._renew()
        self._look()

    async def close(self) -> None:
        """Cease to be a member."""
        if not self._is_open:
            return
        self._is_open = False
        self._engine.on_change.remove(self._connection_changed)
        self._engine.courier.on_up.remove(self._pings_back)
        if self._beat is not None:
            self._beat.cancel()
        for job in list(self._jobs.values()):
            job.cancel()
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._table.remove(f"w.{self.worker}")
        except (FabricError, TimeoutError) as error:
            _LOG.warning("worker %s leaves without telling the others, who will find out: %s", self.worker, error)
        await self._trunk.close()
        await self._table.close()
        self.members = {}

    # Messages --------------------------------------------------------------------------------------------------------

    def send(self, worker: str, payload: bytes) -> None:
        """Send to a worker, at most once."""
        if self._is_open:
            self._mesh.send(worker, payload)

    def counts(self) -> dict[str, int]:
        """What metrics show."""
        return {
            "verdicts": self.verdicts,
            "gaps": self._mesh.gaps,
            "malformed": self._trunk.malformed,
            "dropped": self._trunk.dropped,
        }

    # Partitions ------------------------------------------------------------------------------------------------------

    async def open_store(self, partition: int) -> PartitionStore:
        """Take a partition's journal over."""
        from natant.fabric.nats.partition_store import PartitionStore as NatsStore

        return await NatsStore.open(self._engine, partition, self.worker)

    async def claim(self, partition: int) -> bool:
        """Enter ourselves as owner."""
        key = f"p.{partition}"
        for _ in range(CLAIM_TRIES):
            self._look()
            owner = self.owners[partition]
            if owner is not None:
                return owner.worker == self.worker
            if await self._table.put(key, owner_row(self.worker), expected=self._table.revision(key)):
                self._look()
                return True
        return False

    async def release(self, partition: int) -> None:
        """Take ourselves out of the table of owners."""
        key = f"p.{partition}"
        row = owner_of(self._table.rows.get(key))
        if row is not None and row.worker == self.worker:
            # Where it has another revision, somebody else has claimed it: nothing is left to release.
            await self._table.remove(key, expected=row.epoch)
            self._look()

    def wanted(self) -> list[int]:
        """The partitions we should own."""
        if self._wanted is None:
            staying = [name for name, member in self.members.items() if not member.is_leaving]
            owners = [owner.worker if owner else None for owner in self.owners]
            self._wanted = assign(staying, owners).get(self.worker, [])
        return list(self._wanted)

    # What comes in ---------------------------------------------------------------------------------------------------

    def _arrived(self, frame: bytes) -> None:
        self._mesh.receive(frame)

    def _heard(self, worker: str, payload: bytes) -> None:
        self.on_message(worker, payload)

    def _missed(self, worker: str) -> None:
        member = self.members.get(worker)
        is_expected = member is None or member.is_leaving
        level = logging.INFO if is_expected else logging.WARNING
        _LOG.log(level, "messages between the workers %s and %s were lost, or it has gone", self.worker, worker)
        self.on_gap(worker)

    def _pings_back(self) -> None:
        self._detector.reconnected(self._loop.time())

    def _connection_changed(self, is_up: bool) -> None:
        if is_up:
            self._detector.reconnected(self._loop.time())
            self._start("renew", self._renew)
            self._table.poll()

    def _table_changed(self, key: str) -> None:
        if self._is_current:
            self._is_current = False
            self._loop.call_soon(self._look)

    def _table_lost(self) -> None:
        """The table is another one, and empty: enter what we have, and give others time to do so."""
        self._detector.reconnected(self._loop.time())
        self._start("renew", self._renew)
        self._start("restore", self._restore)

    async def _restore(self) -> None:
        """Enter our claims again; where somebody was faster, the partition is his."""
        ours = [number for number, owner in enumerate(self.owners) if owner and owner.worker == self.worker]
        await asyncio.gather(*(self._table.put(f"p.{number}", owner_row(self.worker), expected=0) for number in ours))

    def _look(self) -> None:
        """Compute members and owners from the table, and tell where they are other than before."""
        self._is_current = True
        if not self._is_open:
            return
        is_grace = self._detector.is_lenient(self._loop.time())
        members: dict[str, Member] = {}
        for key, entry in self._table.rows.items():
            if key.startswith("w."):
                worker = key[2:]
                if entry.is_expired and is_grace and worker in self.members:
                    members[worker] = self.members[worker]
                elif (member := member_of(worker, entry)) is not None:
                    members[worker] = member
        if self.worker not in members:
            _LOG.warning("the others took worker %s for dead; it enters again", self.worker)
            self._start("renew", self._renew)
        # What nobody claimed meanwhile is still ours.
        members[self.worker] = self._member
        owners: list[Owner | None] = []
        for partition in range(len(self.owners)):
            row = self._table.rows.get(f"p.{partition}")
            owner = self.owners[partition] if row and row.is_expired and is_grace else owner_of(row)
            owners.append(owner if owner and owner.worker in members else None)
        if members == self.members and owners == self.owners:
            return
        gone, come = self.members.keys() - members.keys(), members.keys() - self.members.keys()
        self.members, self.owners, self._wanted = members, owners, None
        for worker in sorted(come):
            self._mesh.admit(worker)
        for worker in sorted(gone):
            self._mesh.drop(worker)
        # Never from inside a call of theirs.
        self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        if self._is_open:
            self.on_change()

    # The beat --------------------------------------------------------------------------------------------------------

    async def _beat_on(self) -> None:
        """Ping, judge, renew, poll: for ever."""
        last_s = renewed_s = polled_s = self._loop.time()
        while True:
            await asyncio.sleep(ALARM_EVERY_S if self._detector.is_alarmed else PING_EVERY_S)
            now_s = self._loop.time()
            is_late, last_s = now_s - last_s > LATE_S, now_s
            if not (self._engine.nc.is_connected and self._engine.courier.is_connected):
                continue
            for worker, cause in self._detector.verdicts(now_s):
                self._start(worker, lambda worker=worker, cause=cause: self._bury(worker, cause))  # type: ignore[misc]
            for worker in self._detector.tick(self.members, now_s):
                self._trunk.ping(worker)
            self._mesh.tick()
            if is_late or now_s - polled_s >= POLL_EVERY_S:
                polled_s = now_s
                self._table.poll()
                self._look()
            if is_late or now_s - renewed_s >= RENEW_EVERY_S:
                renewed_s = now_s
                self._start("renew", self._renew)

    def _start(self, name: str, work: Callable[[], Any]) -> None:
        """Run something in the background, one of a name at a time."""
        if name in self._jobs or not self._is_open:
            return
        job = self._jobs[name] = self._loop.create_task(self._do(name, work))
        job.add_done_callback(lambda _: self._jobs.pop(name, None))

    async def _do(self, name: str, work: Callable[[], Any]) -> None:
        try:
            await work()
        except FabricError as error:
            _LOG.warning("worker %s: %s", self.worker, error)

    async def _renew(self) -> None:
        await self._table.put(f"w.{self.worker}", member_row(self._member), life_s=MEMBER_LIFE_S)

    async def _bury(self, worker: str, cause: str) -> None:
        """Remove the row of a dead worker as we last saw it."""
        key = f"w.{worker}"
        if worker not in self.members:
            return
        if await self._table.remove(key, expected=self._table.revision(key)):
            self.verdicts += 1
            _LOG.warning("worker %s is taken for dead: %s; its partitions are free", worker, cause)
            self._look()
