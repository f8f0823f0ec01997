"""Jobs lanes and queues, in memory: what an agent asks for, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import natant.testing
from natant import Agent, Job, JobState, Plane, Refused, command, lane
from natant.errors import NatantError, PlaneError, QueueError, StoreError
from natant.queue.desk import deliver
from natant.queue.message import Answer, Report
from natant.testing.plane import TestPlane
from natant.testing.queue import envelope_of


@dataclass
class Clip:
    url: str
    seconds: float = 1.0


@dataclass
class Transcript:
    text: str


class Call(Agent, route="/call/{id}"):
    clips = lane.jobs("asr", Clip, Transcript, keep=3)
    words = lane.list(str)
    lost = lane.list(str)

    @command
    def record(self, clip: Clip) -> str:
        return self.clips.submit(clip, about=clip.url)

    @command
    def record_in_order(self, clip: Clip) -> str:
        return self.clips.submit(clip, key=self.node)

    @command
    def record_then_fail(self, clip: Clip) -> str:
        self.clips.submit(clip)
        raise ValueError("no")

    @command
    def record_with(self, priority: Any) -> str:
        return self.clips.submit(Clip("u"), priority=priority)

    @command
    def hang_up(self, name: str) -> bool:
        return self.clips.cancel(name)

    @clips.done
    def heard(self, name: str, job: JobState[Transcript]) -> None:
        assert job.result is not None
        self.words.append(job.result.text)

    @clips.failed
    def not_heard(self, name: str, job: JobState[Transcript]) -> None:
        self.lost.append(job.error)


class Work:
    """The worker's function, whose behaviour a test sets."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.faults: list[Exception] = []
        self.gates: dict[str, Any] = {}

    async def __call__(self, job: Job[Clip]) -> Transcript:
        self.seen.append((job.input.url, job.attempt))
        job.progress(0.5, "half")
        if job.input.url in self.gates:
            await self.gates[job.input.url]
        if self.faults:
            raise self.faults.pop(0)
        return Transcript(job.input.url.upper())


def make(**options: Any) -> tuple[Plane, Work]:
    app = Plane("calls", [Call])
    work = Work()

    @app.queue("asr", **options)
    async def asr(job: Job[Clip]) -> Transcript:
        return await work(job)

    return app, work


async def record(p: TestPlane, url: str, how: str = "record") -> str:
    name: str = (await p.command("/call/1", how, Clip(url))).value
    return name


async def state(p: TestPlane, name: str, node: str = "/call/1") -> JobState[Transcript]:
    entry: JobState[Transcript] = (await p.get(node, "clips"))[name]
    return entry


async def test_a_job_is_done_and_its_result_is_in_the_lane_and_in_the_handler() -> None:
    app, work = make()
    async with natant.testing.plane(app) as p:
        name = await record(p, "a")

        entry = await state(p, name)
        assert (entry.state, entry.result, entry.attempts, entry.about) == ("done", Transcript("A"), 1, "a")
        assert await p.get("/call/1", "words") == ["A"]
        assert p.queues["asr"].jobs == {}
        assert work.seen == [("a", 1)]


async def test_progress_shows_while_the_worker_is_at_it() -> None:
    app, work = make()
    async with natant.testing.plane(app) as p:
        work.gates["a"] = p.env.future()
        name = await record(p, "a")

        entry = await state(p, name)
        assert (entry.state, entry.progress, entry.note, entry.is_open) == ("running", 0.5, "half", True)
        work.gates["a"].set_result(None)
        await p.clock.settle()
        assert (await state(p, name)).progress == 1.0


async def test_a_turn_that_fails_submits_nothing() -> None:
    app, work = make()
    async with natant.testing.plane(app) as p:
        with pytest.raises(NatantError):
            await record(p, "a", "record_then_fail")

        assert work.seen == []
        assert await p.get("/call/1", "clips") == {}


async def test_what_fails_is_tried_again_after_a_while_that_doubles() -> None:
    app, work = make(attempts=4, backoff=(10.0, 15.0))
    async with natant.testing.plane(app) as p:
        work.faults = [ValueError("one"), ValueError("two"), ValueError("three")]
        name = await record(p, "a")

        entry = await state(p, name)
        assert (entry.state, entry.error, entry.due - p.clock.now) == ("retrying", "ValueError: one", 10.0)
        await p.clock.jump(9.9)
        assert len(work.seen) == 1
        await p.clock.jump(0.2)
        assert (len(work.seen), (await state(p, name)).due - p.clock.now) == (2, pytest.approx(15.0, abs=0.2))
        await p.clock.jump(40)
        assert (await state(p, name)).state == "done"
        assert work.seen == [("a", 1), ("a", 2), ("a", 3), ("a", 4)]


async def test_a_job_that_fails_for_good_is_parked_and_can_be_tried_anew() -> None:
    app, work = make(attempts=2, backoff=(1.0, 1.0))
    async with natant.testing.plane(app) as p:
        work.faults = [ValueError("one"), ValueError("two")]
        name = await record(p, "a")
        await p.clock.jump(2)

        entry = await state(p, name)
        assert (entry.state, entry.error) == ("failed", "ValueError: two")
        assert await p.get("/call/1", "lost") == ["ValueError: two"]
        assert p.queues["asr"].parked[name][1] == "ValueError: two"
        p.queues["asr"].retry(name)
        await p.clock.settle()
        entry = await state(p, name)
        assert (entry.state, entry.round, entry.attempts, entry.error) == ("done", 1, 1, "")
        assert p.queues["asr"].parked == {}


async def test_a_refusal_is_parked_at_once() -> None:
    app, work = make()
    async with natant.testing.plane(app) as p:
        work.faults = [Refused("no speech in it")]
        name = await record(p, "a")

        assert (await state(p, name)).error == "no speech in it"
        assert len(work.seen) == 1


async def test_a_job_whose_worker_died_is_done_again_and_applied_once() -> None:
    app, work = make()
    async with natant.testing.plane(app) as p:
        work.gates["a"] = p.env.future()
        name = await record(p, "a")
        del work.gates["a"]
        p.queues["asr"].lose_workers()
        await p.clock.settle()

        assert work.seen == [("a", 1), ("a", 2)]
        assert (await state(p, name)).attempts == 2
        assert await p.get("/call/1", "words") == ["A"]


async def test_a_job_that_kills_its_workers_is_parked() -> None:
    app, work = make(attempts=2)
    async with natant.testing.plane(app) as p:
        work.gates["a"] = p.env.future()
        name = await record(p, "a")
        for _ in range(2):
            work.gates["a"] = p.env.future()
            p.queues["asr"].lose_workers()
            await p.clock.settle()

        assert (await state(p, name)).error.startswith("NT-QUEUE-011")
        assert len(work.seen) == 2


async def test_a_known_result_is_not_applied_or_computed_again() -> None:
    app, work = make()
    async with natant.testing.plane(app) as p:
        name = await record(p, "a")
        queue = p.queues["asr"]
        queue.jobs[name] = envelope_of("asr", "/call/1", "clips", name, Clip("a"))  # its acknowledgement was lost
        queue.look()
        await p.clock.settle()

        assert await p.get("/call/1", "words") == ["A"]
        assert len(work.seen) == 1
        assert queue.jobs == {}


async def test_jobs_outlive_a_crash_of_the_plane() -> None:
    app, _ = make()
    async with natant.testing.plane(app) as p:
        p.queues["asr"].paused = True
        names = [await record(p, url) for url in "abc"]
        await p.crash()
        p.queues["asr"].paused = False
        p.queues["asr"].look()
        await p.clock.settle()

        assert [(await state(p, name)).state for name in names] == ["done"] * 3
        assert sorted(await p.get("/call/1", "words")) == ["A", "B", "C"]


async def test_jobs_of_one_key_are_done_one_after_the_other() -> None:
    app, work = make(backoff=(1.0, 1.0))
    async with natant.testing.plane(app) as p:
        work.faults = [ValueError("the first attempt at a")]
        for url in "abc":
            await record(p, url, "record_in_order")
        await p.command("/call/2", "record_in_order", Clip("z"))
        await p.clock.jump(5)

        assert [seen for seen in work.seen if seen[0] != "z"] == [("a", 1), ("a", 2), ("b", 1), ("c", 1)]
        assert await p.get("/call/1", "words") == ["A", "B", "C"]


async def test_what_has_a_higher_priority_is_begun_first() -> None:
    app, _ = make()
    async with natant.testing.plane(app) as p:
        p.queues["asr"].paused = True
        low, high, normal = [
            (await p.command("/call/1", "record_with", priority)).value for priority in ("low", "high", "normal")
        ]
        p.queues["asr"].paused = False
        p.queues["asr"].look()
        await p.clock.settle()

        assert p.queues["asr"].started == [high, normal, low]


async def test_a_cancelled_job_is_not_begun_and_its_result_is_not_used() -> None:
    app, work = make()
    async with natant.testing.plane(app) as p:
        work.gates["a"] = p.env.future()
        name = await record(p, "a")
        assert (await p.command("/call/1", "hang_up", name)).value is True
        assert (await p.command("/call/1", "hang_up", name)).value is False
        work.gates["a"].set_result(None)
        p.queues["asr"].paused = True
        other = await record(p, "b")
        await p.command("/call/1", "hang_up", other)
        p.queues["asr"].paused = False
        p.queues["asr"].look()
        await p.clock.settle()

        assert [(await state(p, each)).state for each in (name, other)] == ["cancelled"] * 2
        assert [url for url, _ in work.seen] == ["a"]
        assert await p.get("/call/1", "words") == []
        assert p.queues["asr"].jobs == {}


async def test_what_was_closed_long_ago_is_forgotten() -> None:
    app, _ = make()
    async with natant.testing.plane(app) as p:
        names = []
        for url in "abcde":
            names.append(await record(p, url))
            await p.clock.jump(1)

        assert list(await p.get("/call/1", "clips")) == names[2:]
        await p.restart()
        names.append(await record(p, "f"))
        assert list(await p.get("/call/1", "clips")) == names[3:]


async def test_a_result_that_the_agent_refuses_is_parked_there() -> None:
    class Strict(Call, route="/strict/{id}"):
        @Call.clips.done
        def heard_strictly(self, name: str, job: JobState[Transcript]) -> None:
            raise Refused("not wanted")

    Strict.clips.callbacks["done"] = Strict.heard_strictly
    app = Plane("calls", [Strict])

    @app.queue("asr")
    async def asr(job: Job[Clip]) -> Transcript:
        return Transcript("x")

    async with natant.testing.plane(app) as p:
        name = (await p.command("/strict/1", "record", Clip("a"))).value

        (parked,) = (await p.get("/strict/1", "parked")).values()
        assert parked.get("code") == "NT-QUEUE-010"
        assert (await state(p, name, "/strict/1")).state == "running"
        assert p.queues["asr"].jobs == {}


async def test_nobody_writes_a_jobs_lane_from_outside() -> None:
    app, _ = make()
    async with natant.testing.plane(app) as p:
        with pytest.raises(NatantError, match="NT-TURN-010"):
            await p.command("/call/1", "clips", {"a": 1})


@pytest.mark.parametrize("priority", [1, "urgent", ""])
async def test_a_priority_is_one_of_three(priority: Any) -> None:
    app, _ = make()
    async with natant.testing.plane(app) as p:
        with pytest.raises(NatantError, match="NT-QUEUE-005"):
            await p.command("/call/1", "record_with", priority)


async def test_a_full_queue_refuses_and_nothing_of_the_turn_stands() -> None:
    app, _ = make(limit=2)
    async with natant.testing.plane(app) as p:
        p.queues["asr"].paused = True
        for url in "ab":
            await record(p, url)
        with pytest.raises(NatantError, match="NT-QUEUE-003"):
            await record(p, "c")

        assert len(await p.get("/call/1", "clips")) == 2


async def test_a_job_that_is_too_large_is_refused() -> None:
    app, _ = make()
    async with natant.testing.plane(app) as p:
        with pytest.raises(NatantError, match="NT-QUEUE-004"):
            await record(p, "x" * 1_100_000)


async def test_a_queue_that_is_not_declared_is_refused() -> None:
    async with natant.testing.plane(Plane("calls", [Call])) as p:
        with pytest.raises(NatantError, match="NT-QUEUE-002"):
            await record(p, "a")


async def test_without_anything_that_serves_queues_a_job_is_refused() -> None:
    app, _ = make()
    async with natant.testing.plane(app) as p:
        del p.host.kernel.outbox.carriers["queue"]
        with pytest.raises(NatantError, match="NT-QUEUE-001"):
            await record(p, "a")


async def test_a_job_that_does_not_fit_the_function_is_parked() -> None:
    app = Plane("calls", [Call])

    @app.queue("asr")
    async def asr(job: Job[int]) -> Transcript:
        return Transcript("x")

    async with natant.testing.plane(app) as p:
        assert (await state(p, await record(p, "a"))).error.startswith("NT-QUEUE-012")


@pytest.mark.parametrize("result", [Transcript("x" * 1_100_000), 5])
async def test_a_result_of_another_type_or_too_large_is_parked(result: Any) -> None:
    app = Plane("calls", [Call])

    @app.queue("asr")
    async def asr(job: Job[Clip]) -> Transcript:
        return result  # type: ignore[no-any-return]

    async with natant.testing.plane(app) as p:
        assert (await state(p, await record(p, "a"))).error.startswith("NT-QUEUE-013")


async def test_an_attempt_that_takes_too_long_is_cancelled_and_counts() -> None:
    app, work = make(timeout_s=0.01, attempts=1)
    async with natant.testing.plane(app) as p:
        work.gates["a"] = never = p.env.future()
        name = await record(p, "a")
        while not never.cancelled():
            await p.clock.settle()
        await p.clock.settle()

        assert (await state(p, name)).error == "NT-QUEUE-008  it took longer than 0.01 s"


async def test_a_plain_function_runs_in_a_thread() -> None:
    app = Plane("calls", [Call])

    @app.queue("asr")
    def asr(job: Job[Clip]) -> Transcript:
        return Transcript(job.input.url)

    async with natant.testing.plane(app) as p:
        await record(p, "a")
        await p.clock.settle()

        assert await p.get("/call/1", "words") == ["a"]


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"backoff": (5.0, 1.0)},
        {"timeout_s": -1},
        {"limit": 0},
        {"lost_s": 0},
        {"target_s": 0},
        {"workers": (3, 2)},
    ],
)
def test_figures_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(QueueError, match="NT-QUEUE-006"):
        Plane("calls", [Call]).queue("asr", **options)


@pytest.mark.parametrize("name", ["", "a.b", "a b", "-a", "a" * 65, "ä"])
def test_names_that_no_queue_can_have_are_refused(name: str) -> None:
    with pytest.raises(QueueError, match="NT-QUEUE-006"):
        Plane("calls", [Call]).queue(name)


def test_two_queues_differ_in_their_names() -> None:
    app = Plane("calls", [Call])
    app.queue("asr")
    with pytest.raises(PlaneError, match="NT-PLANE-009"):
        app.queue("asr")


@pytest.mark.parametrize(("is_ours", "kind"), [(True, "over"), (False, "later")])
async def test_only_an_owner_says_that_a_queue_may_forget_a_job(is_ours: bool, kind: str) -> None:
    app, _ = make()
    async with natant.testing.plane(app) as p:
        name = await record(p, "a")
        p.host.store.barrier = lambda done: done(None if is_ours else StoreError("NT-STORE-006", "deposed"))
        answers: list[Answer] = []
        for node, report_of in (("/call/1", name), ("/call/1", "other"), ("/nowhere", name)):
            deliver(p.host.kernel, Report("start", report_of, node, "clips", "w/1"), answers.append)
        await p.clock.settle()

        assert [answer.kind for answer in answers] == ([kind, "unknown", "unknown"] if is_ours else [kind] * 3)
