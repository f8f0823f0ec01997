"""What ``natant run`` and ``natant worker`` load: the plane of this installation, and the functions of its queues.

The installation is what ``KEEPSAKE_DATA`` names (``.keepsake`` where it does not), set up by `keepsake.pipeline.setup`.
"""

from __future__ import annotations

from natant import Job

from keepsake.agent import forgetting, hearing, learning, work
from keepsake.agent.plane import make_plane
from keepsake.agent.value import ForgetJob, Forgotten, HeardAll, HearJob, Learned, LearnJob, Reading, ReadJob
from keepsake.door import attach
from keepsake.pipeline.setup import house

__all__ = ["forget", "hear", "learn", "plane", "read"]

plane = attach(make_plane(house()), house())


@plane.queue("read", attempts=5, backoff=(0.5, 30.0), target_s=5.0, workers=(1, 32))
def read(job: Job[ReadJob]) -> Reading:
    """Read pieces of text into a person's memory."""
    return work.read(house(), job)


@plane.queue("hear", attempts=5, backoff=(0.5, 30.0), target_s=5.0, workers=(1, 32))
async def hear(job: Job[HearJob]) -> HeardAll:
    """Follow a stream of sound."""
    return await hearing.hear(house(), job)


@plane.queue("learn", attempts=3, backoff=(5.0, 300.0), target_s=600.0, workers=(0, 8))
def learn(job: Job[LearnJob]) -> Learned:
    """Have a person's model learn."""
    return learning.learn(house(), job)


@plane.queue("forget", attempts=20, backoff=(1.0, 300.0), target_s=60.0, workers=(1, 4))
def forget(job: Job[ForgetJob]) -> Forgotten:
    """Delete, and prove it."""
    return forgetting.forget(house(), job)
