"""``natant run --nats``: any NATS client asks the plane, and finds out how from what it prints."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import nats
import pytest

from tests.support.command import here, natant, serve
from tests.support.nats import NatsServer

PLANE = """
from natant import Agent, Plane, lane

class Counter(Agent, route="/counter/{id}"):
    total = lane.value(int, 0)

plane = Plane("shop", [Counter])
"""


async def ask(url: str, subject: str, body: bytes = b"", user: dict[str, str] | None = None) -> Any:
    client = await nats.connect(url, **user or {})
    try:
        return json.loads((await client.request(subject, body, timeout=5)).data)
    finally:
        await client.close()


def test_an_embedded_server_lets_clients_in_by_the_users_that_it_made(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PLANE)
    for expected in (1, 2):
        process, facts = serve("--nats", "app.py", "--nats-mqtt", "0", folder=tmp_path)
        with process:
            where = facts["nats"]
            secrets = json.loads(Path(where["secrets"]).read_text())
            assert where["root"] == "natant.shop"
            assert where["mqtt"].startswith("mqtt://127.0.0.1:")
            assert "websocket" not in where
            assert secrets["client"] not in process.until("stop ")
            user = {"user": "client", "password": secrets["client"]}
            subject = f"{where['root']}.in.command.total.counter.a"
            assert asyncio.run(ask(where["url"], subject, b"%d" % expected, user))["sequence"] == expected
            metrics = here("get", "/counter/a", "total", "--at", facts["warp"])
            assert metrics.out == f"{expected}\n"
            assert process.end().code == 0


def test_servers_that_run_already_are_taken(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PLANE)
    jetstream = {"store_dir": tmp_path / "store"}
    with NatsServer(tmp_path / "server", {"jetstream": jetstream}) as server:
        process, facts = serve("app.py", f"--nats={server.url()}", "--volatile", folder=tmp_path)
        with process:
            assert facts["nats"] == {"url": server.url(), "root": "natant.shop"}
            subject = "natant.shop.in.get.total.counter.a"
            assert asyncio.run(ask(server.url(), subject)) == 0
            assert process.end().code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nats-mqtt", "0"], "go with --nats"),
        (["--nats=nats://x:1", "--nats-port", "4222"], "the embedded server's"),
        (["--nats", "--nats-creds", "app.py"], "makes its own"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "app.py").write_text(PLANE)
    found = natant("run", "app.py", *words, folder=tmp_path)

    assert found.code == 2
    assert said in " ".join(found.err.split())
