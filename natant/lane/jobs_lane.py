"""The jobs lane: the work an agent has asked for, by the names of the jobs, and what became of it.

A map lane that only the agent's own turns and the reports of workers write.  An entry is *open* until it is done, failed or cancelled; that is also
what makes a job's outcome apply once: whoever reports on an entry that is closed, or gone, is told so and changes nothing.
Called by authors (:class:`AgentJobs`), and by the plane's side of a queue with what workers report (:meth:`JobsLane.report`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from natant.codec import recon
from natant.codec.form import Form, form
from natant.errors import CodecError, FormError, QueueError, Refused
from natant.kernel.cell import Cell
from natant.kernel.turn import Send, Turn, require_turn
from natant.lane.exact_dict import MISSING
from natant.lane.map_lane import LaneMap, MapLane
from natant.queue.message import PRIORITIES, Answer, Envelope, Priority, Report, encode

__all__ = ["AgentJobs", "JobState", "JobsLane"]

J = TypeVar("J")
R = TypeVar("R")
A = TypeVar("A")

#: jobs of one lane of one agent that may be open at a time
OPEN_LIMIT: Final = 100_000
#: characters of a key, which becomes part of a subject
KEY_LIMIT: Final = 256
#: characters of an error, a note or a label that are kept
TEXT_LIMIT: Final = 2000
#: letters of a job's name, without those that look alike
_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"

_CLOSED: Final = frozenset(("done", "failed", "cancelled"))


@dataclass(frozen=True)
class JobState(Generic[R]):
    """One job as the agent that asked, and whoever links to its lane, sees it.

    :ivar state: ``waiting``, ``running``, ``retrying`` (after a failure, until the next attempt), then ``done``, ``failed`` or ``cancelled``.
    :ivar about: the label it was submitted with.
    :ivar attempts: how many attempts have begun.
    :ivar progress: from 0 to 1, None until the worker tells; ``note`` is what it said with that.
    :ivar error: why the last attempt failed; empty where none did.
    :ivar submitted: epoch seconds, as ``changed``, the time of its latest change.
    :ivar due: when the next attempt may begin, where ``state`` is ``retrying``.
    :ivar run: the worker and its delivery.
    """

    state: str = "waiting"
    about: str = ""
    key: str = ""
    priority: Priority = "normal"
    attempts: int = 0
    progress: float | None = None
    note: str = ""
    error: str = ""
    submitted: float = 0.0
    changed: float = 0.0
    due: float = 0.0
    run: str = ""
    round: int = 0
    result: R | None = None

    @property
    def is_open(self) -> bool:
        """True until it is done, failed or cancelled."""
        return self.state not in _CLOSED


class AgentJobs(LaneMap[str, JobState[R]], Generic[J, R]):
    """The jobs of one agent: a mapping from their names, oldest first."""

    __slots__ = ("closed",)

    def __init__(self, cell: Cell, lane: Any) -> None:
        super().__init__(cell, lane)
        #: names of the entries that are closed, oldest first; None: to be looked up
        self.closed: dict[str, None] | None = None

    def submit(self, job: J, *, key: str = "", priority: Priority = "normal", about: str = "") -> str:
        """Ask for work when this turn has ended well; returns the job's name.

        :param key: jobs of the queue with the same key are done one at a time, in the order in which they were submitted.
        :param priority: ``high``, ``normal`` or ``low``; workers take what is higher first.
        :param about: a label for people and programs.
        :raises QueueError: ``NT-QUEUE-001`` where nothing serves queues here, ``NT-QUEUE-002`` for a queue that the plane does not declare,
            ``NT-QUEUE-003`` where the queue is full or too much is open, ``NT-QUEUE-004`` for a job that is too large, ``NT-QUEUE-005`` for another priority.
        :raises LaneError: ``NT-LANE-012`` where ``job`` is not of the lane's type, ``NT-LANE-001`` outside a turn.
        """
        envelope = Envelope("", self._lane.queue, self._cell.node, self._lane.name, key, priority, about[:TEXT_LIMIT])
        name: str = self._lane.submit(self._cell, self, job, envelope)
        return name

    def cancel(self, name: str) -> bool:
        """Have a job not done, or what it gives not used; False where it is not open.  A worker that is at it is told."""
        changed: bool = self._lane.cancel(self._cell, self, name)
        return changed

    def __setitem__(self, key: str, value: JobState[R]) -> None:
        raise QueueError(
            "NT-QUEUE-006", f'entries of the jobs lane "{self._lane.name}" are made by submit() and changed by workers'
        )


class JobsLane(MapLane[str, JobState[R]], Generic[J, R]):
    """The jobs that each agent has asked of one queue."""

    def __init__(self, queue: str, kind: Any, result: Any, keep: int, **options: Any) -> None:
        super().__init__(form(str), form(JobState[result]), **options)
        if keep < 1:
            raise QueueError(
                "NT-QUEUE-006", f"keep={keep} of a jobs lane would forget what was just done; take at least 1"
            )
        self.queue = queue
        self.keep_closed = keep
        self.input_form: Form[J] = form(kind)
        self.result_form: Form[R] = form(result)

    if TYPE_CHECKING:

        @overload
        def __get__(self, agent: None, owner: type) -> JobsLane[J, R]: ...
        @overload
        def __get__(self, agent: Cell, owner: type) -> AgentJobs[J, R]: ...
        def __get__(self, agent: Cell | None, owner: type) -> Any: ...

    def make(self, cell: Cell) -> AgentJobs[J, R]:
        return AgentJobs(cell, self)

    # --- the author's callbacks -----------------------------------------------------------------------------------

    def done(self, function: Callable[[A, str, JobState[R]], object]) -> Callable[[A, str, JobState[R]], object]:
        """Decorator: ``function(self, name, job)`` runs when a job is done, in the turn that notes its result."""
        return self.on("done", function)

    def failed(self, function: Callable[[A, str, JobState[R]], object]) -> Callable[[A, str, JobState[R]], object]:
        """Decorator: ``function(self, name, job)`` runs when a job has failed for good and is parked in its queue."""
        return self.on("failed", function)

    # --- from the agent -------------------------------------------------------------------------------------------

    def submit(self, cell: Cell, jobs: AgentJobs[J, R], job: J, envelope: Envelope) -> str:
        """Note a job and send it in the open turn; see :meth:`AgentJobs.submit`."""
        turn = require_turn(cell, self.name)
        if envelope.priority not in PRIORITIES:
            raise QueueError(
                "NT-QUEUE-005",
                f"the priority of a job is high, normal or low, not {envelope.priority!r}",
                http_status=400,
            )
        if len(envelope.key) > KEY_LIMIT:
            raise QueueError(
                "NT-QUEUE-005", f"the key of a job is a text of up to {KEY_LIMIT} characters", http_status=400
            )
        if len(jobs) - len(self.closed(jobs)) >= OPEN_LIMIT:
            raise QueueError(
                "NT-QUEUE-003",
                f'{cell.node} has {OPEN_LIMIT} open jobs in "{self.name}"; let some be done first',
                http_status=429,
            )
        try:
            text = recon.encode(self.input_form.encode(job), exact=True)
        except (FormError, CodecError) as error:
            raise self.refuse(cell, job, error) from error
        host = cell._host
        now_s = host.env.now()
        envelope = replace(envelope, id=_new_name(now_s, host.env.random), at=now_s, input=text)
        scheme = f"queue:{self.queue}"
        send = Send(cell.node, self.name, encode(envelope).decode(), scheme)
        send.text = host.outbox.text(send)
        carrier: Any = host.outbox.carriers.get("queue")
        if carrier is None:
            raise QueueError(
                "NT-QUEUE-001",
                f'"{self.name}" of {cell.node} asked for work, and nothing serves queues here; declare the queue with '
                f'plane.queue("{self.queue}") and run the plane with natant run, or test it under natant.testing.queue',
                http_status=503,
            )
        host.outbox.has_carrier(scheme)
        carrier.admit(self.queue, len(send.text))
        entry: JobState[R] = JobState(
            "waiting", envelope.about, envelope.key, envelope.priority, submitted=now_s, changed=now_s
        )
        self.put(cell, envelope.id, entry)
        if turn.sends is None:
            turn.sends = [send]
        else:
            turn.sends.append(send)
        return envelope.id

    def cancel(self, cell: Cell, jobs: AgentJobs[J, R], name: str) -> bool:
        """Close an entry in the open turn."""
        require_turn(cell, self.name)
        entry = jobs.get(name)
        if entry is None or not entry.is_open:
            return False
        self._close(cell, jobs, name, replace(entry, state="cancelled", due=0.0))
        return True

    # --- from workers ---------------------------------------------------------------------------------------------

    def report(self, cell: Cell, report: Report) -> Answer:
        """Take what a worker says, in the open turn."""
        require_turn(cell, self.name)
        jobs: AgentJobs[J, R] = self.state(cell)  # type: ignore[assignment]  # made by make()
        entry = jobs.get(report.id)
        if entry is None:
            if report.round == 0:
                return Answer("unknown")
            entry = JobState(submitted=cell._host.env.now(), round=report.round)  # parked so long that it was forgotten
        if report.round < entry.round:
            return Answer("over")
        if report.round > entry.round:
            self._reopen(jobs, cell, report.id)
            entry = replace(entry, state="waiting", attempts=0, error="", run="", round=report.round, result=None)
        if entry.state == "cancelled":
            return Answer("cancelled")
        if not entry.is_open:
            return Answer("over")
        if report.kind == "start":
            return self._start(cell, report, entry)
        if report.kind in ("done", "failed"):
            return self._end(cell, jobs, report, entry)
        if report.run != entry.run:
            return Answer("stale")
        changed = self._changed(cell, report, entry)
        if changed is not None:
            self.put(cell, report.id, changed)
        return Answer("go", entry.attempts)

    def _start(self, cell: Cell, report: Report, entry: JobState[R]) -> Answer:
        if report.run == entry.run:  # the answer was lost, and the worker asks again
            return Answer("go", entry.attempts)
        attempt = entry.attempts + 1
        now_s = cell._host.env.now()
        entry = replace(
            entry, state="running", attempts=attempt, progress=None, note="", run=report.run, due=0.0, changed=now_s
        )
        self.put(cell, report.id, entry)
        return Answer("go", attempt)

    def _changed(self, cell: Cell, report: Report, entry: JobState[R]) -> JobState[R] | None:
        """The entry after a report from the worker that has the job; None where nothing changes."""
        now_s = cell._host.env.now()
        if report.kind == "progress":
            return replace(entry, progress=report.progress, note=report.note[:TEXT_LIMIT], changed=now_s)
        if report.kind == "retry":
            error = report.error[:TEXT_LIMIT]
            return replace(entry, state="retrying", error=error, due=report.due, run="", changed=now_s)
        if report.kind == "release":
            return replace(entry, state="waiting", attempts=max(0, entry.attempts - 1), run="", changed=now_s)
        return None

    def _end(self, cell: Cell, jobs: AgentJobs[J, R], report: Report, entry: JobState[R]) -> Answer:
        if report.kind == "done":
            try:
                result = self.result_form.decode(recon.decode(report.result))
            except (FormError, CodecError) as error:
                raise self.refuse(cell, report.result, error) from error
            entry = replace(entry, state="done", result=result, progress=1.0, error="")
        else:
            entry = replace(entry, state="failed", error=report.error[:TEXT_LIMIT])
        # one that ended before its beginning was told has begun all the same
        entry = replace(entry, attempts=max(1, entry.attempts), run=report.run)
        self._close(cell, jobs, report.id, entry)
        self.call(cell, report.kind, report.id, jobs.get(report.id, entry))
        return Answer("over", entry.attempts)

    # --- entries that are closed ----------------------------------------------------------------------------------

    def closed(self, jobs: AgentJobs[J, R]) -> dict[str, None]:
        """The names of closed entries, oldest first."""
        known = jobs.closed
        if known is None:
            rows = sorted((entry.changed, name) for name, entry in jobs.data.items() if not entry.is_open)
            known = jobs.closed = dict.fromkeys(name for _, name in rows)
        return known

    def _close(self, cell: Cell, jobs: AgentJobs[J, R], name: str, entry: JobState[R]) -> None:
        closed = self._change_closed(cell, jobs)
        self.put(cell, name, replace(entry, due=0.0, changed=cell._host.env.now()))
        closed[name] = None
        while len(closed) > self.keep_closed:
            oldest = next(iter(closed))
            del closed[oldest]
            if jobs.data.find(oldest) is not MISSING:
                self.remove(cell, oldest)

    def _reopen(self, jobs: AgentJobs[J, R], cell: Cell, name: str) -> None:
        self._change_closed(cell, jobs).pop(name, None)

    def _change_closed(self, cell: Cell, jobs: AgentJobs[J, R]) -> dict[str, None]:
        """The names of closed entries, to be changed in the open turn."""
        turn: Turn = require_turn(cell, self.name)
        closed = self.closed(jobs)
        turn.note_undo((_forget_closed, jobs))
        return closed

    def remove(self, cell: Cell, key: str) -> None:
        jobs: AgentJobs[J, R] = self.state(cell)  # type: ignore[assignment]  # made by make()
        if jobs.closed is not None and key in jobs.closed:
            self._change_closed(cell, jobs).pop(key)
        super().remove(cell, key)

    def clear(self, cell: Cell) -> None:
        jobs: AgentJobs[J, R] = self.state(cell)  # type: ignore[assignment]  # made by make()
        self._change_closed(cell, jobs).clear()
        super().clear(cell)

    def receive(self, cell: Any, body: Any) -> None:
        raise Refused(f'"{self.name}" of {cell.node} is written by the agent and its workers only')

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "queue": self.queue, "input": self.input_form.name}


def _forget_closed(jobs: AgentJobs[Any, Any]) -> None:
    jobs.closed = None


def _new_name(now_s: float, random: Any) -> str:
    """A name that sorts by time and that no other job has: 9 letters of milliseconds, 12 of chance."""
    number = (int(now_s * 1000) << 60) | random.getrandbits(60)
    return "".join(_LETTERS[number >> shift & 31] for shift in range(100, -5, -5))
