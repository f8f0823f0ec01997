"""What the host of one partition is given, and the way of its agents to all agents of the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from natant.cluster.leg import Leg
from natant.codec.warp.envelope import decode
from natant.fabric.partition import partition_of
from natant.link.channel import Channel
from natant.link.identity import INTERNAL, Identity
from natant.link.near import LOCAL_LINK_LIMIT, tune

if TYPE_CHECKING:
    from natant.cluster.gate import Gate
    from natant.kernel.counter import Counter
    from natant.kernel.kernel import Kernel
    from natant.kernel.log import Log
    from natant.link.session import Session

__all__ = ["PartitionPlace"]


class PartitionPlace:
    """The place of one partition's host; see :class:`natant.host.Place`."""

    def __init__(self, gate: Gate, partition: int, log: Log, counter: Counter) -> None:
        self._gate = gate
        self.partition = partition
        self.log = log
        self.counter = counter

    def has_source(self, name: str) -> bool:
        """True where this partition reads the source; each is read by one."""
        return partition_of(f"/source/{name}", self._gate.count) == self.partition

    def near(self, kernel: Kernel) -> GateNear:
        """The way of the agents of this partition to all others."""
        return GateNear(self._gate, kernel)


class GateNear:
    """Channels to partitions, each over a leg of its own."""

    def __init__(self, gate: Gate, kernel: Kernel) -> None:
        self._gate = gate
        self._kernel = kernel
        self._peers: dict[int, _NearPeer] = {}
        self._is_open = False

    def channel(self, node: str) -> Channel:
        """The channel to the partition of ``node``."""
        partition = self._gate.partition(node)
        peer = self._peers.get(partition)
        if peer is None:
            peer = self._peers[partition] = _NearPeer(self._gate, self._kernel)
            if self._is_open:
                peer.start(partition)
        return peer.channel

    def open(self) -> None:
        """Begin to link."""
        self._is_open = True
        for partition, peer in self._peers.items():
            peer.start(partition)

    def close(self) -> None:
        """End all links: the partition leaves this worker."""
        self._is_open = False
        for peer in self._peers.values():
            peer.stop()


class _NearPeer:
    """The agents of one partition as a peer of another one."""

    is_framed = False
    is_paused = False
    request_uri = "/"
    identity: Identity = INTERNAL

    def __init__(self, gate: Gate, kernel: Kernel) -> None:
        self._gate = gate
        self._kernel = kernel
        self.remote = f"partition of {gate.worker}"
        self._leg: Leg | None = None
        self.channel = Channel(self._send, kernel.env.now, "", heard_at=self._heard_s, link_limit=LOCAL_LINK_LIMIT)

    def start(self, partition: int) -> None:
        if self._leg is None:
            self._leg = self._gate.leg(self, partition)

    def stop(self) -> None:
        leg, self._leg = self._leg, None
        if leg is not None:
            leg.leave("the partition leaves")
        if self.channel.is_connected:
            self.channel.disconnected("the partition leaves")

    def _heard_s(self) -> float:
        """When the owner of the other partition was last known to live; in this process it does."""
        leg = self._leg
        if leg is None or not leg.worker:
            return float("-inf")
        if leg.session is not None:
            return self._kernel.env.now()
        return self._gate.trunk.heard_s.get(leg.worker, float("-inf"))

    def _send(self, payload: bytes) -> None:
        if self._leg is not None:
            self._leg.send(decode(payload), payload)

    # --- what the leg calls ---------------------------------------------------------------------------------------

    def deliver(self, leg: Leg, payloads: list[bytes]) -> None:
        receive = self.channel.receive
        for payload in payloads:
            try:
                receive(payload)
            except Exception as error:
                self._gate.broken("a downlink of an agent to its own plane", error)

    def opened(self, leg: Leg) -> None:
        self._leg = leg  # it may open before it has been given to us
        if not self.channel.is_connected:
            self.channel.connected()

    def lost(self, leg: Leg, reason: str) -> None:
        leg.sift(lambda _envelope: False)  # the channel asks for its links anew
        if self.channel.is_connected:
            self.channel.disconnected(reason)

    def ended(self, leg: Leg, code: int, reason: str) -> None:
        self._gate.broken("a link between partitions", RuntimeError(f"{code} {reason}"))

    def hold(self, leg: Leg, is_held: bool) -> None:
        """Agents are held back by their mailboxes instead."""

    def tune(self, session: Session) -> None:
        tune(session)
