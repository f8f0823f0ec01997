"""Legs: the way of one peer to one partition, wherever that runs at present.

A leg is *open* while there is a session for the peer at the partition's host, here or on another worker; it is *lost* when that
worker goes or gives the partition away, and opens again with the next owner.  What the peer says meanwhile is held, in its order.

What a leg sends to another worker is remembered until that has taken it in.  Where the partition is handed over as planned, the old
owner tells how much it took, and the rest goes to the new one: nothing is lost or done twice.  Where a worker dies, nobody knows
how much of the last moment it took; that is not sent again (a command that must not be lost is sent acknowledged).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from natant.cluster.message import CREDIT, IN, OPEN, SHUT, pack_identity
from natant.codec.warp.envelope import Envelope, decode
from natant.link.identity import Identity

if TYPE_CHECKING:
    from natant.cluster.gate import Gate
    from natant.link.session import Session

__all__ = ["HELD_LIMIT", "Leg", "LegPeer"]

#: messages of one peer that wait for one partition, or for the word that it has taken them, before no more is read from the peer
HELD_LIMIT: Final = 512
#: bytes that a partition may have under way to a peer of another worker
WINDOW_BYTES: Final = 256 * 1024
#: bytes after which the partition is told that they have arrived
CREDIT_BYTES: Final = WINDOW_BYTES // 4

#: why no more is read from the peer: too much is under way; the session asked for it
_BEHIND: Final = 1
_BY_SESSION: Final = 2

Message = bytes | str


class LegPeer(Protocol):
    """At the near end of a leg."""

    identity: Identity
    remote: str
    request_uri: str
    #: payloads are whole WebSocket frames
    is_framed: bool

    @property
    def is_paused(self) -> bool:
        """True while nothing more should be written."""

    def deliver(self, leg: Leg, payloads: list[bytes]) -> None:
        """What the partition says."""

    def opened(self, leg: Leg) -> None:
        """There is a session; what is sent now reaches it before what was held."""

    def lost(self, leg: Leg, reason: str) -> None:
        """The session is gone; the leg opens again by itself."""

    def ended(self, leg: Leg, code: int, reason: str) -> None:
        """The partition ended the connection for good."""

    def hold(self, leg: Leg, is_held: bool) -> None:
        """Take no more from the peer, or take it again."""

    def tune(self, session: Session) -> None:
        """Set the bounds of a session that was opened here."""


class Leg:
    """The way of one peer to one partition; the sink of its session where that is here.

    :ivar way: what the messages of the trunk call it.
    :ivar worker: who has the session; empty while nobody has.
    :ivar session: the session, where it is in this process.
    """

    __slots__ = (
        "_credit_bytes",
        "_held",
        "_is_suspended",
        "_sent",
        "_stops",
        "_stored",
        "gate",
        "is_closed",
        "is_framed",
        "partition",
        "peer",
        "session",
        "taken",
        "way",
        "worker",
    )

    def __init__(self, gate: Gate, peer: LegPeer, partition: int, way: int) -> None:
        self.gate = gate
        self.peer = peer
        self.partition = partition
        self.way = way
        self.worker = ""
        self.session: Any = None
        self.is_framed = peer.is_framed
        self.is_closed = False
        #: messages that the far end has taken in
        self.taken = 0
        #: from the peer, for a partition that nobody has
        self._held: deque[tuple[Envelope, Message]] = deque()
        #: given to the trunk and not known to be taken in
        self._sent: deque[Message] = deque()
        #: from the partition, for a peer that reads too slowly
        self._stored: list[bytes] = []
        self._credit_bytes = 0
        self._is_suspended = False
        #: why no more is read from the peer
        self._stops = 0

    @property
    def is_open(self) -> bool:
        """True where there is a session that takes what the peer says."""
        return bool(self.worker) and not self._is_suspended

    @property
    def is_remote(self) -> bool:
        """True where the session is on another worker."""
        return bool(self.worker) and self.session is None

    # --- from the peer --------------------------------------------------------------------------------------------

    def send(self, envelope: Envelope, message: Message) -> None:
        """Bring a message of the peer to the partition.

        :param envelope: the same, read.
        :raises WarpError: where the session refuses it; the peer's connection is to be closed.
        """
        if self.session is not None and not self._is_suspended:
            self.session.take(envelope)
            return
        if not self.worker or self._is_suspended or self._held:
            self._held.append((envelope, message))
        else:
            self._post(message)
        if len(self._held) + len(self._sent) >= HELD_LIMIT:
            self._stop(_BEHIND)

    def _post(self, message: Message) -> None:
        self._sent.append(message)
        self.gate.trunk.send(self.worker, (IN, self.way, message), len(message) + 16)

    def end_read(self) -> None:
        """All messages of one read of the peer have been given."""
        if self.session is not None:
            self.session.end_read()

    def resume(self) -> None:
        """The peer can be written again."""
        if self.session is not None:
            self.session.resume()
            return
        if self._stored:
            stored, self._stored = self._stored, []
            self.peer.deliver(self, stored)
        self._give_credit()

    def identify(self, identity: Identity) -> None:
        """The peer has said who it is: what it does from now on is done in that name."""
        if self.session is not None:
            self.session.identity = identity
        elif self.worker:
            self._announce()

    def leave(self, reason: str = "") -> None:
        """The peer is gone, or needs this leg no more."""
        if self.is_closed:
            return
        self.is_closed = True
        self.gate.forget(self)
        session, self.session = self.session, None
        if session is not None:
            session.close(reason)
        elif self.worker:
            self.gate.trunk.send(self.worker, (SHUT, self.way))
        self.worker = ""
        self._held.clear()
        self._sent.clear()
        self._stored.clear()

    # --- its far end ----------------------------------------------------------------------------------------------

    def open_here(self, session: Any) -> None:
        """There is a session in this process."""
        self.worker = self.gate.worker
        self.session = session
        session.identity = self.peer.identity
        self.peer.tune(session)
        self._begin()

    def open_there(self, worker: str) -> None:
        """Another worker has the partition: a session is opened there."""
        self.worker = worker
        self.taken = 0
        self._credit_bytes = 0
        self._announce()
        self._begin()

    def _announce(self) -> None:
        peer = self.peer
        identity = pack_identity(peer.identity)
        item = (OPEN, self.way, self.partition, peer.remote, peer.request_uri, peer.is_framed, identity)
        self.gate.trunk.send(self.worker, item, 256)

    def _begin(self) -> None:
        self.peer.opened(self)
        while self._held and self.worker and not self.is_closed:
            envelope, message = self._held.popleft()
            if self.session is not None:
                self.session.take(envelope)
            else:
                self._post(message)
        self._look_at_reading()

    def repeat(self, envelope: Envelope, message: Message) -> None:
        """Say something again that the peer said earlier; only while the leg opens."""
        if self.session is not None:
            self.session.take(envelope)
        else:
            self._post(message)

    def suspend(self) -> None:
        """The partition is about to go: it still speaks, and what the peer says is held."""
        self._is_suspended = True

    def lose(self, reason: str, taken: int | None = None) -> None:
        """The session is gone.

        :param taken: how many messages the partition had taken in; None where nobody knows.
        """
        if not self.worker or self.is_closed:
            return
        session, self.session = self.session, None
        self.worker = ""
        self._is_suspended = False
        if session is not None:
            session.close(reason)
        if taken is not None:
            self.acknowledge(taken)
            for message in reversed(self._sent):
                self._held.appendleft((decode(message), message))
        self._sent.clear()
        stored, self._stored = self._stored, []
        if stored:
            self.peer.deliver(self, stored)
        self._go_on(_BY_SESSION)
        self.peer.lost(self, reason)
        self._look_at_reading()

    def sift(self, wanted: Callable[[Envelope], bool]) -> None:
        """Keep only what is ``wanted`` of what waits for the partition."""
        self._held = deque(item for item in self._held if wanted(item[0]))

    def acknowledge(self, taken: int) -> None:
        """The far end has taken in so many messages since it was opened."""
        for _ in range(min(taken - self.taken, len(self._sent))):
            self._sent.popleft()
        self.taken = max(self.taken, taken)
        self._look_at_reading()

    def _look_at_reading(self) -> None:
        if self._stops & _BEHIND and len(self._held) + len(self._sent) <= HELD_LIMIT // 2:
            self._go_on(_BEHIND)

    def _stop(self, why: int) -> None:
        if not self._stops:
            self.peer.hold(self, True)
        self._stops |= why

    def _go_on(self, why: int) -> None:
        if self._stops:
            self._stops &= ~why
            if not self._stops:
                self.peer.hold(self, False)

    # --- from the partition ---------------------------------------------------------------------------------------

    def arrive(self, payload: bytes) -> None:
        """Something of the partition has come over the trunk."""
        self._credit_bytes += len(payload)
        if self._stored or self.peer.is_paused:
            self._stored.append(payload)
            return
        self.peer.deliver(self, [payload])
        if self._credit_bytes >= CREDIT_BYTES:
            self._give_credit()

    def _give_credit(self) -> None:
        if self._credit_bytes and not self._stored and self.worker and self.session is None:
            self.gate.trunk.send(self.worker, (CREDIT, self.way, self._credit_bytes))
            self._credit_bytes = 0

    # --- the sink of a session in this process --------------------------------------------------------------------

    @property
    def is_paused(self) -> bool:
        """True while nothing more should be written."""
        return self.peer.is_paused

    def write(self, payloads: list[bytes]) -> None:
        """Called by the session."""
        self.peer.deliver(self, payloads)

    def pause_reading(self) -> None:
        """Called by the session."""
        self._stop(_BY_SESSION)

    def resume_reading(self) -> None:
        """Called by the session."""
        self._go_on(_BY_SESSION)

    def close(self, code: int, reason: str) -> None:
        """Called by the session: it ended the connection."""
        self.peer.ended(self, code, reason)
