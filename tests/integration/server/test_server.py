"""The server object: opening, refusing, what it says of itself."""

from __future__ import annotations

import errno
import socket

import httpx
import pytest

from natant.errors import ServerError
from natant.server import Server
from tests.support.serving import host_of, serving
from tests.support.wire import Wire


async def test_a_port_that_is_taken() -> None:
    async with serving() as server:
        other = Server(server.host, port=server.port)
        with pytest.raises(ServerError) as caught:
            await other.start()
        assert caught.value.code == "NT-SERVER-001"
        assert str(server.port) in caught.value.message


@pytest.mark.parametrize("port", [-1, 65536])
async def test_a_port_that_is_none(port: int) -> None:
    async with serving() as server:
        with pytest.raises(ServerError, match="NT-SERVER-001"):
            await Server(server.host, port=port).start()


async def test_it_listens_on_loopback_unless_told_otherwise(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as server:
        assert server.is_loopback_only
        assert server.url == f"http://127.0.0.1:{server.port}"
    async with serving(address="0.0.0.0") as server:
        assert not server.is_loopback_only
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"http://127.0.0.1:{server.port}/-/health", headers={"host": "any.example"})
            assert answer.status_code == 200
    assert [record.levelname for record in caplog.records if "EVERYBODY" in record.message] == ["WARNING"]


async def test_it_listens_on_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as probe:
        if probe.connect_ex(("::1", 9)) == errno.EADDRNOTAVAIL:  # a machine without IPv6
            return
    async with serving(address="::1") as server, httpx.AsyncClient(trust_env=False) as http:
        assert server.url.startswith("http://[::1]:")
        assert (await http.get(f"{server.url}/-/health")).status_code == 200


async def test_while_stopping_it_refuses_work_and_tells_its_health() -> None:
    async with serving() as server, httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        assert (await http.get("/-/health")).json()["stopping"] is False
        server.service.is_stopping = True
        answer = await http.post("/unit/1?lane=add", json=1)
        assert (answer.status_code, answer.json()["code"]) == (503, "NT-SERVER-012")
        assert answer.headers["retry-after"]
        health = await http.get("/-/health")
        assert (health.status_code, health.json()["ready"], health.json()["stopping"]) == (503, False, True)
        wire = await Wire.connect(server.port)
        await wire.upgrade()
        assert wire.status == 503
        await wire.close()
        server.service.is_stopping = False


async def test_a_stop_can_be_asked_for_twice() -> None:
    async with serving() as server:
        await server.stop()
        await server.stop()
        assert server.counters["connections_open"] == 0


async def test_two_servers_may_show_one_host() -> None:
    async with serving() as server:
        other = Server(server.host)
        await other.start()
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.post(f"{server.url}/unit/1?lane=add", json=2)
            assert (await http.get(f"{other.url}/unit/1?lane=count")).json() == 2
        assert host_of(other) is host_of(server)
        await other.stop()
