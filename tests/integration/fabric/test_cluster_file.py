"""The configuration that the documents show for three servers: they form a cluster that a durable plane trusts, and one of them restarts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path
from uuid import uuid4

import httpx
from nats.errors import Error as NatsError

from natant.fabric.nats.embedded import die_with_parent, find_binary
from natant.fabric.nats.engine import Engine
from natant.fabric.nats.survey import complaints, survey
from tests.support.nats import engine_of
from tests.support.process import ROOT, free_port

CONF = ROOT / "examples" / "cluster" / "nats.conf"


def start(number: int, folder: Path, ports: dict[str, list[int]]) -> subprocess.Popen[bytes]:
    environment = {
        "NAME": f"db{number + 1}",
        "CLIENTS": f"127.0.0.1:{ports['clients'][number]}",
        "MONITORING": f"127.0.0.1:{ports['monitoring'][number]}",
        "ROUTE": f"127.0.0.1:{ports['routes'][number]}",
        "STORE": str(folder / f"db{number + 1}"),
        "PASSWORD": "secret",
        "SYS_PASSWORD": "secret",
        **{f"ROUTE_{place + 1}": f"nats://127.0.0.1:{port}" for place, port in enumerate(ports["routes"])},
    }
    assert set(re.findall(r"\$([A-Z_0-9]+)", CONF.read_text())) <= set(environment)
    return subprocess.Popen(
        [find_binary(), "-c", CONF, "-l", folder / f"db{number + 1}.log"],
        env=os.environ | environment,
        start_new_session=True,
        preexec_fn=die_with_parent(),  # noqa: PLW1509  # it calls prctl alone
    )


async def publish(engine: Engine) -> None:
    """Until it is acknowledged: a stream has no leader for a moment when its server stops."""
    headers = {"Nats-Msg-Id": str(uuid4())}
    async with asyncio.timeout(30):
        while True:
            try:
                await engine.js.publish("kept", b"2", headers=headers, timeout=1.0)
            except NatsError:
                await asyncio.sleep(0.05)
            else:
                return


async def healthy(monitor: str) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"{monitor}/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


async def test_three_servers_carry_a_plane(tmp_path: Path) -> None:
    ports = {name: [free_port() for _ in range(3)] for name in ("clients", "monitoring", "routes")}
    servers = [start(number, tmp_path, ports) for number in range(3)]
    url = ",".join(f"nats://engine:secret@127.0.0.1:{port}" for port in ports["clients"])
    try:
        monitors = [f"http://127.0.0.1:{port}" for port in ports["monitoring"]]
        async with engine_of(url, monitors=monitors) as engine:
            assert engine.replicas == 3
            await engine.js.add_stream(name="kept", subjects=["kept"], num_replicas=engine.replicas)
            await engine.js.publish("kept", b"1")
            servers[0].send_signal(signal.SIGTERM)  # as for an update
            servers[0].wait(10)
            await publish(engine)
            servers[0] = start(0, tmp_path, ports)
            await healthy(monitors[0])
            assert (await engine.js.stream_info("kept")).state.messages == 2
        found = await survey(f"nats://sys:secret@127.0.0.1:{ports['clients'][0]}")
        assert not list(complaints(found))
    finally:
        for server in servers:
            server.kill()
            server.wait()
