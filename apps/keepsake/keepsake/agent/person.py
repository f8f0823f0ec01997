"""A person: figures that are durable, and views of the memories that are filled from the store whenever the agent comes to life.

Streams tell it what was stored; it never holds more of what was said than the last lines, and those in memory only.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from typing import Final

from natant import JobState, Refused, command, lane

from keepsake.agent.home import Home
from keepsake.agent.seal import open_lines
from keepsake.agent.value import (
    Figures,
    HeardAll,
    Learned,
    LearnJob,
    Line,
    ModelState,
    Noted,
    StreamState,
    Tally,
)
from keepsake.agent.view import Picture, picture

__all__ = ["Person"]

#: lines of the timeline that are resident
SHOWN_LINES: Final = 200
#: names of a kind that are resident
SHOWN_NAMES: Final = 500
#: streams that a person can have
STREAM_LIMIT: Final = 10_000
#: new messages after which the model is worth another look, and the share of those it knows
LEARN_MESSAGES: Final = 200
LEARN_SHARE: Final = 0.2


class Person(Home, route="/person/{person}"):
    """One person: what there is of them, and how it is doing."""

    figures = lane.value(Figures, default=Figures())
    streams = lane.map(str, StreamState)
    model = lane.value(ModelState, default=ModelState())
    learning = lane.jobs("learn", LearnJob, Learned, keep=10)
    timeline = lane.map(str, Line, volatile=True, keep=SHOWN_LINES)
    people = lane.map(str, Tally, volatile=True, keep=SHOWN_NAMES)
    places = lane.map(str, Tally, volatile=True, keep=SHOWN_NAMES)
    categories = lane.map(str, Tally, volatile=True, keep=SHOWN_NAMES)

    async def on_start(self) -> None:
        """Fill what is shown from the store."""
        if self.is_known():
            self._fill(await self.task(picture, self.house, self.person, SHOWN_LINES))

    def is_known(self) -> bool:
        """Whether there is such a person."""
        return self.house.ring.has(self.person)

    def _fill(self, seen: Picture) -> None:
        for line in seen.lines:
            self.timeline[line.memory] = line
        for names, tallies in (
            (self.people, seen.people),
            (self.places, seen.places),
            (self.categories, seen.categories),
        ):
            names.clear()
            names.update(tallies)

    @command
    def noted(self, what: Noted) -> None:
        """A stream has taken in or stored something."""
        if what.stream not in self.streams and len(self.streams) >= STREAM_LIMIT:
            raise Refused(f"KS-AGENT-009  {self.node} has {STREAM_LIMIT} streams; end one")
        before = self.streams.get(what.stream, StreamState())
        self.streams[what.stream] = what.state
        self.figures = replace(
            self.figures,
            streams=len(self.streams),
            bytes=self.figures.bytes + what.state.bytes - before.bytes,
        )
        if what.reading is not None:
            reading = what.reading
            self.figures = replace(
                self.figures,
                messages=self.figures.messages + reading.messages,
                memories=self.figures.memories + reading.memories,
                head=max(self.figures.head, reading.head),
            )
            self._show(open_lines(self.key(), reading.lines, what.stream))
            self._consider()

    def _show(self, lines: list[Line]) -> None:
        for line in lines:
            self.timeline[line.memory] = line
            for label, name in line.names:
                names = {"person": self.people, "place": self.places}.get(label)
                if names is not None:
                    _count(names, name, line.said_at)
            for area in line.areas:
                _count(self.categories, area, line.said_at)

    def _consider(self) -> None:
        """Have the model learn where enough is new."""
        new = self.figures.head - self.model.built_to
        if new >= max(LEARN_MESSAGES, LEARN_SHARE * self.model.built_to):
            self._learn(is_whole=False)

    def _learn(self, *, is_whole: bool) -> str:
        for name, job in self.learning.items():
            if job.is_open:
                return name
        return self.learning.submit(LearnJob(self.person, is_whole), key=self.node, priority="low")

    @command
    def learn(self, is_whole: bool = False) -> str:
        """Have the model learn from what is new, or from all; the job's name in the lane ``learning``."""
        self.key()
        return self._learn(is_whole=is_whole)

    @learning.done
    def learned(self, name: str, job: JobState[Learned]) -> None:
        """A version was made; it is live where it was better."""
        if job.result is not None:
            self.model = job.result.model
            self.spawn(picture, self.house, self.person, SHOWN_LINES, then=self._fill)

    @learning.failed
    def not_learned(self, name: str, job: JobState[Learned]) -> None:
        """The version that was live stays so."""
        self.log.warning("KS-AGENT-010  the model of %s could not learn: %s", self.person, job.error)

    @command
    def heard(self, what: HeardAll) -> None:
        """A worker followed a stream of sound for a while."""
        self.figures = replace(
            self.figures, heard_s=self.figures.heard_s + what.seconds, busy_s=self.figures.busy_s + what.busy_s
        )


def _count(names: MutableMapping[str, Tally], name: str, said_at: float) -> None:
    before = names.get(name, Tally(0, 0.0))
    names[name] = Tally(before.count + 1, max(before.last, said_at))
