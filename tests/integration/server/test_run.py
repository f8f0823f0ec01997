"""A plane as a process: ready, signals, exit codes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from natant.fabric.nats.connect import connect
from natant.fabric.nats.subject import Subjects

ROOT: Final = Path(__file__).resolve().parents[3]
WAIT_S: Final = 20

PROGRAM: Final = """
ENGINE = None
import asyncio, sys
from natant import Agent, Plane, command, lane
from natant.observe.log import set_up
from natant.server.run import Option, run
from natant.store.memory import MemoryStore

class Unit(Agent, route="/unit/{id}"):
    count = lane.value(int, default=0)

    @command
    def add(self, by: int) -> int:
        self.count += by
        return self.count

    @command
    async def wait(self) -> None:
        await asyncio.sleep(1000)

set_up(form="json")
option = Option(
    make_store=MemoryStore, port=int(sys.argv[1]), address=sys.argv[2], grace_s=float(sys.argv[3]), engine=ENGINE
)
sys.exit(run(Plane("test", [Unit]), option, on_ready=lambda server: print(server.url, flush=True)))
"""


@contextlib.contextmanager
def running(
    tmp_path: Path, port: int = 0, address: str = "127.0.0.1", grace_s: float = 10, text: str = PROGRAM
) -> Iterator[subprocess.Popen[str]]:
    program = tmp_path / "program.py"
    program.write_text(text)
    process = subprocess.Popen(
        [sys.executable, str(program), str(port), address, str(grace_s)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url, process.communicate()
    return url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_gracefully(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as process:
        with httpx.Client(base_url=url_of(process), trust_env=False) as http:
            assert http.post("/unit/1?lane=add", json=5).json()["value"] == 5
            process.send_signal(number)
            _, errors = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0, errors
        assert f"{number.name}: stopping" in errors
        assert '"level":"info","logger":"natant.server","message":"stopped"' in errors


def test_a_second_signal_stops_it_at_once(tmp_path: Path) -> None:
    with running(tmp_path, grace_s=1000) as process:
        address = httpx.URL(url_of(process))
        with socket.create_connection((address.host, address.port or 0)) as held:
            held.sendall(
                b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            assert held.recv(1000).startswith(b"HTTP/1.1 101")
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            for line in process.stderr:
                if "connections are asked" in line:
                    break
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=WAIT_S)
        assert process.returncode == 3


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, running(tmp_path, taken.getsockname()[1]) as process:
        _, errors = process.communicate(timeout=WAIT_S)
        assert process.returncode == 1
        assert "NT-SERVER-001" in errors


def test_a_door_that_is_open_to_others_is_told(tmp_path: Path) -> None:
    with running(tmp_path, address="0.0.0.0") as process:
        url_of(process)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=WAIT_S)
        assert '"level":"warning"' in errors
        assert "EVERYBODY" in errors


ENGINE: Final = """
from pathlib import Path
from natant.fabric.nats.config import EngineSpec

ENGINE = EngineSpec(plane="test", folder=Path(__file__).parent / "nats")
"""


async def test_a_plane_over_nats_is_commanded_there_and_stops_its_server(tmp_path: Path) -> None:
    text = PROGRAM.replace("ENGINE = None", ENGINE)
    with running(tmp_path, text=text) as process:
        metrics = httpx.get(f"{url_of(process)}/metrics", trust_env=False).text
        folder = tmp_path / "nats"
        port = json.loads((folder / "ports.json").read_text())["nats"]
        password = json.loads((folder / "secrets.json").read_text())["client"]
        nc = await connect(f"nats://client:{password}@127.0.0.1:{port}", name="client")
        answer = await nc.request(Subjects("test").ask("command", "add", "/unit/1"), b"5", timeout=WAIT_S)
        await nc.close()
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.to_thread(process.communicate, None, WAIT_S)

    assert json.loads(answer.data)["value"] == 5
    assert re.search(r"^natant_nats_up\S* 1", metrics, re.MULTILINE)
    assert re.search(r"^natant_nats_server_restarts_total\S* 0", metrics, re.MULTILINE)
    assert process.returncode == 0, errors
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
