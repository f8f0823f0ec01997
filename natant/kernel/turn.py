"""A turn: everything an agent does for one piece of work, as one transaction.

While it is open, lanes write to memory at once and note here how to undo it, what to journal and what to publish.
When it ends well it *is* the unit: its records go to the store together, and :meth:`Turn.release` publishes.
When it ends badly :meth:`Turn.roll_back` takes everything back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from natant.errors import LaneError, NatantError
from natant.kernel.change import Event

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.env import Job

__all__ = ["Misfit", "Outcome", "Send", "Turn", "Work", "offer", "require_turn"]

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

    :ivar run: called with the agent and ``argument``.
    :ivar label: what is being done, for people: a lane's name or ``timer:NAME``.
    :ivar again: how a parked failure can be done again: ``("command", lane)`` or ``("call", method)``; None where it cannot.
    :ivar reply: told the outcome once it is durable, or the error.
    """

    __slots__ = ("again", "argument", "attempt", "command_id", "label", "reply", "run", "send", "settle")

    def __init__(
        self,
        run: Callable[[Any, Any], Any],
        argument: Any,
        label: str,
        *,
        again: tuple[str, str] | None = None,
        reply: Reply | None = None,
        command_id: str | None = None,
    ) -> None:
        self.run = run
        self.argument = argument
        self.label = label
        self.again = again
        self.reply = reply
        self.command_id = command_id
        self.send: Send | None = None
        #: called when the work has ended either way, inside the last turn, to add what must be journaled with it
        self.settle: Callable[[Turn], None] | None = None
        self.attempt = 1


class Turn:
    """An open turn, then the unit that it leaves."""

    __slots__ = (
        "after", "cell", "error", "events", "instant", "job", "records", "reply", "sends", "sequence", "undo", "value", "work",
    )  # fmt: skip

    def __init__(self, cell: Cell, work: Work) -> None:
        self.cell = cell
        self.work = work
        self.undo: list[tuple[Any, ...]] = []
        self.records: list[tuple[int, bytes, bytes]] = []
        #: changes of durable lanes, published when the unit is durable
        self.events: list[Event] = []
        #: changes of volatile lanes, published when the turn ends
        self.instant: list[Event] = []
        self.sends: list[Send] | None = None
        #: what the turn does outside its agent, in order, once it has ended well: timers, spawned work
        self.after: list[Callable[[], None]] | None = None
        self.job: Job | None = None
        self.reply: Reply | None = None
        self.value: Any = None
        self.error: NatantError | None = None

    def roll_back(self) -> None:
        """Take back every lane write, latest first."""
        for entry in reversed(self.undo):
            entry[0](*entry[1:])
        self.undo.clear()
        self.records.clear()
        self.events.clear()
        self.instant.clear()
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
        if cell._links is not None:
            offer(cell, self.events)
        reply = self.reply
        if reply is not None:
            try:
                if self.error is None:
                    reply(Outcome(self.value, sequence), None)
                else:
                    reply(None, self.error)
            except Exception as error:
                cell._host.broken(f"the answer to {self.work.label} of {cell.node}", error)


def offer(cell: Cell, events: list[Event]) -> None:
    """Give changes to the links of their agent.  A link that fails is ended; the others do not notice."""
    links = cell._links
    if links is None:
        return
    for event in events:
        uplinks = links.get(event.lane)
        if uplinks is not None:
            for uplink in uplinks:  # one that ends meanwhile leaves a list of its own behind
                try:
                    uplink.offer(event)
                except Exception as error:
                    uplink.fail(error)


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
