"""Submissions on their way from the outbox of one host into the queues.

The carrier of one host (a plane, or one partition of it).  A submission leaves the outbox when the queue has it durably; it goes by the job's name
as message id, so one that is sent again is there once.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Final

from natant.kernel.turn import Send
from natant.queue.gate import Gate
from natant.queue.message import Envelope, decode
from natant.queue.policy import QueueSpec, admit

if TYPE_CHECKING:
    from natant.kernel.kernel import Kernel
    from natant.queue.nats.place import QueuePlace
    from natant.queue.nats.service import QueueService

__all__ = ["QueueCarrier"]

#: submissions of one queue that one host has under way
WINDOW: Final = 256
#: how long a submission may take
SUBMIT_S: Final = 10.0
#: how long a queue that did not take one is left alone; doubled up to the last
REST_S: Final = (0.05, 5.0)

#: how soon a key that was said to be free and is not is tried again; doubled each time, so often; later with all others
KEY_AGAIN_S: Final = 0.002
KEY_TRIES: Final = 9

#: JetStream's numbers: another job of the key is there; the stream is full
_KEY_TAKEN: Final = 10071
_FULL: Final = 10077

_LOG = logging.getLogger("natant.queue")


class _Submission:
    """A job on its way."""

    __slots__ = ("job", "payload", "send")

    def __init__(self, send: Send) -> None:
        self.send = send
        self.payload = str(send.body).encode()
        self.job: Envelope = decode(Envelope, self.payload)


class _Line:
    """What waits for one queue."""

    def __init__(self, place: QueuePlace) -> None:
        self.place = place
        self.gate: Gate[_Submission] = Gate(WINDOW)
        self.rest_s = REST_S[0]
        self.is_resting = False
        #: by key: how often it was tried since it was said to be free
        self.tries: dict[str, int] = {}


class QueueCarrier:
    """Takes the submissions of one host; ``kernel.outbox.carriers["queue"]``."""

    def __init__(self, service: QueueService, kernel: Kernel) -> None:
        self._service = service
        self._kernel = kernel
        self._lines: dict[str, _Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._gone: list[Send] = []
        self._is_closed = False

    def admit(self, queue: str, size: int) -> None:
        """See that a queue takes one more job; called within the turn that submits it.

        :raises QueueError: ``NT-QUEUE-002``, ``-003`` or ``-004``.
        """
        spec: QueueSpec | None = self._service.specs.get(queue)
        line = self._lines.get(queue)
        held = self._service.held(queue) + (len(line.gate) if line is not None else 0)
        admit(spec, queue, held, size, self._service.size_limit)

    def __call__(self, send: Send) -> None:
        """A submission is durable."""
        queue = (send.host or "").partition(":")[2]
        line = self._lines.get(queue)
        if line is None:
            line = self._lines[queue] = _Line(self._service.place(queue))
        submission = _Submission(send)
        line.gate.add(submission, submission.job.key)
        self._submit(line)

    def freed(self, queue: str, key: str) -> None:
        """A key is free."""
        line = self._lines.get(queue)
        if line is not None and line.gate.freed(key):
            line.tries[key] = 0
            self._submit(line)

    def look_again(self) -> None:
        """Try keys again, a window of them: what was said of them may have been lost."""
        for line in self._lines.values():
            line.gate.look_again(WINDOW)
            self._submit(line)

    def waiting(self, queue: str) -> int:
        """Submissions that wait here."""
        line = self._lines.get(queue)
        return 0 if line is None else len(line.gate)

    def close(self) -> None:
        """The host stops: what is still here stays in its outbox."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        self._lines.clear()

    # --- on the way -----------------------------------------------------------------------------------------------

    def _submit(self, line: _Line) -> None:
        if line.is_resting or self._is_closed:
            return
        for submission, key in line.gate.take():
            task = asyncio.ensure_future(self._publish(line, submission, key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _publish(self, line: _Line, submission: _Submission, key: str) -> None:
        place, job = line.place, submission.job
        headers = {"Nats-Msg-Id": job.id}
        if key:
            headers["Nats-Expected-Last-Subject-Sequence"] = "0"
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = place.key(key)
        try:
            subject = place.job(job.id, key, job.priority)
            answer = await self._service.engine.nc.request(
                subject, submission.payload, timeout=SUBMIT_S, headers=headers
            )
            error = json.loads(answer.data).get("error")
        except asyncio.CancelledError:
            raise
        except Exception as fault:
            self._rest(line, submission, key, str(fault) or type(fault).__name__)
            return
        if self._is_closed:
            return
        if error is None:
            line.rest_s = REST_S[0]
            line.gate.accepted(key)
            line.tries.pop(key, None)
            self._service.submitted(place.queue)
            self._drop(submission.send)
            self._submit(line)
        elif error.get("err_code") == _KEY_TAKEN:
            line.gate.refused(key)
            self._try_again(line, key)
        else:
            if error.get("err_code") == _FULL:
                self._service.counters["full"] += 1
            self._rest(line, submission, key, str(error.get("description", error)))

    def _try_again(self, line: _Line, key: str) -> None:
        """A key that was said to be free is not yet: replicated servers forget a job a little after they have said so."""
        tries = line.tries.get(key)
        if tries is None:
            return
        if tries >= KEY_TRIES:
            del line.tries[key]
            return
        line.tries[key] = tries + 1
        asyncio.get_running_loop().call_later(KEY_AGAIN_S * 2**tries, self._key_rested, line, key)

    def _key_rested(self, line: _Line, key: str) -> None:
        if line.gate.freed(key):
            self._submit(line)

    def _rest(self, line: _Line, submission: _Submission, key: str, why: str) -> None:
        """The queue did not take it: try again in a while; it is safe in the outbox."""
        if self._is_closed:
            return
        line.gate.returned(submission, key)
        if line.is_resting:
            return
        if line.rest_s > REST_S[0]:
            _LOG.warning("queue %s takes no jobs (%s); trying again", line.place.queue, why)
        line.is_resting = True
        asyncio.get_running_loop().call_later(line.rest_s, self._rested, line)
        line.rest_s = min(line.rest_s * 2, REST_S[1])

    def _rested(self, line: _Line) -> None:
        line.is_resting = False
        self._submit(line)

    def _drop(self, send: Send) -> None:
        """Forget a submission; those of one tick of the loop go together."""
        if not self._gone:
            asyncio.get_running_loop().call_soon(self._drop_all)
        self._gone.append(send)

    def _drop_all(self) -> None:
        gone, self._gone = self._gone, []
        if not self._is_closed:
            self._kernel.outbox.drop_all(gone)
