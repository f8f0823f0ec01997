"""Whatever a host says, in whatever order, a channel takes it without raising and its downlinks stay in known states."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from natant.link.channel import Channel
from natant.link.downlink import EventDownlink, ListDownlink, MapDownlink, State, ValueDownlink

LANES = ("value", "map", "list", "events", "other")
BODIES = (
    "",
    " 1",
    '"text"',
    "{a:1}",
    "@update(key:a) 1",
    "@update(index:0,key:a) 1",
    "@update(index:7) 1",
    "@update(index:-1,key:b)",
    "@remove(key:a)",
    "@remove(index:3,key:)",
    "@move(from:0,to:5,key:a)",
    "@move(from:9,to:0)",
    "@take(1)",
    "@drop(-3)",
    "@clear",
    "@nodeNotFound",
    "{broken",
    "@update(key:{a:1}){x:@y}",
)
tags = st.sampled_from(
    ["linked", "synced", "event", "unlinked", "link", "command", "auth", "authed", "deauthed", "nope"]
)
says = st.builds(
    lambda tag, lane, body: f'@{tag}(node:"/unit/1",lane:{lane}){body}',
    tags,
    st.sampled_from(LANES),
    st.sampled_from(BODIES),
)
steps = st.one_of(
    says,
    st.binary(max_size=12),
    st.sampled_from(["connect", "cut", "open", "close", "command"]).map(lambda name: (name,)),
)


@given(st.lists(steps, max_size=60))
def test_nothing_that_a_host_says_breaks_a_channel(script: list[Any]) -> None:
    channel = Channel(lambda payload: None, lambda: 0.0, "warp://host")
    links: list[Any] = [
        ValueDownlink("/unit/1", "value"),
        MapDownlink("/unit/1", "map"),
        ListDownlink("/unit/1", "list"),
        EventDownlink("/unit/1", "events"),
        MapDownlink("/unit/1", "map"),
    ]
    for step in [("open",), ("connect",), *script]:
        if isinstance(step, str):
            channel.receive(step.encode())
        elif isinstance(step, bytes):
            channel.receive(step)
        elif step[0] == "connect" and not channel.is_connected:
            channel.connected()
        elif step[0] == "cut" and channel.is_connected:
            channel.disconnected("cut")
        elif step[0] == "open":
            for link in links:
                if not link.is_open:
                    channel.open(link)
        elif step[0] == "close":
            channel.close(links[len(script) % len(links)])
        elif step[0] == "command":
            channel.command("/unit/1", "value", 1)
        for link in links:
            assert link.is_linked <= channel.is_connected
            assert link.age() >= 0
            assert len(dict(links[1])) == len(links[1])
    channel.end("over")
    assert all(link.state in (State.UNLINKED, State.CLOSED) for link in links)
