"""How a queue is doing, and how many workers it should have.

Sans-io: whoever can ask the queue gives what it counts at two times, :class:`Meter` makes rates of that.  By Little's law work that comes at a rate
and takes a time each keeps ``rate * time`` hands busy; what waits besides should be gone within the target time::

    slots = (rate_in + waiting / target_s) * service_s

A worker with ``concurrency`` slots is that many hands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec

from natant.errors import QueueError
from natant.queue.policy import QueuePolicy

__all__ = ["Count", "Figures", "Meter", "WorkerNews", "decode_news", "encode_news"]

#: how much of a rate is forgotten in how many seconds (a time constant)
RATE_S: Final = 10.0
#: a worker not heard of for so long is not counted
NEWS_S: Final = 5.0
#: workers that one queue is told of, so that a hostile client cannot fill the memory
WORKER_LIMIT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Count:
    """What a queue counts at one time.

    :ivar added: jobs that ever came in; ``left``: those that are in it now, with those that workers have.
    :ivar oldest_at: when the oldest one came in, epoch seconds; 0 where there is none.
    :ivar waiting_here: submissions that wait in this process, for their key or for room.
    """

    at: float
    added: int
    left: int
    parked: int
    oldest_at: float
    waiting_here: int = 0


@dataclass(frozen=True, slots=True)
class WorkerNews:
    """What a worker tells every second."""

    queue: str
    worker: str
    slots: int
    busy: int
    done: int
    failed: int
    service_s: float
    is_leaving: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a queue.

    :ivar depth: jobs that nobody has begun; ``running``: those that a worker has; ``parked``: those that failed for good.
    :ivar oldest_s: age of the oldest one that is not finished.
    :ivar rate_in: jobs a second, over the last ten seconds or so, as ``rate_out``.
    :ivar service_s: what an attempt takes on the average.
    :ivar workers: those alive, and ``slots``: the jobs they can do at a time.
    :ivar suggested_slots: how many there should be; ``suggested_workers``: the same in workers.
    """

    queue: str
    depth: int = 0
    running: int = 0
    parked: int = 0
    oldest_s: float = 0.0
    rate_in: float = 0.0
    rate_out: float = 0.0
    service_s: float = 0.0
    workers: int = 0
    slots: int = 0
    suggested_slots: int = 0
    suggested_workers: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    def numbers(self) -> dict[str, float]:
        """The same without the name."""
        return {name: value for name, value in asdict(self).items() if name != "queue"}


class Meter:
    """Makes figures of counts and news."""

    def __init__(self, queue: str, policy: QueuePolicy) -> None:
        self.queue = queue
        self.policy = policy
        self._last: Count | None = None
        self._has_rates = False
        self._rate_in = 0.0
        self._rate_out = 0.0
        self._workers: dict[str, tuple[float, WorkerNews]] = {}
        self._service_s = 0.0

    def hear(self, now_s: float, news: WorkerNews) -> None:
        """A worker told of itself."""
        if news.is_leaving:
            self._workers.pop(news.worker, None)
        elif news.worker in self._workers or len(self._workers) < WORKER_LIMIT:
            self._workers[news.worker] = (now_s, news)

    def look(self, count: Count) -> Figures:
        """The figures now."""
        self._update_rates(count)
        alive = self._alive(count.at)
        done = sum(news.done + news.failed for news in alive.values())
        if done:
            self._service_s = sum(news.service_s * (news.done + news.failed) for news in alive.values()) / done
        slots = sum(news.slots for news in alive.values())
        running = min(count.left, sum(news.busy for news in alive.values()))
        waiting = count.left - running + count.waiting_here
        wanted = self._wanted(waiting)
        each = slots / len(alive) if alive else 1.0
        workers = min(max(math.ceil(wanted / each), self.policy.least), self.policy.most)
        return Figures(
            queue=self.queue,
            depth=waiting,
            running=running,
            parked=count.parked,
            oldest_s=round(max(0.0, count.at - count.oldest_at), 3) if count.oldest_at else 0.0,
            rate_in=round(self._rate_in, 3),
            rate_out=round(self._rate_out, 3),
            service_s=round(self._service_s, 6),
            workers=len(alive),
            slots=slots,
            suggested_slots=wanted,
            suggested_workers=workers,
        )

    def _wanted(self, waiting: int) -> int:
        if not waiting and self._rate_in < 1 / (10 * RATE_S):
            return 0  # what is left of a rate is no reason to keep an expensive machine
        service_s = self._service_s or 1.0  # nobody has done any yet
        return max(1, math.ceil((self._rate_in + waiting / self.policy.target_s) * service_s - 1e-9))

    def _update_rates(self, count: Count) -> None:
        last, self._last = self._last, count
        if last is None or count.at <= last.at:
            return
        span_s = count.at - last.at
        came = max(0, count.added - last.added)
        went = max(0, came - (count.left - last.left))
        weight = 1 - math.exp(-span_s / RATE_S) if self._has_rates else 1.0
        self._has_rates = True
        self._rate_in += (came / span_s - self._rate_in) * weight
        self._rate_out += (went / span_s - self._rate_out) * weight

    def _alive(self, now_s: float) -> Mapping[str, WorkerNews]:
        self._workers = {name: known for name, known in self._workers.items() if now_s - known[0] <= NEWS_S}
        return {name: news for name, (_, news) in self._workers.items()}


def encode_news(news: WorkerNews) -> bytes:
    """News as JSON."""
    return msgspec.json.encode(news)


def decode_news(payload: bytes) -> WorkerNews:
    """What :func:`encode_news` wrote.

    :raises QueueError: ``NT-QUEUE-009`` where it is none.
    """
    try:
        return msgspec.json.decode(payload, type=WorkerNews)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise QueueError("NT-QUEUE-009", f"{len(payload)} bytes are no news of a worker: {error}") from error
