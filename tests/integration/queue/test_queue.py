"""Work queues over a real server: agents, workers in this process and others, and what happens when any of them dies."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from natant import Job, Plane, Refused
from natant.errors import NatantError, QueueError
from natant.fabric.nats.engine import Engine
from natant.queue.message import Envelope
from natant.queue.nats import parked
from natant.queue.nats.service import QueueService
from natant.queue.nats.worker import Worker
from natant.store.memory import MemoryStore
from tests.integration.queue.site import WAIT_S, Clip, Site, double, heard, plane, site, until
from tests.support.nats import engine, engine_of


@pytest.fixture(scope="module")
def server() -> Any:
    """One embedded server for the module, in a loop of its own."""
    import threading

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    context = engine()
    started = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(WAIT_S)
    try:
        yield started
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(WAIT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@contextlib.asynccontextmanager
async def running(server: Engine, app: Plane, store: MemoryStore | None = None) -> AsyncIterator[Site]:
    """A site on the module's server, whose queues are empty."""
    async with engine_of(server.url) as own:
        for name in await own.js.streams_info():
            await own.js.delete_stream(str(name.config.name))
        async with site(own, app, store) as at:
            yield at


async def test_jobs_are_done_and_the_queue_is_empty_then(server: Engine) -> None:
    async with running(server, plane()) as at:
        await at.work(double, slots=4)
        for number in range(20):
            await at.record(Clip(number))

        assert sorted(await heard(at, 20)) == [2 * number for number in range(20)]
        await until(lambda: at.service.figures["asr"].workers == 1, "the worker is seen")
        await until(lambda: at.service.held("asr") == 0, "the queue is empty")
        assert at.host.plane.queues[0].figures is at.service.figures["asr"]


async def test_what_fails_is_tried_again_then_parked_and_done_when_somebody_says_so(server: Engine) -> None:
    attempts: list[int] = []

    async def fail(job: Job[Clip]) -> int:
        attempts.append(job.attempt)
        job.progress(0.25, "a quarter")
        if len(attempts) <= 2:
            raise ValueError(f"fault {job.attempt}")
        return 7

    async with running(server, plane(attempts=2, backoff=(0.05, 0.05))) as at:
        await at.work(fail)
        name = await at.record(Clip(1))
        await until(lambda: len(attempts) == 2, "two attempts")

        async def is_parked() -> bool:
            return [str(text) for text in await at.get("lost")] == ["ValueError: fault 2"]

        await until(is_parked, "the failure is told")
        place = at.service.place("asr")
        (kept,) = [found async for found in parked.each(at.engine, place)]
        assert (kept.job.id, kept.cause, kept.attempts) == (name, "ValueError: fault 2", 2)
        with pytest.raises(QueueError, match="NT-QUEUE-016"):
            await parked.retry(at.engine, place, "nobody")

        await parked.retry(at.engine, place, name)
        assert await heard(at, 1) == [7]
        assert [found async for found in parked.each(at.engine, place)] == []


async def test_a_parked_job_can_be_dropped(server: Engine) -> None:
    async def refuse(job: Job[Clip]) -> int:
        raise Refused("nothing to hear")

    async with running(server, plane()) as at:
        await at.work(refuse)
        name = await at.record(Clip(1))
        place = at.service.place("asr")

        async def is_parked() -> bool:
            return len([found async for found in parked.each(at.engine, place)]) == 1

        await until(is_parked, "the job is parked")
        assert (await parked.drop(at.engine, place, name)).cause == "nothing to hear"
        assert not await is_parked()


async def test_what_nobody_can_read_is_parked_and_holds_up_nobody(server: Engine) -> None:
    async with running(server, plane()) as at:
        place = at.service.place("asr")
        await at.engine.js.publish(place.job("x", "", "normal"), b"\xff{")
        await at.work(double)
        await at.record(Clip(1))

        assert await heard(at, 1) == [2]
        (kept,) = [found async for found in parked.each(at.engine, place)]
        assert "NT-QUEUE-009" in kept.cause
        with pytest.raises(QueueError, match="NT-QUEUE-009"):
            await parked.retry(at.engine, place, kept.job.id)


async def test_jobs_of_a_key_go_one_after_the_other(server: Engine) -> None:
    running_now: dict[str, int] = {}
    seen: list[tuple[str, int]] = []

    async def slow(job: Job[Clip]) -> int:
        key = job.input.what
        running_now[key] = running_now.get(key, 0) + 1
        assert running_now[key] == 1, "two jobs of a key at a time"
        if job.attempt == 1 and job.input.number % 3 == 0:
            running_now[key] -= 1
            raise ValueError("the first attempt")
        await asyncio.sleep(0.002)
        seen.append((job.node, job.input.number))
        running_now[key] -= 1
        return job.input.number

    async with running(server, plane(backoff=(0.01, 0.01))) as at:
        await at.work(slow, slots=8)
        await at.work(slow, slots=8)
        for number in range(10):
            for key in ("a", "b"):
                await at.record(Clip(number, key), "record_in_order", f"/call/{key}")

        for key in ("a", "b"):
            assert await heard(at, 10, f"/call/{key}") == list(range(10))
        assert sorted(seen) == [(f"/call/{key}", number) for key in ("a", "b") for number in range(10)]


async def test_a_key_that_another_process_holds_is_waited_for(server: Engine) -> None:
    async with running(server, plane()) as at:
        place = at.service.place("asr")
        foreign = await at.engine.js.publish(place.job("z", "k", "high"), b"another process has it")
        await at.record(Clip(1, "k"), "record_in_order")
        await until(lambda: at.service._carriers[at.host.kernel]._lines["asr"].gate._taken, "it is refused")

        with pytest.raises(QueueError, match="NT-QUEUE-015"):
            await parked.submit(at.engine, place, Envelope("y", "asr", "/call/1", "clips", "k"))
        await at.engine.js.delete_msg(place.stream, foreign.seq)
        await at.work(double)
        assert await heard(at, 1) == [2]


async def test_what_is_more_urgent_is_begun_first(server: Engine) -> None:
    begun: list[str] = []

    async def note(job: Job[Clip]) -> int:
        begun.append(job.input.what)
        return 0

    async with running(server, plane()) as at:
        for priority in ("low", "normal", "high", "low", "high"):
            await at.host.command("/call/1", "record_with", priority)
        await until(lambda: at.service.held("asr") == 5, "all are in the queue")
        await at.work(note)
        await heard(at, 5)

        assert begun == ["high", "high", "normal", "low", "low"]


async def test_a_cancelled_job_stops_its_worker(server: Engine) -> None:
    begun = asyncio.Event()
    ended: list[bool] = []

    async def hang(job: Job[Clip]) -> int:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(job.cancelled)
        return 0

    async with running(server, plane(lost_s=1.0)) as at:
        await at.work(hang)
        name = await at.record(Clip(1))
        await begun.wait()
        assert (await at.host.command("/call/1", "hang_up", name)).value is True
        await until(lambda: ended == [True], "the function is told")
        await until(lambda: at.service.held("asr") == 0, "the queue has forgotten it")

        assert await at.get("heard") == []


async def test_a_worker_that_stops_gives_back_what_it_cannot_finish(server: Engine) -> None:
    begun = asyncio.Event()

    async def hang(job: Job[Clip]) -> int:
        begun.set()
        await asyncio.sleep(60)
        return 0

    async with running(server, plane()) as at:
        stop = asyncio.Event()
        first = asyncio.create_task(Worker(at.engine, "asr", hang, grace_s=0.1).run(stop))
        await at.record(Clip(4))
        await begun.wait()
        stop.set()
        await first
        await at.work(double)

        assert await heard(at, 1) == [8]
        (entry,) = (await at.get("clips")).values()
        assert entry.get("attempts") == 1


async def test_a_plane_that_was_away_gets_its_results_once(server: Engine) -> None:
    store = MemoryStore()
    store.close = lambda: None  # type: ignore[method-assign]  # the next life goes on with it
    gate = asyncio.Event()

    async def wait(job: Job[Clip]) -> int:
        await gate.wait()
        return job.input.number

    async with engine_of(server.url) as own:
        for found in await own.js.streams_info():
            await own.js.delete_stream(str(found.config.name))
        stop = asyncio.Event()
        worker = asyncio.create_task(Worker(own, "asr", wait, slots=3).run(stop))
        async with site(own, plane(), store) as at:
            for number in range(3):
                await at.record(Clip(number))
            await until(lambda: at.service.counters["reports"] >= 3, "the jobs are begun")
        gate.set()
        async with site(own, plane(), store) as at:
            assert sorted(await heard(at, 3)) == [0, 1, 2]
            await until(lambda: at.service.held("asr") == 0, "the queue is empty")
        stop.set()
        await worker


async def test_a_full_queue_refuses(server: Engine) -> None:
    async with running(server, plane(limit=2)) as at:
        for number in range(2):
            await at.record(Clip(number))
        await until(lambda: at.service.held("asr") == 2, "the queue is full")
        with pytest.raises(NatantError, match="NT-QUEUE-003"):
            await at.record(Clip(3))
        await at.work(double)
        await heard(at, 2)


async def test_a_stream_that_is_in_the_way_is_told(server: Engine) -> None:
    async with engine_of(server.url) as own:
        for found in await own.js.streams_info():
            await own.js.delete_stream(str(found.config.name))
        await own.js.add_stream(name="other", subjects=["natant.test.q.>"])
        service = QueueService(own, plane())
        try:
            with pytest.raises(QueueError, match="NT-QUEUE-014"):
                await service.open()
        finally:
            await service.close()
            await own.js.delete_stream("other")


async def test_a_worker_waits_for_the_plane_that_declares_its_queue(server: Engine) -> None:
    async with running(server, plane()) as at:
        await at.engine.js.delete_stream(at.service.place("asr").stream)
        await at.work(double)
        await at.service.open()
        await at.record(Clip(5))

        assert await heard(at, 1) == [10]


async def test_the_jobs_of_a_worker_that_is_killed_are_done_by_another(server: Engine) -> None:
    code = Path(__file__).parent / "hang.py"
    async with running(server, plane(lost_s=60.0)) as at:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.queue.hang", at.engine.url, cwd=code.parents[3]
        )
        try:
            await at.record(Clip(3))

            async def is_begun() -> bool:
                return any(entry.get("state") == "running" for entry in (await at.get("clips")).values())

            await until(is_begun, "the worker has it")
            process.send_signal(signal.SIGKILL)
            await process.wait()
            await at.work(double)

            assert await heard(at, 1) == [6]
            assert at.service.counters["jobs_rescued"] == 1
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
