"""The plane's side of its queues: one for each process.

It makes the streams, gives each host its carrier, brings reports of workers to their agents, measures each queue once a second, and looks after the
workers that have jobs of its agents: one that died is noticed by the server's "no responders", and its jobs are given to others at once instead of
after ``lost_s``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from natant.errors import QueueError
from natant.queue.desk import deliver
from natant.queue.figure import Count, Figures, Meter, decode_news
from natant.queue.message import Answer, Report, decode, encode
from natant.queue.nats.carrier import QueueCarrier
from natant.queue.nats.life import Lives
from natant.queue.nats.place import QueuePlace
from natant.queue.nats.stream import count_parked, make, make_parked, state_of

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine
    from natant.host import Host
    from natant.kernel.kernel import Kernel
    from natant.plane import Plane

__all__ = ["QueueService"]

#: between two measurements of a queue
MEASURE_S: Final = 1.0
#: between two counts of the parked jobs, which cost the server more
PARKED_S: Final = 5.0
#: between two tries of keys of which nothing was heard
RETRY_KEYS_S: Final = 1.0
#: what a message takes besides its body
HEADER_BYTES: Final = 4096

_LOG = logging.getLogger("natant.queue")


class QueueService:
    """The queues of one process.

    :ivar specs: the queues that the plane declares, by name.
    :ivar figures: the newest figures of each.
    :ivar counters: reports that came, those that were no reports, submissions that a full queue refused, workers that died
        with jobs, and these jobs.
    """

    def __init__(self, engine: Engine, plane: Plane) -> None:
        self.engine = engine
        self.specs = {spec.name: spec for spec in plane.queues}
        self.figures = {name: Figures(name) for name in self.specs}
        self.counters = {"reports": 0, "report_errors": 0, "full": 0, "workers_lost": 0, "jobs_rescued": 0}
        self.size_limit = engine.nc.max_payload - HEADER_BYTES
        self._places = {name: QueuePlace(engine.subjects, name) for name in self.specs}
        self._meters = {name: Meter(name, spec.policy) for name, spec in self.specs.items()}
        self._carriers: dict[Kernel, QueueCarrier] = {}
        self._held: dict[str, int] = dict.fromkeys(self.specs, 0)
        self._parked: dict[str, int] = dict.fromkeys(self.specs, 0)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._subscriptions: dict[Any, Any] = {}
        self._lives = Lives(engine, self.counters)

    # --- life -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Make what the queues need at the server; what is submitted before waits.

        :raises QueueError: ``NT-QUEUE-014`` where the server refuses.
        """
        for place in self._places.values():
            await make_parked(self.engine, place)
            break
        for name, place in self._places.items():
            await make(self.engine, place, self.specs[name].policy)
            await self._subscribe(place.news, partial(self._on_news, name))
            await self._subscribe(place.free, partial(self._on_free, name))
        self._spawn(self._measure())
        self._spawn(self._retry_keys())
        self._spawn(self._lives.watch())

    async def close(self) -> None:
        """Stop; the queues stay."""
        for task in list(self._tasks):
            task.cancel()
        for subscription in self._subscriptions.values():
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()
        self._subscriptions.clear()

    def attach(self, host: Host) -> None:
        """Serve a host: the whole plane, or one partition of it."""
        kernel = host.kernel
        carrier = self._carriers[kernel] = QueueCarrier(self, kernel)
        kernel.outbox.carriers["queue"] = carrier
        partition: int | None = None if host.place is None else host.place.partition
        if self._places:
            place = next(iter(self._places.values()))
            subject = place.all_reports if partition is None else place.reports(partition)
            self._spawn(self._subscribe(subject, partial(self._on_report, kernel), kernel))

        def close() -> None:
            carrier.close()
            self._carriers.pop(kernel, None)
            subscription = self._subscriptions.pop(kernel, None)
            if subscription is not None:
                self._spawn(subscription.unsubscribe())

        host.closers.append(close)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("the queues of the plane met an error", exc_info=task.exception())

    async def _subscribe(self, subject: str, call: Any, key: Any = None) -> None:
        async def take(message: Any) -> None:
            try:
                call(message)
            except Exception:
                _LOG.exception("a message on %s could not be taken", message.subject)

        self._subscriptions[key or subject] = await self.engine.nc.subscribe(subject, cb=take)

    def counts(self) -> dict[str, int]:
        """What the process counts of its queues."""
        return {f"queue_{name}": count for name, count in self.counters.items()}

    # --- for carriers ---------------------------------------------------------------------------------------------

    def place(self, queue: str) -> QueuePlace:
        """The names of a queue; one that is declared no more may still have submissions in an outbox."""
        return self._places.get(queue) or QueuePlace(self.engine.subjects, queue)

    def held(self, queue: str) -> int:
        """Jobs that a queue holds, as far as is known."""
        return self._held.get(queue, 0)

    def submitted(self, queue: str) -> None:
        """One more job is in a queue."""
        self._held[queue] = self._held.get(queue, 0) + 1

    # --- from workers ---------------------------------------------------------------------------------------------

    def _on_report(self, kernel: Kernel, message: Any) -> None:
        self.counters["reports"] += 1

        try:
            report: Report = decode(Report, message.data)
        except QueueError as error:
            self.counters["report_errors"] += 1
            self._respond(message, Answer("unknown", why=str(error)))
            return

        def respond(answer: Answer) -> None:
            self._lives.note(report, answer)
            self._respond(message, answer)

        deliver(kernel, report, respond)

    def _respond(self, message: Any, answer: Answer) -> None:
        if message.reply:
            self._spawn(self.engine.nc.publish(message.reply, encode(answer)))

    def _on_free(self, queue: str, message: Any) -> None:
        key = message.data.decode("utf-8", "replace")
        for carrier in list(self._carriers.values()):
            carrier.freed(queue, key)

    def _on_news(self, queue: str, message: Any) -> None:
        news = decode_news(message.data)
        if news.queue == queue:
            self._meters[queue].hear(time.time(), news)

    # --- figures --------------------------------------------------------------------------------------------------

    async def _measure(self) -> None:
        count = 0
        while True:
            for name, place in self._places.items():
                try:
                    await self._measure_one(name, place, has_parked=count % int(PARKED_S / MEASURE_S) == 0)
                except Exception as error:
                    if self.engine.is_connected:
                        _LOG.warning("queue %s cannot be measured: %s", name, error)
            count += 1
            await asyncio.sleep(MEASURE_S)

    async def _measure_one(self, name: str, place: QueuePlace, *, has_parked: bool) -> None:
        state = await state_of(self.engine, place)
        if has_parked:
            self._parked[name] = await count_parked(self.engine, place)
        waiting = sum(carrier.waiting(name) for carrier in self._carriers.values())
        self._held[name] = state.left
        figures = self._meters[name].look(
            Count(time.time(), state.added, state.left, self._parked[name], state.oldest_at, waiting)
        )
        self.figures[name] = figures
        self.specs[name].figures = figures

    async def _retry_keys(self) -> None:
        while True:
            await asyncio.sleep(RETRY_KEYS_S)
            for carrier in list(self._carriers.values()):
                carrier.look_again()
