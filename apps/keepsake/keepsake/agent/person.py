"""A person: figures that are durable, and views of the memories that are filled from the store whenever the agent comes to life.

Streams tell it what was stored; it never holds more of what was said than the last lines, and those in memory only.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from typing import Final

from natant import JobState, Refused, command, lane

from keepsake.agent.capsule import CapsuleNote, CapsuleState
from keepsake.agent.home import Home
from keepsake.agent.permission import give, revoke
from keepsake.agent.rating import note_correction, note_rating
from keepsake.agent.seal import open_lines, open_value, seal_value
from keepsake.agent.value import (
    Answered,
    Ask,
    Asked,
    Correction,
    Figures,
    Forget,
    ForgetJob,
    Forgotten,
    Give,
    Granted,
    GrantState,
    HeardAll,
    Learned,
    LearnJob,
    Line,
    Noted,
    Notice,
    Rated,
    StreamState,
    Tally,
)
from keepsake.agent.view import Picture, picture
from keepsake.errors import KeepsakeError
from keepsake.model.state import ModelState
from keepsake.pipeline.ask import ask_granted
from keepsake.record import Answer, Question

__all__ = ["Person"]

#: lines of the timeline that are resident
SHOWN_LINES: Final = 200
#: names of a kind that are resident
SHOWN_NAMES: Final = 500
#: streams that a person can have
STREAM_LIMIT: Final = 10_000
#: grants that are shown; the store has them all
GRANTS: Final = 1000
CAPSULES: Final = 1000
NOTICES: Final = 200
#: new messages after which the model is worth another look, and the share of those it knows
LEARN_MESSAGES: Final = 200
LEARN_SHARE: Final = 0.2
DAY_S: Final = 86_400.0
FORGET_KINDS: Final = frozenset(("message", "person", "stream"))
#: messages that are forgotten at once; more are a stream
FORGET_MESSAGES: Final = 1000
#: ratings after which the model learns from them
LEARN_RATINGS: Final = 5


class Person(Home, route="/person/{person}"):
    """One person: what there is of them, and how it is doing."""

    figures = lane.value(Figures, default=Figures())
    streams = lane.map(str, StreamState)
    #: why streams take nothing more; empty: they do
    held = lane.value(str, default="")
    #: days since 1970 and seconds of sound that came on that day
    day = lane.value(int, default=0)
    sound_today = lane.value(float, default=0.0)
    model = lane.value(ModelState, default=ModelState())
    learning = lane.jobs("learn", LearnJob, Learned, keep=10)
    #: who may ask what, and why; the store has the tokens
    grants = lane.map(str, GrantState, volatile=True, keep=GRANTS)
    forgetting = lane.jobs("forget", ForgetJob, Forgotten, keep=100)
    capsules = lane.map(str, CapsuleState, keep=CAPSULES)
    #: what the person should know: a capsule has opened, somebody has asked
    notices = lane.list(Notice, keep=NOTICES)
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
        self.grants.update(seen.grants)
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
        self._count_sound(what.state.seconds - before.seconds)
        self._hold(what.stream, is_new=not before.kind)
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

    def _count_sound(self, seconds: float) -> None:
        day = int(self.now() // DAY_S)
        before = self.sound_today if self.day == day else 0.0
        self.day = day
        self.sound_today = before + seconds

    def _hold(self, stream: str, *, is_new: bool) -> None:
        """Have streams take nothing more where the person's quota is used up, and take again where it is not."""
        quota = self.house.quota
        reason = ""
        if self.figures.messages >= quota.messages:
            reason = f"{quota.messages} messages are stored"
        elif self.figures.bytes >= quota.bytes:
            reason = f"{quota.bytes} bytes are stored"
        elif self.sound_today >= quota.audio_s:
            reason = f"{quota.audio_s:.0f} seconds of sound came today"
            self.at((self.day + 1) * DAY_S, self.new_day, name="day")
        if reason != self.held:
            self.held = reason
            for name in self.streams:
                self.send(f"{self.node}/stream/{name}", "hold", reason)
        elif reason and is_new:
            self.send(f"{self.node}/stream/{stream}", "hold", reason)

    def new_day(self) -> None:
        """What counts by the day begins anew."""
        self._count_sound(0.0)
        self._hold("", is_new=False)

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
    async def asked(self, what: Asked) -> None:
        """Somebody else asks; what they bring decides what they are told."""
        try:
            asker = self.house.ring.key(what.asker)
            ask = open_value(asker, what.ask, Ask, f"asked:{what.question}")
            words = Question(ask.text, self.now(), ask.as_of, ask.zone, ask.limit)
            answer = await self.task(_granted, self, what, words, ask.style)
            self.notices.append(Notice(self.now(), "asked", what.question))
        except KeepsakeError as error:
            self.send(what.question, "answered", Answered(refusal=str(error)))
            return
        self.send(what.question, "answered", Answered(seal_value(asker, answer, f"answered:{what.question}")))

    @command
    async def rated(self, what: Rated) -> None:
        """The person says which memories answer a question: the model learns from it."""
        question = open_value(self.key(), what.question, Question, "rated")
        await self.task(note_rating, self.house, self.person, question, what.rating)
        self._heed()

    @command
    def heed(self) -> None:
        """The person has said what they think of something: every few times the model learns from it."""
        self._heed()

    def _heed(self) -> None:
        self.figures = replace(self.figures, ratings=self.figures.ratings + 1)
        if self.figures.ratings % LEARN_RATINGS == 0:
            self._learn(is_whole=False)

    @command
    async def correct(self, what: Correction) -> None:
        """Say where a memory belongs, or how a name is spelt; the model learns from it."""
        try:
            await self.task(note_correction, self.house, self.person, what)
        except KeepsakeError as error:
            raise Refused(str(error)) from None
        self._heed()

    @command
    async def give(self, what: Give) -> Granted:
        """Let somebody ask within a scope until a time; the token is for them."""
        try:
            given = await self.task(give, self.house, self.person, what)
        except KeepsakeError as error:
            raise Refused(str(error)) from None
        self.grants[given.id] = given.state
        return given

    @command
    async def revoke(self, grant: str) -> None:
        """Take a grant back, from now on."""
        try:
            self.grants[grant] = await self.task(revoke, self.house, self.person, grant)
        except KeepsakeError as error:
            raise Refused(str(error)) from None

    @command
    def forget(self, what: Forget) -> str:
        """Delete messages, a stream or everything; the job's name in the lane ``forgetting``, whose result is the certificate."""
        self.key()
        if what.kind not in FORGET_KINDS or len(what.messages) > FORGET_MESSAGES:
            raise Refused(
                f"KS-AGENT-021  {what.kind[:40]!r} cannot be forgotten; it takes {', '.join(sorted(FORGET_KINDS))}, "
                f"and {FORGET_MESSAGES} messages at most"
            )
        job = ForgetJob(self.person, what.kind, what.messages, what.stream)
        if what.kind == "stream":
            self.send(f"{self.node}/stream/{what.stream}", "erase")
        return self.forgetting.submit(job, key=self.node, priority="high", about=what.kind)

    @forgetting.done
    def forgotten(self, name: str, job: JobState[Forgotten]) -> None:
        """It is gone; so is what this agent showed of it."""
        if job.about == "person":
            self.house.shelf.put_away(self.person)
            self.remove()
            return
        self.timeline.clear()
        self.spawn(picture, self.house, self.person, SHOWN_LINES, then=self._fill)

    @forgetting.failed
    def not_forgotten(self, name: str, job: JobState[Forgotten]) -> None:
        """The order stays open, and the job is parked where operators see it."""
        self.log.error("KS-AGENT-022  a deletion of %s is not over: %s", self.person, job.error)
        self.notices.append(Notice(self.now(), "deletion", name))

    @command
    def capsule_changed(self, what: CapsuleNote) -> None:
        """A capsule was filled, has opened or is gone."""
        if what.state.is_gone:
            self.capsules.pop(what.capsule, None)
            return
        is_news = what.state.opened_at is not None
        self.capsules[what.capsule] = what.state
        if is_news:
            self.notices.append(Notice(self.now(), "capsule", f"{self.node}/capsule/{what.capsule}"))

    @command
    def heard(self, what: HeardAll) -> None:
        """A worker followed a stream of sound for a while."""
        self.figures = replace(
            self.figures, heard_s=self.figures.heard_s + what.seconds, busy_s=self.figures.busy_s + what.busy_s
        )


def _count(names: MutableMapping[str, Tally], name: str, said_at: float) -> None:
    before = names.get(name, Tally(0, 0.0))
    names[name] = Tally(before.count + 1, max(before.last, said_at))


def _granted(agent: Person, what: Asked, words: Question, style: str) -> Answer:
    return ask_granted(
        agent.house, agent.person, words, about=what.question, token=what.grant, by=what.asker, style=style
    )
