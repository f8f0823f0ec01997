"""Workers that died, noticed by the server's "no responders" to a question on their own subject.

The process whose agents have jobs at a worker asks it; when nobody is there twice in a row, the jobs are said to be delivered again at once. One that hangs answers
nothing and is not dead for sure: its jobs come back when the queue has not heard of them for ``lost_s``.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from natant.fabric.nats.subject import token
from natant.queue.message import Answer, Report

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["Lives"]

#: between two questions to a worker
ASK_S: Final = 0.25
#: how long it may take to answer
ANSWER_S: Final = 1.0
#: jobs at workers that are remembered; those of others come back after ``lost_s``
REMEMBERED: Final = 200_000

_LOG = logging.getLogger("natant.queue")


class Lives:
    """The workers that have jobs of the agents of this process."""

    def __init__(self, engine: Engine, counters: dict[str, int]) -> None:
        self._engine = engine
        self._counters = counters
        #: by worker and run: where the queue hears of the job
        self._jobs: dict[str, dict[str, str]] = {}
        self._count = 0

    def note(self, report: Report, answer: Answer) -> None:
        """A report was answered: the worker has the job, or has it no more."""
        worker = report.run.rpartition("/")[0]
        if report.kind == "start":
            if answer.kind == "go" and report.ack.startswith("$JS.ACK.") and self._count < REMEMBERED:
                self._count += 1
                self._jobs.setdefault(worker, {})[report.run] = report.ack
        elif report.kind not in ("beat", "progress") and answer.kind != "later":
            jobs = self._jobs.get(worker)
            if jobs is not None and jobs.pop(report.run, None) is not None:
                self._count -= 1
                if not jobs:
                    del self._jobs[worker]

    async def watch(self) -> None:
        """Ask all of them, for ever."""
        silent: set[str] = set()
        while True:
            await asyncio.sleep(ASK_S)
            workers = list(self._jobs)
            answers = await asyncio.gather(*(self._is_gone(worker) for worker in workers))
            gone = {worker for worker, is_gone in zip(workers, answers, strict=True) if is_gone}
            for worker in gone & silent:
                await self._rescue(worker)
            silent = gone

    async def _is_gone(self, worker: str) -> bool:
        """True where nobody listens on the worker's own subject."""
        from nats.errors import NoRespondersError

        subject = f"{self._engine.subjects.root}.ql.{token(worker)}"
        try:
            await self._engine.nc.request(subject, b"", timeout=ANSWER_S)
        except NoRespondersError:
            return True
        except Exception:  # slow, hung, or the connection is away: not known to be dead
            return False
        return False

    async def _rescue(self, worker: str) -> None:
        jobs = self._jobs.pop(worker, {})
        self._count -= len(jobs)
        self._counters["workers_lost"] += 1
        self._counters["jobs_rescued"] += len(jobs)
        _LOG.warning("worker %s is gone; its %d jobs are given to others", worker, len(jobs))
        for ack in jobs.values():
            await self._engine.nc.publish(ack, b"-NAK")
