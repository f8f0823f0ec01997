"""The end of an agent: ``self.remove()``.

What the removing turn journals last takes all records of the agent away, in the unit that holds the turn's other effects.  From the end of
the turn on the agent is gone from memory; who touches its URI meets a new one that knows nothing.  As long as the unit is not durable
the store still has the old records, so the new agent is told not to look there (:attr:`Loop.leaving
<natant.kernel.run.Loop.leaving>`), and what it shows waits for the unit.

=====================================  ===============================================================================
what the old agent had                 what becomes of it
=====================================  ===============================================================================
lanes, timers, ids of commands         removed with the unit
large values                           their references, with the unit; the contents by the sweep, a while later
links to its lanes                     ended with ``@nodeRemoved`` once the unit is durable, behind the turn's own changes
its own downlinks and joins            closed at the end of the turn
spawned work                           cancelled; what comes of it reaches nobody
a handler that waits in ``self.task``  ends with ``NT-TURN-019``; its asker is told that the rest did not happen
work in its mailbox                    is done by the new agent, in its order
commands that it sent                  arrive
=====================================  ===============================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from natant.errors import TurnError
from natant.kernel import key

if TYPE_CHECKING:
    from collections import deque

    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel
    from natant.kernel.turn import Outcome, Turn

__all__ = ["Departures", "removed"]


class _Departure:
    """An agent that is gone from memory, and not yet from the store.

    :ivar mail: what waits for whoever comes to life at its node.
    :ivar successor: that one, where it came already; it must not look into the store for what its lanes hold,
    :ivar is_known: even where something of it has been journaled.
    """

    __slots__ = ("cell", "is_known", "mail", "successor")

    def __init__(self, cell: Cell, mail: deque[Any] | None) -> None:
        self.cell = cell
        self.mail = mail
        self.successor: Cell | None = None
        self.is_known = False


class _End:
    """What a turn that removes its agent does last, whatever else it notes meanwhile."""

    __slots__ = ("_departures", "_turn")

    def __init__(self, departures: Departures, turn: Turn) -> None:
        self._departures = departures
        self._turn = turn

    def __call__(self) -> None:
        after = self._turn.after
        if after and after[-1] is not self:
            after.append(self)
        else:
            self._departures.leave(self._turn)


class Departures:
    """The agents of a kernel that are on their way out."""

    def __init__(self, host: Kernel) -> None:
        self._host = host

    def begin(self, turn: Turn) -> None:
        """Have the agent of ``turn`` removed when it has ended well."""
        if not any(type(function) is _End for function in turn.after or ()):
            turn.then(_End(self, turn))

    def leave(self, turn: Turn) -> None:
        """Take the agent out of memory, and note with the turn what the store loses."""
        host, cell = self._host, turn.cell
        if not host.is_volatile:
            self._note(cell, turn.records)
        cell._is_known = True  # it must not be made known by its last unit
        del host.agents[cell.node]
        host.generation += 1
        host.counter.removals += 1
        host.timer.drop(cell.node)
        host.ids.renew(cell.node)
        if host.downlinks is not None:
            host.downlinks.drop(cell)
        host.async_turns.forsake(cell)
        mail, cell._mail = cell._mail, None
        departure = host.leaving[cell.node] = _Departure(cell, mail)
        reply = turn.work.reply

        def told(outcome: Outcome | None, error: Any) -> None:
            self._left(departure)
            if reply is not None:
                reply(outcome, error)

        turn.work.reply = told
        if mail:
            host.post(lambda: self._call(cell.node))
        host.pressure.release(cell)

    def _call(self, node: str) -> None:
        """Somebody has to do what waits at a node."""
        self._host.find(node)

    def _note(self, cell: Cell, records: list[tuple[int, bytes, bytes]]) -> None:
        """Add to ``records`` that the store has nothing of the agent any more."""
        host, node = self._host, cell.node.encode()
        lane: Any
        for lane in cell._schema.ordered:
            reference = getattr(lane, "reference", None)
            ref = None if reference is None or not lane.is_kept(cell) else reference(cell)
            if ref is not None:
                records.append((1, key.blob_key(ref.digest, cell.node, lane.name), b""))
                if host.blobs is not None:
                    host.blobs.released(ref.digest)
            if host.feed is not None and getattr(lane, "bucket", None) is not None:
                entry = key.lane_prefix(cell.node, lane.name) + (b"" if lane.kind == "value" else key.ALL)
                records.append((0, key.dirty_key(entry), b""))
                host.feed.touch(entry)
        records.extend((2, start + node + b"\0", b"") for start in (key.LANE, key.ID, key.TIMER))
        records.append((1, key.node_key(cell.node), b""))
        records.append((1, key.wake_key(cell.node), b""))

    def follow(self, departure: _Departure, cell: Cell) -> None:
        """A new agent has come to life at the node of one whose end is not durable yet."""
        departure.successor = cell
        cell._pending += 1  # what it shows waits as well
        mail, departure.mail = departure.mail, None
        if not mail:
            return
        if self._host.agents.get(cell.node) is not cell:  # it has removed itself already
            newer: _Departure = self._host.leaving[cell.node]
            newer.mail = mail if newer.mail is None else mail + newer.mail
            return
        cell._mail = mail if cell._mail is None else mail + cell._mail
        if not cell._is_busy:
            self._host.next_mail(cell)

    def _left(self, departure: _Departure) -> None:
        """The end of an agent is durable."""
        host, cell = self._host, departure.cell
        if host.leaving.get(cell.node) is departure:
            del host.leaving[cell.node]
        if departure.successor is not None:
            departure.successor._pending -= 1
            departure.successor._is_known |= departure.is_known
        elif cell.node not in host.agents:
            host.ids.end(cell.node)
        for links in list((cell._links or {}).values()):
            for link in list(links):
                link.session.end_link(link, "@nodeRemoved")


def removed(cell: Cell) -> TurnError:
    """The error for a handler whose agent was removed while it was outside any turn."""
    return TurnError(
        "NT-TURN-019",
        f"{cell.node} was removed while this handler waited in self.task; what it would do now has no agent to be done by",
        http_status=409,
    )
