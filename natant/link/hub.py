"""What all sessions of a host share: who may do what, the flush at the end of a tick, local reads behind a commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from natant.codec import warp
from natant.codec.recon.value import Absent
from natant.kernel.turn import Work
from natant.link.session import Session

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel
    from natant.link.sink import Sink
    from natant.link.uplink import KeyedUplink

__all__ = ["ANONYMOUS", "INTERNAL", "Hub", "Identity", "Refusal"]

#: spellings of addresses whose event header is kept ready
HEADER_LIMIT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is at the other end.

    :ivar name: the subject; empty for somebody unknown.
    :ivar is_internal: True for the plane's own agents.
    :ivar claims: what the authenticator found out; told to the peer in ``@authed`` only where ``shown`` is set.
    """

    name: str = ""
    claims: Any = None
    shown: Any = Absent
    is_internal: bool = False


ANONYMOUS: Final = Identity()
#: the plane's own agents; no policy applies to them
INTERNAL: Final = Identity("natant:internal", is_internal=True)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an authenticator returns for credentials that it refuses; ``is_forbidden`` for a peer that is barred."""

    is_forbidden: bool = False


Authenticator = Callable[[Any, str], "Identity | Refusal | None"]
Policy = Callable[[Identity, str, str, str], bool]


class Hub:
    """The sessions of one host.

    :param authenticator: ``(credentials, request URI) -> Identity``, or None or a :class:`Refusal`; without one everybody is
        let in and ``@auth`` is answered ``@authed``.
    :param policy: ``(identity, verb, node, lane) -> allowed?``; the verbs are ``link``, ``sync``, ``command`` and ``read``.
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
        self._dirty: list[Session] = []
        self._is_flush_due = False
        self._headers: dict[tuple[str, str], str] = {}

    def connect(self, sink: Sink, *, remote: str, request_uri: str = "/") -> Session:
        """A session for a new peer connection."""
        session = Session(self, sink, remote, request_uri)
        self.sessions.add(session)
        self.counter.sessions_opened += 1
        return session

    def header(self, node: str, lane: str) -> str:
        """The start of every event envelope of an address; one object for all links that spell it so."""
        headers = self._headers
        header = headers.get((node, lane))
        if header is None:
            if len(headers) >= HEADER_LIMIT:
                headers.clear()
            header = headers[node, lane] = warp.header("event", node, lane)
        return header

    def mark(self, session: Session) -> None:
        """The session has something to send."""
        self._dirty.append(session)
        if not self._is_flush_due:
            self._is_flush_due = True
            self.env.call_soon(self.flush)

    def flush(self) -> None:
        """Let every session with something to send write once."""
        self._is_flush_due = False
        dirty, self._dirty = self._dirty, []
        for session in dirty:
            try:
                session.flush()
            except Exception as error:
                self.host.broken(f"sending to {session.remote}", error)
                session.fail()

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
                host.journal.after(lambda _sequence: use(result))
            else:
                use(result)

        def answer(_outcome: Any, error: Any) -> None:
            if error is not None:
                use(error)

        if cell._is_busy or cell._mail:
            host.deliver(cell, Work(run, None, label, reply=answer if may_refuse else None))
        else:
            run(cell, None)

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
