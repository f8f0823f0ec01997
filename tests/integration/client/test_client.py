"""The asynchronous client against a real server."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest

import natant.client
from natant import Agent, command, lane
from natant.client import State
from natant.errors import ClientError, NatantError
from natant.link.downlink import Change
from natant.store.memory import MemoryStore
from tests.support.process import ServerProcess, free_port
from tests.support.serving import Unit, host_of, serving

CERTIFICATE = Path(__file__).resolve().parents[2] / "support" / "localhost.pem"


@dataclass
class Position:
    """Where something is."""

    lat: float
    lon: float


class Bus(Agent, route="/bus/{id}"):
    """Something that moves."""

    position = lane.value(Position)

    @command
    def move(self, to: Position) -> Position:
        self.position = to
        return to


async def test_typed_values_go_to_and_fro() -> None:
    async with serving(Bus) as server, natant.client.connect(server.url) as client:
        position = client.value("/bus/7", "position", Position)
        assert (await position.synced()).get() is None
        changes = position.changes()
        client.command("/bus/7", "move", Position(59.3, 18.1))
        assert await anext(changes) == Change("changed", None, Position(59.3, 18.1), None)
        position.set(Position(1.0, 2.0))
        assert (await anext(changes)).new == Position(1.0, 2.0)
        assert await client.ask("/bus/7", "move", Position(3.5, 4.0), of=Position) == Position(3.5, 4.0)
        assert await client.get("/bus/7", "position", Position) == Position(3.5, 4.0)
        assert position.age() < 60
        assert position.source == (server.url, "/bus/7", "position")


async def test_maps_lists_and_events_are_followed() -> None:
    async with serving() as server, natant.client.connect(server.url) as client:
        speeds = await client.map("/unit/1", "speeds", int, float).synced()
        notes = await client.list("/unit/1", "notes", str).synced()
        alarms = await client.event("/unit/1", "alarms", str).linked()
        following = [link.changes() for link in (speeds, notes, alarms)]
        speeds.put(1, 2.5)
        notes.append("hello")
        client.command("/unit/1", "alarm", "fire")
        got = [await anext(changes) for changes in following]
        assert got == [Change("updated", 1, 2.5, None), Change("inserted", 0, "hello"), Change("event", None, "fire")]
        assert dict(speeds) == {1: 2.5}
        assert list(notes) == ["hello"]


async def test_links_share_one_connection() -> None:
    async with serving() as server, natant.client.connect(server.url) as client:
        for number in range(20):
            await client.value(f"/unit/{number}", "count", int).synced()

        assert len(server.service.table.members) == 1


async def test_a_command_with_an_id_is_done_once() -> None:
    async with serving() as server, natant.client.connect(server.url) as client:
        for _ in range(3):
            assert await client.ask("/unit/1", "add", 5, "the-id") == 5
        assert await client.get("/unit/1", "count") == 5
        with pytest.raises(ClientError, match="NT-CLIENT-005"):
            await client.ask("/unit/1", "fail")


async def test_nodes_are_listed_and_described() -> None:
    async with serving() as server, natant.client.connect(server.url) as client:
        for number in range(3):
            await client.ask(f"/unit/{number}", "add", 1)
        assert [node["node"] for node in await client.nodes("/unit/")] == ["/unit/0", "/unit/1", "/unit/2"]
        assert (await client.describe("/unit/1"))["agent"] == "Unit"


async def test_a_refused_link_says_why() -> None:
    async with serving() as server, natant.client.connect(server.url) as client:
        with pytest.raises(ClientError, match="laneNotFound"):
            await client.value("/unit/1", "nope").synced()
        with pytest.raises(ClientError, match="nodeNotFound"):
            await client.value("/nope/1", "x").synced()
        with pytest.raises(NatantError, match="NT-WARP-004"):
            client.value("/a b", "x")


async def test_nobody_listens() -> None:
    with pytest.raises(ClientError, match=r"NT-CLIENT-001.*Is a server listening there"):
        async with natant.client.connect(f"warp://127.0.0.1:{free_port()}", wait_s=0.3):
            pass


async def test_links_come_back_after_a_restart() -> None:
    store = MemoryStore()
    store.close = lambda: None  # type: ignore[method-assign]  # it is used again below
    async with serving(Unit, store=store) as server:
        port = server.port
        client = natant.client.connect(server.url)
        await client.__aenter__()
        names = await client.map("/unit/1", "names", str, str).synced()
        for key in "abc":
            await client.ask("/unit/1", "add", 1)
            names.put(key, key)
        while len(names) < 3:
            await asyncio.sleep(0.01)
        changes = names.changes()
    try:
        assert (await anext(changes)).kind == "stale"
        assert names.state is State.STALE
        assert dict(names) == {"a": "a", "b": "b", "c": "c"}
        assert "1001" in client.reason
        async with serving(Unit, store=store, port=port), natant.client.connect(f"warp://127.0.0.1:{port}") as other:
            others = await other.map("/unit/1", "names", str, str).synced()
            others.remove("b")
            others.put("d", "d")
            client.command("/unit/1", "add", 1)
            await names.synced()
            kinds = set()
            while dict(names) != {"a": "a", "c": "c", "d": "d"}:
                kinds.add((await asyncio.wait_for(anext(changes), 10)).kind)
            assert kinds <= {"linked", "synced", "updated", "removed"}
            assert await client.get("/unit/1", "count") == 4
    finally:
        await client.close()


async def test_a_command_is_acknowledged_once_through_a_crash(tmp_path: Path) -> None:
    server = ServerProcess(data=tmp_path / "data").start()
    try:
        async with natant.client.connect(server.uri) as client:
            await client.ask("/unit/1", "publish", {"t": 1, "v": 1}, "first")
            server.kill()
            waiting = asyncio.ensure_future(client.ask("/unit/1", "publish", {"t": 2, "v": 2}, "second"))
            await asyncio.sleep(0.1)
            await asyncio.get_running_loop().run_in_executor(None, server.start)
            await waiting
            history = await client.map("/unit/1", "history", int, int).synced()
            assert dict(history) == {1: 1, 2: 2}
    finally:
        server.stop()


async def test_wrong_credentials_end_the_client_for_good() -> None:
    with ServerProcess(environment={"NATANT_TEST_AUTH": "1"}) as server:
        async with natant.client.connect(server.uri, auth={"token": "s3cret"}) as client:
            assert (await client.value("/unit/1", "info").synced()).is_synced
        client = natant.client.connect(server.uri, auth={"token": "wrong"})
        client._connection.start()
        link = client.value("/unit/1", "info")
        with pytest.raises(ClientError, match=r"NT-CLIENT-003.*deauthed"):
            await link.synced()
        assert client._connection._task is not None
        await asyncio.wait_for(client._connection._task, 5)
        await client.close()


async def test_warps_goes_by_tls() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    trust = ssl.create_default_context(cafile=str(CERTIFICATE))
    async with (
        serving(ssl=context) as server,
        natant.client.connect(f"warps://localhost:{server.port}", tls=trust) as client,
    ):
        assert (await client.value("/unit/1", "count", int).synced()).get() == 0
        assert await client.ask("/unit/1", "add", 2) == 2
    async with serving(ssl=context) as server:
        with pytest.raises(ClientError, match="NT-CLIENT-001"):
            async with natant.client.connect(f"warps://localhost:{server.port}", wait_s=1.0):
                pass


async def test_closing_ends_the_links() -> None:
    async with serving() as server:
        async with natant.client.connect(server.url) as client:
            link = await client.value("/unit/1", "count", int).synced()
            changes = link.changes()
            client.command("/unit/1", "add", 7)
        assert link.state is State.CLOSED
        assert [change.kind async for change in changes] in ([], ["changed"])
        assert await host_of(server).read("/unit/1", "count") == 7
