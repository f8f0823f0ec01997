"""The fast connection with real servers: answers, time-outs, and coming back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from natant.errors import FabricError
from natant.fabric.nats.config import Quoted
from natant.fabric.nats.courier import Courier, NobodyThere
from tests.support.nats import Cluster, NatsServer, engine, engine_of
from tests.support.process import ROOT
from tests.support.serving import until


async def test_requests_are_answered_each_by_its_own() -> None:
    async with engine() as started:
        await started.js.add_stream(name="x", subjects=["x.>"])
        courier = started.courier
        answers = await asyncio.gather(
            *(
                courier.request(f"x.{number}", b"%d" % number, 5.0, {"Nats-Msg-Id": str(number)})
                for number in range(500)
            )
        )
        again = await courier.request("x.7", b"", 5.0, {"Nats-Msg-Id": "7"})

        assert sorted(json.loads(answer.data)["seq"] for answer in answers) == list(range(1, 501))
        assert json.loads(again.data)["duplicate"]
        with pytest.raises(NobodyThere):
            await courier.request("nobody", b"", 5.0)


async def test_an_answer_that_does_not_come_is_a_time_out() -> None:
    async with engine() as started:
        await started.nc.subscribe("silent")
        await started.nc.flush()
        with pytest.raises(TimeoutError):
            await started.courier.request("silent", b"", 0.01)


async def test_large_messages_go_both_ways() -> None:
    async with engine() as started:
        heard: list[tuple[bytes, bytes, bytes, bytes]] = []
        started.courier.subscribe("large", lambda *message: heard.append(message))
        content = os.urandom(started.courier.max_payload - 100)
        started.courier.publish("large", content, reply="answer", headers={"A": "b"})
        await until(lambda: heard)

    assert started.courier.max_payload == 2 * 1024 * 1024
    assert heard == [(b"large", b"answer", b"NATS/1.0\r\nA: b\r\n\r\n", content)]


async def test_it_comes_back_with_its_subscriptions_and_fails_what_was_under_way() -> None:
    async with engine() as started:
        assert started.server is not None
        courier = started.courier
        heard: list[bytes] = []
        courier.subscribe("x", lambda subject, reply, head, data: heard.append(data))
        gone = courier.subscribe("x", lambda *message: heard.append(b"no"))
        courier.unsubscribe(gone)
        await started.nc.subscribe("silent")
        await started.nc.flush()
        under_way = asyncio.ensure_future(courier.request("silent", b"", 30.0))
        await asyncio.sleep(0)
        os.kill(started.server.pid, signal.SIGKILL)
        with pytest.raises(ConnectionError):
            await under_way
        with pytest.raises(ConnectionError):
            courier.publish("x", b"lost")
        await until(lambda: courier.is_connected)
        courier.publish("x", b"again")
        await until(lambda: heard)

        assert heard == [b"again"]
        assert started.counts()["nats_fast_disconnects"] == 1


async def test_a_call_that_fails_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async with engine() as started:
        heard: list[bytes] = []
        started.courier.subscribe("bad", lambda *message: 1 // 0)
        started.courier.subscribe("good", lambda subject, reply, head, data: heard.append(data))
        started.courier.publish("bad", b"")
        started.courier.publish("good", b"1")
        await until(lambda: heard)

    assert "a message of bad was not taken" in caplog.text


async def test_it_finds_the_other_servers_of_a_cluster_by_itself() -> None:
    with Cluster() as cluster:
        async with engine_of(cluster.servers[0].url("engine", "engine")) as started:
            cluster.servers[0].stop()
            with pytest.raises((ConnectionError, TimeoutError)):
                await started.courier.request("x", b"", 0.5)
            await until(lambda: started.courier.is_connected)
            heard: list[bytes] = []
            started.courier.subscribe("x", lambda subject, reply, head, data: heard.append(data))
            started.courier.publish("x", b"1")
            await until(lambda: heard)


async def test_it_speaks_tls_and_sends_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = ROOT / "tests" / "support" / "localhost.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    values = {
        "jetstream": {"store_dir": tmp_path / "store", "sync_interval": Quoted("always")},
        "tls": {"cert_file": certificate, "key_file": certificate},
        "authorization": {"user": "a", "password": "b"},
    }
    with NatsServer(tmp_path, values) as server:
        courier = Courier([f"tls://localhost:{server.port}"], name="x", login={"user": "a", "password": "b"})
        await courier.open(10.0)
        with pytest.raises(NobodyThere):
            await courier.request("nobody", b"", 5.0)
        await courier.close()
        refused = Courier([f"tls://localhost:{server.port}"], name="x", login={"user": "a", "password": "wrong"})
        with pytest.raises(TimeoutError):
            await refused.open(0.5)
        await refused.close()


async def test_a_server_that_speaks_nonsense_is_left() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        courier = Courier([f"127.0.0.1:{server.sockets[0].getsockname()[1]}"], name="x", login={})
        with pytest.raises(TimeoutError):
            await courier.open(0.3)
        await courier.close()


async def test_credentials_that_cannot_be_read_for_a_while_end_nothing(tmp_path: Path) -> None:
    readable = [True]

    def sign(nonce: str) -> bytes:
        if not readable[0]:
            raise FabricError("NT-FABRIC-008", "the file is being written")
        return b""

    with NatsServer(tmp_path, {}) as server:
        courier = Courier([server.url()], name="x", login={"signature_cb": sign, "user_jwt_cb": lambda: b"" + sign("")})
        await courier.open(10.0)
        readable[0] = False
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await asyncio.sleep(0.3)
        assert not courier.is_connected
        readable[0] = True
        await until(lambda: courier.is_connected)
        await courier.close()
