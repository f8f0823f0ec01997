"""One delivery of a job to a worker, from its start to what the queue is told.

Sans-io: the :class:`Port` asks the agent, parks, waits.  The order is what makes a job's outcome apply once whenever anything dies: ask the
agent, do the work, have the agent commit what became of it, and only then let the queue forget the job.  A job that is delivered for the
first time is begun while the agent is asked: most likely it wants it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from natant.codec import recon
from natant.errors import CodecError, FormError, NatantError, QueueError, Refused
from natant.queue.job import Call, Job
from natant.queue.message import Answer, Envelope, Report, encode
from natant.queue.policy import QueuePolicy

__all__ = ["ACK", "LEAVE", "Delivery", "Port", "Verdict"]

#: characters of an error that are reported
ERROR_LIMIT: Final = 1000

_LOG = logging.getLogger("natant.queue")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the queue is told.

    :ivar kind: ``ack``: forget the job; ``again``: deliver it again after ``delay_s``; ``leave``: nothing, another worker has it.
    """

    kind: Literal["ack", "again", "leave"]
    delay_s: float = 0.0


ACK: Final = Verdict("ack")
LEAVE: Final = Verdict("leave")


class Port(Protocol):
    """What a delivery needs from outside.

    :ivar result_limit: bytes that a report may have.
    """

    result_limit: int

    async def ask(self, report: Report) -> Answer:
        """Bring a report to the agent and wait for its answer, however long it is away."""

    async def park(self, envelope: Envelope, cause: str, attempt: int) -> None:
        """Keep a job that failed, durably."""

    async def thread(self, function: Callable[..., Any], job: Job[Any]) -> Any:
        """Run a plain function in a thread."""

    def now(self) -> float:
        """Epoch seconds."""

    def told(self, delivery: Delivery) -> None:
        """The function told how far it is: :meth:`Delivery.take_progress` has it."""


class Delivery:
    """A job in the hands of this worker.

    :param run: names this delivery, unlike any other: ``WORKER/NUMBER``.
    :param ack: where the queue hears of it.
    :param is_first: the queue has delivered it to nobody before, so the work begins before the agent was asked.
    """

    def __init__(
        self,
        envelope: Envelope,
        call: Call,
        policy: QueuePolicy,
        run: str,
        port: Port,
        *,
        ack: str = "",
        is_first: bool = False,
    ) -> None:
        self.envelope = envelope
        self.attempt = 0
        #: when the function was called, 0 before
        self.started_s = 0.0
        #: the function has raised, or was cancelled by its time limit
        self.has_failed = False
        self._call = call
        self._policy = policy
        self._run = run
        self._port = port
        self._ack = ack
        self._is_first = is_first
        self._job: Job[Any] | None = None
        self._work: asyncio.Task[Any] | None = None
        self._news: tuple[float | None, str] | None = None
        self._starting: asyncio.Future[None] | None = None
        self._unwanted: Verdict | None = None
        self._is_released = False

    # --- from outside ---------------------------------------------------------------------------------------------

    def heard(self, answer: Answer) -> None:
        """The answer to a beat or to progress: stop where this worker's result is not wanted (any more)."""
        if answer.kind in ("cancelled", "unknown", "over", "stale"):
            self._unwanted = LEAVE if answer.kind == "stale" else ACK
            self._stop_work()

    def release(self) -> None:
        """The worker stops: give the job back."""
        self._is_released = True
        self._stop_work()

    def _stop_work(self) -> None:
        if self._job is not None:
            self._job.is_cancelled = True
        if self._work is not None:
            self._work.cancel()

    def take_progress(self) -> Report | None:
        """What the function said since the last call, None where nothing."""
        news, self._news = self._news, None
        if news is None or self._work is None or self._work.done():
            return None
        fraction, note = news
        return self._report("progress", progress=fraction, note=note)

    def beat(self) -> Report:
        """The report that asks whether the job is still wanted."""
        return self._report("beat")

    # --- its course -----------------------------------------------------------------------------------------------

    async def do(self) -> Verdict:
        """Do the job; returns what to tell the queue."""
        if self._is_first:
            self.attempt = 1
            self._starting = asyncio.ensure_future(self._start())
        else:
            answer = await self._port.ask(self._report("start", ack=self._ack))
            if answer.kind != "go":
                return ACK
            self.attempt = answer.attempt
        if self.attempt > self._policy.attempts:
            return await self._give_up(
                f"NT-QUEUE-011  {self._policy.attempts} attempts were begun and their workers were lost; "
                "does the job kill them?"
            )
        try:
            value = self._call.input_form.decode(recon.decode(self.envelope.input))
        except (FormError, CodecError) as error:
            return await self._give_up(f"NT-QUEUE-012  the job does not fit what {self._call.name} takes: {error}")
        if self._is_released:
            return await self._give_back()
        self._job = Job(self.envelope, value, self.attempt, self._policy.attempts, self._hear)
        try:
            return await self._work_on(self._job)
        finally:
            self._end_start()

    async def _start(self) -> None:
        """Tell the agent of a job that nobody had before, while it is being done."""
        answer = await self._port.ask(self._report("start", ack=self._ack))
        if answer.kind == "go":
            self.attempt = answer.attempt
        else:
            self.heard(answer)

    def _end_start(self) -> None:
        if self._starting is not None:
            self._starting.cancel()

    async def _work_on(self, job: Job[Any]) -> Verdict:
        call = self._call
        self.started_s = self._port.now()
        work = asyncio.ensure_future(call.function(job) if call.is_async else self._port.thread(call.function, job))
        self._work = work
        try:
            ended, _ = await asyncio.wait({work}, timeout=self._policy.timeout_s or None)
        except asyncio.CancelledError:  # the worker itself is being ended
            self._stop_work()
            raise
        if self._unwanted is not None:
            return self._unwanted
        if not ended:
            self._stop_work()
            return await self._fail(f"NT-QUEUE-008  it took longer than {self._policy.timeout_s:g} s")
        if self._is_released and (work.cancelled() or work.exception() is not None):
            return await self._give_back()
        if work.cancelled():
            return await self._fail("CancelledError: the function was cancelled from within")
        error = work.exception()
        if error is not None:
            return await self._judge(error)
        try:
            text = recon.encode(call.result_value(work.result()), exact=True)
        except (FormError, CodecError) as misfit:
            return await self._give_up(f"NT-QUEUE-013  {call.name} returned what it does not say it returns: {misfit}")
        return await self._deliver(self._report("done", result=text))

    async def _judge(self, error: BaseException) -> Verdict:
        """What follows from what the function raised."""
        if isinstance(error, Refused):
            self.has_failed = True
            return await self._give_up(error.message)
        _LOG.warning("job %s of %s failed", self.envelope.id, self.envelope.queue, exc_info=error)
        return await self._fail(str(error) if isinstance(error, NatantError) else f"{type(error).__name__}: {error}")

    async def _deliver(self, report: Report) -> Verdict:
        size = len(encode(report))
        if size > self._port.result_limit:
            return await self._give_up(
                f"NT-QUEUE-013  the result takes {size} bytes and a message {self._port.result_limit}; "
                "put what is large into an object store and return its name"
            )
        await self._port.ask(report)
        self._end_start()
        return ACK

    async def _fail(self, why: str) -> Verdict:
        self.has_failed = True
        if self._starting is not None:
            await self._starting  # which attempt was it?
        if self.attempt >= self._policy.attempts:
            return await self._give_up(why)
        delay_s = self._policy.delay_s(self.attempt)
        due_s = self._port.now() + delay_s
        answer = await self._port.ask(self._report("retry", error=why[:ERROR_LIMIT], due=due_s))
        return _verdict(answer, delay_s)

    async def _give_up(self, why: str) -> Verdict:
        """Park the job and have the agent know; both are durable when the queue forgets it."""
        why = why[:ERROR_LIMIT]
        await self._port.park(self.envelope, why, self.attempt)
        await self._port.ask(self._report("failed", error=why))
        return ACK

    async def _give_back(self) -> Verdict:
        if self._starting is not None:
            await self._starting  # so that the agent knows what is given back
        answer = await self._port.ask(self._report("release"))
        return _verdict(answer, 0.0)

    def _hear(self, fraction: float | None, note: str) -> None:
        if fraction is not None and not 0 <= fraction <= 1:
            raise QueueError("NT-QUEUE-005", f"progress is a number from 0 to 1, or None, not {fraction!r}")
        self._news = (fraction, note)
        self._port.told(self)

    def _report(self, kind: str, **facts: Any) -> Report:
        envelope = self.envelope
        return Report(kind, envelope.id, envelope.node, envelope.lane, self._run, envelope.round, **facts)


def _verdict(answer: Answer, delay_s: float) -> Verdict:
    """What follows from the answer to an attempt that was not the last."""
    if answer.kind == "go":
        return Verdict("again", delay_s)
    return LEAVE if answer.kind == "stale" else ACK
