"""``natant run --workers``: workers that die or are replaced while clients ask."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.integration.cluster.crew import Asker, Crew

pytest.importorskip("nats", reason="the extra natant[nats] is not installed")

NODES = [f"/counter/{number}" for number in range(6)]


async def count_of(url: str, node: str) -> int:
    async with httpx.AsyncClient() as client:
        return int((await client.get(f"{url}{node}", params={"lane": "count"})).json())


async def ask_while(crew: Crew, what: object) -> list[Asker]:
    """Ask all counters while something happens."""
    askers = [Asker(crew.url, node) for node in NODES]
    jobs = [asyncio.create_task(asker.run()) for asker in askers]
    await what  # type: ignore[misc]
    for asker in askers:
        asker.stop()
    await asyncio.gather(*jobs)
    return askers


async def workers_of(crew: Crew) -> set[str]:
    """The ids of the workers that answer."""
    async with httpx.AsyncClient() as client:
        found = set()
        for _ in range(20):
            found.add((await client.get(f"{crew.url}/-/health", headers={"connection": "close"})).json()["worker"])
        return found


async def test_workers_are_replaced_while_clients_ask(tmp_path: Path) -> None:
    async with Crew(tmp_path / "data") as crew:
        first = await workers_of(crew)

        async def replace() -> None:
            await asyncio.sleep(0.3)
            crew.hang_up()
            async with asyncio.timeout(60):
                while len(second := await workers_of(crew)) < 2 or first & second:
                    await asyncio.sleep(0.1)

        askers = await ask_while(crew, replace())
        assert [asker.errors for asker in askers] == [[]] * len(NODES), crew.log()
        for asker, node in zip(askers, NODES, strict=True):
            assert await count_of(crew.url, node) == asker.acknowledged
        print([round(asker.longest_s, 3) for asker in askers])
    assert crew.code == 0, crew.log()


async def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    async with Crew(tmp_path / "data") as crew:

        async def kill() -> None:
            await asyncio.sleep(0.3)
            os.kill(crew.workers[0], signal.SIGKILL)
            async with asyncio.timeout(60):
                while len(await workers_of(crew)) < 2:
                    await asyncio.sleep(0.1)

        askers = await ask_while(crew, kill())
        assert [asker.errors for asker in askers] == [[]] * len(NODES), crew.log()
        for asker, node in zip(askers, NODES, strict=True):
            assert await count_of(crew.url, node) == asker.acknowledged
        print([round(asker.longest_s, 3) for asker in askers])


async def test_state_is_there_after_all_have_stopped(tmp_path: Path) -> None:
    async with Crew(tmp_path / "data") as crew:
        async with httpx.AsyncClient() as client:
            for node in NODES:
                assert (await client.post(f"{crew.url}{node}", params={"lane": "add"}, json=7)).status_code == 200
    async with Crew(tmp_path / "data", workers=1) as crew:
        for node in NODES:
            assert await count_of(crew.url, node) == 7
