"""Value and event downlinks, and what all kinds have in common: age and changes."""

from __future__ import annotations

import math
from typing import Any

from natant.codec import recon
from natant.codec.form import form
from natant.codec.recon.value import Absent, Record, Slot
from natant.errors import LinkError
from natant.link.channel import Channel
from natant.link.downlink import Change, EventDownlink, ListDownlink, MapDownlink, ValueDownlink
from tests.unit.link.peer import NODE, Host


def op(text: str) -> Any:
    return recon.decode(text)


def told(*names: str) -> tuple[list[Any], dict[str, Any]]:
    """A log, and callbacks of these names that write to it."""
    log: list[Any] = []

    def callback(name: str) -> Any:
        return lambda *args: log.append((name, *args))

    return log, {name: callback(name) for name in names}


def test_a_value_is_shown_and_its_changes_are_told() -> None:
    host = Host()
    log, on = told("changed")
    host.connect()
    host.channel.open(link := ValueDownlink(NODE, "value", on=on))
    host.settle()
    assert link.get() is None
    assert log == []
    link.set({"x": 1})
    host.settle()
    link.set(2)
    link.set(2)
    host.settle()

    record = Record([Slot("x", 1)])
    assert link.get() == 2
    assert log == [("changed", record, None), ("changed", 2, record), ("changed", 2, 2)]


def test_a_lane_that_was_never_set_shows_none_and_tells_nothing() -> None:
    host = Host()
    log, on = told("changed")
    host.connect()
    host.channel.open(link := ValueDownlink(NODE, "value", form(int), on=on))
    host.settle()

    assert link.is_synced
    assert link.get() is None
    assert log == []


def test_a_sync_tells_a_value_only_if_it_is_another() -> None:
    host = Host()
    host.value.value = 1
    log, on = told("changed")
    host.connect()
    host.channel.open(link := ValueDownlink(NODE, "value", on=on))
    host.settle()
    host.cut()
    host.connect()
    host.settle()
    assert log == [("changed", 1, None)]
    host.cut()
    host.value.value = True
    assert link.get() == 1
    host.connect()
    host.settle()

    assert log == [("changed", 1, None), ("changed", True, 1)]
    assert link.get() is True


def test_a_value_that_does_not_fit_is_left_out_and_the_age_goes_on() -> None:
    host = Host()
    failed: list[LinkError] = []
    host.value.value = 1
    host.connect()
    host.channel.open(link := ValueDownlink(NODE, "value", form(int), on={"failed": failed.append}))
    host.settle()
    host.value.command("fast")
    host.settle()
    host.now_s += 5
    host.channel.heard()
    assert link.get() == 1
    assert [error.code for error in failed] == ["NT-LINK-504"]
    assert NODE in str(failed[0])
    assert link.age() == 5
    host.value.command(2)
    host.settle()

    assert (link.get(), link.age(), link.misfits) == (2, 0, 1)


def test_age_is_the_time_since_the_last_proof() -> None:
    host = Host()
    link = ValueDownlink(NODE, "value")
    assert link.age() == math.inf
    host.channel.open(link)
    host.connect()
    assert link.age() == math.inf
    host.settle()
    assert link.age() == 0
    host.now_s += 7
    assert link.age() == 7
    host.channel.heard()
    assert link.age() == 0
    host.now_s += 1
    host.say('@event(node:"/other",lane:x) 1')
    assert link.age() == 0


def test_age_goes_on_while_stale_and_until_the_state_is_there_again() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := MapDownlink(NODE, "map"))
    host.settle()
    host.now_s += 3
    host.channel.heard()
    host.now_s += 10
    host.cut()
    assert link.age() == 10
    host.now_s += 10
    assert link.age() == 20
    host.connect()
    host.read()
    host.deliver()
    assert link.age() == 20
    assert link.since == host.now_s
    host.settle()

    assert link.age() == 0


def test_a_host_in_the_same_process_is_heard_at_any_moment() -> None:
    now_s = 0.0
    channel = Channel(lambda payload: None, lambda: now_s, heard_at=lambda: now_s)
    channel.connected()
    channel.open(link := ValueDownlink(NODE, "value"))
    channel.receive(b'@synced(node:"/unit/1",lane:value)')
    now_s = 100.0
    assert link.age() == 0
    channel.disconnected("stopped")
    now_s = 130.0
    assert link.age() == 30


def test_events_are_told_and_forgotten() -> None:
    host = Host()
    log, on = told("event")
    host.connect()
    host.channel.open(link := EventDownlink(NODE, "value", form(int), on=on))
    host.settle()
    link.command(1)
    host.settle()
    host.value.command("no number")
    host.value.command(2)
    host.settle()

    assert log == [("event", 1), ("event", 2)]
    assert link.misfits == 1
    assert link.age() == 0


def test_a_follower_gets_everything_as_changes() -> None:
    host = Host()
    changes: list[Change] = []
    link = MapDownlink(NODE, "map")
    link.watch = changes.append
    host.connect()
    host.channel.open(link)
    host.settle()
    link.put("a", 1)
    link.remove("a")
    link.clear()
    host.settle()
    host.cut("gone")

    assert changes == [
        Change("linked"),
        Change("synced"),
        Change("updated", "a", 1, None),
        Change("removed", "a", None, 1),
        Change("cleared", None, None, []),
        Change("stale", None, "gone"),
    ]


def test_a_list_tells_its_changes_by_index() -> None:
    host = Host()
    changes: list[Change] = []
    link = ListDownlink(NODE, "list")
    host.connect()
    host.channel.open(link)
    host.settle()
    link.watch = changes.append
    for body in (
        "@update(index:0,key:a) 1",
        "@update(index:1,key:b) 2",
        "@update(index:1,key:b) 3",
        "@move(from:0,to:1)",
    ):
        host.say(f'@event(node:"/unit/1",lane:list){body}')

    assert changes == [
        Change("inserted", 0, 1),
        Change("inserted", 1, 2),
        Change("updated", 1, 3, 2),
        Change("moved", (0, 1), 1),
    ]


def test_absent_is_not_a_value() -> None:
    host = Host()
    host.value.value = 5
    host.connect()
    host.channel.open(link := ValueDownlink(NODE, "value", form(int)))
    host.settle()
    host.value.command(Absent)
    host.settle()

    assert link.get() is None
    assert link.misfits == 0
