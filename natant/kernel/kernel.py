"""The kernel: the table of agents and the loop that gives each its turns.

One agent runs one turn at a time.  A piece of work (:class:`~natant.kernel.turn.Work`) is delivered to an agent; where
the agent is free the turn runs at once, else the work waits in the agent's mailbox.  A turn that ends well becomes a unit
of the journal; one that raises is rolled back and *parked* with its input, and the agent goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import CoroutineType
from typing import Any

from natant.codec.recon.value import Record
from natant.errors import CodecError, FormError, NatantError, PlaneError, StoreError, TurnError
from natant.kernel import key
from natant.kernel.asyncturn import AsyncTurns, Resumption
from natant.kernel.call import call
from natant.kernel.cell import Cell
from natant.kernel.config import Config
from natant.kernel.counter import Counter
from natant.kernel.env import Env
from natant.kernel.idle import IdleSweep
from natant.kernel.idwindow import IdWindows
from natant.kernel.journal import Journal, StorePort
from natant.kernel.log import Log
from natant.kernel.outbox import Outbox
from natant.kernel.park import park
from natant.kernel.route import Router
from natant.kernel.timer import TimerTable
from natant.kernel.turn import Outcome, Send, Turn, Work

__all__ = ["Kernel"]


class Kernel:
    """All agents of one process.

    :param router: which class lives where.
    :param store: where durable lanes are kept.
    :param env: time, randomness, execution.
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
        is_volatile: bool = False,
    ) -> None:
        self.router = router
        self.env = env
        self.config = config or Config()
        self.store = store
        self.is_volatile = is_volatile
        self.counter = Counter()
        self.log = log or Log()
        self.agents: dict[str, Cell] = {}
        self.journal = Journal(store, env, self._before_cut)
        self.journal.on_fault = self._commit_failed
        self.outbox = Outbox(self)
        self.timer = TimerTable(self)
        self.ids = IdWindows(self)
        self.async_turns = AsyncTurns(self)
        self.idle = IdleSweep(self)
        #: the turn whose synchronous part runs at present, for the watchdog; ``turn_count`` tells one such part from the next
        self.running: Turn | None = None
        self.turn_count = 0
        self.is_open = False
        self.is_stopping = False
        #: no further turn is begun
        self.is_halted = False
        self.started_s = env.now()
        #: downlinks of agents, set by ``natant.link.agentlink``
        self.downlinks: Any = None
        self._runnable: deque[Callable[[], None]] = deque()
        self._is_draining = False
        self._is_drain_due = False
        #: adds to each batch what belongs to no turn: positions of sources
        self.cut_hooks: list[Callable[[list[tuple[int, bytes, bytes]]], None]] = []
        self._congestion_waiters: list[Callable[[], None]] = []
        #: changes whenever an agent comes or goes
        self.generation = 0
        #: reasons why an agent must not be stopped though idle
        self.alive_guards: list[Callable[[Cell], bool]] = []

    # --- life -----------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Read what an earlier life left (outbox, timers, agents to wake) and take up work."""
        self.is_open = True
        self.journal.on_release = self._released
        self.timer.load()
        self.outbox.load()
        for stored, _ in list(self.store.scan(key.WAKE)):
            self.find(stored[len(key.WAKE) :].decode())
        self.idle.start()
        self.drain()

    def shut(self) -> None:
        """Take no more work.  What is on its way still gets its commit: see ``journal.when_idle``."""
        self.is_stopping = True
        self.timer.stop()
        self.idle.stop()

    def halt(self) -> None:
        """Begin no further turn; cancel those that run."""
        self.is_halted = True
        self._runnable.clear()
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
        return self._activate(kind, node)

    def _activate(self, kind: type[Cell], node: str) -> Cell:
        cell = kind.__new__(kind)
        cell._bind(self, node)
        schema = kind._schema
        cell._is_known = self.is_volatile or self.store.get(key.node_key(node)) is not None
        self.agents[node] = cell
        self.counter.activations += 1
        self.generation += 1
        self.idle.touch(cell)
        for periodic in schema.periodic:
            self.timer.arm_periodic(cell, periodic)
        if schema.joins and cell._is_known:
            self.deliver(cell, Work(_wake, None, "joins"))
        if schema.has_start:
            self.deliver(cell, Work(_start, None, "on_start"))
        return cell

    def retire(self, cell: Cell) -> None:
        """Take an idle agent out of memory."""
        self.counter.idle_stops += 1
        self.generation += 1
        del self.agents[cell.node]
        self.ids.forget(cell.node)
        self.timer.forget(cell)

    def keeps_alive(self, cell: Cell) -> bool:
        """True where the agent must stay in memory: it watches others."""
        return any(guard(cell) for guard in self.alive_guards)

    def make_known(self, cell: Cell, records: list[tuple[int, bytes, bytes]]) -> None:
        """Note in ``records`` that the agent exists; it has never been journaled before."""
        cell._is_known = True
        created_ms = int(self.env.now() * 1000)
        text = f"{{agent:{cell._schema.name},created:{created_ms}}}"
        records.append((0, key.node_key(cell.node), text.encode()))
        self.timer.persist(cell, records)

    # --- turns ----------------------------------------------------------------------------------------------------

    def deliver(self, cell: Cell, work: Work) -> None:
        """Do ``work`` now, or after what the agent is busy with."""
        if self.is_halted:
            self.refuse(work)
            return
        if cell._is_busy:
            mail = cell._mail
            if mail is None:
                mail = cell._mail = deque()
            if len(mail) >= self.config.mailbox_limit and work.reply is not None:
                self.counter.deliveries_refused += 1
                work.reply(None, self.mailbox_full(cell))
                return
            mail.append(work)
            return
        self._run(cell, work)
        if self._runnable and not self._is_draining:
            self.drain()

    def mailbox_full(self, cell: Cell) -> TurnError:
        """The error for work that an agent cannot take now."""
        return TurnError(
            "NT-TURN-007",
            f"{cell.node} is busy and {self.config.mailbox_limit} deliveries wait already; try again later",
            http_status=429,
        )

    def _run(self, cell: Cell, work: Work) -> None:
        if work.command_id is not None and self.ids.answer_duplicate(cell, work):
            return
        turn = Turn(cell, work)
        cell._turn = turn
        self.turn_count += 1
        self.running = turn
        try:
            result = work.run(cell, work.argument)
            self.running = None
        except Exception as error:
            self.running = None
            cell._turn = None
            self.fail(turn, error)
            return
        except BaseException:
            self.running = None
            cell._turn = None
            turn.roll_back()
            raise
        if result is not None:
            if result.__class__ is CoroutineType:
                self.async_turns.open(turn, result)
                return
            if result.__class__ is Resumption:
                self.async_turns.resume(turn, result)
                return
        cell._turn = None
        self.finish(turn, result)

    def finish(self, turn: Turn, value: Any) -> None:
        """End a turn well: hand over what it did outside its agent, publish volatile changes, add its unit."""
        work = turn.work
        cell = turn.cell
        self.counter.turns += 1
        turn.value = value
        if work.command_id is not None:
            self.ids.remember(cell, turn)
        self._settle(turn)
        if turn.after is not None:
            for function in turn.after:
                function()
        if turn.sends is not None:
            self.outbox.add(turn.sends)
        if turn.instant:
            self.publish(cell, turn.instant)
        self._commit(turn)

    def _settle(self, turn: Turn) -> None:
        """Journal with the turn that its work has been done."""
        work = turn.work
        if work.settle is not None:
            work.settle(turn)
            work.settle = None
        send = work.send
        if send is not None and not send.is_done:
            self.outbox.done(send, turn.records)

    def _commit(self, turn: Turn) -> None:
        cell = turn.cell
        turn.reply = turn.work.reply
        if (turn.records or turn.sends) and not self.is_volatile:
            if not cell._is_known:
                self.make_known(cell, turn.records)
        elif turn.reply is None and not turn.events:
            return
        elif not cell._pending:
            cell._pending = 1
            turn.release(0)
            return
        cell._pending += 1
        self.journal.add(turn)

    def fail(self, turn: Turn, error: Exception) -> None:
        """End a turn badly: take everything back, keep the cause, tell who asked."""
        turn.roll_back()
        cell = turn.cell
        work = turn.work
        second = Turn(cell, work)
        if (
            isinstance(error, (FormError, CodecError))
            and work.again is not None
            and work.again[0] == "command"
            and turn.job is None
        ):
            self.counter.form_errors += 1
            self.log.rejected(cell.node, work.label, error)
            second.error = error
        elif isinstance(error, TurnError) and error.code == "NT-TURN-010":
            second.error = error
        elif isinstance(error, StoreError):
            self.log.failed(cell.node, work.label, error)
            second.error = error
        else:
            cell._turn = second
            try:
                second.error = park(self, second, error)
            finally:
                cell._turn = None
        self._settle(second)
        self._commit(second)

    def publish(self, cell: Cell, events: list[Any]) -> None:
        """Offer changes to the links of the agent."""
        links = cell._links
        if links is None:
            return
        for event in events:
            uplinks = links.get(event.lane)
            if uplinks is not None:
                for uplink in uplinks:
                    uplink.offer(event)

    def next_mail(self, cell: Cell) -> None:
        """An asynchronous turn has ended: go on with what waits for the agent."""
        mail = cell._mail
        if mail is None:
            return
        if self.is_halted:
            cell._mail = None
            for work in mail:
                self.refuse(work)
        elif mail:
            self.post(lambda: self._take_mail(cell))
        else:
            cell._mail = None
            self._congestion_over()

    def refuse(self, work: Work) -> None:
        """Tell whoever waits for ``work`` that it will not be done; what stands in the outbox is done after the restart."""
        reply, work.reply = work.reply, None
        if reply is not None:
            reply(None, _stopping())

    def _take_mail(self, cell: Cell) -> None:
        mail = cell._mail
        if mail is None or cell._is_busy:
            return
        work = mail.popleft()
        self._run(cell, work)
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
            while runnable and budget:
                budget -= 1
                runnable.popleft()()
        finally:
            self._is_draining = False
        if runnable and not self._is_drain_due:
            self._is_drain_due = True
            self.env.call_soon(self.drain)

    # --- commands -------------------------------------------------------------------------------------------------

    def command(
        self,
        cell: Cell,
        lane: Any,
        body: Any,
        *,
        command_id: str | None = None,
        reply: Callable[[Outcome | None, NatantError | None], None] | None = None,
    ) -> None:
        """Deliver a command to a lane; ``reply`` is told once its effect is durable."""
        self.counter.commands += 1
        cell._touched = self.idle.tick
        self.deliver(
            cell, Work(lane.receive, body, lane.name, again=("command", lane.name), reply=reply, command_id=command_id)
        )

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

    @property
    def is_congested(self) -> bool:
        """True where connections should stop reading until :meth:`when_uncongested`."""
        return self.journal.is_congested or self.outbox.is_congested

    def when_uncongested(self, function: Callable[[], None]) -> None:
        """Call ``function`` when work is welcome again."""
        self._congestion_waiters.append(function)

    def _congestion_over(self) -> None:
        if self._congestion_waiters and not self.is_congested:
            waiters, self._congestion_waiters = self._congestion_waiters, []
            for waiter in waiters:
                self.env.call_soon(waiter)

    def _released(self) -> None:
        if self._congestion_waiters:
            self._congestion_over()

    def _before_cut(self, batch: list[tuple[int, bytes, bytes]]) -> None:
        self.outbox.record(batch)
        for hook in self.cut_hooks:
            hook(batch)

    def _commit_failed(self, error: NatantError) -> None:
        self.log.store_failed(error)

    # --- parked work ----------------------------------------------------------------------------------------------

    def again(self, cell: Cell, entry: Record) -> Work:
        """The work that a parked entry describes.

        :raises TurnError: ``NT-TURN-006`` where it cannot be done again.
        """
        kind, name = str(entry.get("kind")), str(entry.get("name"))
        if kind == "command":
            lane = cell._lane(name)
            if lane is None:
                raise TurnError("NT-TURN-006", f'{cell.node} has no lane "{name}" any more; drop the parked entry')
            return Work(lane.receive, entry.get("input"), name, again=("command", name))
        if kind == "call" and callable(getattr(cell, name, None)):
            arguments = entry.get("input")
            items = tuple(arguments) if isinstance(arguments, Record) else ()
            return Work(lambda agent, values: call(agent, name, values), items, name, again=("call", name))
        raise TurnError("NT-TURN-006", f"{cell.node} cannot do {name!r} again; drop the parked entry")

    def send(self, send: Send) -> None:
        """Bring a command to its agent on this host."""
        cell = self.find(send.node)
        lane = None if cell is None else cell._lane(send.lane)
        if cell is None or lane is None:
            self.counter.sends_undeliverable += 1
            self.log.undeliverable(send.node, send.lane, "no such node" if cell is None else "no such lane")
            self.outbox.drop(send)
            return
        cell._touched = self.idle.tick
        work = Work(lane.receive, send.body, send.lane, again=("command", send.lane))
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
