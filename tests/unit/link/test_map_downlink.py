"""Map downlinks: the mapping, Recon order, resync, misfits."""

from __future__ import annotations

from typing import Any

import pytest

from natant.codec import recon
from natant.codec.form import form
from natant.codec.recon.value import Extant, Record, Slot
from natant.errors import LinkError
from natant.link.downlink import MapDownlink
from tests.unit.link.peer import NODE, Host


def op(text: str) -> Any:
    return recon.decode(text)


def told(*names: str) -> tuple[list[Any], dict[str, Any]]:
    """A log, and callbacks of these names that write to it."""
    log: list[Any] = []

    def callback(name: str) -> Any:
        return lambda *args: log.append((name, *args))

    return log, {name: callback(name) for name in names}


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
