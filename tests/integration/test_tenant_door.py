"""The WebSocket and HTTP doors of a tenant's plane, on a real server: its users and nobody else, as long as they may stay."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import websockets

from examples.counter.counter import Counter
from examples.tenant import follow
from natant import Agent, Identity, Plane, command, lane
from natant.client import connect
from natant.errors import TenantError
from natant.fabric.nats.credential import Credentials
from natant.tenant.door import TenantDoor
from tests.support.serving import host_of, serving, until
from tests.support.tenant import Tenants, tenants

pytestmark = pytest.mark.slow


class Vehicle(Agent, route="/vehicle/{id}"):
    """What the users command."""

    speed = lane.value(int, default=0)

    @command
    def drive(self, speed: int) -> int:
        """Drive."""
        self.speed = speed
        return speed


class World(NamedTuple):
    """Tenants, the doors of the first one's plane, and a client."""

    tenants: Tenants
    door: TenantDoor
    url: str
    http: httpx.AsyncClient
    server: Any

    def bearer(self, credentials: Credentials) -> dict[str, str]:
        """The header that shows who asks."""
        return {"authorization": f"Bearer {credentials.door_token(time.time())}"}

    async def code(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and error code of an answer."""
        answer = await self.http.get(path, headers=headers or {})
        found = answer.json()
        return answer.status_code, found.get("code", "") if isinstance(found, dict) else ""


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[World]:
    async with tenants("acme", "bolt") as found:
        door = await TenantDoor.start(found.engine, "acme")
        await door.open()
        try:
            async with serving(Vehicle, prepare=door.protect) as server:
                door.attach(host_of(server))
                async with httpx.AsyncClient(base_url=server.url) as http:
                    yield World(found, door, server.url.replace("http", "ws"), http, server)
        finally:
            await door.close()


async def revoke(world: World, name: str) -> None:
    """Revoke a user, and wait until the doors know."""
    issued = world.door.authenticator.account.issued
    world.tenants.folder.revoke_user("acme", name)
    await world.tenants.push("acme")
    await until(lambda: world.door.authenticator.account.issued > issued)


async def test_a_request_shows_who_asks() -> None:
    async with world() as w:
        ann, rita = w.tenants.user("acme", "ann"), w.tenants.user("acme", "rita", "reader")

        assert (await w.http.post("/vehicle/7?lane=drive", json=90, headers=w.bearer(ann))).json()["value"] == 90
        assert (await w.http.get("/vehicle/7?lane=speed", headers=w.bearer(rita))).json() == 90
        refused = await w.http.post("/vehicle/7?lane=drive", json=0, headers=w.bearer(rita))
        assert (refused.status_code, refused.json()["code"]) == (403, "NT-LINK-008")


async def test_strangers_are_told_nothing() -> None:
    async with world() as w:
        for path in (
            "/",
            "/vehicle/7",
            "/vehicle/7?lane=speed",
            "/-/nodes",
            "/-/counters",
            "/-/openapi.json",
            "/metrics",
            "/swim:meta:host?lane=x",
        ):
            assert await w.code(path) == (401, "NT-SERVER-020"), path
        assert (await w.http.get("/-/health", headers={"authorization": "Bearer x"})).json() == {
            "ready": True,
            "stopping": False,
        }
        known = await w.http.get("/-/health", headers=w.bearer(w.tenants.user("acme", "rita", "reader")))
        assert known.json()["plane"] == "test"
        assert (await w.http.post("/vehicle/7?lane=drive", json=1)).status_code == 401


async def test_hostile_tokens_are_refused_with_a_reason() -> None:
    async with world() as w:
        ann = w.tenants.user("acme", "ann")
        stranger = w.tenants.user("bolt", "ann")
        old = w.tenants.user("acme", "old", life_s=1)
        path = "/vehicle/7?lane=speed"

        assert await w.code(path, w.bearer(stranger)) == (401, "NT-TENANT-004")
        assert await w.code(path, {"authorization": f"Bearer {ann.token}"}) == (401, "NT-TENANT-006")
        assert await w.code(path, {"authorization": "Bearer x.y.z"}) == (401, "NT-TENANT-002")
        assert await w.code(path, {"authorization": f"Bearer {ann.door_token(time.time() - 400)}"}) == (
            401,
            "NT-TENANT-003",
        )
        assert await w.code(path, w.bearer(w.tenants.user("acme", "d1", "device"))) == (403, "NT-TENANT-013")
        assert await w.code(path, w.bearer(ann)) == (200, "")
        await revoke(w, "ann")
        assert await w.code(path, w.bearer(ann)) == (401, "NT-TENANT-005")
        await until(lambda: time.time() > old.claims["exp"])
        assert await w.code(path, w.bearer(old)) == (401, "NT-TENANT-003")
        assert sum(w.door.authenticator.refused.values()) == 7


async def test_a_websocket_shows_who_is_there_first() -> None:
    async with world() as w:
        owner = w.tenants.user("acme", "7", "owner")
        async with websockets.connect(w.url) as socket:
            await socket.send('@link(node:"/vehicle/7",lane:speed)')
            assert str(await socket.recv()).startswith("@unlinked")
            await socket.send(f'@auth{{token:"{owner.door_token(time.time())}"}}')
            assert await socket.recv() == "@authed"
            await socket.send('@sync(node:"/vehicle/8",lane:speed)')
            assert str(await socket.recv()).startswith("@unlinked")
            await socket.send('@sync(node:"/vehicle/7",lane:speed)')
            assert str(await socket.recv()).startswith("@linked")


async def test_a_websocket_with_a_hostile_token_is_closed() -> None:
    async with world() as w:
        stranger = w.tenants.user("bolt", "ann")
        async with websockets.connect(w.url) as socket:
            await socket.send(f'@auth{{token:"{stranger.door_token(time.time())}"}}')
            assert await socket.recv() == "@deauthed"
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason[:13]) == (1008, "NT-TENANT-004")


async def test_who_is_revoked_or_expires_is_put_out() -> None:
    async with world() as w:
        ann, old = w.tenants.user("acme", "ann"), w.tenants.user("acme", "old", life_s=2)
        async with websockets.connect(w.url) as first, websockets.connect(w.url) as second:
            for socket, user in ((first, ann), (second, old)):
                await socket.send(f'@auth{{token:"{user.door_token(time.time())}"}}')
                assert await socket.recv() == "@authed"
                await socket.send('@link(node:"/vehicle/7",lane:speed)')
                assert str(await socket.recv()).startswith("@linked")
            await revoke(w, "ann")
            for socket, code in ((first, "NT-TENANT-005"), (second, "NT-TENANT-003")):
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None
                assert (closed.value.rcvd.code, closed.value.rcvd.reason[:13]) == (1008, code)
        assert w.door.ended == 2


async def test_a_stream_of_a_revoked_user_ends() -> None:
    async with world() as w:
        ann = w.tenants.user("acme", "ann")
        headers = {**w.bearer(ann), "accept": "text/event-stream"}
        async with w.http.stream("GET", "/vehicle/7?lane=speed", headers=headers) as answer:
            lines = answer.aiter_lines()
            await anext(lines)
            await revoke(w, "ann")
            last = [line async for line in lines if line.startswith("data:")][-1]
        assert "NT-TENANT-005" in last


async def test_a_client_proves_anew_who_it_is_with_each_connection() -> None:
    async with world() as w:
        ann = w.tenants.user("acme", "ann")
        async with connect(w.url.replace("ws", "warp"), auth=ann.auth) as client:
            speed = await client.value("/vehicle/7", "speed", int).synced()
            assert (await client.ask("/vehicle/7", "drive", 30)) is not None
            for session in list(w.server.host.hub.sessions):
                session.end(1012, "as a restart would")
            await until(lambda: not speed.is_synced)
            await speed.synced()
            await client.ask("/vehicle/7", "drive", 31)
            assert await client.get("/vehicle/7", "speed", int) == 31


async def test_the_example_of_the_documents_follows_its_counter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with tenants("acme") as found:
        door = await TenantDoor.start(found.engine)
        async with serving(Counter, prepare=door.protect) as server:
            found.user("acme", "ann").write(tmp_path / "ann.creds")
            await follow.main(server.url.replace("http", "warp"), str(tmp_path / "ann.creds"))

    assert capsys.readouterr().out == "2\n"


async def test_the_policy_of_the_plane_has_to_agree() -> None:
    async with tenants("acme") as found:
        door = await TenantDoor.start(found.engine)
        try:

            def may(identity: Identity, verb: str, node: str, lane: str) -> bool:
                return node == f"/vehicle/{identity.name}"

            plane = Plane("p", [Vehicle], policy=may)
            door.protect(plane)
            verdict = door.authenticator(_shown(found.user("acme", "ann")), "/")

            assert isinstance(verdict, Identity)
            assert plane.policy is not None
            assert plane.policy(verdict, "read", "/vehicle/ann", "speed")
            assert not plane.policy(verdict, "read", "/vehicle/7", "speed")
            assert not plane.policy(Identity("7"), "read", "/vehicle/7", "speed")
        finally:
            await door.close()


async def test_the_engine_of_another_tenant_opens_no_plane() -> None:
    async with tenants("acme", "bolt") as found:
        with pytest.raises(TenantError, match="NT-TENANT-004"):
            await TenantDoor.start(found.engine, "bolt")


def _shown(credentials: Credentials) -> object:
    from natant.codec.recon.value import Record

    return Record.of({"token": credentials.door_token(time.time())})
