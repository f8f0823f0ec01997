"""Lanes with ``bucket=``: others read them in JetStream key-value buckets, and nothing committed stays unseen."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from natant import Agent, Plane, lane
from natant.client.nats import bucket as reader
from natant.egress.feed import Feed
from natant.egress.model import ReadModels, bucket_lanes
from natant.errors import ClientError, FabricError, LaneError
from natant.fabric.nats.bucket import VALUE_BYTES, LaneBucket
from natant.fabric.nats.engine import Engine
from natant.host import Host
from natant.loop import LoopEnv
from natant.store.memory import MemoryStore
from tests.integration.nats.plane import WAIT_S, Fix
from tests.support.nats import NatsServer, engine, engine_of

FLEET = "natant-transit-lane-fleet"


class Vehicle(Agent, route="/vehicle/{id}"):
    """Something that moves."""

    position = lane.value(Fix, bucket="fleet")
    speeds = lane.map(str, float, bucket="speeds")
    text = lane.value(str, bucket="texts")

    @lane.command
    def both(self, text: str) -> None:
        """Write, and fail where asked to."""
        self.text = text
        if text == "fail":
            raise ValueError(text)


@contextlib.asynccontextmanager
async def running(started: Engine | None, store: MemoryStore) -> AsyncIterator[Host]:
    """The plane over a store that outlives it, shown in buckets where there is an engine."""
    env = LoopEnv()
    store.close = lambda: None  # type: ignore[method-assign]
    app = Plane("transit", [Vehicle])
    models = None if started is None else ReadModels(app, started)
    host = Host(app, store=store, env=env, attachments=() if models is None else (models.attach,))
    await host.start()
    try:
        yield host
    finally:
        if models is not None:
            await models.close()
        await host.stop()
        env.close()


async def shown(started: Engine, bucket: str = "fleet") -> dict[str, Any]:
    """What the bucket shows, by any client's means."""
    from nats.js.errors import BucketNotFoundError, NoKeysError

    try:
        found = await started.js.key_value(f"natant-transit-lane-{bucket}")
        keys = await found.keys()
        return {key: json.loads((await found.get(key)).value or b"") for key in keys if not key.startswith("_")}
    except (BucketNotFoundError, NoKeysError):
        return {}


async def until_shown(started: Engine, expected: dict[str, Any], bucket: str = "fleet") -> None:
    seen: Any = None
    try:
        async with asyncio.timeout(WAIT_S):
            while (seen := await shown(started, bucket)) != expected:
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"shown: {seen}, expected: {expected}") from None


def fix(lat: float) -> dict[str, float]:
    return {"lat": lat, "lon": 0.0}


async def put(host: Host, node: str, lat: float) -> None:
    from natant.lane.base import to_value

    await host.command(node, "position", to_value(Fix(lat, 0.0)))


async def entry(host: Host, key: str, value: float | None) -> None:
    from natant.codec import recon

    text = f'@remove(key:"{key}")' if value is None else f'@update(key:"{key}") {value}'
    await host.command("/vehicle/7", "speeds", recon.decode_body(text))


async def test_what_is_committed_is_shown_with_its_sequence_and_age() -> None:
    async with engine("transit") as started, running(started, MemoryStore()) as host:
        for number in range(20):
            await put(host, f"/vehicle/{number % 4}", float(number))
        await until_shown(started, {f"vehicle.{number}": fix(16.0 + number) for number in range(4)})
        message = await started.js.get_last_msg(f"KV_{FLEET}", f"$KV.{FLEET}.vehicle.3", direct=True)
        source = host.kernel.outbox.identity
        state = await started.js.get_last_msg(f"KV_{FLEET}", f"$KV.{FLEET}._state.{source}", direct=True)

    assert message.headers is not None
    assert message.headers["Natant-Source"] == source
    assert int(message.headers["Natant-Sequence"]) >= 20
    assert json.loads(state.data or b"")["sequence"] >= 20
    assert host.kernel.store.get(b"d/vehicle/3\0position\0") is None, "the mark has gone"


async def test_entries_of_maps_come_and_go() -> None:
    async with engine("transit") as started, running(started, MemoryStore()) as host:
        for key in ("a", "b.c", "d e~"):
            await entry(host, key, 1.5)
        await until_shown(started, {"vehicle.7.a": 1.5, "vehicle.7.b=2Ec": 1.5, "vehicle.7.d=20e=7E": 1.5}, "speeds")
        await entry(host, "a", None)
        await until_shown(started, {"vehicle.7.b=2Ec": 1.5, "vehicle.7.d=20e=7E": 1.5}, "speeds")
        from natant.codec import recon

        await host.command("/vehicle/7", "speeds", recon.decode_body("@clear"))
        await entry(host, "z", 2.0)
        await until_shown(started, {"vehicle.7.z": 2.0}, "speeds")


async def test_what_a_turn_took_back_is_never_shown() -> None:
    async with engine("transit") as started, running(started, MemoryStore()) as host:
        await host.command("/vehicle/7", "both", "good")
        with contextlib.suppress(Exception):
            await host.command("/vehicle/7", "both", "fail")
        await until_shown(started, {"vehicle.7": "good"}, "texts")
        await host.command("/vehicle/8", "both", "later")
        await until_shown(started, {"vehicle.7": "good", "vehicle.8": "later"}, "texts")


async def test_a_bucket_catches_up_after_an_outage_and_after_a_crash(tmp_path: Path) -> None:
    store = MemoryStore()
    with NatsServer(tmp_path / "server", {"jetstream": {"store_dir": tmp_path / "store"}}) as server:
        async with engine_of(server.url(), "transit") as started:
            async with running(started, store) as host:
                await put(host, "/vehicle/1", 1.0)
                await until_shown(started, {"vehicle.1": fix(1.0)})
                server.kill()
                for number in range(5):
                    await put(host, "/vehicle/1", 10.0 + number)
                await put(host, "/vehicle/2", 2.0)
                server.start()
                await until_shown(started, {"vehicle.1": fix(14.0), "vehicle.2": fix(2.0)})
                feed = host.kernel.feed
                assert isinstance(feed, Feed)
                feed.close()  # as though the process had died with what it committed last not shown
                await put(host, "/vehicle/2", 3.0)
            assert store.get(b"d/vehicle/2\0position\0") == b""
            async with running(started, store):
                await until_shown(started, {"vehicle.1": fix(14.0), "vehicle.2": fix(3.0)})


async def test_a_bucket_is_compared_where_its_lane_was_written_without_it() -> None:
    store = MemoryStore()
    async with engine("transit") as started:
        async with running(started, store) as host:
            await put(host, "/vehicle/1", 1.0)
            await entry(host, "a", 1.0)
            await until_shown(started, {"vehicle.7.a": 1.0}, "speeds")
        async with running(None, store) as host:
            await put(host, "/vehicle/1", 2.0)
            await put(host, "/vehicle/2", 2.0)
            await entry(host, "a", None)
        assert not list(store.scan(b"f")), "it is known that the buckets are not up to date"
        async with running(started, store):
            await until_shown(started, {"vehicle.1": fix(2.0), "vehicle.2": fix(2.0)})
            await until_shown(started, {}, "speeds")


async def test_a_bucket_that_was_deleted_is_filled_again() -> None:
    async with engine("transit") as started, running(started, MemoryStore()) as host:
        await put(host, "/vehicle/1", 1.0)
        await until_shown(started, {"vehicle.1": fix(1.0)})
        await started.js.delete_key_value(FLEET)
        await put(host, "/vehicle/2", 2.0)
        await until_shown(started, {"vehicle.1": fix(1.0), "vehicle.2": fix(2.0)})


async def test_who_was_replaced_shows_nothing_more() -> None:
    async with engine("transit") as started:
        first, second = LaneBucket(started, "fleet"), LaneBucket(started, "fleet")
        assert await first.open("s")
        await first.put([("vehicle.1", b"1"), ("vehicle.2", b"1")], 1, None)
        assert not await second.open("s")
        await second.put([("vehicle.1", b"2")], 2, b"{}")
        for entries in ([("vehicle.1", b"3")], [("vehicle.1", b"3"), ("vehicle.2", b"3")]):
            with pytest.raises(FabricError) as caught:
                await first.put(list(entries), 3, None)
            assert caught.value.code == "NT-FABRIC-401"
        assert await shown(started) == {"vehicle.1": 2, "vehicle.2": 1}


async def test_a_value_too_large_is_shown_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    async with engine("transit") as started, running(started, MemoryStore()) as host:
        await host.command("/vehicle/7", "both", "x" * VALUE_BYTES)
        await until_shown(started, {"vehicle.7": None}, "texts")

    assert "NT-FABRIC-402" in caplog.text


async def test_many_entries_are_put_in_few_batches() -> None:
    async with engine("transit") as started, running(started, MemoryStore()) as host:
        await asyncio.gather(*(put(host, f"/vehicle/{number}", 1.0) for number in range(2500)))
        async with asyncio.timeout(WAIT_S):
            while isinstance(host.kernel.feed, Feed) and host.kernel.feed.behind:
                await asyncio.sleep(0.02)
        keys = await LaneBucket(started, "fleet").keys()

    assert len(keys) == 2500


def test_declarations_that_cannot_be_are_refused() -> None:
    for options in ({"bucket": ""}, {"bucket": "x", "volatile": True}):
        with pytest.raises(LaneError) as caught:
            lane.value(int, **options)
        assert caught.value.code == "NT-LANE-017"

    class Ship(Agent, route="/ship/{id}"):
        place = lane.value(Fix, bucket="fleet")

    with pytest.raises(FabricError) as refused:
        bucket_lanes(Plane("transit", [Vehicle, Ship]))
    assert refused.value.code == "NT-FABRIC-403"


async def test_the_reader_tells_value_sequence_and_age() -> None:
    async with engine("transit", buckets=("fleet", "texts")) as started, running(started, MemoryStore()) as host:
        assert started.server is not None
        url = started.server.url("client")
        await put(host, "/vehicle/1", 1.0)
        await host.command("/vehicle/1", "both", "x" * (VALUE_BYTES + 1))
        await until_shown(started, {"vehicle.1": fix(1.0)})
        await until_shown(started, {"vehicle.1": None}, "texts")
        async with reader(url, plane="transit", name="fleet") as fleet:
            found = await fleet.get("/vehicle/1")
            missing = await fleet.get("/vehicle/2")
        async with reader(url, plane="transit", name="texts") as texts:
            with pytest.raises(ClientError) as shown_as_error:
                await texts.get("/vehicle/1")
        async with reader(url, plane="transit", name="speeds") as speeds:
            speeds_get = asyncio.ensure_future(speeds.get("/vehicle/1", "a"))
            with pytest.raises(ClientError) as forbidden:
                await speeds_get

    assert found is not None
    assert found.value == fix(1.0)
    assert found.sequence >= 1
    assert 0 <= found.age_s < WAIT_S
    assert found.as_of >= found.put_at > 0
    assert missing is None
    assert [caught.value.code for caught in (shown_as_error, forbidden)] == ["NT-CLIENT-009"] * 2
