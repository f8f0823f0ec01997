"""What a worker does for a person's model: learn from what is new, or make everything that is derived anew first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from natant import Job, Refused

from keepsake.agent.value import Learned, LearnJob
from keepsake.errors import KeepsakeError
from keepsake.model import learn as learn_model
from keepsake.pipeline.rebuild import rebuild

if TYPE_CHECKING:
    from keepsake.pipeline.house import House

__all__ = ["learn"]

#: share of the progress of a whole rebuild that reading takes
READING = 0.9


def learn(house: House, job: Job[LearnJob]) -> Learned:
    """Learn; a version that does better is live when this ends."""
    what = job.input
    try:
        with house.shelf.desk(what.person) as desk:
            share = 0.0
            if what.is_whole:
                share = READING
                rebuild(house, desk, lambda done, note: job.progress(READING * done, note))
            learned = learn_model(
                desk.store,
                house.embedder,
                lambda done, note: job.progress(share + (1 - share) * done, note),
                is_whole=what.is_whole,
                log=desk.log,
                by=f"/person/{what.person}",
            )
    except KeepsakeError as error:
        if error.code == "KS-KEY-001":
            raise Refused(str(error)) from None  # deleted meanwhile
        raise
    return Learned(learned.state, list(learned.changed))
