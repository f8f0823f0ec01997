"""The engine with a real server: it starts, keeps its ports, comes back when killed, ends with its plane, and refuses what it must."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pytest

from natant.errors import FabricError
from natant.fabric.nats.config import Quoted
from natant.fabric.nats.connect import connect
from natant.fabric.nats.embedded import EmbeddedServer
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.partition import partition_of
from tests.support.nats import NatsServer, engine, engine_of
from tests.support.process import ROOT, free_port
from tests.support.serving import until

#: resident memory of the embedded server, idle, with all its listeners
RSS_MIB = 25
START_S = 1.5


def resident_mib(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


async def test_it_starts_small_and_fast_with_all_listeners() -> None:
    took_s = []
    for _ in range(3):  # the best: the first loads its modules, and the machine may have other things to do
        begun = time.perf_counter()
        async with engine(websocket=True, mqtt=True, leafs=True) as started:
            took_s.append(time.perf_counter() - begun)
            server = started.server
            assert server is not None
            assert resident_mib(server.pid) <= RSS_MIB
            assert started.replicas == 1
            assert started.domain.startswith("node-")
            for port in (server.ports.websocket, server.ports.mqtt, server.ports.leafs):
                (await asyncio.open_connection("127.0.0.1", port))[1].close()

    assert min(took_s) <= START_S


@pytest.mark.parametrize("node", ["/room", "/room/4.2", "/a/b/c/d/e/f/g/h", "/user/alice@x.org/"])
async def test_what_is_asked_reaches_the_partition_that_python_computes(node: str) -> None:
    async with engine(partitions=16) as started:
        inbox = await started.nc.subscribe(f"{started.subjects.root}.at.>")
        await started.nc.publish(started.subjects.ask("command", "speed", node), b"1")
        message = await inbox.next_msg(5)

    assert message.subject.split(".")[3] == str(partition_of(node, 16))


async def test_a_killed_server_comes_back_with_the_same_ports_and_users() -> None:
    async with engine() as started:
        server = started.server
        assert server is not None
        changes: list[bool] = []
        started.on_change.append(changes.append)
        await started.js.add_stream(name="x", subjects=["x"])
        await started.js.publish("x", b"kept")
        inbox = await started.nc.subscribe("y")
        before = server.ports
        os.kill(server.pid, signal.SIGKILL)
        await until(lambda: changes == [False, True])
        await started.nc.publish("y", b"again")

        assert (await inbox.next_msg(5)).data == b"again"
        assert (await started.js.get_last_msg("x", "x")).data == b"kept"
        assert server.ports == before
        counts = started.counts()
        assert (counts["nats_disconnects"], counts["nats_server_restarts"], counts["nats_overflows"]) == (1, 1, 0)


async def test_the_ports_stay_over_a_restart_of_the_plane(tmp_path: Path) -> None:
    async with engine(folder=tmp_path) as first:
        url = first.url
    async with engine(folder=tmp_path) as second:
        assert second.url == url


async def test_one_plane_at_a_time_has_a_folder(tmp_path: Path) -> None:
    async with engine(folder=tmp_path):
        with mock.patch("natant.fabric.nats.embedded.LOCK_S", 0.05), pytest.raises(FabricError, match="NT-FABRIC-006"):
            await Engine.start(EngineSpec(plane="test", folder=tmp_path))


PARENT = """
import asyncio, sys
from pathlib import Path
from natant.fabric.nats.engine import Engine, EngineSpec
async def main():
    engine = await Engine.start(EngineSpec(plane="test", folder=Path(sys.argv[1])))
    print(engine.server.pid, flush=True)
    await asyncio.Event().wait()
def run():
    asyncio.run(main())
if sys.argv[2] == "thread":
    import threading
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
else:
    run()
"""


@pytest.mark.parametrize("where", ["main", "thread"])
async def test_the_server_ends_with_a_plane_that_is_killed(tmp_path: Path, where: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, tmp_path, where], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    pid = int(await asyncio.to_thread(parent.stdout.readline))
    parent.kill()
    await asyncio.to_thread(parent.wait)
    await until(lambda: not Path(f"/proc/{pid}").exists())

    async with engine(folder=tmp_path):  # and its folder is free
        pass


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with NatsServer(tmp_path / "other", {}) as other, pytest.raises(FabricError, match=r"NT-FABRIC-002.*in use"):
        await Engine.start(EngineSpec(plane="test", folder=tmp_path / "mine", port=other.port))


async def test_an_embedded_server_needs_a_folder() -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-002"):
        await EmbeddedServer.start(EngineSpec(plane="test"))


async def test_nobody_at_the_url_is_told() -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-004"):
        await connect(f"nats://127.0.0.1:{free_port()}", name="x", wait_s=0.3)


async def test_wrong_credentials_and_missing_jetstream_are_told(tmp_path: Path) -> None:
    values = {"authorization": {"user": "a", "password": "b"}}
    with NatsServer(tmp_path, values) as server:
        with pytest.raises(FabricError, match="NT-FABRIC-008"):
            await connect(server.url("a", "wrong"), name="x")
        with pytest.raises(FabricError, match="NT-FABRIC-005"):
            async with engine_of(server.url("a", "b")):
                pass


async def test_the_log_tells_of_a_death(caplog: pytest.LogCaptureFixture) -> None:
    async with engine() as started:
        assert started.server is not None
        os.kill(started.server.pid, signal.SIGKILL)
        await until(lambda: started.server is not None and started.server.restarts)

    assert "NT-FABRIC-011" in caplog.text


async def test_a_connection_that_the_server_ends_for_good_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = {"store_dir": tmp_path / "store", "sync_interval": Quoted("always")}
    with NatsServer(tmp_path, {"jetstream": store, "authorization": {"user": "a", "password": "b"}}) as server:
        async with engine_of(server.url("a", "b")) as started:
            server.values["authorization"] = {"user": "a", "password": "changed"}
            server.reload()
            with mock.patch("natant.fabric.nats.connect.REFUSED_S", 0.3):
                async with asyncio.timeout(10):
                    reason = await started.lost

    assert "authorization" in reason.lower()
    assert "NT-FABRIC-014" in caplog.text


async def test_tls_is_spoken_and_the_certificate_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = ROOT / "tests" / "support" / "localhost.pem"
    values = {
        "jetstream": {"store_dir": tmp_path / "store", "sync_interval": Quoted("always")},
        "tls": {"cert_file": certificate, "key_file": certificate},
    }
    with NatsServer(tmp_path, values) as server:
        with pytest.raises(FabricError, match=r"NT-FABRIC-004.*certificate"):
            await connect(f"tls://localhost:{server.port}", name="x", wait_s=1.0)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with engine_of(f"tls://localhost:{server.port}") as started:
            assert started.is_connected


async def test_an_old_server_is_refused_before_anything_is_asked_of_it() -> None:
    heard = bytearray()

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b'INFO {"server_id":"x","server_name":"x","version":"2.10.27","headers":true,"jetstream":true}\r\n'
        )
        while line := await reader.readline():
            heard.extend(line)
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")
        writer.close()

    server = await asyncio.start_server(old, "127.0.0.1", 0)
    async with server:
        with pytest.raises(FabricError, match=r"NT-FABRIC-003.*2\.10\.27"):
            async with engine_of(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
                pass

    assert b"PUB" not in heard


async def test_a_message_that_finds_no_room_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async with engine() as started:
        await started.nc.subscribe("x", pending_msgs_limit=2)  # nobody takes from it
        for _ in range(5):
            await started.nc.publish("x", b"")
        await started.nc.flush()
        async with asyncio.timeout(5):  # the client tells of it in a task of its own
            while started.counts()["nats_overflows"] < 2:
                await asyncio.sleep(0.01)
    assert "slow consumer" in caplog.text


async def test_the_mapping_follows_the_division_of_the_plane(tmp_path: Path) -> None:
    async with engine(folder=tmp_path) as started:
        assert started.server is not None
        started.server.divide(7)
        inbox = await started.nc.subscribe(f"{started.subjects.root}.at.>")
        nodes = [f"/unit/{number}" for number in range(50)]

        async def turned() -> list[int]:
            for node in nodes:
                await started.nc.publish(started.subjects.ask("get", "x", node), b"")
            return [int((await inbox.next_msg(5)).subject.split(".")[3]) for _ in nodes]

        async with asyncio.timeout(10):  # the server reads its configuration when it comes to it
            while await turned() != [partition_of(node, 7) for node in nodes]:
                pass
    async with engine(folder=tmp_path) as started:
        inbox = await started.nc.subscribe(f"{started.subjects.root}.at.>")
        assert await turned() == [partition_of(node, 7) for node in nodes]
