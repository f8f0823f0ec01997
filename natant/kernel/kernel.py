"""The kernel: the table of agents, their life, and what is posted between their turns.

One agent runs one turn at a time.  A piece of work (:class:`~natant.kernel.turn.Work`) is delivered to an agent; where
the agent is free the turn runs at once, else the work waits in the agent's mailbox.  A turn that ends well becomes a unit
of the journal; one that raises is rolled back and *parked* with its input, and the agent goes on: ``run.py`` has all of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from natant.errors import NatantError, PlaneError, StoreError, TurnError
from natant.kernel import key
from natant.kernel.asyncturn import AsyncTurns
from natant.kernel.blob import Blobs
from natant.kernel.cell import Cell
from natant.kernel.config import Config
from natant.kernel.counter import Counter
from natant.kernel.departure import Departures
from natant.kernel.env import Env
from natant.kernel.idle import IdleSweep
from natant.kernel.idwindow import IdWindows
from natant.kernel.journal import Journal, StorePort
from natant.kernel.log import Log
from natant.kernel.outbox import Note, Outbox
from natant.kernel.park import park
from natant.kernel.pressure import Pressure
from natant.kernel.route import Router
from natant.kernel.run import Loop
from natant.kernel.timer import TimerTable
from natant.kernel.turn import Misfit, Send, Turn, Work, command_work

__all__ = ["FeedPort", "Kernel"]


#: how often an agent may remove itself as it comes to life before nobody is said to live there
SHORT_LIVES: Final = 3


class FeedPort(Protocol):
    """Shows lanes in buckets."""

    def start(self) -> None:
        """The kernel takes up work."""

    def touch(self, entry: bytes) -> None:
        """A turn has written the entry with this key; its unit is about to be added to the open group."""


class Kernel(Loop):
    """All agents of one process.

    :param router: which class lives where.
    :param store: where durable lanes are kept.
    :param env: time, randomness, execution.
    :param counter: where it counts; kernels of one process may share one.
    :param is_volatile: nothing is journaled; all lanes live in memory only and agents are never stopped for idleness.
    """

    def __init__(
        self,
        router: Router[type[Cell]],
        *,
        store: StorePort,
        env: Env,
        config: Config | None = None,
        log: Log | None = None,
        counter: Counter | None = None,
        is_volatile: bool = False,
    ) -> None:
        self.config = config or Config()
        super().__init__(store, mailbox_limit=self.config.mailbox_limit, is_volatile=is_volatile)
        self.router = router
        self.env = env
        self.log = log or Log()
        if counter is not None:
            self.counter = counter
        self.journal = Journal(store, env, self._before_cut)
        self.journal.on_fault = self.log.store_failed
        self.journal.on_broken = self.broken
        self.journal.on_release = self._released
        self.pressure = Pressure(self)
        self.outbox = Outbox(self)
        self.timer = TimerTable(self)
        self.ids = IdWindows(self)
        self.async_turns = AsyncTurns(self)
        self.departures = Departures(self)
        self.idle = IdleSweep(self)
        self.is_open = False
        self.is_stopping = False
        self.started_s = env.now()
        #: the name of the store, unlike any other; it makes the numbers of the outbox known to others
        self.identity = self.outbox.identity
        #: downlinks of agents, set by ``natant.link.agentlink``
        self.downlinks: Any = None
        self._is_drain_due = False
        #: adds to each batch what belongs to no turn: positions of sources
        self.cut_hooks: list[Callable[[list[tuple[int, bytes, bytes]]], None]] = []
        #: keeps the contents of large values; None where there is no place for them
        self.blobs: Blobs | None = None
        #: shows lanes in buckets; told of each entry that a turn has written: ``natant.egress.feed``
        self.feed: FeedPort | None = None
        #: told of each agent with published lanes that comes to life
        self.on_active: Callable[[Cell], None] | None = None
        #: reasons why an agent must not be stopped though idle
        self.alive_guards: list[Callable[[Cell], bool]] = []

    # --- life -----------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Read what an earlier life left (outbox, timers, agents to wake) and take up work."""
        self.is_open = True
        self.timer.load()
        self.outbox.load()
        if self.blobs is not None:
            self.blobs.start()
        if self.feed is not None:
            self.feed.start()
        elif next(iter(self.store.scan(key.FED)), None) is not None:
            # What is written in this life is not noted, so the buckets will have to be compared with the whole state.
            self.journal.add(Note([(2, key.FED, b""), (2, key.DIRTY, b"")]))
        for stored, _ in list(self.store.scan(key.WAKE)):
            self._attempt("an agent that is woken at start", self._wake_up, stored[len(key.WAKE) :].decode())
        self.idle.start()
        self.env.jump_hooks.append(self.timer.look)
        self.drain()

    def _wake_up(self, node: str) -> None:
        cell = self.find(node)
        if cell is not None and not cell._is_busy and not self.keeps_alive(cell):
            self.journal.add(Note([(1, key.wake_key(node), b"")]))  # it watches nobody any more

    def shut(self) -> None:
        """Take no more work.  What is on its way still gets its commit: see ``journal.when_idle``."""
        self.is_stopping = True
        if self.timer.look in self.env.jump_hooks:
            self.env.jump_hooks.remove(self.timer.look)
        self.timer.stop()
        self.idle.stop()

    def halt(self) -> None:
        """Begin no further turn; cancel those that run, refuse those that wait."""
        self.is_halted = True
        self._runnable.clear()
        for cell in self.agents.values():
            if cell._mail:
                self._refuse_mail(cell)
        self.async_turns.cancel_all()

    # --- agents ---------------------------------------------------------------------------------------------------

    def find(self, node: str) -> Cell | None:
        """The agent at ``node`` (a normalised path), brought to life where need be; None where no route fits."""
        cell = self.agents.get(node)
        if cell is not None:
            return cell
        kind = self.router.find(node)
        if kind is None:
            return None
        guard = kind._schema.guard
        if guard is not None and not guard(self, node):
            return None
        for _ in range(SHORT_LIVES):
            departure = self.leaving.get(node)
            cell = self.activate(kind, node)
            if departure is not None:
                self.departures.follow(departure, cell)
            if self.agents.get(node) is cell:
                return cell
        return None  # it removes itself whenever it comes to life

    def rouse(self, cell: Cell) -> None:
        """Do what an agent wants when it comes to life."""
        schema = cell._schema
        if schema.periodic:
            self._attempt(f"timers of {cell.node}", self._arm, cell)
        if schema.joins and cell._is_known:
            self.deliver(cell, Work(_wake, None, "joins"))
        if schema.published and self.on_active is not None:
            self._attempt(f"published lanes of {cell.node}", self.on_active, cell)
        if schema.has_start:
            self.deliver(cell, Work(_start, None, "on_start"))

    def _arm(self, cell: Cell) -> None:
        records: list[tuple[int, bytes, bytes]] = []
        for periodic in cell._schema.periodic:
            self.timer.arm_periodic(cell, periodic, records)
        if records:  # the program has got timers that the agent's earlier lives did not know
            self.journal.add(Note(records))

    def retire(self, cell: Cell) -> None:
        """Take an idle agent out of memory."""
        self.counter.idle_stops += 1
        self.generation += 1
        del self.agents[cell.node]
        self.ids.forget(cell.node)
        self.timer.forget(cell)

    def keeps_alive(self, cell: Cell) -> bool:
        """True where the agent must stay in memory: it watches others, or a handler of it will come back from a task."""
        return self.async_turns.holds(cell) or any(guard(cell) for guard in self.alive_guards)

    def make_known(self, cell: Cell, records: list[tuple[int, bytes, bytes]]) -> None:
        """Note in ``records`` that the agent exists; it has never been journaled before."""
        departure = self.leaving.get(cell.node)
        if departure is None:
            cell._is_known = True
        else:
            departure.is_known = True  # as soon as the store has nothing of its forerunner any more
        created_ms = int(self.env.now() * 1000)
        text = f"{{agent:{cell._schema.name},created:{created_ms}}}"
        records.append((0, key.node_key(cell.node), text.encode()))
        self.timer.persist(cell, records)

    # --- what went wrong ------------------------------------------------------------------------------------------

    def keep_cause(self, turn: Turn, error: BaseException) -> NatantError:
        """Park the work of a turn that failed, where it should be; returns what to tell the asker."""
        cell, work = turn.cell, turn.work
        cause: BaseException = error
        if isinstance(error, Misfit):
            cause = error.error
            self.counter.form_errors += 1
            self.log.rejected(cell.node, work.label, error.error)
            if work.send is None:
                return error.error  # it goes back to whoever sent it; an agent is not told, so its command is kept
        elif isinstance(error, TurnError) and error.code == "NT-TURN-010":
            return error
        elif isinstance(error, StoreError) and (work.reply is not None or work.again is None):
            self.log.failed(cell.node, work.label, error)
            return error
        cell._turn = turn
        try:
            return park(self, turn, cause)
        except Exception as worse:
            cell._turn = None
            turn.roll_back()
            self.broken(f"parking {work.label} of {cell.node}", worse)
            work.send = None  # it stays in the outbox, and is tried again with the next start
            if isinstance(cause, NatantError):
                return cause
            return TurnError(
                "NT-TURN-001", f"{work.label} of {cell.node} failed and could not be parked", http_status=500
            )
        finally:
            cell._turn = None

    def abandon(self, turn: Turn, error: NatantError | None = None) -> None:
        """End a turn as though it had never begun; whoever waits is told ``error``, or that the host is stopping."""
        turn.cell._turn = None
        turn.roll_back()
        self.refuse(turn.work, turn.cell, error)

    def broken(self, what: str, error: BaseException) -> None:
        """Report an error that was caught so that it harms nobody else."""
        self.counter.faults += 1
        self.log.broken(what, error)

    def next_mail(self, cell: Cell) -> None:
        """The agent is free again: go on with what waits for it."""
        if cell._mail is None:
            return
        if self.is_halted:
            self._refuse_mail(cell)
        elif cell._mail:
            self.post(lambda: self._take_mail(cell))
        else:
            cell._mail = None
        self.pressure.look_at(cell)

    def _refuse_mail(self, cell: Cell) -> None:
        mail, cell._mail = cell._mail, None
        for work in mail or ():
            self.refuse(work)

    def refuse(self, work: Work, cell: Cell | None = None, error: NatantError | None = None) -> None:
        """Tell whoever waits for ``work`` that it will not be done; what stands in the outbox is done after the restart."""
        if work.command_id is not None and cell is not None:
            self.ids.leave(work, cell)
        reply, work.reply = work.reply, None
        if reply is not None:
            self._attempt(f"the answer to {work.label}", reply, None, error or _stopping())

    def _take_mail(self, cell: Cell) -> None:
        mail = cell._mail
        if not mail or cell._is_busy:
            return
        try:
            self._run(cell, mail.popleft())
        finally:
            if not cell._is_busy:
                self.next_mail(cell)

    # --- the queue of the tick ------------------------------------------------------------------------------------

    def post(self, function: Callable[[], None]) -> None:
        """Call ``function`` after the turn that runs at present, still within this tick where the budget allows."""
        self._runnable.append(function)
        if not self._is_draining and not self._is_drain_due:
            self._is_drain_due = True
            self.env.call_soon(self.drain)

    def drain(self) -> None:
        """Run what was posted, up to the budget of one tick."""
        self._is_drain_due = False
        if self._is_draining:
            return
        self._is_draining = True
        budget = self.config.tick_budget
        runnable = self._runnable
        try:
            while runnable and budget and not self.journal.is_full:
                budget -= 1
                self._attempt("what was posted", runnable.popleft())
        finally:
            self._is_draining = False
        self._drain_later()

    def _drain_later(self) -> None:
        if self._runnable and not self._is_drain_due and not self.journal.is_full:
            self._is_drain_due = True
            self.env.call_soon(self.drain)

    # --- commands from elsewhere ----------------------------------------------------------------------------------

    def admit(self) -> NatantError | None:
        """Why new acknowledged work is refused at present, None where it is welcome."""
        if self.is_stopping or not self.is_open:
            return _stopping()
        fault = self.journal.fault
        if fault is not None:
            return StoreError(
                "NT-STORE-005",
                f"the store cannot be written at present ({fault}); nothing was done, try again later",
                http_status=503,
            )
        if self.journal.is_congested:
            return TurnError("NT-TURN-009", "the journal is behind; try again later", http_status=503)
        return None

    def _released(self) -> None:
        self.outbox.carry()
        self.pressure.look()
        self._drain_later()

    def _before_cut(self, batch: list[tuple[int, bytes, bytes]]) -> None:
        self.outbox.record(batch)
        for hook in self.cut_hooks:
            self._attempt("what is added to a commit group", hook, batch)

    def send(self, send: Send) -> None:
        """Bring a command to its agent in this kernel."""
        cell = self.find(send.node)
        lane = None if cell is None else cell._lane(send.lane)
        if cell is None or lane is None:
            self.counter.sends_undeliverable += 1
            self.log.undeliverable(send.node, send.lane, "no such node" if cell is None else "no such lane")
            self.outbox.drop(send)
            return
        cell._touched = self.tick
        work = command_work(lane, send.body)
        work.send = send
        self.deliver(cell, work)

    def require(self, node: str) -> Cell:
        """The agent at ``node``.

        :raises PlaneError: ``NT-PLANE-004`` where no route fits.
        """
        cell = self.find(node)
        if cell is None:
            raise PlaneError("NT-PLANE-004", f"no agent lives at {node!r}: no route of the plane fits", http_status=404)
        return cell


def _stopping() -> TurnError:
    return TurnError("NT-TURN-008", "the host is stopping; connect again and retry", http_status=503)


def _wake(cell: Any, _: Any) -> None:
    for lane in cell._schema.joins:
        lane.wake(cell)


def _start(cell: Any, _: Any) -> Any:
    return cell.on_start()
