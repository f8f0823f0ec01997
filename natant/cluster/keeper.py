"""The partitions of a worker: taken up, handed over, dropped.

==========  ======================================================================================================
a partition
==========  ======================================================================================================
*comes*     the table of owners has been claimed, the journal is taken over and read; who asks for it here waits
*is here*   its host works
*goes*      it takes nothing new, finishes what it has, tells its peers how far it got, and is released
*is lost*   another worker has taken its journal over: it is dropped as it stands; what was not committed did not happen
==========  ======================================================================================================
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from natant.cluster.crossing import Arrivals, Departures
from natant.cluster.place import PartitionPlace
from natant.errors import NatantError
from natant.host import Attachment, Host

if TYPE_CHECKING:
    from natant.cluster.crossing import Router
    from natant.cluster.gate import Gate
    from natant.cluster.guest import Guests
    from natant.fabric.contract import Fabric
    from natant.kernel.counter import Counter
    from natant.kernel.env import Env, Handle
    from natant.kernel.log import Log
    from natant.link.agentlink import Connect
    from natant.plane import Plane

__all__ = ["Keeper"]

#: partitions that come at the same time
COME_AT_ONCE: Final = 8
#: and that go: few, so that each is away for a short time only
GO_AT_ONCE: Final = 2
#: how long one that went is waited for to be claimed by the next owner before another one goes
CLAIM_WAIT_S: Final = 1.0
#: how long a partition that could not be taken up is left alone; doubled each time, up to the longest
RETRY_FIRST_S: Final = 0.5
RETRY_LONGEST_S: Final = 30.0

_LOG = logging.getLogger("natant.cluster")


class Keeper:
    """Keeps the partitions that fall to this worker.

    :ivar hosts: by partition: those that take work; read by gate, guests and calls.
    :ivar faults: by partition: why it could not be taken up.
    """

    def __init__(
        self,
        plane: Plane,
        fabric: Fabric,
        env: Env,
        *,
        log: Log,
        counter: Counter,
        connect: Connect | None,
        attachments: Iterable[Attachment],
    ) -> None:
        self._plane = plane
        self._fabric = fabric
        self._env = env
        self._log = log
        self._counter = counter
        self._connect = connect
        self.attachments = list(attachments)
        self.hosts: dict[int, Host] = {}
        self.arrivals: dict[int, Arrivals] = {}
        self.departures: dict[int, Departures] = {}
        self.faults: dict[int, NatantError] = {}
        self.gate: Gate
        self.guests: Guests
        self.router: Router
        #: called when the host of a partition came or went
        self.on_change: Callable[[int], None] = lambda partition: None
        self._coming: set[int] = set()
        self._going: set[int] = set()
        self._retry_s: dict[int, float] = {}
        self._timers: dict[int, Handle] = {}
        self._idle_waiters: list[Any] = []
        #: partitions that went and that nobody has claimed yet
        self._given: dict[int, Any] = {}
        self._is_stopped = False
        #: partitions taken up, handed over and lost
        self.taken = self.given = self.lost = 0

    def is_coming(self, partition: int) -> bool:
        """True while a host for it is being made here."""
        return partition in self._coming

    def settle(self) -> None:
        """Members or owners are other than before: take up what falls to us, hand over what does not."""
        self._look_at_given()
        wanted = set() if self._is_stopped else set(self._fabric.wanted())
        for partition in list(self.hosts):
            # One that the table does not give us any more was somebody else's meanwhile: its host is of the past.
            owner = self._fabric.owners[partition]
            is_ours = partition in wanted and owner is not None and owner.worker == self._fabric.worker
            if not is_ours and len(self._going) < GO_AT_ONCE:
                self._going.add(partition)
                self._env.spawn(self._go(partition, self.hosts.pop(partition)))
        for partition in sorted(wanted):
            if len(self._coming) >= COME_AT_ONCE:
                break
            is_busy = partition in self.hosts or partition in self._coming or partition in self._going
            if not is_busy and partition not in self._timers:
                self._coming.add(partition)
                self._env.spawn(self._come(partition))

    # --- coming ---------------------------------------------------------------------------------------------------

    async def _come(self, partition: int) -> None:
        is_ours = False
        made: tuple[Host, Arrivals, Departures] | None = None
        begun_s = self._env.now()
        try:
            is_ours = await self._fabric.claim(partition)
            if is_ours:
                made = await self._make(partition)
        except Exception as error:
            self._failed(partition, error)
            if is_ours:
                await self._release(partition)
        finally:
            self._coming.discard(partition)
        if made is not None:
            self.hosts[partition], self.arrivals[partition], self.departures[partition] = made
            self.faults.pop(partition, None)
            self._retry_s.pop(partition, None)
            self.taken += 1
            _LOG.debug("partition %d taken up in %.0f ms", partition, (self._env.now() - begun_s) * 1000)
            self.guests.came(partition)
            self.on_change(partition)
        self._look_on()

    async def _make(self, partition: int) -> tuple[Host, Arrivals, Departures]:
        store = await self._fabric.open_store(partition)
        try:
            place = PartitionPlace(self.gate, partition, self._log, self._counter)
            host = Host(
                self._plane,
                store=store,
                env=self._env,
                connect=self._connect,
                attachments=self.attachments,
                place=place,
            )
            kernel = host.kernel
            outbox = kernel.outbox
            gate, router = self.gate, self.router
            departures = Departures(
                kernel,
                gate.partition,
                lambda target, previous, items: router.post(partition, kernel.identity, target, previous, items),
            )
            outbox.is_away = lambda node: gate.partition(node) != partition
            outbox.across = departures.take
            arrivals = Arrivals(kernel)
            kernel.journal.on_deposed = lambda error: self._deposed(partition, error)
            await host.start()
        except BaseException:
            store.close()
            raise
        return host, arrivals, departures

    def _failed(self, partition: int, error: Exception) -> None:
        wait_s = self._retry_s.get(partition, RETRY_FIRST_S)
        self._retry_s[partition] = min(wait_s * 2, RETRY_LONGEST_S)
        self._timers[partition] = self._env.call_at(self._env.now() + wait_s, self._retry, partition)
        if isinstance(error, NatantError):
            self.faults[partition] = error
            _LOG.error("partition %d cannot be taken up, tried again in %g s: %s", partition, wait_s, error)
        else:
            self.gate.broken(f"taking up partition {partition}", error)

    def _retry(self, partition: int) -> None:
        self._timers.pop(partition, None)
        self.settle()

    async def _release(self, partition: int) -> None:
        try:
            await self._fabric.release(partition)
        except Exception as error:
            self.gate.broken(f"releasing partition {partition}", error)

    # --- going ----------------------------------------------------------------------------------------------------

    async def _go(self, partition: int, host: Host) -> None:
        departures = self.departures.pop(partition)
        begun_s = self._env.now()
        try:
            self.gate.suspend(partition)
            self.guests.suspend(partition)
            self.arrivals.pop(partition).stop()
            await host.quiesce()
            quiet_s = self._env.now()
            departures.stop()
            self._part(partition, host, "it moves")
            await host.stop()
            self.given += 1
            end_s = self._env.now()
            _LOG.debug(
                "partition %d handed over: quiet after %.0f ms, closed after %.0f ms",
                partition,
                (quiet_s - begun_s) * 1000,
                (end_s - begun_s) * 1000,
            )
        except Exception as error:
            self.gate.broken(f"handing over partition {partition}", error)
        finally:
            await self._release(partition)
            self.on_change(partition)
            await self._until_claimed(partition)
            self._going.discard(partition)
            self._look_on()

    async def _until_claimed(self, partition: int) -> None:
        """Wait until somebody else has what was given, for a while."""
        fabric = self._fabric
        if all(member.is_leaving or member.worker == fabric.worker for member in fabric.members.values()):
            return
        if self._fabric.owners[partition] is None:
            gate = self._given[partition] = self._env.future()
            timer = self._env.call_at(
                self._env.now() + CLAIM_WAIT_S, lambda: None if gate.done() else gate.set_result(None)
            )
            await gate
            timer.cancel()
            self._given.pop(partition, None)

    def _look_at_given(self) -> None:
        for partition, gate in self._given.items():
            if self._fabric.owners[partition] is not None and not gate.done():
                gate.set_result(None)

    def _part(self, partition: int, host: Host, reason: str) -> None:
        """Cut the ways from and to a host."""
        self.guests.leave(partition, reason)
        self.gate.lose(partition, reason)
        host.downlinks.near.close()

    def _deposed(self, partition: int, error: NatantError) -> None:
        """Another worker has the partition: drop the host as it stands."""
        host = self.hosts.pop(partition, None)
        if host is None:
            return  # it was going anyway
        self.lost += 1
        _LOG.warning("partition %d was taken over by another worker: %s", partition, error)
        self.arrivals.pop(partition).stop()
        self.departures.pop(partition).stop()
        self._going.add(partition)
        host.abandon()
        self._part(partition, host, "another worker has it")
        self._env.spawn(self._drop(partition, host))

    async def _drop(self, partition: int, host: Host) -> None:
        try:
            await host.stop()
        except Exception as error:
            self.gate.broken(f"dropping partition {partition}", error)
        finally:
            await self._release(partition)
            self._going.discard(partition)
            self.on_change(partition)
            self._look_on()

    # --- the end --------------------------------------------------------------------------------------------------

    def _look_on(self) -> None:
        self.settle()
        if self._is_stopped and not self.hosts and not self._coming and not self._going:
            waiters, self._idle_waiters = self._idle_waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    async def give_all(self) -> None:
        """Hand over every partition, and take none any more."""
        self._is_stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if not self.hosts and not self._coming and not self._going:
            return
        done = self._env.future()
        self._idle_waiters.append(done)
        self.settle()
        await done
