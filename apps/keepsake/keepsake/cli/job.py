"""Waiting for a job of an agent, with its progress."""

from __future__ import annotations

import time
from typing import Any, Final, TypeVar

from natant import JobState

from keepsake.cli.show import Progress
from keepsake.errors import KeepsakeError

__all__ = ["wait_for"]

T = TypeVar("T")

#: without any news a job is left to itself, after so long
QUIET_S: Final = 1800.0
#: between two looks at how it stands
LOOK_S: Final = 0.2


def wait_for(client: Any, node: str, lane: str, name: str, *, of: type[T], what: str) -> T:
    """The result of a job that an agent submitted.

    :param what: what is done, for the bar.
    :raises KeepsakeError: ``KS-CLI-009`` where it failed or nothing was heard of it for long.
    """
    with client.map(node, lane, str, JobState[of]).synced() as jobs, Progress(what, 1.0) as progress:  # type: ignore[valid-type]
        heard, before = time.monotonic(), None
        while True:
            job: JobState[T] | None = jobs.get(name)
            if job is not None and not job.is_open:
                break
            if job != before:
                heard, before = time.monotonic(), job
            if time.monotonic() - heard > QUIET_S:
                raise KeepsakeError(
                    "KS-CLI-009",
                    f"nothing was heard of {name} in {lane} of {node} for {QUIET_S:.0f} s; is a worker running?",
                )
            if job is not None:
                progress.show(job.progress or 0.0, 0, job.note or job.state)
            time.sleep(LOOK_S)
    if job.result is None:
        raise KeepsakeError("KS-CLI-009", f"{name} in {lane} of {node} {job.state}: {job.error}")
    return job.result
