"""The whole year through ``natant run`` on RocksDB, killed again and again: the totals are those of the tables."""

from __future__ import annotations

import random
import time
from pathlib import Path

import httpx
import pytest

from examples.flights.truth import Truth
from natant.demo.flights.plane import plane
from natant.demo.flights.replay import EPOCH
from natant.host import Host
from natant.loop import LoopEnv
from natant.store.rocks import RocksStore
from tests.integration.flights.audit import audit
from tests.support.process import ROOT, ServerProcess

#: how often the server dies in the middle of the year
KILLS = 7
#: the last thing that is told: the clock's last hour
END = EPOCH + 366 * 86_400 + 4 * 3600
#: a replay that gets no further for so long has stopped
STALL_S = 180.0


def clock_of(server: ServerProcess, client: httpx.Client) -> int:
    """How far the replay is; 0 where its clock has not been set yet."""
    answer = client.get(f"{server.http}/control?lane=clock", headers={"accept": "application/json"})
    answer.raise_for_status()
    state = answer.json()
    return int(state["at"]) if state else 0


def wait_until(server: ServerProcess, client: httpx.Client, instant: int) -> int:
    """Wait until the replay has come to ``instant``."""
    before, since_s = 0, time.monotonic()
    while (now := clock_of(server, client)) < instant:
        if now != before:
            before, since_s = now, time.monotonic()
        assert time.monotonic() - since_s < STALL_S, f"the replay stands still at {now}:\n{server.log()}"
        time.sleep(0.1)
    return now


@pytest.mark.timeout(3600)
async def test_the_year_survives_being_killed_again_and_again(tmp_path: Path) -> None:
    chance = random.Random(2013)
    stations = sorted(chance.randrange(EPOCH + 86_400, END - 86_400) for _ in range(KILLS))
    server = ServerProcess(
        ROOT / "examples/flights/plane.py", data=tmp_path / "data", environment={"FLIGHTS_SPEED": "0"}
    )
    with server, httpx.Client(trust_env=False, timeout=60) as client:
        reached = 0
        for station in stations:
            seen = wait_until(server, client, station)
            time.sleep(chance.random() / 3)
            assert seen >= reached, "the replay went back"
            reached = seen
            server.restart()
        wait_until(server, client, END)
        server.stop()

    host = Host(plane, store=RocksStore(tmp_path / "data"), env=LoopEnv())
    await host.start()
    try:
        truth = Truth()
        assert truth.rows == 336_776
        await audit(host, truth)
    finally:
        await host.stop()
