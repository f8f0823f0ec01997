"""The queues of a test plane: in memory, under its clock, served by the functions that the plane declares.

``natant.testing.plane`` makes one; the queues outlive the plane's restarts and crashes, as JetStream does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.kernel.turn import Send
from natant.lane.base import to_value
from natant.queue.delivery import Delivery
from natant.queue.desk import deliver
from natant.queue.gate import Gate
from natant.queue.job import Call, Job
from natant.queue.message import PRIORITIES, Answer, Envelope, Report, decode
from natant.queue.policy import QueueSpec, admit

if TYPE_CHECKING:
    from natant.host import Host
    from natant.kernel.env import Job as KernelJob

__all__ = ["MemoryQueue", "MemoryQueues", "envelope_of"]

#: how long a worker waits before it asks an agent again that could not be asked
ASK_AGAIN_S: Final = 1.0


class MemoryQueue:
    """One queue.

    :ivar parked: the jobs that failed for good, with their causes, by name.
    :ivar paused: True: jobs wait until it is set back and :meth:`look` is called.
    :ivar started: the names of jobs in the order in which attempts at them began.
    """

    result_limit = 1_000_000

    def __init__(self, spec: QueueSpec, queues: MemoryQueues) -> None:
        self.spec = spec
        self.parked: dict[str, tuple[Envelope, str]] = {}
        self.paused = False
        self.started: list[str] = []
        self.jobs: dict[str, Envelope] = {}
        self.gate: Gate[tuple[Send, Envelope]] = Gate(spec.policy.limit)
        self._queues = queues
        self._running: dict[str, tuple[Delivery, KernelJob]] = {}
        self._resting: set[str] = set()
        self._count = 0
        self._call = Call(spec.functions[-1]) if spec.functions else None

    def look(self) -> None:
        """Take in what was submitted, and begin what can be begun."""
        for (send, envelope), key in self.gate.take():
            if key and any(other.key == key for other in self.jobs.values()):
                self.gate.refused(key)
                continue
            self.gate.accepted(key)
            self.jobs.setdefault(envelope.id, envelope)
            self._queues.host.kernel.outbox.drop(send)
        if self._call is None or self.paused:
            return
        waiting = [job for job in self.jobs.values() if job.id not in self._running and job.id not in self._resting]
        for envelope in sorted(waiting, key=lambda job: PRIORITIES.index(job.priority)):
            self._begin(self._call, envelope)

    def _begin(self, call: Call, envelope: Envelope) -> None:
        self._count += 1
        self.started.append(envelope.id)
        delivery = Delivery(envelope, call, self.spec.policy, f"test/{self._count}", self)
        self._running[envelope.id] = delivery, self._queues.host.env.spawn(self._do(delivery))

    async def _do(self, delivery: Delivery) -> None:
        envelope = delivery.envelope
        verdict = await delivery.do()
        del self._running[envelope.id]
        if verdict.kind == "ack":
            self.jobs.pop(envelope.id, None)
            self.gate.freed(envelope.key)
        else:
            self._resting.add(envelope.id)
            env = self._queues.host.env
            env.call_at(env.now() + verdict.delay_s, self._rested, envelope.id)
        self.look()

    def _rested(self, name: str) -> None:
        self._resting.discard(name)
        self.look()

    def lose_workers(self) -> None:
        """All workers die: what they had is delivered again."""
        self._resting.clear()
        for _, task in self._running.values():
            task.cancel()
        self._running.clear()
        self._queues.host.env.call_soon(self.look)

    def retry(self, name: str) -> None:
        """Take a parked job back into the queue, as ``natant queue retry`` does."""
        envelope, _ = self.parked.pop(name)
        self.jobs[name] = replace(envelope, round=envelope.round + 1)
        self.look()

    # --- what a delivery needs ------------------------------------------------------------------------------------

    async def ask(self, report: Report) -> Answer:
        """Bring a report to the agent."""
        while True:
            env = self._queues.host.env
            answered: Any = env.future()
            deliver(self._queues.host.kernel, report, answered.set_result)
            answer: Answer = await answered
            if answer.kind != "later":
                return answer
            again: Any = env.future()
            env.call_at(env.now() + ASK_AGAIN_S, again.set_result, None)
            await again

    async def park(self, envelope: Envelope, cause: str, attempt: int) -> None:
        """Keep a job that failed."""
        self.parked[envelope.id] = (envelope, cause)

    async def thread(self, function: Callable[..., Any], job: Job[Any]) -> Any:
        """Run a plain function in a thread."""
        return await self._queues.host.env.run_blocking(function, job)

    def now(self) -> float:
        """The plane's time."""
        return self._queues.host.env.now()

    def told(self, delivery: Delivery) -> None:
        """Show progress at once."""
        report = delivery.take_progress()
        if report is not None:
            deliver(self._queues.host.kernel, report, delivery.heard)


class MemoryQueues:
    """The queues of a test plane."""

    def __init__(self, specs: list[QueueSpec]) -> None:
        self.host: Host
        self.by_name = {spec.name: MemoryQueue(spec, self) for spec in specs}

    def __getitem__(self, name: str) -> MemoryQueue:
        return self.by_name[name]

    def attach(self, host: Host) -> None:
        """Serve a host; called for each life of the plane."""
        self.host = host
        host.kernel.outbox.carriers["queue"] = self
        for queue in self.by_name.values():
            queue.gate = Gate(queue.spec.policy.limit)
            queue.lose_workers()

    def __call__(self, send: Send) -> None:
        envelope: Envelope = decode(Envelope, str(send.body))
        queue = self.by_name[envelope.queue]
        queue.gate.add((send, envelope), envelope.key)
        self.host.env.call_soon(queue.look)

    def admit(self, name: str, size: int) -> None:
        """See that a queue takes one more job; as in production."""
        queue = self.by_name.get(name)
        held = 0 if queue is None else len(queue.jobs) + len(queue.gate)
        admit(None if queue is None else queue.spec, name, held, size, MemoryQueue.result_limit)


def envelope_of(queue: str, node: str, lane: str, name: str, job: Any) -> Envelope:
    """A job as it stands in its queue, for tests that put one there themselves."""
    return Envelope(name, queue, node, lane, input=recon.encode(to_value(job), exact=True))
