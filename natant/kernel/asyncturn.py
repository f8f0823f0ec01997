"""Turns of ``async`` handlers.

The handler's coroutine runs as one job.  While a turn of it is open its agent is busy and other deliveries wait in the
mailbox.  ``await self.task(...)`` ends the open turn (its unit is committed), frees the agent, and opens another turn when
the result is there: so long work never holds an agent.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from natant.codec.form import form
from natant.errors import TurnError
from natant.kernel.departure import removed
from natant.kernel.env import Handle, Job
from natant.kernel.idwindow import unfinished
from natant.kernel.step import Steps
from natant.kernel.turn import Turn, Work

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel

__all__ = ["AsyncTurns", "Resumption"]

#: answers of handlers become Recon values
_ANY: Final = form(Any)
#: tasks that may run outside turns at one time
TASK_LIMIT: Final = 10_000
#: how long a cancelled handler may take to end before it is reported as stuck
CANCEL_GRACE_S: Final = 5.0
#: what ends a handler without having been its fault
_OUTRIGHT: Final = (KeyboardInterrupt, GeneratorExit)


class Resumption:
    """What the work that resumes a handler returns: the turn now belongs to that handler's job."""

    __slots__ = ("gate", "handler")

    def __init__(self, handler: _Handler, gate: Any) -> None:
        self.handler = handler
        self.gate = gate


class _Handler:
    """One running ``async`` handler."""

    __slots__ = ("deadline", "has_part", "is_expired", "job", "turn")

    def __init__(self, turn: Turn) -> None:
        self.turn: Turn | None = turn
        self.job: Job | None = None
        self.deadline: Handle | None = None
        self.is_expired = False
        #: a first part of what it does has been committed
        self.has_part = False


class AsyncTurns:
    """All running ``async`` handlers of a host."""

    def __init__(self, host: Kernel) -> None:
        self._host = host
        self._handlers: dict[Job, _Handler] = {}
        #: spawned work, with the node of its agent
        self._tasks: dict[Job, str] = {}
        #: what brings handlers back into a turn, with what they wait for
        self._returning: dict[Work, Any] = {}
        #: by node: handlers that are outside any turn and will come back
        self._outside: dict[str, int] = {}
        #: agents whose handler ignores its cancellation; they take no more work
        self.stuck: set[str] = set()
        self._idle_gates: list[Callable[[], None]] = []

    @property
    def is_idle(self) -> bool:
        """True where no handler and no task runs."""
        return not self._handlers and not self._tasks

    def holds(self, cell: Cell) -> bool:
        """True where a handler of the agent will come back to it from a task."""
        return cell.node in self._outside

    def open(self, turn: Turn, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Let the rest of the turn run concurrently."""
        turn.cell._is_busy = True
        handler = _Handler(turn)
        job = self._host.env.spawn(self._drive(handler, coroutine))
        handler.job = turn.job = job
        self._handlers[job] = handler
        job.add_done_callback(lambda ended: self._never_begun(ended, coroutine))
        self._arm(handler)

    def _arm(self, handler: _Handler) -> None:
        env = self._host.env
        handler.deadline = env.call_at(env.now() + self._host.config.turn_timeout_s, self._expire, handler)

    def _disarm(self, handler: _Handler) -> None:
        if handler.deadline is not None:
            handler.deadline.cancel()
            handler.deadline = None

    async def _drive(self, handler: _Handler, coroutine: Coroutine[Any, Any, Any]) -> None:
        error: BaseException | None = None
        value: Any = None
        try:
            value = await Steps(self._host, handler, coroutine)
            if value is not None:
                value = _ANY.encode(value)
        except BaseException as raised:
            error = raised
        job = handler.job
        assert job is not None
        del self._handlers[job]
        self._disarm(handler)
        turn, handler.turn = handler.turn, None
        if turn is not None:  # else it was cancelled while it was outside any turn
            self._end(handler, turn, value, error)
        self._look_idle()

    def _end(self, handler: _Handler, turn: Turn, value: Any, error: BaseException | None) -> None:
        host = self._host
        cell = turn.cell
        cell._turn = None
        cell._is_busy = False
        self.stuck.discard(cell.node)
        try:
            if host.is_halted or isinstance(error, _OUTRIGHT):
                host.abandon(turn, unfinished(cell) if handler.has_part else None)
            elif error is None:
                host.finish(turn, value)
            elif handler.is_expired:
                host.counter.timeouts += 1
                host.fail(turn, self._late(turn))
            else:  # a CancelledError too: it came out of something that the handler awaited
                host.fail(turn, error)
        finally:
            host.next_mail(cell)

    def _never_begun(self, job: Any, coroutine: Coroutine[Any, Any, Any]) -> None:
        """A job that was cancelled before its first step has run nothing of :meth:`_drive`."""
        handler = self._handlers.pop(job, None)
        if handler is None or handler.turn is None:
            return
        coroutine.close()
        self._disarm(handler)
        turn, handler.turn = handler.turn, None
        turn.cell._is_busy = False
        self._host.abandon(turn)
        self._host.next_mail(turn.cell)
        self._look_idle()

    def _late(self, turn: Turn) -> TurnError:
        limit_s = self._host.config.turn_timeout_s
        return TurnError(
            "NT-TURN-004",
            f"handler {turn.work.label} of {turn.cell.node} did not finish within {limit_s:g} s and was cancelled; "
            "give long work to self.task or self.spawn, or raise turn_timeout_s",
        )

    def _expire(self, handler: _Handler) -> None:
        job = handler.job
        if handler.turn is None or job is None or job.done():
            return
        handler.is_expired = True
        job.cancel()
        env = self._host.env
        env.call_at(env.now() + CANCEL_GRACE_S, self._report_stuck, handler)

    def _report_stuck(self, handler: _Handler) -> None:
        turn = handler.turn
        if turn is None or handler.job is None or handler.job.done():
            return
        cell = turn.cell
        error = TurnError(
            "NT-TURN-005",
            f"handler {turn.work.label} of {cell.node} ignores its cancellation; that agent takes no more work until it ends",
        )
        self._host.log.failed(cell.node, turn.work.label, error)
        self.stuck.add(cell.node)
        asked = [work for work in cell._mail or () if work.reply is not None]
        for work in asked:  # who is told that it was not done must not see it done later
            cell._mail.remove(work)  # type: ignore[union-attr]
            work.reply(None, error)
        self._host.pressure.release(cell)

    # --- leaving and re-entering a turn ---------------------------------------------------------------------------

    async def task(self, cell: Cell, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Run ``function`` outside the turn and come back with its result in a new turn.

        :raises TurnError: ``NT-TURN-011`` outside an ``async`` handler, ``NT-TURN-012`` at the bound of tasks.
        """
        turn = cell._turn
        handler = self._handlers.get(turn.job) if turn is not None and turn.job is not None else None
        if turn is None or handler is None or handler.job is not self._host.env.current():
            raise TurnError(
                "NT-TURN-011", f"self.task of {cell.node} was called outside an async handler; use self.spawn"
            )
        self.check_bound(cell)
        host = self._host
        work = turn.work
        reply, work.reply = work.reply, None
        command_id, work.command_id = work.command_id, None
        if command_id is not None:
            host.ids.begin(turn, command_id)
        self._disarm(handler)
        handler.has_part = True
        handler.turn = None
        cell._turn = None
        cell._is_busy = False
        turn.job = None
        host.counter.tasks += 1
        host.finish(turn, None)
        host.next_mail(cell)
        work = Work(lambda _cell, _none: Resumption(handler, gate), None, work.label)
        self._outside[cell.node] = self._outside.get(cell.node, 0) + 1
        error: BaseException | None = None
        result: Any = None
        try:
            try:
                result = await self._run_outside(function, arguments)
            except BaseException as raised:
                if host.is_halted or isinstance(raised, _OUTRIGHT):
                    raise
                error = raised
            if host.agents.get(cell.node) is not cell:
                raise removed(cell)
            gate = self._returning[work] = host.env.future()
            host.deliver(cell, work)
            await gate
        except BaseException:
            work.reply, work.command_id = reply, command_id
            if handler.turn is None:
                host.refuse(work, cell, unfinished(cell))
            raise
        finally:
            self._returning.pop(work, None)
            self._come_back(cell)
        work.reply, work.command_id = reply, command_id
        if error is not None:
            raise error
        return result

    def _come_back(self, cell: Cell) -> None:
        count = self._outside[cell.node] - 1
        if count:
            self._outside[cell.node] = count
        else:
            del self._outside[cell.node]

    def resume(self, turn: Turn, resumption: Resumption) -> None:
        """The agent is free for a handler that comes back from a task."""
        handler = resumption.handler
        turn.cell._is_busy = True
        turn.job = handler.job
        handler.turn = turn
        self._arm(handler)
        if not resumption.gate.done():
            resumption.gate.set_result(None)

    async def _run_outside(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(*arguments)
        result = await self._host.env.run_blocking(_without_stop, function, arguments)
        return await result if inspect.isawaitable(result) else result

    def check_bound(self, cell: Cell) -> None:
        """See that another task may be started.

        :raises TurnError: ``NT-TURN-012`` at the bound of tasks.
        """
        if len(self._tasks) + len(self._handlers) >= TASK_LIMIT:
            raise TurnError(
                "NT-TURN-012", f"{cell.node} cannot start a task: {TASK_LIMIT} run already", http_status=503
            )

    def spawn(
        self, cell: Cell, function: Callable[..., Any], arguments: tuple[Any, ...], then: Callable[..., Any] | None
    ) -> None:
        """Run ``function`` outside any turn, from now on; give its result to ``then`` in a turn of its own."""
        self._host.counter.tasks += 1
        job = self._host.env.spawn(self._run_task(cell.node, function, arguments, then))
        self._tasks[job] = cell.node
        job.add_done_callback(self._task_done)

    def _task_done(self, job: Any) -> None:
        self._tasks.pop(job, None)
        self._look_idle()

    async def _run_task(
        self, node: str, function: Callable[..., Any], arguments: tuple[Any, ...], then: Callable[..., Any] | None
    ) -> None:
        host = self._host
        label = f"task:{getattr(function, '__name__', 'work')}"
        try:
            result = await self._run_outside(function, arguments)
        except Exception as error:
            work = Work(_raise, error, label)
        else:
            if then is None:
                return
            name = then.__name__
            work = Work(lambda cell, value: getattr(cell, name)(value), result, label)
        try:
            cell = host.find(node)
        except Exception as error:
            host.broken(f"{label} of {node}", error)
        else:
            if cell is not None:
                host.deliver(cell, work)

    def forsake(self, cell: Cell) -> None:
        """The agent is removed: end its spawned work, and the handlers that wait for their way back to it."""
        for job in [job for job, node in self._tasks.items() if node == cell.node]:
            job.cancel()
        for work in list(cell._mail or ()):
            gate = self._returning.get(work)
            if gate is not None:
                cell._mail.remove(work)  # type: ignore[union-attr]
                gate.set_exception(removed(cell))

    async def wait_idle(self, deadline_s: float) -> None:
        """Wait until nothing runs any more, or until ``deadline_s`` of the environment's clock."""
        if self.is_idle:
            return
        env = self._host.env
        gate = env.future()

        def open_gate() -> None:
            if not gate.done():
                gate.set_result(None)

        self._idle_gates.append(open_gate)
        handle = env.call_at(deadline_s, open_gate)
        await gate
        handle.cancel()

    def _look_idle(self) -> None:
        if self.is_idle:
            gates, self._idle_gates = self._idle_gates, []
            for gate in gates:
                gate()

    def cancel_all(self) -> None:
        """End everything that runs; open turns are rolled back."""
        for job in [*self._handlers, *self._tasks]:
            job.cancel()


def _without_stop(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """A future cannot carry StopIteration: whoever awaits it would wait for ever."""
    try:
        return function(*arguments)
    except StopIteration as stop:
        raise RuntimeError("the work of a task raised StopIteration") from stop


def _raise(_: Any, error: Exception) -> None:
    raise error
