"""Uplinks: the serving end of one link, between the changes of a lane and a connection that may be slow.

An uplink is offered every change of its lane.  It queues what it could not send yet in the way that suits the lane:

=============  ====================================================================================================
``latest``     each state in turn; only the newest while the link is behind (value, demand)
``keyed``      the newest change of each key, in the order of their first change since the last send (map, join)
``ordered``    a bounded sequence; when it is full, or too old, the whole state is sent anew (list)
``queue``      a bounded sequence with an overflow policy (supply, command)
=============  ====================================================================================================

So no link holds more than its lane's state or its named bound, however slow its peer is.

Hot: an event's way is :meth:`Uplink.offer` when its turn has ended, then :meth:`Uplink.drain` when the session writes.  Types for
Cython are in ``uplink.pxd``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from natant.codec import warp
from natant.codec.warp import operation
from natant.codec.warp.frame import event_payload, event_payloads, frame
from natant.kernel.change import CLEAR, DROP, REMOVE, SET, TAKE, Event, Watcher
from natant.kernel.lanekind import Reader

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.env import Handle
    from natant.link.session import Session

__all__ = ["KeyedUplink", "LatestUplink", "OrderedUplink", "QueueUplink", "Uplink", "make"]

#: entries of a list that are sent in one go, so that other links get their turn in between
SYNC_CHUNK: Final = 256
#: longest time between two events that a peer can ask for by ``rate``
LONGEST_GAP_S: Final = 3600.0


class Uplink(Watcher):
    """One link of one connection.

    :ivar node: the node's URI as the peer spells it (normalised); all envelopes carry it.
    :ivar is_ready: True while the session has it on its list of uplinks with something to send.
    """

    __slots__ = (
        "cell", "event_header", "gap_s", "held", "is_attached", "is_closed", "is_framed", "is_ready", "is_sync_asked", "lane", "lane_text", "next_s", "node", "prio",
        "session",
    )  # fmt: skip

    def __init__(
        self, session: Session, cell: Cell, lane: Any, address: tuple[str, str], *, prio: float, rate: float
    ) -> None:
        self.session = session
        self.cell = cell
        self.lane = lane
        self.node, self.lane_text = address
        self.ask(prio, rate)
        self.next_s = 0.0
        self.is_framed = session.is_framed
        self.event_header = session.hub.header(self.node, self.lane_text, session.is_framed)
        self.is_ready = False
        self.is_attached = False
        self.is_closed = False
        #: calls again when ``rate`` allows the next event
        self.held: Handle | None = None
        #: a sync was asked for while one is under way
        self.is_sync_asked = False

    def ask(self, prio: float, rate: float) -> None:
        """The peer asks for a priority, and for so many events a second at most; 0 is without limit."""
        self.prio = prio
        self.gap_s = min(1.0 / rate, LONGEST_GAP_S) if rate > 0 else 0.0

    def offer(self, event: Event) -> None:
        """Take a change of the lane."""
        raise AssertionError("each kind has its own queue")

    def begin_sync(self, bodies: Any, is_told: bool = True) -> None:
        """Send the state; ``@synced`` follows where ``is_told``."""
        raise AssertionError("each kind has its own sync")

    def drain(self, out: list[bytes]) -> bool:
        """Put what is due into ``out``; True where more is ready."""
        raise AssertionError("each kind has its own queue")

    def read_state(self) -> Any:
        """The state of the lane as it is now: what :meth:`begin_sync` takes."""
        return iter(list(self.lane.snapshot(self.cell, self.lane_text)))

    def end(self) -> None:
        """Send no more."""
        self.is_closed = True
        if self.held is not None:
            self.held.cancel()
            self.held = None

    def fail(self, error: Exception) -> None:
        """A change could not be taken: what the peer sees is not right any more, so the link is ended."""
        self.session.break_link(self, error)

    def ready(self) -> None:
        """There is something to send."""
        if not self.is_ready and not self.is_closed:
            self.is_ready = True
            session = self.session
            session.ready.append(self)
            session.mark()

    def payload(self, event: Event) -> bytes:
        """What is sent of an event; made once for all links that spell the address alike."""
        if event.header is self.event_header:
            return event.payload
        event.header = self.event_header
        event.payload = payload = event_payload(self.event_header, event.body, self.is_framed)
        return payload

    def is_held(self) -> bool:
        """True where the link's ``rate`` forbids an event now; the session is called again when it allows one."""
        if not self.gap_s:
            return False
        now_s = self.session.hub.env.now()
        if now_s < self.next_s:
            if self.held is None:
                self.held = self.session.hub.env.call_at(self.next_s, self._go_on)
            return True
        self.next_s = now_s + self.gap_s
        return False

    def _go_on(self) -> None:
        self.held = None
        self.ready()

    def synced(self) -> bytes:
        """What ends a sync."""
        payload = warp.encode("synced", self.node, self.lane_text).encode()
        return frame(payload) if self.is_framed else payload

    def conflated(self, count: int = 1) -> None:
        """Count changes that went into another one."""
        self.session.hub.counter.conflated += count


class LatestUplink(Uplink):
    """Each state in turn, as long as the link keeps up; the newest one where it does not.

    It is behind where its peer takes no more, where a ``rate`` spaces its events, and where more states come before its session writes
    than the session allows.
    """

    __slots__ = ("is_sync_due", "queue", "size")

    def __init__(
        self, session: Session, cell: Cell, lane: Any, address: tuple[str, str], *, prio: float, rate: float
    ) -> None:
        super().__init__(session, cell, lane, address, prio=prio, rate=rate)
        self.queue: list[Event] = []
        #: characters of the bodies in the queue
        self.size = 0
        self.is_sync_due = False

    def offer(self, event: Event) -> None:
        queue = self.queue
        size = self.size + len(event.body)
        if queue and self.is_behind(size):
            self.conflated(len(queue))
            queue.clear()
            size = len(event.body)
        queue.append(event)
        self.size = size
        if not self.is_ready:
            self.ready()

    def is_behind(self, size: int) -> bool:
        """True where the peer is to get the newest state only; ``size`` are the characters that would wait for it."""
        session = self.session
        return (
            session.is_blocked
            or self.gap_s > 0.0
            or len(self.queue) >= session.burst
            or size > session.burst_characters
        )

    def begin_sync(self, bodies: Iterator[tuple[str | None, str]], is_told: bool = True) -> None:
        self.queue.clear()
        self.size = 0
        for _, body in bodies:
            self.queue.append(Event(self.lane.index, SET, body))
            self.size += len(body)
        self.is_sync_due = is_told
        self.ready()

    def drain(self, out: list[bytes]) -> bool:
        queue = self.queue
        if queue:
            if self.gap_s and not self.is_sync_due:
                if self.is_held():
                    return False
                if len(queue) > 1:  # the rate was asked for while they waited
                    self.conflated(len(queue) - 1)
                    del queue[:-1]
            if len(queue) == 1:
                out.append(self.payload(queue[0]))
            else:
                for event in queue:
                    out.append(self.payload(event))
            queue.clear()
            self.size = 0
        if self.is_sync_due:
            self.is_sync_due = False
            out.append(self.synced())
        return False


class KeyedUplink(Uplink):
    """The newest change of each key."""

    __slots__ = ("chunk", "cursor", "is_told", "is_waiting", "queue")

    def __init__(
        self, session: Session, cell: Cell, lane: Any, address: tuple[str, str], *, prio: float, rate: float
    ) -> None:
        super().__init__(session, cell, lane, address, prio=prio, rate=rate)
        #: changes by key; a ``clear``, ``take`` or ``drop`` can only stand first, under the key None
        self.queue: dict[str | None, Event] = {}
        self.cursor: Reader | None = None
        self.chunk: list[str] = []
        self.is_told = False
        #: the next part of the state is being read behind a turn or a commit
        self.is_waiting = False

    def read_state(self) -> Reader:
        """The state, read part by part as the sync goes on."""
        reader: Reader = self.lane.reader(self.cell, self.lane_text)
        return reader

    def offer(self, event: Event) -> None:
        queue = self.queue
        op = event.op
        if op == CLEAR:
            if queue:
                self.conflated()
                queue.clear()
            queue[None] = event
        elif op in (TAKE, DROP):
            if queue or self.cursor is not None or self.chunk:
                for key in event.removed:
                    queue.pop(key, None)
                    queue[key] = Event(event.lane, REMOVE, operation.remove(key), key)
            else:
                queue[None] = event
        else:
            if event.key in queue:
                self.conflated()
            queue[event.key] = event
        if not self.is_ready and queue:
            self.ready()

    def begin_sync(self, bodies: Any, is_told: bool = True) -> None:
        if self.cursor is not None:
            self.is_sync_asked = self.is_sync_asked or is_told
            return
        self.queue.clear()
        self.chunk = [operation.clear()] if self.lane.has_lost(self.cell) else []
        self.cursor = bodies
        self.session.hub.syncs += 1
        self.is_told = is_told
        self.ready()

    def end(self) -> None:
        Uplink.end(self)
        self._end_reading()

    def _end_reading(self) -> None:
        if self.cursor is not None:
            self.cursor = None
            self.session.hub.syncs -= 1

    def read_chunk(self) -> None:
        """Read the next part of the state; the agent is in no turn and all it shows is durable."""
        cursor = self.cursor
        self.is_waiting = False
        if cursor is None or self.is_closed:
            return
        part = cursor.read(self.session.hub.sync_entries())
        self.chunk = self.chunk + part if self.chunk else part
        if cursor.is_done:
            self._end_reading()

    def drain(self, out: list[bytes]) -> bool:
        is_syncing = self.cursor is not None or self.chunk or self.is_waiting or self.is_told or self.is_sync_asked
        if is_syncing and not self._drain_sync(out):
            return not self.is_waiting
        queue = self.queue
        if not self.gap_s:
            if queue:
                self._drain_queue(out)
            return False
        if queue and not self.is_held():
            first = next(iter(queue))
            out.append(self.payload(queue.pop(first)))
        return bool(queue) and self.held is None

    def _drain_sync(self, out: list[bytes]) -> bool:
        """Send the next part of the state; True where that was all of it."""
        if self.cursor is not None and not self.is_waiting:
            cell = self.cell
            if cell._is_busy or cell._mail or (cell._pending and self.lane.is_shown_late(cell)):
                self.is_waiting = True
                self.session.hub.read_later(self)
            else:
                self.read_chunk()
        if self.is_waiting:
            return False  # what has been read may not be shown yet
        if self.chunk:
            out.extend(event_payloads(self.event_header, self.chunk, self.is_framed))
            self.chunk = []
        if self.cursor is not None:
            return False
        if self.is_told:
            self.is_told = False
            self._drain_queue(out)
            out.append(self.synced())
        if self.is_sync_asked:
            self.is_sync_asked = False
            self.session.resync(self)
        return True

    def _drain_queue(self, out: list[bytes]) -> None:
        for event in self.queue.values():
            out.append(self.payload(event))
        self.queue.clear()


class QueueUplink(Uplink):
    """A bounded sequence."""

    __slots__ = ("is_sync_due", "limit", "overflow", "queue")

    def __init__(
        self, session: Session, cell: Cell, lane: Any, address: tuple[str, str], *, prio: float, rate: float
    ) -> None:
        super().__init__(session, cell, lane, address, prio=prio, rate=rate)
        self.queue: deque[Event] = deque()
        self.limit: int = self.lane.queue or self.session.hub.config.queue_limit
        self.overflow: str = self.lane.overflow
        self.is_sync_due = False

    def offer(self, event: Event) -> None:
        queue = self.queue
        if len(queue) >= self.limit:
            hub = self.session.hub
            hub.counter.overflows += 1
            hub.log.overflow(self.cell.node, self.lane.name, self.overflow)
            if self.overflow == "disconnect":
                self.session.end(1008, "NT-LINK-003 too slow for lane " + self.lane.name)
                return
            if self.overflow == "drop_newest":
                return
            queue.popleft()
        queue.append(event)
        if not self.is_ready:
            self.ready()

    def begin_sync(self, bodies: Iterator[tuple[str | None, str]], is_told: bool = True) -> None:
        self.is_sync_due = is_told
        self.ready()

    def drain(self, out: list[bytes]) -> bool:
        queue = self.queue
        if self.is_sync_due:
            self.is_sync_due = False
            out.append(self.synced())
        if not self.gap_s:
            for event in queue:
                out.append(self.payload(event))
            queue.clear()
            return False
        if queue and not self.is_held():
            out.append(self.payload(queue.popleft()))
        return bool(queue) and self.held is None


class OrderedUplink(Uplink):
    """A bounded sequence of changes by position, or else the whole state."""

    __slots__ = ("is_lost", "is_sync_due", "limit", "queue", "state")

    def __init__(
        self, session: Session, cell: Cell, lane: Any, address: tuple[str, str], *, prio: float, rate: float
    ) -> None:
        super().__init__(session, cell, lane, address, prio=prio, rate=rate)
        self.queue: deque[Event] = deque()
        self.limit: int = self.session.hub.config.queue_limit
        self.state: deque[str] = deque()
        self.is_sync_due = False
        #: the queue was too short; the whole state will be read, with all that comes until then
        self.is_lost = False

    def offer(self, event: Event) -> None:
        if self.is_lost:
            return
        if event.op == CLEAR:
            self.queue.clear()
        elif len(self.queue) >= max(self.limit, len(self.state)):
            self.queue.clear()
            self.is_lost = True
            hub = self.session.hub
            hub.counter.resyncs += 1
            hub.env.call_soon(self._read_anew)  # not now: other changes of the same turn are still to be offered
            return
        self.queue.append(event)
        if not self.is_ready:
            self.ready()

    def _read_anew(self) -> None:
        if not self.is_closed:
            self.session.resync(self, is_told=False)

    def begin_sync(self, bodies: Iterator[tuple[str | None, str]], is_told: bool = True) -> None:
        self.queue.clear()
        self.is_lost = False
        self.state = deque([body for _, body in bodies])
        if self.lane.has_lost(self.cell) or not is_told:
            self.state.appendleft(operation.clear())
        self.is_sync_due = self.is_sync_due or is_told
        self.ready()

    def drain(self, out: list[bytes]) -> bool:
        state = self.state
        if state:
            part = [state.popleft() for _ in range(min(len(state), SYNC_CHUNK))]
            out.extend(event_payloads(self.event_header, part, self.is_framed))
            if state:
                return True
        if self.is_sync_due:
            self.is_sync_due = False
            out.append(self.synced())
        queue = self.queue
        if not self.gap_s:
            for event in queue:
                out.append(self.payload(event))
            queue.clear()
            return False
        if queue and not self.is_held():
            out.append(self.payload(queue.popleft()))
        return bool(queue) and self.held is None


_KINDS: Final[dict[str, type[Uplink]]] = {
    "latest": LatestUplink,
    "keyed": KeyedUplink,
    "queue": QueueUplink,
    "ordered": OrderedUplink,
}


def make(
    session: Session, cell: Cell, lane: Any, address: tuple[str, str], *, prio: float = 0.0, rate: float = 0.0
) -> Uplink:
    """The uplink that suits ``lane``.

    :param address: node and lane as the peer spells them.
    """
    kind = _KINDS[lane.conflation]
    return kind(session, cell, lane, address, prio=prio, rate=rate)
