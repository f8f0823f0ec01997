"""Bounds between hosts and peers, and what is said at each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

import natant.testing
from natant import Agent, Plane, command, lane
from natant.errors import NatantError
from natant.host import Host
from natant.link import agentlink
from natant.link.channel import Channel
from natant.store.memory import MemoryStore
from natant.testing import VirtualClock, VirtualEnv


class Relay(Agent, route="/relay/{id}"):
    count = lane.value(int, 0)

    @command
    def pass_on(self, host: str) -> None:
        self.send("/relay/far", "pass_on", "", host=host)

    @command
    def watch(self, host: str) -> None:
        self.downlink_value("/relay/far", "count", int, host=host)


PLANE = Plane("relays", [Relay])


async def refusal(host: Host, clock: VirtualClock, lane_name: str, body: str) -> str:
    """The code of the failure of a command, as the agent parked it."""
    with pytest.raises(NatantError):
        await host.command("/relay/a", lane_name, body)
    await clock.settle()
    parked = await host.read("/relay/a", "parked")
    assert isinstance(parked, natant.Record)
    return str(parked[-1].value.get("code"))


async def test_a_plane_without_connections_says_that_it_reaches_nobody() -> None:
    async with natant.testing.plane(PLANE) as p:
        assert await refusal(p.host, p.clock, "pass_on", "warp://far:1") == "NT-LINK-006"
        assert await refusal(p.host, p.clock, "watch", "warp://far:1") == "NT-LINK-006"


async def _nothing() -> None:
    """Ends a connection that never was."""


def unreachable(_uri: str) -> tuple[Channel, Callable[[], Awaitable[None]]]:
    """A channel to a host that is away for good."""
    return Channel(lambda payload: None, lambda: 0.0), _nothing


async def test_other_hosts_and_what_waits_for_them_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agentlink, "HOST_LIMIT", 2)
    monkeypatch.setattr(agentlink, "SEND_LIMIT", 3)
    env = VirtualEnv()
    clock = VirtualClock(env)
    host = Host(PLANE, store=MemoryStore(), env=env, connect=unreachable)
    await host.start()
    for _ in range(3):
        await host.command("/relay/a", "pass_on", "warp://one:1")
    assert await refusal(host, clock, "pass_on", "warp://one:1") == "NT-LINK-009"
    await host.command("/relay/a", "watch", "warp://two:1")
    assert await refusal(host, clock, "watch", "warp://three:1") == "NT-LINK-007"
    host.kernel.shut()
    host.kernel.halt()


async def test_a_peer_that_does_not_read_its_answers_is_let_go() -> None:
    async with natant.testing.plane(PLANE) as p:
        peer = p.connect()
        peer.is_paused = True
        peer.session.answer_limit = 5
        for number in range(10):
            peer.session.receive(f'@link(node:"/relay/{number}",lane:count)')
        await p.clock.settle()
        assert peer.closed is not None
        assert "NT-LINK-004" in peer.closed[1]
