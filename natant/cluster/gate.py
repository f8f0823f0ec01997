"""The gate of a worker: its legs, and which partition has which node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from natant.cluster.leg import Leg, LegPeer
from natant.cluster.message import ACK, LOST, OUT, PAUSE
from natant.cluster.peer import GateSession
from natant.codec import uri
from natant.fabric.partition import CACHED_NODES, partition_of

if TYPE_CHECKING:
    from natant.cluster.trunk import Trunk
    from natant.fabric.contract import Fabric
    from natant.host import Host
    from natant.kernel.counter import Counter
    from natant.kernel.env import Env
    from natant.kernel.log import Log
    from natant.link.sink import Sink
    from natant.plane import Plane

__all__ = ["Gate", "partition_for"]

#: how long a leg waits before it is looked anew who has its partition, where nobody told of a change
LOOK_AGAIN_S: Final = 0.05

#: meta nodes that tell of another node are where that one is
_ABOUT: Final = ("swim:meta:node/", "swimos:meta:node/")


@lru_cache(CACHED_NODES)
def partition_for(node: str, count: int) -> int:
    """The partition of a node in any of its spellings, or of the node that a meta node tells of.

    :raises WarpError: where it is no URI.
    """
    key = uri.resolve(node)[1]
    for prefix in _ABOUT:
        if key.startswith(prefix):
            return partition_of(unquote(key[len(prefix) :].partition("/")[0]), count)
    return partition_of(key, count)


class Gate:
    """Where peers of this worker come in.

    :param hosts: by partition: those that run here and take work.
    :param broken: told what was caught so that it harms nobody else.
    """

    def __init__(
        self,
        plane: Plane,
        fabric: Fabric,
        trunk: Trunk,
        env: Env,
        *,
        hosts: Mapping[int, Host],
        log: Log,
        counter: Counter,
        broken: Callable[[str, BaseException], None],
    ) -> None:
        self.plane = plane
        self.fabric = fabric
        self.trunk = trunk
        self.env = env
        self.hosts = hosts
        self.log = log
        self.counter = counter
        self.broken = broken
        self.worker = fabric.worker
        self.count = len(fabric.owners)
        self.sessions: set[GateSession] = set()
        self._legs: dict[int, Leg] = {}
        self._of: dict[int, set[Leg]] = {}
        #: legs that nobody has the partition of
        self._waiting: set[Leg] = set()
        self._way = 0
        self._is_look_due = False
        trunk.handlers[OUT] = self._out
        trunk.handlers[ACK] = self._ack
        trunk.handlers[PAUSE] = self._pause
        trunk.handlers[LOST] = self._lost

    def connect(self, sink: Sink, *, remote: str, request_uri: str = "/") -> GateSession:
        """A session for a new peer of this worker."""
        session = GateSession(self, sink, remote, request_uri)
        self.sessions.add(session)
        self.counter.sessions_opened += 1
        return session

    def partition(self, node: str) -> int:
        """Which partition has ``node``.

        :raises WarpError: where it is no URI.
        """
        return partition_for(node, self.count)

    # --- legs -----------------------------------------------------------------------------------------------------

    def leg(self, peer: LegPeer, partition: int) -> Leg:
        """A new leg; it opens at once where somebody has the partition."""
        self._way += 1
        leg = self._legs[self._way] = Leg(self, peer, partition, self._way)
        self._of.setdefault(partition, set()).add(leg)
        self._waiting.add(leg)
        self._settle(leg)
        return leg

    def forget(self, leg: Leg) -> None:
        """The leg is no more."""
        self._legs.pop(leg.way, None)
        self._waiting.discard(leg)
        members = self._of.get(leg.partition)
        if members is not None:
            members.discard(leg)
            if not members:
                del self._of[leg.partition]

    def _settle(self, leg: Leg) -> None:
        """Open a leg where that is possible."""
        host = self.hosts.get(leg.partition)
        if host is not None:
            self._guard(
                leg, lambda: leg.open_here(host.connect(leg, remote=leg.peer.remote, request_uri=leg.peer.request_uri))
            )
            return
        owner = self.fabric.owners[leg.partition]
        if owner is not None and owner.worker != self.worker and owner.worker in self.fabric.members:
            self._guard(leg, lambda: leg.open_there(owner.worker))

    def _guard(self, leg: Leg, open_it: Callable[[], object]) -> None:
        self._waiting.discard(leg)
        try:
            open_it()
        except Exception as error:
            self.broken(f"a way of {leg.peer.remote} to partition {leg.partition}", error)
            leg.peer.ended(leg, 1011, "NT-LINK-010 the connection failed on this side")

    def settle(self) -> None:
        """Owners or members are other than before: open what can be opened."""
        self._is_look_due = False
        for leg in list(self._waiting):
            if leg in self._waiting:  # it may have opened, or gone, with one before it
                self._settle(leg)

    def _lose(self, leg: Leg, reason: str, taken: int | None = None) -> None:
        self._waiting.add(leg)
        leg.lose(reason, taken)

    def _look_again(self) -> None:
        if not self._is_look_due:
            self._is_look_due = True
            self.env.call_at(self.env.now() + LOOK_AGAIN_S, self.settle)

    def suspend(self, partition: int) -> None:
        """The partition is about to leave this worker: its host still speaks, what peers say is held."""
        for leg in self._of.get(partition, ()):
            if leg.session is not None:
                leg.suspend()

    def lose(self, partition: int, reason: str) -> None:
        """The partition has left this worker."""
        for leg in list(self._of.get(partition, ())):
            if leg.session is not None:
                self._lose(leg, reason)
        self._look_again()

    def lose_worker(self, worker: str) -> None:
        """What was shared with a worker is gone."""
        for leg in list(self._legs.values()):
            if leg.worker == worker and leg.is_remote:
                self._lose(leg, "the worker that has it is gone")
        self._look_again()

    # --- from other workers ---------------------------------------------------------------------------------------

    def _leg_of(self, worker: str, way: int) -> Leg | None:
        leg = self._legs.get(way)
        return leg if leg is not None and leg.worker == worker else None

    def _out(self, worker: str, item: list[Any]) -> None:
        payload = item[1]
        for way in item[2]:
            leg = self._leg_of(worker, way)
            if leg is not None:
                leg.arrive(payload)

    def _ack(self, worker: str, item: list[Any]) -> None:
        leg = self._leg_of(worker, item[1])
        if leg is not None:
            leg.acknowledge(item[2])

    def _pause(self, worker: str, item: list[Any]) -> None:
        leg = self._leg_of(worker, item[1])
        if leg is not None:
            (leg.pause_reading if item[2] else leg.resume_reading)()

    def _lost(self, worker: str, item: list[Any]) -> None:
        _, way, taken, code, reason = item
        leg = self._leg_of(worker, way)
        if leg is None:
            return
        if code:
            self._lose(leg, reason)
            leg.peer.ended(leg, code, reason)
            return
        self._lose(leg, reason, taken)
        owner = self.fabric.owners[leg.partition]
        if owner is not None and owner.worker != worker:
            self._settle(leg)
        else:
            self._look_again()
