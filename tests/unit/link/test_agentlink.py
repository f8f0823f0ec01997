"""Downlinks of agents: views of other agents' lanes, told in turns; and commands to other hosts, in their order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import natant.testing
from natant import Agent, Config, NatantError, Plane, command, lane
from natant.errors import ClientError, LinkError, TurnError
from natant.host import Host
from natant.kernel import key
from natant.link.channel import Channel
from natant.testing import Peer, TestPlane

N = 'node:"/watch/1"'


class Source(Agent, route="/source/{id}"):
    value = lane.value(int)
    entries = lane.map(str, int)
    items = lane.list(str)
    alarms = lane.supply(str)

    @command
    def put(self, pairs: dict[str, int]) -> None:
        self.entries.update(pairs)

    @command
    def remove(self, name: str) -> None:  # type: ignore[override]
        del self.entries[name]

    @command
    def append(self, text: str) -> None:
        self.items.append(text)

    @command
    def alarm(self, text: str) -> None:
        self.alarms.push(text)


class Watch(Agent, route="/watch/{id}"):
    seen = lane.list(str)
    remembered = lane.value(str)

    def on_start(self) -> None:
        if self.remembered:
            self.downlink_value(self.remembered, "value", int, changed=self.changed)

    @command
    def remember(self, node: str) -> None:
        self.remembered = node
        self.downlink_value(node, "value", int, changed=self.changed)

    @command
    def follow(self, node: str) -> None:
        self.links = [
            self.downlink_value(node, "value", int, changed=self.changed),
            self.downlink_map(node, "entries", str, int, updated=self.updated, removed=self.removed),
            self.downlink_list(node, "items", str, changed=self.listed),
            self.downlink_event(node, "alarms", str, event=self.event),
        ]

    @command
    def follow_silently(self, node: str) -> None:
        self.links = [
            self.downlink_value(node, "value", int),
            self.downlink_map(node, "entries", str, int),
            self.downlink_list(node, "items", str),
            self.downlink_event(node, "alarms"),
        ]

    @command
    def unfollow(self) -> None:
        for link in self.links:
            self.unlink(link)

    @command
    def open_and_close(self, node: str) -> None:
        self.unlink(self.downlink_value(node, "value", int, changed=self.changed))

    @command
    def follow_then_fail(self, node: str) -> None:
        self.downlink_value(node, "value", int, changed=self.changed)
        raise RuntimeError("planned")

    @command
    def stranger(self) -> None:
        self.downlink_value("/source/1", "value", int, changed=print)

    @command
    def abroad(self, what: str) -> None:
        if what == "send":
            self.send("/source/1", "value", 1, host="warp://elsewhere")
        else:
            self.downlink_value("/source/1", "value", int, host="warp://elsewhere")

    @command
    def send_abroad(self, numbers: list[int]) -> None:
        for number in numbers:
            self.send("/source/1", "append", str(number), host="warp://elsewhere")

    @command
    def follow_abroad(self, host: str) -> None:
        self.links = [self.downlink_value("/source/1", "value", int, changed=self.changed, host=host)]

    def changed(self, new: int | None, old: int | None) -> None:
        self.seen.append(f"value {new} {old}")
        if new == 13:
            raise ValueError("unlucky")

    def updated(self, name: str, new: int, old: int | None) -> None:
        self.seen.append(f"{name} {new} {old}")

    def removed(self, name: str, old: int) -> None:
        self.seen.append(f"no {name} {old}")

    def listed(self, items: list[str]) -> None:
        self.seen.append("".join(items))

    def event(self, text: str) -> None:
        self.seen.append(text)


PLANE = Plane("watch", [Source, Watch])


async def seen(p: TestPlane, node: str = "/watch/1") -> list[str]:
    """What was told, but for a list that is empty at first."""
    return [text for text in await p.get(node, "seen") if text]


async def test_every_kind_of_downlink_is_told_in_turns() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/source/1", "put", {"a": 1})
        await p.command("/source/1", "append", "x")
        await p.command("/watch/1", "follow", "/source/1")
        await p.command("/source/1", "value", 5)
        await p.command("/source/1", "put", {"a": 2, "b": 3})
        await p.command("/source/1", "remove", "a")
        await p.command("/source/1", "append", "y")
        await p.command("/source/1", "alarm", "fire")
        told = await seen(p)
        assert [text for text in told if text.startswith("value")] == ["value 5 None"]
        assert [text for text in told if "a" in text and "value" not in text] == ["a 1 None", "a 2 1", "no a 2"]
        assert {"b 3 None", "x", "xy", "fire"} <= set(told)
        await p.crash()
        assert await seen(p) == told


async def test_a_downlink_is_read_like_what_it_shows() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/watch/1", "follow_silently", "/source/1")
        await p.command("/source/1", "value", 5)
        await p.command("/source/1", "put", {"a": 2})
        await p.command("/source/1", "append", "x")
        watch: Any = p.host.kernel.agents["/watch/1"]
        value, entries, items, _ = watch.links
        assert (value.get(), dict(entries), list(items)) == (5, {"a": 2}, ["x"])
        assert all(link.age() == 0.0 for link in watch.links[:3])
        assert value.source.node == "/source/1"


async def test_nothing_is_told_after_a_downlink_was_closed() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/watch/1", "follow", "/source/1")
        await p.command("/watch/1", "unfollow")
        await p.command("/watch/1", "open_and_close", "/source/1")
        await p.command("/source/1", "value", 5)
        await p.command("/source/1", "alarm", "fire")
        assert await seen(p) == []
        assert p.host.kernel.require("/source/1")._links is None
        await p.clock.jump(1000)
        assert p.host.health()["agents"] == 0
        await p.crash()
        assert list(p.store.scan(key.WAKE)) == []


async def test_a_downlink_of_a_turn_that_failed_was_never_opened() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError):
            await p.command("/watch/1", "follow_then_fail", "/source/1")
        await p.command("/source/1", "value", 5)
        assert await seen(p) == []


async def test_a_downlink_calls_methods_of_its_agent_only() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-TURN-014"):
            await p.command("/watch/1", "stranger")


async def test_a_method_that_raises_is_parked_and_the_downlink_goes_on() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/watch/1", "follow", "/source/1")
        for number in (12, 13, 14):
            await p.command("/source/1", "value", number)
        assert await seen(p) == ["value 12 None", "value 14 13"]
        assert len(await p.get("/watch/1", "parked")) == 1


async def test_what_is_opened_in_on_start_is_there_again_after_a_crash() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/watch/1", "remember", "/source/1")
        await p.crash()
        await p.command("/source/1", "value", 5)
        assert await seen(p) == ["value 5 None"]


async def test_an_agent_may_follow_itself() -> None:
    class Own(Agent, route="/own/{id}"):
        value = lane.value(int, 0)
        copied = lane.value(int)

        def on_start(self) -> None:
            self.downlink_value(self.node, "value", int, changed=self.copy)

        def copy(self, new: int, old: int | None) -> None:
            self.copied = new

    async with natant.testing.plane(Plane("own", [Own])) as p:
        await p.command("/own/1", "value", 3)
        assert await p.get("/own/1", "copied") == 3


# --- bounds


@pytest.mark.parametrize("what", ["send", "link"])
async def test_a_plane_without_connections_reaches_nobody(what: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(NatantError, match="NT-LINK-006"):
            await p.command("/watch/1", "abroad", what)


async def test_an_agent_has_a_bounded_number_of_downlinks() -> None:
    app = Plane("watch", [Source, Watch], config=Config(downlink_limit=2))
    async with natant.testing.plane(app) as p:
        await p.command("/watch/1", "remember", "/source/1")
        await p.command("/watch/1", "remember", "/source/2")
        with pytest.raises(TurnError, match="NT-LINK-005"):
            await p.command("/watch/1", "remember", "/source/3")
        assert await p.get("/watch/1", "remembered") == "/source/2"


# --- other hosts, without sockets


class Wire:
    """Connects planes by name, through memory; it can be cut."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.channels: dict[str, Channel] = {}
        self.closed: list[str] = []
        self.is_full = False
        self.peer: Peer[Any] | None = None

    def connect(self, host_uri: str) -> tuple[Channel, Callable[[], Awaitable[None]]]:
        if host_uri == "nonsense":
            raise ClientError("NT-CLIENT-002", "no address")
        channel = self.channels[host_uri] = Channel(self._send, lambda: 0.0, host_uri)

        async def close() -> None:
            self.closed.append(host_uri)
            if host_uri.endswith("broken"):
                raise OSError("already gone")

        return channel, close

    def _send(self, payload: bytes) -> None:
        if self.is_full:
            raise ClientError("NT-CLIENT-006", "slow")
        self.sent.append(payload)


def wired(p: TestPlane, wire: Wire) -> None:
    host: Host = p.host
    host.downlinks._connect = wire.connect


def numbers(wire: Wire) -> list[int]:
    return [int(payload.decode().rpartition('"')[0].rpartition('"')[2]) for payload in wire.sent]


async def test_commands_to_another_host_wait_for_it_and_keep_their_order() -> None:
    wire = Wire()
    async with natant.testing.plane(PLANE) as p:
        wired(p, wire)
        await p.command("/watch/1", "send_abroad", [1])
        await p.clock.jump(0.5)
        await p.command("/watch/1", "send_abroad", [2, 3])
        wire.channels["warp://elsewhere"].connected()
        await p.clock.jump(0.6)
        await p.command("/watch/1", "send_abroad", [4])
        await p.clock.jump(2)
        assert numbers(wire) == [1, 2, 3, 4]
        await p.crash()
        assert list(p.store.scan(key.OUTBOX)) == []


async def test_commands_to_another_host_outlive_a_crash() -> None:
    wire = Wire()
    async with natant.testing.plane(PLANE) as p:
        wired(p, wire)
        await p.command("/watch/1", "send_abroad", [1, 2])
        await p.crash()
        wired(p, wire)
        await p.command("/watch/1", "send_abroad", [3])
        wire.channels["warp://elsewhere"].connected()
        await p.clock.jump(2)
        assert numbers(wire) == [1, 2, 3]


async def test_a_host_that_reads_too_slowly_is_waited_for() -> None:
    wire = Wire()
    async with natant.testing.plane(PLANE) as p:
        wired(p, wire)
        await p.command("/watch/1", "send_abroad", [1])
        wire.channels["warp://elsewhere"].connected()
        wire.is_full = True
        await p.clock.jump(5)
        await p.command("/watch/1", "send_abroad", [2])
        wire.is_full = False
        await p.clock.jump(2)
        assert numbers(wire) == [1, 2]


async def test_what_waits_for_another_host_is_bounded_and_holds_up_nobody_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natant.link.agentlink.SEND_LIMIT", 3)
    monkeypatch.setattr("natant.kernel.outbox.CONGESTED_AT", 2)
    wire = Wire()
    async with natant.testing.plane(PLANE) as p:
        wired(p, wire)
        await p.command("/watch/1", "send_abroad", [1, 2, 3])
        with pytest.raises(TurnError, match="NT-LINK-009"):
            await p.command("/watch/1", "send_abroad", [4])
        assert not p.host.kernel.pressure.is_high
        await p.command("/source/1", "value", 1)


async def test_other_hosts_are_bounded_and_must_have_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natant.link.agentlink.HOST_LIMIT", 1)
    async with natant.testing.plane(PLANE) as p:
        wired(p, Wire())
        with pytest.raises(TurnError, match="NT-CLIENT-002"):
            await p.command("/watch/1", "follow_abroad", "nonsense")
        await p.command("/watch/1", "follow_abroad", "warp://one")
        with pytest.raises(TurnError, match="NT-LINK-007"):
            await p.command("/watch/1", "follow_abroad", "warp://two")


async def test_a_stop_ends_all_connections_whatever_one_of_them_does() -> None:
    wire = Wire()
    async with natant.testing.plane(PLANE) as p:
        wired(p, wire)
        for name in ("warp://broken", "warp://one"):
            await p.command("/watch/1", "follow_abroad", name)
        await p.restart()
        assert wire.closed == ["warp://broken", "warp://one"]


async def test_a_peer_that_does_not_read_its_answers_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natant.link.session.ANSWER_LIMIT", 5)
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        peer.is_paused = True
        for _ in range(6):
            peer.session.receive(f"@link({N},lane:seen)")
        assert peer.closed is not None
        assert peer.closed[0] == 1008
        assert "NT-LINK-004" in peer.closed[1]


async def test_links_to_nowhere_are_refused_by_the_host_too() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(LinkError, match="NT-LINK-001"):
            await p.host.read("/watch/1", "nothing")
