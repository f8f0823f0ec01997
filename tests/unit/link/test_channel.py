"""The channel: sharing, reconnecting, refusals, commands that wait, what cannot be read."""

from __future__ import annotations

import pytest

from natant.codec import recon
from natant.errors import LinkError
from natant.link import channel as channel_module
from natant.link.channel import MAX_PENDING_COMMANDS, MAX_RESYNCS, Channel
from natant.link.downlink import EventDownlink, ListDownlink, MapDownlink, State, ValueDownlink
from tests.unit.link.peer import NODE, Host


def test_a_downlink_goes_from_opening_to_synced() -> None:
    host = Host()
    heard: list[str] = []
    value = ValueDownlink(
        NODE, "value", on={"linked": lambda: heard.append("linked"), "synced": lambda: heard.append("synced")}
    )
    assert value.state is State.CLOSED
    host.channel.open(value)
    assert value.state is State.OPENING
    host.connect()
    assert host.sent == ['@sync(node:"/unit/1",lane:value)']
    host.settle()

    assert value.state is State.SYNCED
    assert heard == ["linked", "synced"]
    assert value.source == ("warp://host", NODE, "value")


def test_an_event_downlink_asks_for_a_link_only() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := EventDownlink(NODE, "value", prio=0.5, rate=2.0))
    host.settle()

    assert host.sent == ['@link(node:"/unit/1",lane:value,prio:0.5,rate:2)']
    assert link.state is State.LINKED


def test_downlinks_to_one_lane_share_one_link() -> None:
    host = Host()
    host.connect()
    first, second = MapDownlink(NODE, "map"), MapDownlink(NODE, "map")
    host.channel.open(first)
    host.settle()
    first.put("a", 1)
    host.settle()
    host.channel.open(second)
    assert second.state is State.SYNCING
    host.settle()
    assert dict(first) == dict(second) == {"a": 1}
    assert sum(text.startswith("@sync") for text in host.sent) == 2

    host.channel.close(first)
    assert not any(text.startswith("@unlink") for text in host.sent)
    host.channel.close(second)
    assert host.sent[-1] == '@unlink(node:"/unit/1",lane:map)'
    host.settle()
    assert host.channel.is_idle


def test_one_that_joins_while_a_sync_is_under_way_waits_for_the_next() -> None:
    host = Host()
    host.map.entries.update({"a": 1, "b": 2})
    host.connect()
    first, second = MapDownlink(NODE, "map"), MapDownlink(NODE, "map")
    host.channel.open(first)
    host.read()
    host.deliver()  # linked
    host.deliver()  # a
    host.channel.open(second)
    host.deliver()  # b
    assert dict(second) == {"b": 2}
    host.deliver()  # synced
    assert (first.state, second.state) == (State.SYNCING, State.SYNCING)
    host.settle()

    assert dict(first) == dict(second) == {"a": 1, "b": 2}
    assert (first.state, second.state) == (State.SYNCED, State.SYNCED)


def test_a_shared_link_asks_for_the_highest_prio_and_rate() -> None:
    host = Host()
    host.connect()
    host.channel.open(EventDownlink(NODE, "value", rate=2.0, prio=0.1))
    host.channel.open(EventDownlink(NODE, "value", rate=5.0))
    host.channel.open(EventDownlink(NODE, "value"))

    assert host.sent == [
        '@link(node:"/unit/1",lane:value,prio:0.1,rate:2)',
        '@link(node:"/unit/1",lane:value,prio:0.1,rate:5)',
        '@link(node:"/unit/1",lane:value,prio:0.1)',
    ]


def test_everything_is_asked_for_again_after_a_reconnect() -> None:
    host = Host()
    lost: list[str] = []
    value = ValueDownlink(NODE, "value", on={"stale": lost.append})
    events = EventDownlink(NODE, "map")
    host.connect()
    host.channel.open(value)
    host.channel.open(events)
    host.settle()
    host.cut("gone")
    assert (value.state, events.state) == (State.STALE, State.STALE)
    assert lost == ["gone"] == [value.reason]
    host.sent.clear()
    host.connect()
    host.settle()

    assert host.sent == ['@sync(node:"/unit/1",lane:value)', '@link(node:"/unit/1",lane:map)']
    assert (value.state, events.state) == (State.SYNCED, State.LINKED)


def test_credentials_go_first_and_waiting_commands_last() -> None:
    host = Host()
    host.channel.auth = {"token": "abc"}
    host.channel.open(ValueDownlink(NODE, "value"))
    host.channel.command(NODE, "value", 1)
    host.channel.command(NODE, "value", {"x": 2})
    host.connect()

    assert host.sent == [
        "@auth{token:abc}",
        '@sync(node:"/unit/1",lane:value)',
        '@command(node:"/unit/1",lane:value) 1',
        '@command(node:"/unit/1",lane:value){x:2}',
    ]


def test_a_bounded_number_of_commands_waits() -> None:
    host = Host()
    for number in range(MAX_PENDING_COMMANDS):
        host.channel.command(NODE, "value", number)

    with pytest.raises(LinkError, match="NT-LINK-501"):
        host.channel.command(NODE, "value", 0)
    assert not host.channel.is_idle


def test_a_refused_link_is_unlinked_until_it_is_opened_again() -> None:
    host = Host()
    reasons: list[str] = []
    link = ValueDownlink(NODE, "nope", on={"unlinked": reasons.append})
    host.connect()
    host.channel.open(link)
    host.settle()
    assert link.state is State.UNLINKED
    assert reasons == ["laneNotFound"] == [link.reason]
    assert host.channel.is_idle
    host.sent.clear()

    host.channel.open(link)
    host.settle()
    assert host.sent == ['@unlink(node:"/unit/1",lane:nope)', '@sync(node:"/unit/1",lane:nope)']
    assert reasons == ["laneNotFound", "laneNotFound"]


def test_the_answer_to_an_unlink_does_not_end_a_link_opened_since() -> None:
    host = Host()
    host.connect()
    link = MapDownlink(NODE, "map")
    host.channel.open(link)
    host.settle()
    host.channel.close(link)
    host.map.command(recon.decode("@update(key:a) 1"))
    host.channel.open(link)
    host.settle()

    assert link.state is State.SYNCED
    assert dict(link) == {"a": 1}


def test_a_host_may_spell_the_node_in_its_own_way() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := ValueDownlink("/unit/%41%C3%A9", "value"))
    assert host.sent == ['@sync(node:"/unit/A%c3%a9",lane:value)']
    host.say('@linked(node:"/unit/%41%C3%A9",lane:value)')
    host.say('@event(node:"/unit/A%c3%a9",lane:value) 5')
    host.say('@synced(node:"/unit/A%C3%A9",lane:value)')

    assert (link.get(), link.state) == (5, State.SYNCED)


def test_a_sync_may_come_without_linked() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := ValueDownlink(NODE, "value"))
    host.say('@event(node:"/unit/1",lane:value) 5')
    host.say('@synced(node:"/unit/1",lane:value)')

    assert (link.get(), link.state) == (5, State.SYNCED)


def test_what_cannot_be_read_is_reported_and_the_channel_goes_on() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := ValueDownlink(NODE, "value"))
    host.settle()
    for text in ("garbage", "@event(node:", '@nonsense(node:"/unit/1",lane:value)'):
        host.say(text)
    host.channel.receive(b'@event(node:"/unit/1",lane:value)"\xff"')
    assert [fault.code for fault in host.faults] == ["NT-LINK-509"] * 4
    host.say('@event(node:"/unit/1",lane:value) 7')

    assert link.get() == 7


def test_an_unreadable_body_is_a_misfit_of_its_link() -> None:
    host = Host()
    host.connect()
    failed: list[LinkError] = []
    host.channel.open(link := ValueDownlink(NODE, "value", on={"failed": failed.append}))
    host.settle()
    host.say('@event(node:"/unit/1",lane:value){a:')

    assert [error.code for error in failed] == ["NT-LINK-504"]
    assert link.misfits == 1
    assert link.is_synced


def test_envelopes_of_no_link_are_counted() -> None:
    host = Host()
    host.connect()
    host.channel.open(ValueDownlink(NODE, "value"))
    for text in (
        '@event(node:"/unit/2",lane:value) 1',
        '@command(node:"/unit/1",lane:value) 1',
        "@auth{x:1}",
    ):
        host.say(text)

    assert host.channel.strays == 3


def test_refused_credentials_are_reported() -> None:
    host = Host()
    host.channel.auth = {"token": "wrong"}
    host.connect()
    host.say("@authed")
    assert not host.channel.is_refused
    host.say("@deauthed")

    assert host.channel.is_refused
    assert [fault.code for fault in host.faults] == ["NT-LINK-510"]


def test_a_channel_that_ends_unlinks_everything() -> None:
    host = Host()
    host.channel.open(link := ValueDownlink(NODE, "value"))
    host.channel.command(NODE, "value", 1)
    host.channel.end("no use")

    assert (link.state, link.reason) == (State.UNLINKED, "no use")
    assert host.channel.is_idle


def test_a_downlink_opens_once() -> None:
    host = Host()
    host.channel.open(link := ValueDownlink(NODE, "value"))

    with pytest.raises(LinkError, match="NT-LINK-502"):
        host.channel.open(link)
    with pytest.raises(LinkError, match="NT-LINK-502"):
        Host().channel.open(link)


def test_closing_twice_or_elsewhere_does_nothing() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := ValueDownlink(NODE, "value"))
    Host().channel.close(link)
    assert link.is_open
    host.channel.close(link)
    host.channel.close(link)

    assert sum(text.startswith("@unlink") for text in host.sent) == 1


def test_a_channel_has_a_bounded_number_of_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "MAX_LINKS", 2)
    host = Host()
    host.channel.open(ValueDownlink(NODE, "a"))
    host.channel.open(ValueDownlink(NODE, "b"))
    host.channel.open(ValueDownlink(NODE, "b"))

    with pytest.raises(LinkError, match="NT-LINK-508"):
        host.channel.open(ValueDownlink(NODE, "c"))


def test_nothing_is_written_through_a_closed_downlink() -> None:
    link: ValueDownlink[int] = ValueDownlink(NODE, "value")

    with pytest.raises(LinkError, match="NT-LINK-503"):
        link.set(1)


def test_an_unknown_callback_is_refused() -> None:
    with pytest.raises(LinkError, match="NT-LINK-505"):
        ValueDownlink(NODE, "value", on={"updated": print})


def test_a_callback_that_raises_is_reported_and_harms_nobody() -> None:
    host = Host()
    failed: list[LinkError] = []

    def changed(new: object, old: object) -> None:
        raise ValueError("oops")

    host.connect()
    host.channel.open(bad := ValueDownlink(NODE, "value", on={"changed": changed, "failed": failed.append}))
    host.channel.open(good := ValueDownlink(NODE, "value"))
    host.settle()
    good.set(5)
    host.settle()

    assert bad.get() == good.get() == 5
    assert [error.code for error in failed] == ["NT-LINK-507"]


def test_a_callback_may_close_its_downlink_and_open_others() -> None:
    host = Host()
    host.connect()
    second = ListDownlink(NODE, "list")

    def synced() -> None:
        host.channel.close(first)
        host.channel.open(second)

    first = MapDownlink(NODE, "map", on={"synced": synced})
    host.channel.open(first)
    host.settle()

    assert (first.state, second.state) == (State.CLOSED, State.SYNCED)


def test_a_host_that_answers_at_once_is_no_trouble() -> None:
    """In one process a reply comes before the call that asked for it has returned."""
    host = Host()
    host.map.entries["a"] = 1
    channel: Channel

    def send(payload: bytes) -> None:
        host.inbox.append(payload)
        while host.inbox:
            host.read()
            while host.outbox:
                channel.receive(host.outbox.popleft())

    channel = Channel(send, lambda: 0.0)
    channel.open(first := MapDownlink(NODE, "map"))
    channel.connected()
    channel.open(second := MapDownlink(NODE, "map"))
    first.put("b", 2)
    channel.close(first)
    channel.close(second)
    channel.open(third := MapDownlink(NODE, "map"))

    assert dict(first) == dict(second) == dict(third) == {"a": 1, "b": 2}
    assert third.is_synced


def test_a_list_that_lost_track_is_synced_again_a_bounded_number_of_times() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := ListDownlink(NODE, "list"))
    host.settle()
    host.list.command(recon.decode("@update(index:0,key:k) a"))
    host.settle()
    host.sent.clear()
    for _ in range(MAX_RESYNCS + 2):
        host.say('@event(node:"/unit/1",lane:list)@update(index:9,key:zz) x')
        host.settle()

    assert host.sent == ['@sync(node:"/unit/1",lane:list)'] * MAX_RESYNCS
    assert list(link) == ["a"]
