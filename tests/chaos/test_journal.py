"""One kill of what ``python -m tests.chaos.journal`` does for as long as one likes, and all servers killed at once."""

from __future__ import annotations

import asyncio
from random import Random, SystemRandom

from tests.chaos.journal import Writers, audited, cluster, opened, races
from tests.support.nats import engine_of


async def test_what_was_acknowledged_outlives_a_server_and_all_servers() -> None:
    with cluster("always", []) as (servers, url):
        async with engine_of(url, "chaos") as engine:
            stores = await opened(engine)
            for killed in (servers[:1], servers):
                writers = Writers(stores)
                await asyncio.sleep(0.5)
                for server in killed:
                    server.kill()
                if len(killed) == len(servers):
                    for server in servers:
                        await asyncio.to_thread(server.start)
                before = list(writers.acknowledged)
                while any(now <= then + 1 for now, then in zip(writers.acknowledged, before, strict=True)):
                    await asyncio.sleep(0.02)
                await writers.stop()
                stores = await audited(engine, writers.acknowledged)
                for server in killed:
                    if not server.is_running:
                        await asyncio.to_thread(server.start)


async def test_owners_that_take_a_partition_from_one_another_lose_nothing() -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")

    openings, commits = await races(4.0, Random(seed))

    assert openings > 3
    assert commits > 20
