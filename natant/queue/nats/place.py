"""The names of one queue at a server; ``R`` is the root of the plane's subjects.

=============================  =================================================================
``R.q.QUEUE.PRIORITY.k.KEY``   jobs with a key; PRIORITY is 0 (high) to 2 (low)
``R.q.QUEUE.PRIORITY.u.ID``    jobs without
``R.qr.PARTITION``             reports of workers to agents (request)
``R.qf.QUEUE``                 a key is free again (its name)
``R.qn.QUEUE``                 news of workers, once a second
``R.ql.WORKER``                answers while the worker lives
``R.qp.QUEUE.ID``              parked jobs, in the plane's stream for them
=============================  =================================================================
"""

from __future__ import annotations

from typing import Final

from natant.fabric.nats.subject import Subjects, token
from natant.queue.message import PRIORITIES

__all__ = ["QueuePlace"]

_NUMBER: Final[dict[str, str]] = {priority: str(number) for number, priority in enumerate(PRIORITIES)}


class QueuePlace:
    """The names of one queue.

    :ivar stream: of its jobs; ``parked_stream`` is that of the whole plane.
    """

    def __init__(self, subjects: Subjects, queue: str) -> None:
        self.queue = queue
        self.stream = subjects.queue_stream(queue)
        self.parked_stream = f"{subjects.name}-QPARK"
        self._root = subjects.root
        self._jobs = subjects.queue(queue)
        name = token(queue)
        self.jobs = f"{self._jobs}.>"
        self.free = f"{subjects.root}.qf.{name}"
        self.news = f"{subjects.root}.qn.{name}"
        self.parked = f"{subjects.root}.qp.{name}"
        self.all_parked = f"{subjects.root}.qp.>"
        self.all_reports = f"{subjects.root}.qr.*"

    def job(self, name: str, key: str, priority: str) -> str:
        """Where a job goes."""
        return f"{self._jobs}.{_NUMBER[priority]}." + (f"k.{token(key)}" if key else f"u.{name}")

    def key(self, key: str) -> str:
        """All jobs of a key."""
        return f"{self._jobs}.*.k.{token(key)}"

    def of_priority(self, priority: str) -> str:
        """All jobs of a priority."""
        return f"{self._jobs}.{_NUMBER[priority]}.>"

    def parked_job(self, name: str) -> str:
        """Where a job is parked."""
        return f"{self.parked}.{token(name)}"

    def reports(self, partition: int) -> str:
        """Where reports to the agents of a partition go."""
        return f"{self._root}.qr.{partition}"

    def life(self, worker: str) -> str:
        """Where a worker answers while it lives."""
        return f"{self._root}.ql.{worker}"
