"""Calls whose recordings are transcribed by workers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from natant import Agent, Job, JobState, Plane, command, lane


@dataclass
class Clip:
    """A piece of a call."""

    url: str
    seconds: float


@dataclass
class Transcript:
    """What was said in it."""

    text: str


# part: agent
class Call(Agent, route="/call/{id}"):
    """One call."""

    clips = lane.jobs("asr", Clip, Transcript)
    text = lane.list(str)

    @command
    def record(self, clip: Clip) -> str:
        """Have a clip transcribed, after those before it; gives the job's name."""
        return self.clips.submit(clip, key=self.node, about=clip.url)

    @clips.done
    def heard(self, name: str, job: JobState[Transcript]) -> None:
        """A transcript has come."""
        if job.result is not None:
            self.text.append(job.result.text)

    @clips.failed
    def not_heard(self, name: str, job: JobState[Transcript]) -> None:
        """Nobody could make sense of it."""
        self.text.append(f"[{job.about}: {job.error}]")


# end: agent
plane = Plane("calls", [Call])


# part: worker
@plane.queue("asr", attempts=3, backoff=(0.2, 5.0), target_s=30.0, workers=(0, 8))
async def asr(job: Job[Clip]) -> Transcript:
    """Transcribe one clip."""
    clip = job.input
    if not clip.url.endswith(".wav"):
        raise ValueError(f"{clip.url} is no recording")
    for part in range(4):
        await asyncio.sleep(clip.seconds / 100)  # here a model would listen
        job.progress((part + 1) / 4)
    return Transcript(f"what was said in {clip.url}")


# end: worker
