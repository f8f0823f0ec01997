"""What all sessions of a host share: who may do what, when they write, local reads behind a commit.

A session that has something to send is marked, and writes once at the end of the loop's tick: what it has ready leaves together.
Where a read of one connection made few sessions write (:data:`EAGER_LIMIT`), they do so right after it, so that somebody who waits
for one answer does not wait for the rest of the tick.

Hot: types for Cython are in ``hub.pxd``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from natant.codec import warp
from natant.kernel.turn import Work
from natant.link.identity import ANONYMOUS, INTERNAL, Identity, Refusal

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel
    from natant.link.session import Session
    from natant.link.sink import Sink
    from natant.link.uplink import KeyedUplink, Uplink

__all__ = ["ANONYMOUS", "INTERNAL", "Hub", "Identity", "Outlet", "Refusal"]

#: spellings of addresses whose event header is kept ready
HEADER_LIMIT: Final = 100_000
#: states of one lane that a link may hold while its session is about to write; with more it is behind
BURST_EVENTS: Final = 256
#: characters that they may have together
BURST_CHARACTERS: Final = 64 * 1024
#: sessions that may write before the end of one tick
EAGER_LIMIT: Final = 4
#: entries that all syncs under way may send in one tick, so that what else is to be sent waits some milliseconds at most
SYNC_ENTRIES: Final = 1024
#: entries that each of them may send at least
SYNC_LEAST: Final = 16


Authenticator = Callable[[Any, str], "Identity | Refusal | None"]
Policy = Callable[[Identity, str, str, str], bool]


class Outlet:
    """What the hub and the uplinks see of a session, which is the only kind of outlet there is.

    :ivar is_framed: payloads are whole WebSocket frames.
    :ivar is_blocked: the peer took no more when it was last tried.
    :ivar burst: states of one lane that may wait for the next write before its link counts as behind,
    :ivar burst_characters: and how long they may be together.
    """

    __slots__ = (
        "burst",
        "burst_characters",
        "hub",
        "is_blocked",
        "is_closed",
        "is_dirty",
        "is_framed",
        "ready",
        "remote",
    )

    def __init__(self, hub: Hub, remote: str, is_framed: bool) -> None:
        self.hub = hub
        self.remote = remote
        self.is_framed = is_framed
        self.is_closed = False
        self.is_dirty = False
        self.is_blocked = False
        self.burst = BURST_EVENTS
        self.burst_characters = BURST_CHARACTERS
        #: uplinks with something to send
        self.ready: list[Uplink] = []

    def flush(self) -> None:
        """Write what is ready, as far as the peer takes it."""
        raise AssertionError("a session knows how")

    def fail(self) -> None:
        """Something of this connection raised: end it."""
        raise AssertionError("a session knows how")

    def mark(self) -> None:
        """There is something to send."""
        if not self.is_dirty and not self.is_closed:
            self.is_dirty = True
            self.hub.mark(self)


class Hub:
    """The sessions of one host.

    :param authenticator: ``(credentials, request URI) -> Identity``, or None or a :class:`Refusal`; without one everybody is
        let in and ``@auth`` is answered ``@authed``.
    :param policy: ``(identity, verb, node, lane) -> allowed?``; the verbs are ``link``, ``sync``, ``command`` and ``read``,
        and ``open`` for paths of mounted applications.
    """

    def __init__(
        self, host: Kernel, *, authenticator: Authenticator | None = None, policy: Policy | None = None
    ) -> None:
        self.host = host
        self.env = host.env
        self.counter = host.counter
        self.config = host.config
        self.log = host.log
        self.authenticator = authenticator
        self.policy = policy
        self.sessions: set[Session] = set()
        #: how many wait for the units of an agent to be durable, by its node
        self._awaited: dict[str, int] = {}
        #: syncs that are under way
        self.syncs = 0
        self._dirty: list[Any] = []
        self._is_flush_due = False
        self._eager = EAGER_LIMIT
        self._headers: dict[tuple[str, str, bool], str] = {}

    def connect(self, sink: Sink, *, remote: str, request_uri: str = "/") -> Session:
        """A session for a new peer connection."""
        from natant.link.session import Session

        session = Session(self, sink, remote, request_uri)
        self.sessions.add(session)
        self.counter.sessions_opened += 1
        return session

    def header(self, node: str, lane: str, is_framed: bool) -> str:
        """The start of every event envelope of an address; one object for all links that spell it so and frame it alike."""
        headers = self._headers
        header = headers.get((node, lane, is_framed))
        if header is None:
            if len(headers) >= HEADER_LIMIT:
                headers.clear()
            header = headers[node, lane, is_framed] = warp.header("event", node, lane)
        return header

    # --- when sessions write --------------------------------------------------------------------------------------

    def mark(self, outlet: Outlet) -> None:
        """The session has something to send."""
        self._dirty.append(outlet)
        if not self._is_flush_due:
            self._is_flush_due = True
            self.env.call_soon(self._end_tick)

    def end_read(self) -> None:
        """All messages of one read of one connection have been worked off."""
        count = len(self._dirty)
        if count and count <= self._eager:
            self._eager -= count
            self.flush()

    def _end_tick(self) -> None:
        self._is_flush_due = False
        self._eager = EAGER_LIMIT
        self.flush()

    def flush(self) -> None:
        """Let every session with something to send write once."""
        dirty = self._dirty
        self._dirty = []
        for outlet in dirty:
            try:
                outlet.flush()
            except Exception as error:
                self.host.broken(f"sending to {outlet.remote}", error)
                outlet.fail()

    def sync_entries(self) -> int:
        """How many entries a sync may send now; all that are under way share alike."""
        return max(SYNC_ENTRIES // max(self.syncs, 1), SYNC_LEAST)

    def may(self, identity: Identity, verb: str, cell: Cell, lane: Any) -> bool:
        """What the policy says; it is asked for the lane itself, however the peer spelled it.  One that raises says no."""
        policy = self.policy
        if policy is None or identity.is_internal:
            return True
        try:
            is_allowed = policy(identity, verb, cell.node, lane.name)
        except Exception as error:
            self.host.broken(f"the policy of the plane, asked for {verb} of {cell.node}", error)
            is_allowed = False
        if not is_allowed:
            self.counter.policy_refusals += 1
        return is_allowed

    # --- reading state --------------------------------------------------------------------------------------------

    def when_shown(
        self,
        cell: Cell,
        lane: Any,
        label: str,
        read: Callable[[Any], Any],
        use: Callable[[Any], None],
        *,
        may_refuse: bool = False,
    ) -> None:
        """Read the state of a lane between turns, then ``use`` what was read once it is durable.

        ``read(cell)`` runs when the agent is in no turn; ``use(result)`` behind every unit whose changes it may have seen.
        An exception of ``read`` is the result; so is that the agent has too much to do, or never will, where ``may_refuse``.
        """
        host = self.host

        def run(agent: Any, _: Any) -> None:
            try:
                result = read(agent)
            except Exception as error:
                result = error
            if agent._pending and lane.is_shown_late(agent):
                self._await(agent)
                host.journal.after(lambda _sequence: self._shown(agent, use, result))
            else:
                use(result)

        def answer(_outcome: Any, error: Any) -> None:
            if error is not None:
                use(error)

        if cell._is_busy or cell._mail:
            host.deliver(cell, Work(run, None, label, reply=answer if may_refuse else None))
        else:
            run(cell, None)

    def _await(self, cell: Cell) -> None:
        """Somebody may be linked once the units under way are durable, and must get the events of later ones."""
        self._awaited[cell.node] = self._awaited.get(cell.node, 0) + 1
        if cell._links is None:
            cell._links = {}

    def _shown(self, cell: Cell, use: Callable[[Any], None], result: Any) -> None:
        try:
            use(result)
        finally:
            count = self._awaited.pop(cell.node) - 1
            if count:
                self._awaited[cell.node] = count
            self.unwatch(cell)

    def awaits(self, node: str) -> bool:
        """Whether links to a node are about to be attached, behind what is on its way to the disk."""
        return node in self._awaited

    def unwatch(self, cell: Cell) -> None:
        """Make no more events of durable lanes where nobody is linked and nobody is about to be."""
        if not cell._links and cell.node not in self._awaited:
            cell._links = None

    def read_later(self, uplink: KeyedUplink) -> None:
        """Read the next part of a large state when it is all right to show it."""

        def read(_: Any) -> None:
            uplink.read_chunk()
            uplink.is_waiting = True  # until it may be shown

        def use(error: Any) -> None:
            uplink.is_waiting = False
            if isinstance(error, Exception):
                uplink.session.break_link(uplink, error)
            else:
                uplink.ready()

        self.when_shown(uplink.cell, uplink.lane, f"sync:{uplink.lane.name}", read, use)
