"""Running turns: the way of a command from its delivery to what it publishes, in one file.

=====================  ==============================================================================================
:meth:`~Loop.command`   a session (or any other door) has found the agent and the lane
:meth:`~Loop.deliver`   the agent is free: run now; it is busy: wait in its mailbox
``_run``                a turn is opened and the lane receives the body, which calls the author's method; each lane that
                        this writes changes memory at once and notes in the turn how to undo, journal and publish that
:meth:`~Loop.finish`    the turn ended well: its sends are posted, changes of volatile lanes go to the links
``_commit``             the turn becomes a unit of the journal's open group; once that is durable, :meth:`Turn.release
                        <natant.kernel.turn.Turn.release>` publishes the changes of durable lanes and answers the sender
:meth:`~Loop.fail`      the turn raised: everything is taken back, the cause is parked
=====================  ==============================================================================================

Before it: ``natant/link/session.py`` (message -> command); behind it: ``natant/link/uplink.py`` (change -> bytes on the wire).
Invariants: work for one agent is done in the order of its delivery; an ended turn always becomes a unit or nothing, whatever
else raises on the way (that is reported as *broken* and harms nobody else).
A hot module: types for Cython are in ``run.pxd``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from natant.errors import NatantError, TurnError
from natant.kernel.asyncturn import AsyncTurns, Resumption
from natant.kernel.cell import Cell
from natant.kernel.counter import Counter
from natant.kernel.key import node_key
from natant.kernel.turn import Turn, Work, command_work, offer, open_turn

if TYPE_CHECKING:
    from natant.kernel.idwindow import IdWindows
    from natant.kernel.journal import Journal, StorePort
    from natant.kernel.lanekind import LaneKind
    from natant.kernel.outbox import Outbox
    from natant.kernel.turn import Reply

__all__ = ["Loop"]


class Loop:
    """What gives each agent its turns; :class:`~natant.kernel.kernel.Kernel` is the whole.

    :param store: where durable lanes are kept.
    :param mailbox_limit: deliveries that may wait for one busy agent.
    :param is_volatile: nothing is journaled.
    :ivar running: the turn whose synchronous part runs at present, for the watchdog.
    :ivar turn_count: tells one such part from the next.
    :ivar generation: changes whenever an agent comes or goes.
    :ivar tick: the present time as the search for idle agents measures it.
    :ivar leaving: agents that were removed, by node, whose records the store still has: :mod:`natant.kernel.departure`.
    :ivar is_halted: no further turn is begun.
    """

    counter: Counter
    journal: Journal
    outbox: Outbox
    ids: IdWindows
    async_turns: AsyncTurns

    def __init__(self, store: StorePort, *, mailbox_limit: int, is_volatile: bool) -> None:
        self.store = store
        self.mailbox_limit = mailbox_limit
        self.is_volatile = is_volatile
        self.counter = Counter()
        self.agents: dict[str, Cell] = {}
        self.leaving: dict[str, Any] = {}
        self.running: Turn | None = None
        self.turn_count = 0
        self.tick = 0
        self.generation = 0
        self.is_halted = False
        self._runnable: deque[Callable[[], None]] = deque()
        self._is_draining = False

    # --- the way in -----------------------------------------------------------------------------------------------

    def command(
        self, cell: Cell, lane: LaneKind, body: Any, command_id: str | None = None, reply: Reply | None = None
    ) -> None:
        """Deliver a command to a lane; ``reply`` is told once its effect is durable.

        :param command_id: the same id is not done twice.
        """
        self.counter.commands += 1
        cell._touched = self.tick
        work = command_work(lane, body)
        if command_id is not None:
            work.command_id = command_id
        if reply is not None:
            work.reply = reply
        self.deliver(cell, work)

    def deliver(self, cell: Cell, work: Work) -> None:
        """Do ``work`` now, or after what the agent is busy with."""
        if self.is_halted:
            self.refuse(work)
        elif cell._is_busy or cell._mail:
            self._queue(cell, work)
        else:
            self._run(cell, work)
            if self._runnable and not self._is_draining:
                self.drain()

    def _queue(self, cell: Cell, work: Work) -> None:
        mail = cell._mail
        if mail is None:
            mail = cell._mail = deque()
        if len(mail) >= self.mailbox_limit and work.reply is not None:
            self.counter.deliveries_refused += 1
            work.reply(None, self.mailbox_full(cell))
            return
        mail.append(work)

    def mailbox_full(self, cell: Cell) -> TurnError:
        """The error for work that an agent cannot take now."""
        return TurnError(
            "NT-TURN-007",
            f"{cell.node} is busy and {self.mailbox_limit} deliveries wait already; try again later",
            http_status=429,
        )

    def activate(self, kind: type[Cell], node: str) -> Cell:
        """Bring an agent to life."""
        cell = kind.__new__(kind)
        cell._bind(self, node)
        cell._is_known = self.is_volatile or (node not in self.leaving and self.store.get(node_key(node)) is not None)
        cell._touched = self.tick
        self.agents[node] = cell
        self.counter.activations += 1
        self.generation += 1
        if not cell._schema.is_quiet:
            self.rouse(cell)
        return cell

    # --- the turn -------------------------------------------------------------------------------------------------

    def _run(self, cell: Cell, work: Work) -> None:
        turn = open_turn(cell, work)
        self.turn_count += 1
        try:
            if work.command_id is not None and self.ids.answer_duplicate(cell, work):
                return
            cell._turn = turn
            self.running = turn
            lane = work.lane
            result: Any = (
                work.run(cell, work.argument)  # type: ignore[misc]  # either of the two is there
                if lane is None
                else lane.receive(cell, work.argument)
            )
            self.running = None
        except KeyboardInterrupt:
            self.running = None
            self.abandon(turn)
            raise
        except BaseException as error:
            self.running = None
            cell._turn = None
            self.fail(turn, error)
            return
        if result is not None:
            if type(result) is CoroutineType:
                self.async_turns.open(turn, result)
                return
            if type(result) is Resumption:
                self.async_turns.resume(turn, result)
                return
        cell._turn = None
        self.finish(turn, result)

    # --- its end --------------------------------------------------------------------------------------------------

    def finish(self, turn: Turn, value: Any) -> None:
        """End a turn well: hand over what it did outside its agent, publish volatile changes, add its unit."""
        work = turn.work
        self.counter.turns += 1
        turn.value = value
        if work.command_id is not None:
            self.ids.remember(turn)
        if work.settle is not None or work.send is not None:
            self._settle(turn)
        if turn.after is not None:
            for function in turn.after:
                self._attempt(f"{work.label} of {turn.cell.node}", function)
        if turn.sends is not None:
            self.outbox.add(turn.sends)
        if turn._instant is not None:
            offer(turn.cell, turn._instant)
        self._commit(turn)

    def _settle(self, turn: Turn) -> None:
        """Journal with the turn that its work has been done."""
        work = turn.work
        settle = work.settle
        if settle is not None:
            work.settle = None
            self._attempt(f"the end of {work.label} of {turn.cell.node}", settle, turn)
        send = work.send
        if send is not None and not send.is_done:
            self.outbox.done(send, turn.records)

    def _commit(self, turn: Turn) -> None:
        cell = turn.cell
        turn.reply = turn.work.reply
        if (turn._records or turn.sends) and not self.is_volatile:
            if not cell._is_known:
                self.make_known(cell, turn.records)
        elif turn.reply is None and not turn._events:
            return
        elif not cell._pending:
            cell._pending = 1
            turn.release(0)
            return
        cell._pending += 1
        turn._undo = None  # it waits for the disk with many others: let go what is not needed any more
        self.journal.add(turn)

    def fail(self, turn: Turn, error: BaseException) -> None:
        """End a turn badly: take everything back, keep the cause, tell who asked."""
        turn.roll_back()
        work = turn.work
        second = open_turn(turn.cell, work)
        second.error = self.keep_cause(second, error)
        if work.command_id is not None:
            self.ids.fail(second)
        self._settle(second)
        self._commit(second)

    # --- what the whole kernel adds -------------------------------------------------------------------------------

    def rouse(self, cell: Cell) -> None:
        """Do what an agent wants when it comes to life."""
        raise AssertionError("the kernel has it")

    def keep_cause(self, turn: Turn, error: BaseException) -> NatantError:
        """Park the work of a turn that failed, where it should be; returns what to tell the asker."""
        raise AssertionError("the kernel has it")

    def abandon(self, turn: Turn, error: NatantError | None = None) -> None:
        """End a turn as though it had never begun."""
        raise AssertionError("the kernel has it")

    def refuse(self, work: Work, cell: Cell | None = None, error: NatantError | None = None) -> None:
        """Tell whoever waits for ``work`` that it will not be done."""
        raise AssertionError("the kernel has it")

    def make_known(self, cell: Cell, records: list[tuple[int, bytes, bytes]]) -> None:
        """Note in ``records`` that the agent exists."""
        raise AssertionError("the kernel has it")

    def drain(self) -> None:
        """Run what was posted."""
        raise AssertionError("the kernel has it")

    def broken(self, what: str, error: BaseException) -> None:
        """Report an error that was caught so that it harms nobody else."""
        raise AssertionError("the kernel has it")

    def _attempt(self, what: str, function: Callable[..., object], *args: Any) -> None:
        try:
            function(*args)
        except Exception as error:
            self.broken(what, error)
