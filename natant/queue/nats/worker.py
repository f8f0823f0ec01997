"""A worker: takes jobs of one queue and does them, ``slots`` at a time.

While it has a job it tells the queue so, every third of ``lost_s``, and asks the agent as often whether the job is still wanted.  A stop takes no
more jobs, lets those that run end within the grace, and gives the others back without counting the attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.errors import QueueError
from natant.fabric.partition import partition_of
from natant.queue.delivery import Delivery, Verdict
from natant.queue.figure import WorkerNews, encode_news
from natant.queue.job import Call, Job
from natant.queue.message import PRIORITIES, Answer, Envelope, Parked, Report, decode, encode
from natant.queue.nats.parked import park
from natant.queue.nats.place import QueuePlace
from natant.queue.nats.pull import Puller
from natant.queue.nats.stream import Found, find

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["GRACE_S", "Worker"]

#: time for jobs that run when the worker is stopped
GRACE_S: Final = 30.0
#: time for jobs that are given back to be given back
RELEASE_S: Final = 5.0
#: how long an agent may take to answer before it is asked again; a partition that moves takes less
ASK_S: Final = 10.0
#: how long to wait before asking an agent again that cannot be asked; doubled up to the last
ASK_AGAIN_S: Final = (0.02, 2.0)
#: how often progress is told
PROGRESS_S: Final = 0.2
#: how often the worker tells of itself
NEWS_S: Final = 1.0
#: how long to wait for a queue that is not there yet
LOOK_S: Final = 1.0
#: how long a job rests that could not be parked
PARK_AGAIN_S: Final = 30.0
#: what a message takes besides its body
HEADER_BYTES: Final = 4096

_LOG = logging.getLogger("natant.queue")


class Worker:
    """One worker.

    :param function: does a job; see :class:`natant.queue.job.Call`.
    :param slots: jobs it does at a time.
    :ivar done: jobs that ended well, and ``failed``: attempts that did not.
    :raises QueueError: ``NT-QUEUE-006`` where the function does not take one job.
    """

    def __init__(
        self,
        engine: Engine,
        queue: str,
        function: Callable[..., Any],
        *,
        slots: int = 1,
        grace_s: float = GRACE_S,
        on_change: Callable[[str, Delivery], None] | None = None,
    ) -> None:
        self.engine = engine
        self.place = QueuePlace(engine.subjects, queue)
        self.slots = slots
        self.name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(3)}"
        self.done = 0
        self.failed = 0
        self.result_limit = engine.nc.max_payload - HEADER_BYTES
        self._call = Call(function)
        self._grace_s = grace_s
        self._on_change = on_change
        self._puller = Puller(engine, self.place, self._take, self._wake)
        self._room = asyncio.Event()
        self._is_stopping = False
        #: there was no room for a while, so there may be work at any priority
        self._was_full = True
        self._running: dict[Delivery, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._tells: set[asyncio.Task[None]] = set()
        self._news: set[Delivery] = set()
        self._count = 0
        self._busy_s = 0.0
        self._threads = ThreadPoolExecutor(max(1, slots), thread_name_prefix="natant-job")
        self._found: Found

    # --- life -----------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then let what runs end."""
        found = await self._wait_for_queue(stop)
        if found is None:
            return
        self._found = found
        alive = await self.engine.nc.subscribe(self.place.life(self.name), cb=_say_alive)
        await self._puller.open()
        keepers = [
            asyncio.ensure_future(work) for work in (self._keep_jobs(), self._tell_progress(), self._tell_news())
        ]
        stopping = asyncio.ensure_future(stop.wait())
        pulling = asyncio.ensure_future(self._pull())
        try:
            await asyncio.wait({stopping, pulling}, return_when=asyncio.FIRST_COMPLETED)
            if pulling.done():
                pulling.result()
        finally:
            self._is_stopping = True
            await _end(pulling, stopping)
            await self._puller.close()
            await self._finish()
            await _end(*keepers)
            await asyncio.gather(*self._tells)
            with contextlib.suppress(Exception):
                await self.engine.nc.publish(self.place.news, encode_news(self._own_news(is_leaving=True)))
                await alive.unsubscribe()
                await self.engine.nc.flush()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _wait_for_queue(self, stop: asyncio.Event) -> Found | None:
        is_told = False
        while not stop.is_set():
            found = await find(self.engine, self.place)
            if found is not None:
                return found
            if not is_told:
                _LOG.warning("there is no queue %s yet: waiting for the plane that declares it", self.place.queue)
                is_told = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await stop.wait()
        return None

    async def _finish(self) -> None:
        """Let jobs that run end within the grace; give the others back."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._grace_s)
        for delivery in list(self._running):
            delivery.release()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=RELEASE_S)
        await _end(*self._tasks)

    # --- taking ---------------------------------------------------------------------------------------------------

    async def _pull(self) -> None:
        while True:
            self._room.clear()
            if self._was_full and len(self._running) < self.slots:
                # Others may have left much behind meanwhile: the most urgent first.
                self._was_full = False
                for priority in PRIORITIES:
                    room = self.slots - len(self._running)
                    if room > 0:
                        await self._puller.pull(priority, room)
            elif len(self._running) < self.slots:
                await self._puller.wait(self.slots - len(self._running))
                await self._room.wait()
            else:
                await self._room.wait()

    def _wake(self) -> None:
        self._room.set()

    def _take(self, message: Any) -> None:
        """A job has come."""
        if self._is_stopping or len(self._running) >= self.slots:
            self._tell(message.reply, b"-NAK")
            return
        try:
            envelope: Envelope = decode(Envelope, message.data)
        except QueueError as error:
            self._spawn(self._set_aside(message, error))
            return
        self._count += 1
        run = f"{self.name}/{self._count}"
        delivery = Delivery(
            envelope,
            self._call,
            self._found.policy,
            run,
            self,
            ack=message.reply,
            is_first=message.metadata.num_delivered == 1,
        )
        self._running[delivery] = message
        if len(self._running) >= self.slots:
            self._was_full = True
        self._spawn(self._do(delivery, message))

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _set_aside(self, message: Any, error: QueueError) -> None:
        """What cannot be read is parked as it is, so that nothing is lost and nobody is held up."""
        number = message.reply.split(".")[-4]
        job = Envelope(f"unreadable-{number}", self.place.queue, "", "", input=recon.encode(message.data[:1000]))
        with contextlib.suppress(QueueError):
            await park(self.engine, self.place, Parked(job, str(error), 0, self.name, time.time()))
            self._tell(message.reply, b"+ACK")
            _LOG.error("%s", error)

    # --- doing ----------------------------------------------------------------------------------------------------

    async def _do(self, delivery: Delivery, message: Any) -> None:
        try:
            verdict = await delivery.do()
        except asyncio.CancelledError:
            verdict = Verdict("again")
        except Exception as error:
            _LOG.error("job %s of %s goes back into its queue: %s", delivery.envelope.id, self.place.queue, error)
            verdict = Verdict("again", PARK_AGAIN_S)
        self._account(delivery)
        if verdict.kind == "ack":
            await self._acknowledge(delivery.envelope, message.reply)
        elif verdict.kind == "again":
            self._tell(message.reply, _again(verdict.delay_s))
        self._running.pop(delivery, None)
        self._news.discard(delivery)
        if self._on_change is not None:
            self._on_change(verdict.kind, delivery)
        self._wake()

    async def _acknowledge(self, envelope: Envelope, reply: str) -> None:
        """Have the queue forget the job; where it has a key, say that the next one may come once it has."""
        if not envelope.key:
            self._tell(reply, b"+ACK")
            return
        try:
            await self.engine.nc.request(reply, b"+ACK", timeout=ASK_S)
        except Exception as error:  # it comes again, and its agent knows that it is over
            _LOG.info("the end of job %s was not acknowledged: %s", envelope.id, error)
        else:
            self._tell(self.place.free, envelope.key.encode())

    def _account(self, delivery: Delivery) -> None:
        if delivery.started_s:
            self._busy_s += time.time() - delivery.started_s
            if delivery.has_failed:
                self.failed += 1
            else:
                self.done += 1

    def _tell(self, subject: str, payload: bytes) -> None:
        task = asyncio.ensure_future(self._publish(subject, payload))
        self._tells.add(task)
        task.add_done_callback(self._tells.discard)

    async def _publish(self, subject: str, payload: bytes) -> None:
        try:
            await self.engine.nc.publish(subject, payload)
        except Exception as error:
            _LOG.info("a message to the queue %s was not sent: %s", self.place.queue, error)

    # --- keeping what is being done -------------------------------------------------------------------------------

    async def _keep_jobs(self) -> None:
        while True:
            await asyncio.sleep(self._found.policy.lost_s / 3)
            for delivery, message in list(self._running.items()):
                self._tell(message.reply, b"+WPI")
                if delivery.started_s:
                    self._spawn(self._ask_once(delivery, delivery.beat()))

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            told, self._news = self._news, set()
            for delivery in told:
                report = delivery.take_progress()
                if report is not None:
                    self._spawn(self._ask_once(delivery, report))

    async def _ask_once(self, delivery: Delivery, report: Report) -> None:
        with contextlib.suppress(Exception):
            answer = await self.engine.nc.request(self._subject(report), encode(report), timeout=ASK_S)
            delivery.heard(decode(Answer, answer.data))

    async def _tell_news(self) -> None:
        while True:
            self._tell(self.place.news, encode_news(self._own_news()))
            await asyncio.sleep(NEWS_S)

    def _own_news(self, *, is_leaving: bool = False) -> WorkerNews:
        count = self.done + self.failed
        return WorkerNews(
            self.place.queue,
            self.name,
            self.slots,
            len(self._running),
            self.done,
            self.failed,
            self._busy_s / count if count else 0.0,
            is_leaving,
        )

    # --- what a delivery needs ------------------------------------------------------------------------------------

    async def ask(self, report: Report) -> Answer:
        """Bring a report to the agent and wait for its answer, however long it is away."""
        wait_s, longest_s = ASK_AGAIN_S
        payload = encode(report)
        while True:
            try:
                message = await self.engine.nc.request(self._subject(report), payload, timeout=ASK_S)
                answer: Answer = decode(Answer, message.data)
                if answer.kind != "later":
                    return answer
                why = answer.why
            except Exception as error:
                why = str(error) or type(error).__name__
            if wait_s >= longest_s:
                _LOG.warning("%s cannot be asked about job %s: %s; trying again", report.node, report.id, why)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, longest_s)

    def _subject(self, report: Report) -> str:
        return self.place.reports(partition_of(report.node, self._found.partitions))

    async def park(self, envelope: Envelope, cause: str, attempt: int) -> None:
        """Keep a job that failed, durably."""
        await park(self.engine, self.place, Parked(envelope, cause, attempt, self.name, time.time()))

    async def thread(self, function: Callable[..., Any], job: Job[Any]) -> Any:
        """Run a plain function in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, job)

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    def told(self, delivery: Delivery) -> None:
        """The function told how far it is; from any thread."""
        self._news.add(delivery)


async def _say_alive(message: Any) -> None:
    if message.reply:
        await message.respond(b"")


def _again(delay_s: float) -> bytes:
    return b"-NAK" if delay_s <= 0 else f'-NAK {{"delay": {int(delay_s * 1e9)}}}'.encode()


async def _end(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
