"""``natant doctor`` with real servers, and planes that refuse the unsafe ones."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from natant.errors import FabricError
from natant.fabric.nats.config import Quoted
from natant.fabric.nats.survey import survey
from tests.support.command import here
from tests.support.nats import Cluster, NatsServer, engine, engine_of
from tests.support.process import free_port


def findings(*words: str) -> tuple[int, list[dict[str, str]]]:
    done = here("doctor", "--json", *words)
    return done.code, [found for found in map(json.loads, done.lines()) if found["what"] == "nats"]


def values(folder: Path, sync_interval: str) -> dict[str, Any]:
    return {"jetstream": {"store_dir": folder / "store", "sync_interval": Quoted(sync_interval)}}


async def test_a_server_that_acknowledges_too_early_is_refused(tmp_path: Path) -> None:
    with NatsServer(tmp_path, values(tmp_path, "10s")) as server:
        monitor = f"http://127.0.0.1:{server.http_port}"
        code, found = await asyncio.to_thread(
            findings, "--data", str(tmp_path), "--nats", server.url(), "--monitor", monitor
        )
        with pytest.raises(FabricError, match="NT-FABRIC-009"):
            async with engine_of(server.url(), monitors=[monitor]):
                pass

    assert code == 1
    assert [each["level"] for each in found] == ["ok", "bad"]
    assert "sync every 10 s" in found[0]["fact"]
    assert "NT-FABRIC-009" in found[1]["fact"]


async def test_what_cannot_be_seen_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with NatsServer(tmp_path, values(tmp_path, "always")) as server:
        async with engine_of(server.url()):
            pass
        code, found = await asyncio.to_thread(findings, "--data", str(tmp_path), "--nats", server.url())

    assert "NT-FABRIC-009" in caplog.text
    assert code == 0
    assert [each["level"] for each in found] == ["ok", "note"]


async def test_the_system_account_sees_the_whole_cluster() -> None:
    with Cluster() as cluster:
        servers = await survey(cluster.servers[1].url("sys", "sys"))

    assert [server.name for server in servers] == ["c0", "c1", "c2"]
    assert {(server.is_synced, server.cluster_size, server.domain) for server in servers} == {(True, 3, "hub")}


async def test_the_embedded_server_is_found_by_its_folder(tmp_path: Path) -> None:
    async with engine("flights", folder=tmp_path / "nats"):
        code, running = await asyncio.to_thread(findings, "--data", str(tmp_path))
    _, still = await asyncio.to_thread(findings, "--data", str(tmp_path))

    assert code == 0
    assert "standalone store of plane flights, 64 partitions" in running[0]["fact"]
    assert any("sync always" in found["fact"] for found in running)
    assert len(still) < len(running)


def test_nobody_there_is_bad(tmp_path: Path) -> None:
    code, found = findings("--data", str(tmp_path), "--nats", f"nats://127.0.0.1:{free_port()}")

    assert code == 1
    assert "NT-FABRIC-004" in found[0]["fact"]


def test_a_monitor_goes_with_a_url(tmp_path: Path) -> None:
    assert here("doctor", "--data", str(tmp_path), "--monitor", "http://127.0.0.1:1").code == 2
