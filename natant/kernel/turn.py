"""A turn: everything an agent does for one piece of work, as one transaction.

While it is open, lanes write to memory at once and note here how to undo it, what to journal and what to publish.
When it ends well it *is* the unit: its records go to the store together, and :meth:`Turn.release` publishes.
When it ends badly :meth:`Turn.roll_back` takes everything back.

A hot module: types for Cython are in ``turn.pxd``.  Most turns leave few notes, so the lists for them are made when first needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from natant.errors import LaneError, NatantError
from natant.kernel.change import SET, Event

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.env import Job
    from natant.kernel.lanekind import LaneKind

__all__ = ["Misfit", "Outcome", "Send", "Turn", "Work", "command_work", "offer", "open_turn", "require_turn"]

Reply = Callable[["Outcome | None", "NatantError | None"], None]


class Misfit(Exception):
    """The input of a turn does not fit the lane it was sent to; ``error`` says why.  The sender is told, nothing is parked."""

    def __init__(self, error: NatantError) -> None:
        super().__init__(str(error))
        self.error = error


class Outcome(NamedTuple):
    """What became of an acknowledged command.

    :ivar value: what the handler returned.
    :ivar sequence: number of the commit group that made it durable; 0 where nothing had to be journaled.
    :ivar is_duplicate: True where a command with this id had been done before; nothing was done again.
    """

    value: Any
    sequence: int
    is_duplicate: bool = False


class Send:
    """A command on its way to another agent.

    :ivar number: its place in the outbox, 0 while it has no record there.
    :ivar is_done: True once the unit that holds its effect has been added to a commit group.
    :ivar text: its record in the outbox, where that has been made already.
    """

    __slots__ = ("body", "host", "is_done", "lane", "node", "number", "text")

    def __init__(self, node: str, lane: str, body: Any, host: str | None = None, number: int = 0) -> None:
        self.node = node
        self.lane = lane
        self.body = body
        self.host = host
        self.number = number
        self.is_done = False
        self.text: bytes | None = None


class Work:
    """One piece of work for an agent, done in one turn (or several, where it awaits tasks).

    :ivar run: called with the agent and ``argument``; None where ``lane`` receives ``argument``.
    :ivar label: what is being done, for people: a lane's name or ``timer:NAME``.
    :ivar again: how a parked failure can be done again: ``("command", lane)`` or ``("call", method)``; None where it cannot.
    :ivar reply: told the outcome once it is durable, or the error.
    :ivar settle: called when the work has ended either way, inside the last turn, to add what must be journaled with it.
    """

    __slots__ = ("again", "argument", "attempt", "command_id", "label", "lane", "reply", "run", "send", "settle")

    def __init__(
        self,
        run: Callable[[Any, Any], Any] | None,
        argument: Any,
        label: str,
        *,
        again: tuple[str, str] | None = None,
        reply: Reply | None = None,
        command_id: str | None = None,
    ) -> None:
        self.run = run
        self.lane: LaneKind | None = None
        self.argument = argument
        self.label = label
        self.again = again
        self.reply = reply
        self.command_id = command_id
        self.send: Send | None = None
        self.settle: Callable[[Turn], None] | None = None
        self.attempt = 1


def command_work(lane: LaneKind, body: Any) -> Work:
    """The work of a command to ``lane``; made without a call of the class, which would cost as much as all the rest."""
    work = Work.__new__(Work)
    work.run = None
    work.lane = lane
    work.argument = body
    work.label = lane.name
    work.again = lane.again
    work.reply = None
    work.command_id = None
    work.send = None
    work.settle = None
    work.attempt = 1
    return work


class Turn:
    """An open turn, then the unit that it leaves.

    :ivar sends: commands to other agents, None where there are none.
    :ivar after: what the turn does outside its agent, in order, once it has ended well: timers, spawned work.
    :ivar job: the coroutine that owns the turn, None for a plain function.
    :ivar value: what the handler returned.
    """

    __slots__ = (
        "_events", "_instant", "_records", "_undo", "after", "cell", "error", "job", "reply", "sends", "value", "work",
    )  # fmt: skip

    cell: Cell
    work: Work
    _undo: list[tuple[Any, ...]] | None
    _records: list[tuple[int, bytes, bytes]] | None
    _events: list[Event] | None
    _instant: list[Event] | None
    sends: list[Send] | None
    after: list[Callable[[], None]] | None
    job: Job | None
    reply: Reply | None
    value: Any
    error: NatantError | None

    @property
    def undo(self) -> list[tuple[Any, ...]]:
        """How to take back what was done, latest last: a function and its arguments each."""
        if self._undo is None:
            self._undo = []
        return self._undo

    @property
    def records(self) -> list[tuple[int, bytes, bytes]]:
        """What to journal."""
        if self._records is None:
            self._records = []
        return self._records

    @property
    def events(self) -> list[Event]:
        """Changes of durable lanes, published when the unit is durable."""
        if self._events is None:
            self._events = []
        return self._events

    @property
    def instant(self) -> list[Event]:
        """Changes of volatile lanes, published when the turn ends."""
        if self._instant is None:
            self._instant = []
        return self._instant

    def note_undo(self, entry: tuple[Any, ...]) -> None:
        """Add to :attr:`undo`; like its sisters the quick way for the lanes."""
        if self._undo is None:
            self._undo = [entry]
        else:
            self._undo.append(entry)

    def note_record(self, record: tuple[int, bytes, bytes]) -> None:
        """Add to :attr:`records`."""
        if self._records is None:
            self._records = [record]
        else:
            self._records.append(record)

    def note_event(self, event: Event) -> None:
        """Add to :attr:`events`."""
        if self._events is None:
            self._events = [event]
        else:
            self._events.append(event)

    def note_instant(self, event: Event) -> None:
        """Add to :attr:`instant`."""
        if self._instant is None:
            self._instant = [event]
        else:
            self._instant.append(event)

    def roll_back(self) -> None:
        """Take back every lane write, latest first."""
        if self._undo is not None:
            for entry in reversed(self._undo):
                entry[0](*entry[1:])
        self._undo = self._records = self._events = self._instant = None
        self.sends = None
        self.after = None

    def then(self, function: Callable[[], None]) -> None:
        """Call ``function`` when the turn has ended well, before its unit is committed."""
        if self.after is None:
            self.after = [function]
        else:
            self.after.append(function)

    def release(self, sequence: int) -> None:
        """Publish: called once, when the records are durable, in the order of the units."""
        cell = self.cell
        cell._pending -= 1
        if self._events is not None and cell._links is not None:
            offer(cell, self._events)
        reply = self.reply
        if reply is not None:
            try:
                if self.error is None:
                    reply(Outcome(self.value, sequence), None)
                else:
                    reply(None, self.error)
            except Exception as error:
                cell._host.broken(f"the answer to {self.work.label} of {cell.node}", error)


def open_turn(cell: Cell, work: Work) -> Turn:
    """A turn of ``cell`` for ``work``."""
    turn = Turn.__new__(Turn)
    turn.cell = cell
    turn.work = work
    turn._undo = turn._records = turn._events = turn._instant = None
    turn.sends = None
    turn.after = None
    turn.job = None
    turn.reply = None
    turn.value = None
    turn.error = None
    return turn


def offer(cell: Cell, events: list[Event]) -> None:
    """Give changes to the links of their agent.  A link that fails is ended; the others do not notice."""
    links = cell._links
    if links is None:
        return
    if len(events) > 1:
        events = _committed(events)
    for event in events:
        uplinks = links.get(event.lane)
        if uplinks is not None:
            for uplink in uplinks:  # one that ends meanwhile leaves a list of its own behind
                try:
                    uplink.offer(event)
                except Exception as error:
                    uplink.fail(error)


def _committed(events: list[Event]) -> list[Event]:
    """The events without states that the turn itself has replaced: nobody is to see a state that was never committed."""
    last = {event.lane: event for event in events if event.op == SET}
    return [event for event in events if event.op != SET or last[event.lane] is event]


def require_turn(cell: Cell, lane: str) -> Turn:
    """The open turn of ``cell``.

    :raises LaneError: ``NT-LANE-001`` where no turn is open, or it belongs to other code.
    """
    turn = cell._turn
    if turn is None:
        raise LaneError(
            "NT-LANE-001",
            f'lane "{lane}" of {cell.node} was written outside a turn; write lanes in handlers, '
            "or give the result of long work to a method: self.spawn(work, then=self.method)",
        )
    if turn.job is not None and turn.job is not cell._host.env.current():
        raise LaneError(
            "NT-LANE-002",
            f'lane "{lane}" of {cell.node} was written by a task that does not own the open turn '
            f"({turn.work.label}); write lanes in the handler itself",
        )
    return turn
