"""Several workers behind one NATS door: commands, events, buckets and large values while a worker is killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any, Final

import nats
from nats.aio.client import Client
from nats.errors import Error

from natant.client.nats import bucket
from tests.integration.cluster.crew import Crew
from tests.integration.nats.plane import WAIT_S

PLANE: Final = Path(__file__).with_name("crew_plane.py")
UNITS: Final = 12


async def ask(client: Client, verb: str, lane: str, unit: int, body: bytes = b"", command_id: str = "") -> Any:
    """Ask until somebody answers; what may be tried again is tried again."""
    headers = {"Natant-Command-Id": command_id} if command_id else None
    async with asyncio.timeout(WAIT_S):
        while True:
            with contextlib.suppress(Error):
                subject = f"natant.crewed.in.{verb}.{lane}.unit.{unit}"
                answer = await client.request(subject, body, timeout=2, headers=headers)
                if (answer.headers or {}).get("Nats-Service-Error-Code") != "503":
                    return json.loads(answer.data)
            await asyncio.sleep(0.05)


async def test_a_worker_that_is_killed_costs_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    async with Crew(tmp_path / "data", plane=PLANE) as crew:
        folder = tmp_path / "data" / "nats"
        password = json.loads((folder / "secrets.json").read_text())["client"]
        port = json.loads((folder / "ports.json").read_text())["nats"]
        url = f"nats://client:{password}@127.0.0.1:{port}"
        client = await nats.connect(url)
        events = await client.subscribe("natant.crewed.ev.count.unit.*")
        for unit in range(UNITS):
            assert (await ask(client, "command", "add", unit, b"1", f"a{unit}"))["value"] == 1
        seen = {(await events.next_msg(WAIT_S)).subject.rpartition(".")[2] for _ in range(UNITS)}
        assert (await ask(client, "command", "shoot", 3, b"200000"))["value"] == 200_000
        os.kill(crew.workers[0], signal.SIGKILL)
        for unit in range(UNITS):
            await ask(client, "command", "add", unit, b"10", f"b{unit}")
        counts = [await ask(client, "get", "count", unit) for unit in range(UNITS)]
        photo = await ask(client, "get", "photo", 3)
        async with bucket(url, plane="crewed", name="counts") as shown, asyncio.timeout(WAIT_S):
            for unit in range(UNITS):
                while (found := await shown.get(f"/unit/{unit}")) is None or found.value != 11:
                    await asyncio.sleep(0.05)
        await client.close()

    assert seen == {str(unit) for unit in range(UNITS)}
    assert counts == [11] * UNITS
    assert photo["size"] == 200_000
    assert crew.code == 0, crew.log()
