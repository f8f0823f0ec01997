"""A queue over three servers with replicated streams: order of keys, and the death of a server."""

from __future__ import annotations

import asyncio

from natant import Job
from tests.integration.queue.site import Clip, heard, plane, site
from tests.support.nats import Cluster, engine_of

JOBS = 12


async def test_a_server_that_dies_loses_no_job_and_no_order() -> None:
    begun = asyncio.Event()

    async def echo(job: Job[Clip]) -> int:
        begun.set()
        return job.input.number

    with Cluster("test") as cluster:
        async with engine_of(cluster.url) as own, site(own, plane(lost_s=2.0, attempts=50)) as at:
            await at.work(echo, slots=4)
            assert own.replicas == 3
            for number in range(JOBS):
                await at.record(Clip(number, "k"), "record_in_order")
                await at.record(Clip(number), "record", "/call/2")
                if number == JOBS // 2:
                    await begun.wait()
                    cluster.servers[0].kill()

            assert await heard(at, JOBS) == list(range(JOBS))
            assert sorted(await heard(at, JOBS, "/call/2")) == list(range(JOBS))
