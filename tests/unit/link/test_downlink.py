"""The kinds of downlinks: what they show, what they tell, how old it is."""

from __future__ import annotations

import math
from typing import Any

import pytest

from natant.codec import recon
from natant.codec.form import form
from natant.codec.recon.value import Absent, Extant, Record, Slot
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


# ---------------------------------------------------------------------------- value


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


# ---------------------------------------------------------------------------- age


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
    channel = Channel(lambda payload: None, lambda: now_s, is_local=True)
    channel.connected()
    channel.open(link := ValueDownlink(NODE, "value"))
    channel.receive(b'@synced(node:"/unit/1",lane:value)')
    now_s = 100.0
    assert link.age() == 0
    channel.disconnected("stopped")
    now_s = 130.0
    assert link.age() == 30


# ---------------------------------------------------------------------------- event


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


# ---------------------------------------------------------------------------- map


def test_a_map_is_a_mapping_in_order_of_arrival() -> None:
    host = Host()
    log, on = told("updated", "removed", "cleared")
    host.connect()
    host.channel.open(link := MapDownlink(NODE, "map", (form(str), form(int)), on=on))
    host.settle()
    for key, value in (("z", 1), ("a", 2), ("z", 3)):
        link.put(key, value)
    host.settle()
    assert dict(link) == {"z": 3, "a": 2}
    assert list(link) == ["z", "a"]
    assert list(link.items()) == [("z", 3), ("a", 2)]
    assert (len(link), link["a"], "a" in link, link.get("q", 9)) == (2, 2, True, 9)
    with pytest.raises(KeyError):
        link["q"]
    link.remove("z")
    link.remove("nothing")
    link.clear()
    host.settle()

    assert dict(link) == {}
    assert log == [
        ("updated", "z", 1, None),
        ("updated", "a", 2, None),
        ("updated", "z", 3, 1),
        ("removed", "z", 3),
        ("cleared", [("a", 2)]),
    ]


def test_a_map_without_cleared_tells_each_removal() -> None:
    host = Host()
    log, on = told("removed")
    host.map.entries.update({"a": 1, "b": 2})
    host.connect()
    host.channel.open(MapDownlink(NODE, "map", on=on))
    host.settle()
    host.map.command(op("@clear"))
    host.settle()

    assert log == [("removed", "a", 1), ("removed", "b", 2)]


def test_take_and_drop_follow_recon_order() -> None:
    host = Host()
    keys = [1.5, 1, "e", "b c", "a", Record([Slot("k", 1)])]
    host.connect()
    host.channel.open(link := MapDownlink(NODE, "map"))
    host.settle()
    for key in keys:
        link.put(key, 0)
    host.settle()
    link.take(5)
    host.settle()
    assert list(link) == [1, "e", "b c", "a", Record([Slot("k", 1)])]
    link.drop(3)
    host.settle()

    assert list(link) == [1, "e"]
    assert list(host.map.entries) == list(link)


def test_keys_that_python_takes_for_equal_are_kept_apart() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := MapDownlink(NODE, "map"))
    host.settle()
    for key, value in (("@update(key:1)", "int"), ("@update(key:true)", "bool"), ('@update(key:"1")', "text")):
        host.say(f'@event(node:"/unit/1",lane:map){key} {value}')

    assert [link[1], link[True], link["1"]] == ["int", "bool", "text"]
    assert len(link) == 3


@pytest.mark.parametrize("clears", [True, False])
def test_a_resync_removes_what_vanished_and_tells_net_changes_only(clears: bool) -> None:
    host = Host(clears=clears)
    log, on = told("updated", "removed", "cleared")
    host.map.entries.update({"a": 1, "b": 2, "c": 3})
    host.connect()
    host.channel.open(link := MapDownlink(NODE, "map", on=on))
    host.settle()
    host.cut()
    host.map.command(op("@remove(key:a)"))
    host.map.command(op("@update(key:b) 20"))
    host.map.command(op("@update(key:d) 4"))
    log.clear()
    assert dict(link) == {"a": 1, "b": 2, "c": 3}
    host.connect()
    host.settle()

    assert dict(link) == {"b": 20, "c": 3, "d": 4}
    assert log == [("updated", "b", 20, 2), ("updated", "d", 4, None), ("removed", "a", 1)]


def test_a_sync_that_is_cut_leaves_what_was_shown() -> None:
    host = Host()
    host.map.entries.update({"a": 1, "b": 2})
    host.connect()
    host.channel.open(link := MapDownlink(NODE, "map"))
    host.settle()
    host.cut()
    host.map.command(op("@remove(key:b)"))
    host.connect()
    host.read()
    host.deliver()
    host.deliver()
    host.cut()

    assert dict(link) == {"a": 1, "b": 2}


def test_entries_that_do_not_fit_are_left_out_and_keep_their_place() -> None:
    host = Host()
    failed: list[LinkError] = []
    host.map.entries.update({"a": 1, "b": "no number", "c": 3})
    host.connect()
    host.channel.open(link := MapDownlink(NODE, "map", (form(str), form(int)), on={"failed": failed.append}))
    host.settle()
    host.now_s += 2
    host.channel.heard()
    assert dict(link) == {"a": 1, "c": 3}
    assert [error.code for error in failed] == ["NT-LINK-504"]
    assert link.age() == 2
    link.take(2)
    host.settle()
    assert dict(link) == {"a": 1}
    host.map.command(op('@update(key:a) "now text"'))
    host.settle()
    assert dict(link) == {"a": 1}
    host.map.command(op("@update(key:b) 2"))
    host.map.command(op("@remove(key:a)"))
    host.settle()

    assert dict(link) == {"b": 2}
    assert link.age() == 0


def test_what_is_no_change_of_a_map_is_reported() -> None:
    host = Host()
    failed: list[LinkError] = []
    host.connect()
    host.channel.open(MapDownlink(NODE, "map", on={"failed": failed.append}))
    host.settle()
    for body in (" 5", "{a:1}", "@bogus(1)", "@move(from:1,to:2)"):
        host.say(f'@event(node:"/unit/1",lane:map){body}')

    assert [error.code for error in failed] == ["NT-LINK-506"] * 4


def test_empty_keys_and_values_are_taken() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := MapDownlink(NODE, "map"))
    host.settle()
    host.say('@event(node:"/unit/1",lane:map)@update(key:e)')
    host.say('@event(node:"/unit/1",lane:map)@update(key:) 5')
    host.say('@event(node:"/unit/1",lane:map)@update(key:f){x:1}')

    assert link["e"] is Extant
    assert link[Extant] == 5
    assert link["f"] == Record([Slot("x", 1)])


# ---------------------------------------------------------------------------- list


def test_a_list_is_a_sequence() -> None:
    host = Host()
    log, on = told("inserted", "updated", "moved", "removed", "cleared")
    host.connect()
    host.channel.open(link := ListDownlink(NODE, "list", form(str), on=on))
    host.settle()
    for value in "abc":
        link.append(value)
    host.settle()
    link.insert(1, "x")
    host.settle()
    assert list(link) == ["a", "x", "b", "c"] == link[0:4]
    link.set(1, "y")
    link.move(0, 2)
    host.settle()
    assert (link.snapshot(), link[0], len(link)) == (["y", "b", "a", "c"], "y", 4)
    link.remove(3)
    link.take(2)
    link.drop(1)
    host.settle()
    assert list(link) == ["b"]
    link.clear()
    host.settle()

    assert list(link) == host.list.values() == []
    assert log == [
        ("inserted", 0, "a"),
        ("inserted", 1, "b"),
        ("inserted", 2, "c"),
        ("inserted", 1, "x"),
        ("updated", 1, "y", "x"),
        ("moved", 0, 2, "a"),
        ("removed", 3, "c"),
        ("removed", 2, "a"),
        ("removed", 0, "y"),
        ("cleared", ["b"]),
    ]


def test_appended_elements_that_were_refused_do_not_count_for_ever() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := ListDownlink(NODE, "list"))
    host.settle()
    link.append("refused")
    host.inbox.clear()
    host.sent.clear()
    host.now_s += 6
    link.append("a")
    link.append("b")
    host.settle()

    assert list(link) == ["a", "b"]
    assert ["index:0" in text or "index:1" in text for text in host.sent] == [True, True]


def test_a_list_takes_what_java_leaves_out() -> None:
    host = Host()
    host.connect()
    host.channel.open(link := ListDownlink(NODE, "list"))
    host.settle()
    for body in (
        "@update(key:k0,index:0) a",
        "@update(index:1) b",
        "@update(index:2,key:) c",
        "@update(index:1) bb",
        "@move(from:0,to:2,key:)",
        "@remove(index:0,key:)",
        "@remove(index:5,key:unknown)",
    ):
        host.say(f'@event(node:"/unit/1",lane:list){body}')

    assert list(link) == ["c", "a"]


def test_a_resync_of_a_list_shows_the_old_state_and_tells_the_difference() -> None:
    host = Host()
    log, on = told("inserted", "updated", "moved", "removed", "cleared")
    host.list.elements = [("k1", "a"), ("k2", "b"), ("k3", "c"), ("k4", "d")]
    host.list.has_lost = True
    host.connect()
    host.channel.open(link := ListDownlink(NODE, "list", on=on))
    host.settle()
    host.cut()
    log.clear()
    host.list.elements = [("k4", "d"), ("k1", "aa"), ("k9", "x"), ("k3", "c")]
    host.connect()
    while len(host.outbox) != 1:
        host.read() if host.inbox else host.deliver()
    assert list(link) == ["a", "b", "c", "d"]
    host.settle()

    assert list(link) == ["d", "aa", "x", "c"]
    assert log == [("removed", 1, "b"), ("moved", 2, 0, "d"), ("updated", 1, "aa", "a"), ("inserted", 2, "x")]


def test_elements_that_do_not_fit_keep_their_place() -> None:
    host = Host()
    failed: list[LinkError] = []
    host.list.elements = [("k1", 1), ("k2", "no number"), ("k3", 3)]
    host.connect()
    host.channel.open(link := ListDownlink(NODE, "list", form(int), on={"failed": failed.append}))
    host.settle()
    host.now_s += 4
    host.channel.heard()
    assert list(link) == [1, None, 3]
    assert [error.code for error in failed] == ["NT-LINK-504"]
    assert link.age() == 4
    host.list.command(op("@update(index:0,key:k1) text"))
    host.settle()
    assert list(link) == [1, None, 3]
    host.list.command(op("@update(index:1,key:k2) 2"))
    host.list.command(op("@update(index:0,key:k1) 1"))
    host.settle()

    assert list(link) == [1, 2, 3]
    assert link.age() == 0


def test_what_is_no_change_of_a_list_is_reported() -> None:
    host = Host()
    failed: list[LinkError] = []
    host.connect()
    host.channel.open(ListDownlink(NODE, "list", on={"failed": failed.append}))
    host.settle()
    host.say('@event(node:"/unit/1",lane:list) 5')

    assert [error.code for error in failed] == ["NT-LINK-506"]


# ---------------------------------------------------------------------------- changes


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
