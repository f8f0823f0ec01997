"""The plane of ``jobs.py``: askers submit numbered jobs and count what comes back; the workers' function writes down what it does."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass

from natant import Agent, Job, JobState, Plane, command, lane

#: keys of each asker that wants order
KEYS = 4
#: what a job takes
WORK_S = 0.005


@dataclass
class Batch:
    """Jobs to submit: ``count`` numbers from ``first`` on."""

    first: int
    count: int
    is_ordered: bool


@dataclass
class Task:
    """One job."""

    number: int
    is_ordered: bool


class Asker(Agent, route="/asker/{id}"):
    """Submits jobs and counts what comes back."""

    jobs = lane.jobs("work", Task, int, keep=5)
    submitted = lane.value(int, default=0)
    #: how often the result of each number was applied
    applied = lane.map(int, int)
    #: by key: the number that must come next
    due = lane.map(str, int)
    wrong = lane.value(int, default=0)

    @command
    def ask(self, batch: Batch) -> None:
        """Submit a batch."""
        for number in range(batch.first, batch.first + batch.count):
            key = f"{self.node}#{number % KEYS}" if batch.is_ordered else ""
            self.jobs.submit(Task(number, batch.is_ordered), key=key)
        self.submitted += batch.count

    @jobs.done
    def note(self, name: str, job: JobState[int]) -> None:
        """A result."""
        number = job.result
        assert number is not None
        self.applied[number] = self.applied.get(number, 0) + 1
        if job.key:
            if number != self.due.get(job.key, number % KEYS):
                self.wrong += 1
            self.due[job.key] = number + KEYS

    @jobs.failed
    def lose(self, name: str, job: JobState[int]) -> None:
        """A job that was parked."""
        self.wrong += 1


plane = Plane("queue-chaos", [Asker])


@plane.queue("work", attempts=50, backoff=(0.05, 1.0), lost_s=3.0)
async def work(job: Job[Task]) -> int:
    """Write down the beginning, work, write down the end."""
    _write("begin", job)
    await asyncio.sleep(WORK_S)
    _write("end", job)
    return job.input.number


def _write(what: str, job: Job[Task]) -> None:
    line = f"{what} {job.node} {job.input.number} {int(job.input.is_ordered)} {job.submitted:.6f} {time.time():.6f}\n"
    log = os.open(os.environ["NATANT_CHAOS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(log, line.encode())
    finally:
        os.close(log)
