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
from natant.kernel.env import Handle, Job
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


class Resumption:
    """What the work that resumes a handler returns: the turn now belongs to that handler's job."""

    __slots__ = ("gate", "handler")

    def __init__(self, handler: _Handler, gate: Any) -> None:
        self.handler = handler
        self.gate = gate


class _Handler:
    """One running ``async`` handler."""

    __slots__ = ("deadline", "is_expired", "job", "turn")

    def __init__(self, turn: Turn) -> None:
        self.turn: Turn | None = turn
        self.job: Job | None = None
        self.deadline: Handle | None = None
        self.is_expired = False


class AsyncTurns:
    """All running ``async`` handlers of a host."""

    def __init__(self, host: Kernel) -> None:
        self._host = host
        self._handlers: dict[Job, _Handler] = {}
        self._tasks: set[Job] = set()
        self._idle_gates: list[Callable[[], None]] = []

    @property
    def is_idle(self) -> bool:
        """True where no handler and no task runs."""
        return not self._handlers and not self._tasks

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
        except BaseException as raised:
            error = raised
        job = handler.job
        assert job is not None
        del self._handlers[job]
        self._disarm(handler)
        turn = handler.turn
        if turn is None:  # cancelled while it was outside any turn
            return
        handler.turn = None
        cell = turn.cell
        cell._turn = None
        cell._is_busy = False
        if error is None:
            self._host.finish(turn, value)
        elif handler.is_expired:
            self._host.counter.timeouts += 1
            self._host.fail(turn, self._late(turn))
        elif isinstance(error, Exception):
            self._host.fail(turn, error)
        else:
            turn.roll_back()
            self._host.refuse(turn.work)
        self._host.next_mail(cell)
        self._look_idle()

    def _never_begun(self, job: Any, coroutine: Coroutine[Any, Any, Any]) -> None:
        """A job that was cancelled before its first step has run nothing of :meth:`_drive`."""
        handler = self._handlers.pop(job, None)
        if handler is None or handler.turn is None:
            return
        coroutine.close()
        self._disarm(handler)
        turn, handler.turn = handler.turn, None
        turn.cell._turn = None
        turn.cell._is_busy = False
        turn.roll_back()
        self._host.refuse(turn.work)
        self._host.next_mail(turn.cell)

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
        for work in cell._mail or ():
            if work.reply is not None:
                work.reply(None, error)
                work.reply = None

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
        self._check_bound(cell)
        host = self._host
        reply, turn.work.reply = turn.work.reply, None
        label = turn.work.label
        self._disarm(handler)
        handler.turn = None
        cell._turn = None
        cell._is_busy = False
        turn.job = None
        host.counter.tasks += 1
        host.finish(turn, None)
        host.next_mail(cell)
        error: BaseException | None = None
        result: Any = None
        try:
            result = await self._outside(function, arguments)
        except Exception as raised:
            error = raised
        gate = host.env.future()
        work = Work(lambda _cell, _none: Resumption(handler, gate), None, label, reply=None)
        work.reply = None
        host.deliver(cell, work)
        await gate
        work.reply = reply
        if error is not None:
            raise error
        return result

    def resume(self, turn: Turn, resumption: Resumption) -> None:
        """The agent is free for a handler that comes back from a task."""
        handler = resumption.handler
        turn.cell._is_busy = True
        turn.job = handler.job
        handler.turn = turn
        self._arm(handler)
        if not resumption.gate.done():
            resumption.gate.set_result(None)

    async def _outside(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(*arguments)
        result = await self._host.env.run_blocking(function, *arguments)
        return await result if inspect.isawaitable(result) else result

    def _check_bound(self, cell: Cell) -> None:
        if len(self._tasks) + len(self._handlers) >= TASK_LIMIT:
            raise TurnError(
                "NT-TURN-012", f"{cell.node} cannot start a task: {TASK_LIMIT} run already", http_status=503
            )

    def spawn(
        self, cell: Cell, function: Callable[..., Any], arguments: tuple[Any, ...], then: Callable[..., Any] | None
    ) -> None:
        """Run ``function`` outside any turn, from now on; give its result to ``then`` in a turn of its own."""
        self._check_bound(cell)
        self._host.counter.tasks += 1
        job = self._host.env.spawn(self._run_task(cell.node, function, arguments, then))
        self._tasks.add(job)
        job.add_done_callback(self._task_done)

    def _task_done(self, job: Any) -> None:
        self._tasks.discard(job)
        self._look_idle()

    async def _run_task(
        self, node: str, function: Callable[..., Any], arguments: tuple[Any, ...], then: Callable[..., Any] | None
    ) -> None:
        host = self._host
        label = f"task:{getattr(function, '__name__', 'work')}"
        try:
            result = await self._outside(function, arguments)
        except Exception as error:
            work = Work(_raise, error, label)
        else:
            if then is None:
                return
            name = then.__name__
            work = Work(lambda cell, value: getattr(cell, name)(value), result, label)
        cell = host.find(node)
        if cell is not None:
            host.deliver(cell, work)

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


def _raise(_: Any, error: Exception) -> None:
    raise error
