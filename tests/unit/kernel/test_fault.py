"""One misbehaving piece harms nobody else: what raises where nothing should is reported, and all other work goes on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import natant.testing
from natant import Agent, Config, NatantError, Plane, command, every, lane
from natant.errors import LinkError, StoreError, TurnError, WarpError
from natant.kernel import key
from natant.kernel.change import Watcher
from natant.kernel.journal import Journal
from natant.store.contract import Operation
from natant.store.memory import MemoryStore
from natant.testing import Peer, TestPlane

N = 'node:"/thing/1"'


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Thing(Agent, route="/thing/{id}"):
    count = lane.value(int, 0)
    beats = lane.list(float)
    alarms = lane.supply(int, queue=1, overflow="disconnect")
    entries = lane.map(str, int)
    shown = lane.demand_map(str, int)

    @command
    def add(self, amount: int) -> int:
        self.count += amount
        return self.count

    @command
    def alarm(self, count: int) -> None:
        for number in range(count):
            self.alarms.push(number)

    @command
    def fail(self, how: str) -> None:
        self.count = 1000
        if how == "exit":
            sys.exit("bye")
        if how == "cancelled":
            raise asyncio.CancelledError
        if how == "text":
            raise Unprintable
        raise ValueError("half a \ud800 pair")

    @command
    async def fail_later(self) -> None:
        self.count = 1000
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    @command
    def watch(self, node: str) -> None:
        self.count += 1
        self.downlink_value(node, "count", int)

    @command
    def send_to(self, node: str) -> None:
        self.count += 1
        self.send(node, "add", 1)

    @command
    def send_nan(self, node: str) -> None:
        self.count += 1
        self.send(node, "add", float("nan"))

    @command
    def put(self, pairs: dict[str, int]) -> None:
        self.entries.update(pairs)

    @shown.keys
    def shown_keys(self) -> list[str]:
        return ["a", "b"]

    @shown.cue
    def show(self, key: str) -> int:
        if key == "b":
            raise KeyError(key)
        return 1

    @every(seconds=10)
    def beat(self) -> None:
        self.beats.append(self.now())


class Busy(Agent, route="/busy/{id}"):
    count = lane.value(int, 0)

    @command
    async def add(self, amount: int) -> None:
        await GATES[0].wait()
        self.count += amount


GATES: list[asyncio.Event] = []
PLANE = Plane("things", [Thing, Busy])


class CorruptStore(MemoryStore):
    """Some records cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.corrupt: Callable[[bytes], bool] = lambda key: False

    def get(self, key: bytes) -> bytes | None:
        self._look(key)
        return super().get(key)

    def scan(self, prefix: bytes) -> Any:
        self._look(prefix)
        return super().scan(prefix)

    def _look(self, key: bytes) -> None:
        if self.corrupt(key):
            raise StoreError("NT-STORE-004", f"record {key!r} fails its checksum")

    def apply(self, batch: Sequence[Operation]) -> None:
        super().apply(batch)


async def texts(p: TestPlane, peer: Peer[Any], *messages: str) -> list[str]:
    peer.received.clear()
    for message in messages:
        peer.session.receive(message)
    await p.clock.settle()
    return [payload.decode() for payload in peer.received]


# --- handlers


@pytest.mark.parametrize("how", ["exit", "cancelled", "text", "surrogate"])
async def test_whatever_a_handler_raises_is_rolled_back_parked_and_told(how: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-TURN-001"):
            await p.command("/thing/1", "fail", how)
        assert await p.get("/thing/1", "count") == 0
        assert len(await p.get("/thing/1", "parked")) == 1
        assert (await p.command("/thing/1", "add", 1)).value == 1


async def test_a_handler_that_awaited_something_cancelled_has_failed() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match=r"NT-TURN-001.*CancelledError"):
            await p.command("/thing/1", "fail_later")
        assert len(await p.get("/thing/1", "parked")) == 1
        assert (await p.command("/thing/1", "add", 1)).value == 1


async def test_failures_within_one_millisecond_do_not_hide_each_other_after_a_crash() -> None:
    async with natant.testing.plane(PLANE) as p:
        for _ in range(2):
            with pytest.raises(TurnError):
                await p.command("/thing/1", "fail", "text")
        await p.crash()
        with pytest.raises(TurnError):
            await p.command("/thing/1", "fail", "text")
        assert len(await p.get("/thing/1", "parked")) == 3


async def test_work_that_cannot_even_be_parked_is_answered_and_the_agents_go_on() -> None:
    store = CorruptStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/thing/1", "add", 1)
        await p.crash()
        store.corrupt = lambda key: b"parked" in key
        with pytest.raises(TurnError, match="NT-TURN-001"):
            await p.command("/thing/1", "fail", "text")
        assert (await p.command("/thing/1", "add", 1)).value == 2
        assert p.host.counters.faults == 1


# --- what a turn does outside its agent


async def test_a_downlink_to_no_uri_fails_its_turn_as_a_whole() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match=r"NT-TURN-001.*NT-WARP-004"):
            await p.command("/thing/1", "watch", "no uri")
        assert await p.get("/thing/1", "count") == 0
        await p.crash()
        assert await p.get("/thing/1", "count") == 0


async def test_the_bound_of_downlinks_fails_the_turn_as_a_whole() -> None:
    app = Plane("things", [Thing, Busy], config=Config(downlink_limit=1))
    async with natant.testing.plane(app) as p:
        await p.command("/thing/1", "watch", "/thing/2")
        with pytest.raises(NatantError, match="NT-LINK-005"):
            await p.command("/thing/1", "watch", "/thing/3")
        await p.command("/thing/1", "add", 1)
        await p.crash()
        assert await p.get("/thing/1", "count") == 2


async def test_what_follows_a_turn_may_raise_and_the_turn_still_counts() -> None:
    async with natant.testing.plane(PLANE) as p:
        cell = p.host.kernel.require("/thing/1")
        inner = cell._host.deliver

        def spoil(agent: Any, _: Any) -> None:
            agent._turn.then(lambda: 1 / 0)
            agent.count = 7

        from natant.kernel.turn import Work

        told: list[Any] = []
        inner(cell, Work(spoil, None, "spoil", reply=lambda outcome, error: told.append((outcome, error))))
        await p.clock.settle()
        assert told[0][1] is None
        await p.crash()
        assert await p.get("/thing/1", "count") == 7


# --- the commit loop


async def test_an_answer_that_raises_does_not_stop_the_commits() -> None:
    async with natant.testing.plane(PLANE) as p:
        kernel = p.host.kernel

        def reply(*_: Any) -> None:
            raise RuntimeError("the asker is broken")

        kernel.command(kernel.require("/thing/1"), p.host.lane("/thing/1", "add"), 1, reply=reply)
        other = asyncio.ensure_future(p.host.command("/thing/2", "add", 2))
        await p.clock.settle()
        assert other.done()
        assert (await p.command("/thing/1", "add", 1)).value == 2
        assert p.host.counters.faults == 1


async def test_a_unit_that_raises_at_its_release_does_not_stop_the_commits() -> None:
    async with natant.testing.plane(PLANE) as p:
        journal: Journal = p.host.kernel.journal

        class Broken:
            def __init__(self) -> None:
                self.records: list[tuple[int, bytes, bytes]] = [(0, b"x", b"1")]

            def release(self, sequence: int) -> None:
                raise RuntimeError("broken")

        journal.add(Broken())
        assert (await p.command("/thing/1", "add", 1)).value == 1
        assert journal.is_idle


async def test_a_hook_that_raises_at_the_cut_loses_no_unit() -> None:
    async with natant.testing.plane(PLANE) as p:
        p.host.kernel.cut_hooks.append(lambda batch: batch[1_000_000])  # type: ignore[arg-type]
        await p.command("/thing/1", "add", 1)
        await p.crash()
        assert await p.get("/thing/1", "count") == 1


async def test_a_send_that_cannot_be_written_loses_no_unit() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        p.host.kernel.command(p.host.kernel.require("/busy/1"), p.host.lane("/busy/1", "add"), 1)
        with pytest.raises(NatantError, match="NT-RECON-010"):
            await p.command("/thing/1", "send_nan", "/busy/1")  # the agent is busy: it is seen at once
        from natant.kernel.turn import Send

        p.host.kernel.outbox.add([Send("/busy/1", "add", float("nan"))])
        assert (await p.command("/thing/1", "add", 1)).value == 1
        assert p.host.counters.faults == 1
        GATES[0].set()


async def test_posted_work_that_raises_does_not_hold_up_the_rest() -> None:
    async with natant.testing.plane(PLANE) as p:
        done: list[int] = []
        p.host.kernel.post(lambda: 1 / 0)  # type: ignore[arg-type]
        p.host.kernel.post(lambda: done.append(1))
        await p.clock.settle()
        assert done == [1]


# --- records that are damaged


async def test_a_damaged_agent_refuses_its_own_links_only() -> None:
    store = CorruptStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/thing/1", "add", 1)
        await p.command("/thing/2", "add", 2)
        await p.crash()
        store.corrupt = lambda stored: stored == key.node_key("/thing/1")
        peer = p.connect()
        told = await texts(
            p, peer, f"@sync({N},lane:count)", f"@command({N},lane:add) 1", '@sync(node:"/thing/2",lane:count)'
        )
        assert told[0] == f"@unlinked({N},lane:count)@failed(NT-STORE-004)"
        assert '@event(node:"/thing/2",lane:count) 2' in told
        assert peer.closed is None


async def test_a_timer_whose_agent_cannot_be_had_does_not_stop_the_others() -> None:
    store = CorruptStore()
    async with natant.testing.plane(PLANE, store=store, start_s=0.0) as p:
        await p.command("/thing/1", "add", 1)
        await p.command("/thing/2", "add", 1)
        store.corrupt = lambda stored: stored == key.node_key("/thing/1")
        await p.crash()
        await p.clock.jump(35)
        assert await p.get("/thing/2", "beats") == [10.0, 20.0, 30.0]
        store.corrupt = lambda stored: False
        await p.clock.jump(5)
        assert await p.get("/thing/1", "beats") == [36.0, 40.0]


async def test_a_send_to_a_damaged_agent_stays_in_the_outbox() -> None:
    store = CorruptStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/thing/1", "add", 1)
        await p.crash()
        store.corrupt = lambda stored: stored == key.node_key("/thing/1")
        await p.command("/thing/2", "send_to", "/thing/1")
        await p.command("/thing/2", "send_to", "/thing/3")
        assert await p.get("/thing/3", "count") == 1
        await p.crash()
        store.corrupt = lambda stored: False
        await p.crash()
        assert await p.get("/thing/1", "count") == 2


async def test_a_send_whose_agent_cannot_read_its_lane_is_parked() -> None:
    store = CorruptStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/thing/1", "add", 1)
        await p.crash()
        store.corrupt = lambda stored: stored == b"l/thing/1\0count\0"
        await p.command("/thing/2", "send_to", "/thing/1")
        (name,) = await p.get("/thing/1", "parked")
        store.corrupt = lambda stored: False
        await p.command("/thing/1", "parked.retry", name)
        assert await p.get("/thing/1", "count") == 2
        assert await p.get("/thing/1", "parked") == {}


async def test_a_damaged_agent_that_should_be_woken_does_not_keep_the_plane_down() -> None:
    store = CorruptStore()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/thing/1", "watch", "/thing/2")
        store.corrupt = lambda stored: stored == key.node_key("/thing/1")
        await p.crash()
        assert (await p.command("/thing/2", "add", 1)).value == 1


# --- links


async def test_a_link_that_ends_while_an_event_goes_out_does_not_take_it_from_the_next() -> None:
    async with natant.testing.plane(PLANE) as p:
        slow, quick = p.connect(), p.connect()
        await texts(p, slow, f"@link({N},lane:alarms)")
        await texts(p, quick, f"@link({N},lane:alarms)")
        slow.is_paused = True
        await p.command("/thing/1", "alarm", 1)
        quick.received.clear()
        await p.command("/thing/1", "alarm", 1)
        assert slow.closed is not None
        assert quick.received == [f"@event({N},lane:alarms) 0".encode()]


async def test_a_connection_that_cannot_be_written_does_not_hold_up_the_others() -> None:
    class Broken(Peer[Any]):
        def write(self, payloads: list[bytes]) -> None:
            raise OSError("gone")

    async with natant.testing.plane(PLANE) as p:
        broken, healthy = Broken(p.host, "broken"), p.connect()
        broken.session.receive(f"@link({N},lane:count)")
        assert await texts(p, healthy, f"@link({N},lane:count)") == [f"@linked({N},lane:count)"]
        healthy.received.clear()
        await p.command("/thing/1", "add", 1)
        assert healthy.received == [f"@event({N},lane:count) 1".encode()]
        assert broken.closed is not None
        assert broken.closed[0] == 1011
        assert "NT-LINK-010" in broken.closed[1]


async def test_a_connection_that_cannot_even_be_closed_is_forgotten() -> None:
    class Worse(Peer[Any]):
        def write(self, payloads: list[bytes]) -> None:
            raise OSError("gone")

        def close(self, code: int, reason: str) -> None:
            raise OSError("gone too")

    async with natant.testing.plane(PLANE) as p:
        before = p.host.health()["sessions"]
        worse = Worse(p.host, "worse")
        worse.session.receive(f"@link({N},lane:count)")
        await p.clock.settle()
        assert p.host.health()["sessions"] == before
        assert p.host.kernel.require("/thing/1")._links is None


async def test_a_cue_that_raises_in_the_middle_of_a_sync_ends_that_link_only() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/thing/1", "put", {"x": 1})
        peer, other = p.connect(), p.connect()
        peer.session.receive(f"@sync({N},lane:shown)")
        other.session.receive(f"@sync({N},lane:entries)")
        await p.clock.settle()
        assert peer.received[-1] == f"@unlinked({N},lane:shown)@failed(NT-LINK-002)".encode()
        assert other.received[-1] == f"@synced({N},lane:entries)".encode()


async def test_an_uplink_that_cannot_take_a_change_is_ended() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer, other = p.connect(), p.connect()
        await texts(p, peer, f"@link({N},lane:count)")
        await texts(p, other, f"@link({N},lane:count)")
        link = next(iter(peer.session.links.values()))

        class Broken(Watcher):
            def offer(self, event: Any) -> None:
                raise RuntimeError("broken")

            def fail(self, error: Exception) -> None:
                link.fail(error)

        links = p.host.kernel.require("/thing/1")._links
        assert links is not None
        links[link.lane.index][0] = Broken()
        other.received.clear()
        await p.command("/thing/1", "add", 1)
        assert other.received == [f"@event({N},lane:count) 1".encode()]
        assert peer.received[-1].startswith(b"@unlinked")


# --- policy and authenticator


async def test_a_policy_is_asked_for_the_lane_however_it_is_spelled() -> None:
    app = Plane("things", [Thing], policy=lambda identity, verb, node, lane: lane != "count")
    async with natant.testing.plane(app) as p:
        for spelled in ("count", '"count#x"', '"c%6funt"', '"count?a=1"'):
            answers = await texts(p, p.connect(), f"@sync({N},lane:{spelled})", f"@command({N},lane:{spelled}) 5")
            assert len(answers) == 1
            assert answers[0].startswith("@unlinked")
        with pytest.raises(LinkError, match="NT-LINK-008"):
            await p.host.read("/thing/1", "c%6funt")
        assert p.host.kernel.require("/thing/1").count == 0  # type: ignore[attr-defined]


async def test_a_policy_or_authenticator_that_raises_lets_nobody_in() -> None:
    def policy(*_: Any) -> bool:
        raise RuntimeError("broken")

    def authenticator(*_: Any) -> None:
        raise RuntimeError("broken")

    async with natant.testing.plane(Plane("things", [Thing], policy=policy, authenticator=authenticator)) as p:
        peer = p.connect()
        assert await texts(p, peer, f"@sync({N},lane:count)") == [f"@unlinked({N},lane:count)"]
        assert await texts(p, peer, "@auth{token:x}") == ["@deauthed"]
        assert peer.closed == (1008, "Unauthorized")
        with pytest.raises(WarpError):
            p.connect().session.receive("nothing")
