"""Hostile users of NATS against a real server: nobody reaches, hears, guesses or fills what is another tenant's."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

import nats
import pytest
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.api import StreamConfig
from nats.js.errors import APIError, NotFoundError

from natant.errors import TenantError
from natant.fabric.nats import jwt
from natant.fabric.nats.credential import Credentials
from natant.fabric.nats.nkey import ACCOUNT, KeyPair
from natant.fabric.nats.resolver import Resolver, lookup
from tests.support.nats import NatsServer
from tests.support.nats import engine as plain_engine
from tests.support.serving import until
from tests.support.tenant import Peer, tenants

pytestmark = pytest.mark.slow


async def test_a_command_reaches_the_partition_of_its_agent() -> None:
    async with tenants("acme", "bolt") as world:
        async with asyncio.timeout(10):
            subjects = world.engine.subjects
            heard = await world.engine.nc.subscribe(f"{subjects.root}.at.>")
            await world.engine.nc.flush()
            ann = await world.connect(world.user("acme", "ann"))
            await ann.publish(subjects.ask("command", "add", "/counter/a"), b"1")
            message = await heard.next_msg(timeout=5)

            from natant.fabric.partition import partition_of

            partition = partition_of("/counter/a", 64)
            assert message.subject == f"{subjects.root}.at.{partition}.command.add.counter.a"


async def test_nothing_crosses_between_tenants() -> None:
    """Even engines, who may do everything in their own account, hear nothing of another."""
    async with tenants("acme", "bolt") as world:
        acme, bolt = await world.engine_peer("acme"), await world.engine_peer("bolt")
        for peer in (acme, bolt):
            await peer.subscribe("natant.>")
            await peer.subscribe("_INBOX.>")
        await bolt.publish("natant.p.in.command.add.counter.a")
        await bolt.publish("natant.p.j.0.r")
        await bolt.publish("_INBOX.ann.x")
        await acme.publish("natant.p.in.get.total.counter.a")

        assert [subject.split(".")[2] for subject in await acme.hears(1)] == ["at"]
        assert sorted(await bolt.hears(3)) == ["_INBOX.ann.x", "natant.p.at.38.command.add.counter.a", "natant.p.j.0.r"]


async def test_streams_of_one_name_are_each_tenants_own() -> None:
    async with tenants("acme", "bolt") as world:
        acme, bolt = await world.engine_peer("acme"), await world.engine_peer("bolt")
        await acme.nc.jetstream().add_stream(StreamConfig(name="natant-p-J0", subjects=["natant.p.j.0.>"]))
        await acme.nc.jetstream().publish("natant.p.j.0.r", b"secret")

        with pytest.raises(NotFoundError):
            await bolt.nc.jetstream().stream_info("natant-p-J0")
        with pytest.raises(NotFoundError):
            await bolt.nc.jetstream().get_msg("natant-p-J0", 1)
        await bolt.nc.jetstream().add_stream(StreamConfig(name="natant-p-J0", subjects=["natant.p.j.0.>"]))
        await bolt.nc.jetstream().delete_stream("natant-p-J0")
        assert (await acme.nc.jetstream().get_msg("natant-p-J0", 1)).data == b"secret"


@pytest.mark.parametrize("role", ["writer", "reader", "owner"])
async def test_a_user_may_do_what_its_role_says_and_no_more(role: str) -> None:
    async with tenants("acme", "bolt") as world:
        user = await world.connect(world.user("acme", "ann", role))
        for subject in (
            "natant.p.j.0.r",
            "natant.p.j.0.epoch",
            "natant.p.snap.0.head",
            "natant.p.w.worker.t",
            "natant.p.q.asr.x",
            "natant.p.ev.total.counter.a",
            "natant.p.at.0.steal.add.counter.a",
            "$KV.natant-p-cluster.p.0",
            "$JS.API.STREAM.DELETE.natant-p-J0",
            "$JS.API.STREAM.LIST",
            "$JS.API.STREAM.MSG.GET.natant-p-J0",
            "$JS.API.DIRECT.GET.natant-p-J0",
            "$JS.API.CONSUMER.CREATE.natant-p-J0.mine",
            "$SYS.REQ.CLAIMS.UPDATE",
            "$SYS.REQ.SERVER.PING",
            "_INBOX.bob.x",
            "_INBOX.engine.x",
        ):
            await user.publish(subject)
            await user.refused("ermissions violation for publish")
        for subject in (
            ">",
            "natant.>",
            "natant.p.in.>",
            "natant.p.at.>",
            "natant.p.j.>",
            "_INBOX.>",
            "_INBOX.*.x",
            "$SYS.>",
        ):
            await user.subscribe(subject)
            await user.refused("ermissions violation for subscription")


async def test_a_reader_commands_nothing_and_an_owner_only_its_own() -> None:
    async with tenants("acme", "bolt") as world:
        engine = await world.engine_peer("acme")
        await engine.subscribe("natant.p.at.>")
        reader = await world.connect(world.user("acme", "rita", "reader"))
        owner = await world.connect(world.user("acme", "7", "owner"))

        await reader.publish("natant.p.in.get.total.vehicle.8")
        await reader.publish("natant.p.in.command.drive.vehicle.8")
        await reader.refused("ermissions violation")
        await reader.publish("natant.p.at.1.command.drive.vehicle.8")
        await reader.refused("ermissions violation")
        await owner.publish("natant.p.in.command.drive.vehicle.7")
        await owner.publish("natant.p.in.command.drive.vehicle.8")
        await owner.refused("ermissions violation")
        await owner.publish("natant.p.in.get.total.vehicle.8")
        await owner.refused("ermissions violation")
        await owner.subscribe("natant.p.ev.total.vehicle.*")
        await owner.refused("ermissions violation")

        assert [subject.split(".", 4)[4] for subject in await engine.hears(2)] == [
            "get.total.vehicle.8",
            "command.drive.vehicle.7",
        ]


async def test_tokens_that_are_not_right_are_refused_at_connect() -> None:
    async with tenants("acme", "bolt") as world:
        ann = world.user("acme", "ann")
        mallory = KeyPair.make("U")
        claims = ann.claims
        scoped = KeyPair.read((world.folder.path / "tenants/acme/writer.nk").read_text(), ACCOUNT)
        other = KeyPair.read((world.folder.path / "tenants/bolt/writer.nk").read_text(), ACCOUNT)
        widened = {**claims, "nats": {**claims["nats"], "pub": {"allow": [">"]}}}
        hostile = {
            "a stolen token without its seed": Credentials(ann.token, mallory),
            "signed by a stranger": Credentials(jwt.write(claims, KeyPair.make(ACCOUNT)), ann.key),
            "signed by another tenant's key": Credentials(jwt.write(claims, other), ann.key),
            "more rights than its role": Credentials(jwt.write(widened, scoped), ann.key),
            "expired": world.user("acme", "old", life_s=-10),
            "signed by itself": Credentials(jwt.write(claims, ann.key), ann.key),
        }
        for credentials in hostile.values():
            with pytest.raises(NatsError, match="Authorization"):
                await world.connect(credentials)


async def test_a_revoked_user_is_cut_off_and_stays_out() -> None:
    async with tenants("acme", "bolt") as world:
        credentials, other = world.user("acme", "ann"), world.user("acme", "bob")
        ann, bob = await world.connect(credentials), await world.connect(other)
        world.folder.revoke_user("acme", "ann")
        await world.push("acme")

        async with asyncio.timeout(5):
            await ann.is_gone.wait()
        with pytest.raises(NatsError, match="Authorization"):
            await world.connect(credentials)
        assert bob.nc.is_connected
        await world.connect(world.user("acme", "ann"))  # the name is free for somebody else


async def test_a_user_that_expires_is_cut_off() -> None:
    async with tenants("acme", "bolt") as world:
        ann = await world.connect(world.user("acme", "ann", life_s=2))

        async with asyncio.timeout(8):
            await ann.is_gone.wait()


async def test_a_tenant_reads_its_own_account_and_no_other() -> None:
    async with tenants("acme", "bolt") as world:
        record = world.folder.tenant("acme")

        assert await lookup(world.engine.nc, record.account) == world.folder.account_jwt("acme")
        with pytest.raises(TenantError, match="NT-TENANT-011"):
            await lookup(world.engine.nc, world.folder.tenant("bolt").account)


async def test_a_removed_tenant_is_gone_at_once() -> None:
    async with tenants("acme", "bolt") as world:
        bolt = await world.engine_peer("bolt")
        credentials = world.user("bolt", "ann")
        record = world.folder.remove_tenant("bolt")
        resolver = await Resolver.open(world.url, world.folder.system_creds)
        assert await resolver.delete(world.folder.deletion(record.account)) == 1
        await resolver.close()

        async with asyncio.timeout(5):
            await bolt.is_gone.wait()
        with pytest.raises(NatsError, match="Authorization"):
            await world.connect(credentials)
        assert world.engine.is_connected


async def test_a_server_without_an_operator_takes_no_accounts() -> None:
    async with tenants("acme", "bolt") as world:
        async with plain_engine() as other:
            assert other.server is not None
            resolver = Resolver(other.nc, "nats://nowhere")
            with pytest.raises((TenantError, NoRespondersError), match=r"NT-TENANT-011|responders"):
                await resolver.push(world.folder.account_jwt("acme"))


async def test_quotas_hold_and_touch_nobody_else() -> None:
    small = {"disk": 1 << 20, "streams": 2, "connections": 3, "payload": 2048, "subscriptions": 5}
    async with tenants("acme", "tiny", tiny=small) as world:
        tiny = await world.engine_peer("tiny")
        js = tiny.nc.jetstream()
        await js.add_stream(StreamConfig(name="one", subjects=["one"]))
        await js.add_stream(StreamConfig(name="two", subjects=["two"]))
        with pytest.raises(APIError, match="streams"):
            await js.add_stream(StreamConfig(name="three", subjects=["three"]))

        async def fill() -> None:
            for _ in range(2000):
                await js.publish("one", b"x" * 1500)

        with pytest.raises(APIError, match=r"resource|exceed|insufficient"):
            await fill()

        await world.connect(world.user("tiny", "a"))
        many = await world.connect(Credentials.read(world.folder.engine_creds("tiny")), inbox="_INBOX.b")
        with pytest.raises(NatsError, match=r"maximum account active connections|Authorization|connection"):
            await world.connect(world.user("tiny", "c"))
        with contextlib.suppress(NatsError):  # the client gives up at this complaint
            for number in range(6):
                await many.subscribe(f"sub.{number}")
        async with asyncio.timeout(5):
            while "maximum subscriptions" not in str(many.nc.last_error):
                await asyncio.sleep(0.02)

        # the other tenant has what it had
        acme = await world.engine_peer("acme")
        await acme.nc.jetstream().add_stream(StreamConfig(name="one", subjects=["one"]))
        await acme.nc.jetstream().publish("one", b"x" * 100_000)

        from natant.tenant.quota import Quota

        world.folder.set_quota("tiny", Quota(disk=1 << 30))
        await world.push("tiny")
        await js.add_stream(StreamConfig(name="three", subjects=["three"]))
        await js.publish("one", b"x" * 1500)


async def test_an_edge_passes_on_its_own_and_nothing_else(tmp_path: Path) -> None:
    """The edge's own server is hostile: it denies itself nothing."""
    async with tenants("acme", "bolt", spec={"leafs": True}) as world:
        assert world.engine.server is not None
        world.user("acme", "truck-7", "edge").write(tmp_path / "truck.creds")
        remote = {
            "urls": [f"nats-leaf://127.0.0.1:{world.engine.server.ports.leafs}"],
            "credentials": tmp_path / "truck.creds",
        }
        with NatsServer(tmp_path / "edge", {"leafnodes": {"reconnect": "1s", "remotes": [remote]}}) as server:
            server.wait_until(lambda: json.loads(server.ask("/leafz") or b"{}").get("leafnodes") == 1, "reach the hub")
            hub, other = await world.engine_peer("acme"), await world.engine_peer("bolt")
            for peer in (hub, other):
                for verb in ("in", "new", "ask", "ack"):
                    await peer.subscribe(f"natant-edge.p.{verb}.>")
                await peer.subscribe("natant.>")
                await peer.subscribe("$JS.API.>")
            edge = Peer(await nats.connect(server.url()))
            while not hub.heard:  # until the edge's server has heard who listens at the hub
                await edge.publish("natant-edge.p.in.truck-7")
                await asyncio.sleep(0.05)
            await edge.subscribe("natant-edge.p.ack.>")
            await edge.subscribe("natant.>")
            for subject in (
                "natant-edge.p.in.truck-8",
                "natant-edge.p.ack.truck-8.1",
                "natant.p.in.command.drive.vehicle.7",
                "natant.p.j.0.r",
                "$JS.API.STREAM.LIST",
                "natant-edge.p.new.truck-7",
            ):
                await edge.publish(subject)
            await until(lambda: "natant-edge.p.new.truck-7" in hub.heard)
            assert set(hub.heard) == {"natant-edge.p.in.truck-7", "natant-edge.p.new.truck-7"}
            for subject in (
                "natant-edge.p.ack.truck-8.1",
                "natant.p.ev.speed.vehicle.7",
                "natant-edge.p.ack.truck-7.1",
            ):
                await hub.publish(subject)
            assert await edge.hears(4) == [
                "natant-edge.p.ack.truck-8.1",  # what it said itself, within its own server
                "natant.p.in.command.drive.vehicle.7",
                "natant.p.j.0.r",
                "natant-edge.p.ack.truck-7.1",
            ]
            assert other.heard == []
            await edge.nc.close()
        with pytest.raises(NatsError, match="Authorization"):
            await world.connect(world.user("acme", "truck-9", "edge"))
