"""List downlinks: the sequence, what hosts leave out, resync, misfits."""

from __future__ import annotations

from typing import Any

from natant.codec import recon
from natant.codec.form import form
from natant.errors import LinkError
from natant.link.downlink import ListDownlink
from tests.unit.link.peer import NODE, Host


def op(text: str) -> Any:
    return recon.decode(text)


def told(*names: str) -> tuple[list[Any], dict[str, Any]]:
    """A log, and callbacks of these names that write to it."""
    log: list[Any] = []

    def callback(name: str) -> Any:
        return lambda *args: log.append((name, *args))

    return log, {name: callback(name) for name in names}


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
