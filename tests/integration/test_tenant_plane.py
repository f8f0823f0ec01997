"""A tenant's plane over NATS: the role decides what a user may ask, and nobody makes the plane write where the user may not."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig

from natant import Agent, Identity, Plane, command, lane
from natant.fabric.nats.credential import Credentials
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.nats.partition_store import PartitionStore
from natant.host import Host
from natant.loop import LoopEnv
from natant.server.nats import NatsDoor
from natant.store.memory import MemoryStore
from natant.tenant.door import TenantDoor
from tests.support.serving import until
from tests.support.tenant import Peer, Tenants, tenants

pytestmark = pytest.mark.slow


class Vehicle(Agent, route="/vehicle/{id}"):
    """What the users command."""

    speed = lane.value(int, default=0)

    @command
    def drive(self, speed: int) -> int:
        """Drive."""
        self.speed = speed
        return speed


@contextlib.asynccontextmanager
async def world(plane: Plane | None = None, **spec: Any) -> AsyncIterator[tuple[Tenants, NatsDoor]]:
    """Two tenants; the plane of the first, asked over NATS."""
    plane = plane or Plane("p", [Vehicle])
    async with tenants("acme", "bolt", spec=spec) as found:
        guard = await TenantDoor.start(found.engine)
        guard.protect(plane)
        await guard.open()
        env = LoopEnv()
        host = Host(plane, store=MemoryStore(), env=env, attachments=[guard.attach])
        await host.start()
        door = NatsDoor(host, found.engine.nc, found.engine.subjects)
        await door.open()
        try:
            yield found, door
        finally:
            await door.close()
            await host.stop()
            env.close()
            await guard.close()


async def ask(peer: Peer, subject: str, data: bytes = b"", **headers: str) -> Any:
    """The body of an answer, or the code of its error."""
    answer = await peer.nc.request(f"natant.p.in.{subject}", data, timeout=5, headers=headers or None)
    return (answer.headers or {}).get("Natant-Error") or json.loads(answer.data)


async def test_each_role_asks_what_it_may() -> None:
    async with world() as (found, _):
        ann = await found.connect(found.user("acme", "ann"))
        rita = await found.connect(found.user("acme", "rita", "reader"))
        own = await found.connect(found.user("acme", "7", "owner"))

        assert (await ask(ann, "command.drive.vehicle.7", b"90"))["value"] == 90
        assert await ask(rita, "get.speed.vehicle.7") == 90
        assert (await ask(rita, "list"))["nodes"][0]["node"] == "/vehicle/7"
        assert (await ask(own, "command.drive.vehicle.7", b"50"))["value"] == 50
        for peer, subject in (
            (rita, "command.drive.vehicle.7"),
            (own, "command.drive.vehicle.8"),
            (own, "get.speed.vehicle.8"),
            (own, "list"),
        ):
            await peer.publish(f"natant.p.in.{subject}", b"1")
            await peer.refused("ermissions violation")
        assert await ask(ann, "get.speed.vehicle.7") == 50


async def test_a_user_of_another_tenant_asks_in_vain() -> None:
    async with world() as (found, door):
        mallory = await found.engine_peer("bolt")
        with pytest.raises(NatsError, match="no responders"):
            await mallory.nc.request("natant.p.in.command.drive.vehicle.7", b"1", timeout=2)
        await mallory.publish("natant.p.at.0.command.drive.vehicle.7", b"1")

        assert door.counts()["nats_requests"] == 0


@pytest.mark.parametrize(
    "reply", ["natant.p.j.0.r", "$JS.API.STREAM.PURGE.natant-p-J0", "$KV.natant-p-cluster.p.0", "natant.p.w.x.t"]
)
async def test_the_plane_answers_to_inboxes_only(reply: str, caplog: pytest.LogCaptureFixture) -> None:
    async with world() as (found, door):
        js = found.engine.js
        await js.add_stream(StreamConfig(name="natant-p-J0", subjects=["natant.p.j.0.>"]))
        await js.publish("natant.p.j.0.epoch", b"1")
        ann = await found.connect(found.user("acme", "ann"))
        with caplog.at_level(logging.WARNING):
            await ann.publish("natant.p.in.command.drive.vehicle.7", b"90", reply=reply)
            await until(lambda: door.counts()["nats_unanswered_errors"] == 1)

        assert "NT-SERVER-036" in caplog.text
        assert await ask(ann, "get.speed.vehicle.7") == 0
        assert (await js.stream_info("natant-p-J0")).state.messages == 1


async def test_a_device_shows_its_token_over_mqtt_and_reaches_its_own_agent_only() -> None:
    mqtt = pytest.importorskip("paho.mqtt.client")
    async with world(mqtt=True) as (found, door):
        server = found.engine.server
        assert server is not None
        device = found.user("acme", "7", "device")
        writer = found.user("acme", "ann")

        def client(credentials: Credentials) -> tuple[Any, list[str]]:
            heard: list[str] = []
            made = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, credentials.key.public)
            made.username_pw_set("7", credentials.token)
            made.on_connect = lambda _client, _data, _flags, reason, _more: heard.append(str(reason))
            made.connect("127.0.0.1", server.ports.mqtt)
            made.loop_start()
            return made, heard

        devices = [client(device), client(writer)]
        try:
            (own, heard), (_, refused) = devices
            await until(lambda: heard and refused)
            assert heard == ["Success"]
            assert refused[0] != "Success"  # a writer's token is no secret, so alone it lets nobody in
            own.publish("natant/p/in/command/drive/vehicle/8", b"1", qos=0)
            own.publish("natant/p/j/0/r", b"1", qos=0)
            own.publish("natant/p/in/command/drive/vehicle/7", b"42", qos=0)
            await until(lambda: door.counts()["nats_requests"] >= 1)
            ann = await found.connect(writer)
            await until(lambda: door.counts()["nats_under_way"] == 0)
            assert await ask(ann, "get.speed.vehicle.7") == 42
            assert await ask(ann, "get.speed.vehicle.8") == 0
            with pytest.raises(NatsError, match="Authorization"):
                await found.connect(device)
        finally:
            for made, _ in devices:
                made.disconnect()
                made.loop_stop()


async def test_a_full_journal_stops_its_own_tenant_and_nobody_else() -> None:
    small = {"disk": 300_000}
    async with tenants("acme", "tiny", tiny=small) as found:
        stores = {}
        for name in ("acme", "tiny"):
            spec = EngineSpec(plane="p", url=found.url, credentials=found.folder.engine_creds(name), partitions=1)
            engine = await Engine.start(spec)
            stores[name] = engine, await PartitionStore.open(engine, 0, name)
        _, store = stores["tiny"]
        errors: list[Any] = []
        store.commit([(0, b"key", b"x" * 400_000)], errors.append)
        await until(lambda: errors, 30)
        try:
            assert str(errors[0]).startswith("NT-FABRIC")
            done: list[Any] = []
            stores["acme"][1].commit([(0, b"key", b"x" * 400_000)], done.append)
            await until(lambda: done)
            assert done == [None]
        finally:
            for engine, each in stores.values():
                each.close()
                await engine.close()


async def test_a_plane_with_a_policy_of_its_own_wants_to_know_the_name() -> None:
    def may(identity: Identity, verb: str, node: str, lane: str) -> bool:
        return node == f"/vehicle/{identity.name}"

    async with world(Plane("p", [Vehicle], policy=may)) as (found, _):
        credentials, stranger = found.user("acme", "7"), found.user("bolt", "7")
        user = await found.connect(credentials)

        async def get(shown: Credentials | None) -> Any:
            headers = {"Authorization": f"Bearer {shown.door_token(time.time())}"} if shown else {}
            return await ask(user, "get.speed.vehicle.7", b"", **headers)

        assert await get(None) == "NT-LINK-008"
        assert await get(credentials) == 0
        assert await get(stranger) == "NT-TENANT-004"
