"""Downlinks against a lane that changes, over a wire that is cut at any moment.

Whatever happens, once all is quiet a synced downlink equals the lane; and whoever follows its callbacks holds what it shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from natant.codec import recon
from natant.codec.warp import operation
from natant.link.downlink import ListDownlink, MapDownlink, ValueDownlink
from tests.unit.link.peer import NODE, Host

keys = st.sampled_from(["a", "b", "c", "d", "e", 1, 2, 1.5])
values = st.integers(0, 5)
counts = st.integers(0, 4)


class MapMirror:
    """What follows the callbacks of a map."""

    def __init__(self) -> None:
        self.entries: dict[Any, Any] = {}
        self.on: dict[str, Callable[..., object]] = {
            "updated": self.updated,
            "removed": self.removed,
            "cleared": self.cleared,
        }

    def updated(self, key: Any, new: Any, old: Any) -> None:
        assert self.entries.get(key) == old
        self.entries[key] = new

    def removed(self, key: Any, old: Any) -> None:
        assert self.entries.pop(key) == old

    def cleared(self, old: list[Any]) -> None:
        assert dict(old) == self.entries
        self.entries.clear()


class ListMirror:
    """What follows the callbacks of a list."""

    def __init__(self) -> None:
        self.elements: list[Any] = []
        self.on: dict[str, Callable[..., object]] = {
            "inserted": self.elements.insert,
            "updated": self.updated,
            "moved": self.moved,
            "removed": self.removed,
            "cleared": self.cleared,
        }

    def updated(self, index: int, new: Any, old: Any) -> None:
        assert self.elements[index] == old
        self.elements[index] = new

    def moved(self, source: int, to: int, value: Any) -> None:
        assert self.elements.pop(source) == value
        self.elements.insert(to, value)

    def removed(self, index: int, old: Any) -> None:
        assert self.elements.pop(index) == old

    def cleared(self, old: list[Any]) -> None:
        assert old == self.elements
        self.elements.clear()


class Links(RuleBasedStateMachine):
    """A host, a channel to it, and downlinks that come and go."""

    @initialize(is_lazy=st.booleans(), clears=st.booleans())
    def start(self, is_lazy: bool, clears: bool) -> None:
        self.host = Host(is_lazy=is_lazy, clears=clears)
        self.maps: list[tuple[MapDownlink[Any, Any], MapMirror]] = []
        self.lists: list[tuple[ListDownlink[Any], ListMirror]] = []
        self.values: list[ValueDownlink[Any]] = []
        self.fresh = 0

    # the wire

    @precondition(lambda self: not self.host.channel.is_connected)
    @rule()
    def connect(self) -> None:
        self.host.connect()

    @precondition(lambda self: self.host.channel.is_connected)
    @rule()
    def cut(self) -> None:
        self.host.cut()

    @precondition(lambda self: self.host.inbox)
    @rule(count=st.integers(1, 3))
    def read(self, count: int) -> None:
        for _ in range(min(count, len(self.host.inbox))):
            self.host.read()

    @precondition(lambda self: self.host.outbox)
    @rule(count=st.integers(1, 5))
    def deliver(self, count: int) -> None:
        for _ in range(min(count, len(self.host.outbox))):
            self.host.deliver()

    @precondition(lambda self: self.host.map.syncs)
    @rule()
    def advance(self) -> None:
        self.host.map.advance()

    @rule()
    def settle(self) -> None:
        self.host.settle()
        if not self.host.channel.is_connected:
            return
        for link, _ in self.maps:
            assert link.is_synced
            assert dict(link) == self.host.map.entries
        for list_link, _ in self.lists:
            assert list_link.is_synced
            assert list(list_link) == self.host.list.values()
        for value_link in self.values:
            assert value_link.is_synced
            assert value_link._body == self.host.value.value

    # the host's lanes

    @rule(value=values)
    def set_value(self, value: int) -> None:
        self.host.value.command(value)

    @rule(key=keys, value=values)
    def put(self, key: Any, value: int) -> None:
        self.host.map.command(recon.decode(operation.update(recon.encode(key), recon.encode_body(value))))

    @rule(key=keys)
    def remove(self, key: Any) -> None:
        self.host.map.command(recon.decode(operation.remove(recon.encode(key))))

    @rule(text=st.one_of(st.just("@clear"), counts.map("@take({})".format), counts.map("@drop({})".format)))
    def cut_map(self, text: str) -> None:
        self.host.map.command(recon.decode(text))

    @rule(at=st.integers(0, 4), value=values)
    def insert(self, at: int, value: int) -> None:
        self.fresh += 1
        index = min(at, len(self.host.list.elements))
        self.host.list.command(recon.decode(operation.list_update(index, f"k{self.fresh}", recon.encode_body(value))))

    @precondition(lambda self: self.host.list.elements)
    @rule(at=st.integers(0, 4), to=st.integers(0, 4), value=values, what=st.sampled_from(["set", "move", "remove"]))
    def change_list(self, at: int, to: int, value: int, what: str) -> None:
        elements = self.host.list.elements
        index, target = min(at, len(elements) - 1), min(to, len(elements) - 1)
        key = elements[index][0]
        text = {
            "set": operation.list_update(index, key, recon.encode_body(value)),
            "move": operation.list_move(index, target, key),
            "remove": operation.list_remove(index, key),
        }[what]
        self.host.list.command(recon.decode(text))

    @rule(text=st.one_of(st.just("@clear"), counts.map("@take({})".format), counts.map("@drop({})".format)))
    def cut_list(self, text: str) -> None:
        self.host.list.command(recon.decode(text))

    # the downlinks

    @precondition(lambda self: len(self.maps) < 3)
    @rule()
    def open_map(self) -> None:
        mirror = MapMirror()
        link: MapDownlink[Any, Any] = MapDownlink(NODE, "map", on=mirror.on)
        self.host.channel.open(link)
        self.maps.append((link, mirror))

    @precondition(lambda self: len(self.lists) < 3)
    @rule()
    def open_list(self) -> None:
        mirror = ListMirror()
        link: ListDownlink[Any] = ListDownlink(NODE, "list", on=mirror.on)
        self.host.channel.open(link)
        self.lists.append((link, mirror))

    @precondition(lambda self: len(self.values) < 3)
    @rule()
    def open_value(self) -> None:
        link: ValueDownlink[Any] = ValueDownlink(NODE, "value")
        self.host.channel.open(link)
        self.values.append(link)

    @precondition(lambda self: self.maps)
    @rule()
    def close_map(self) -> None:
        self.host.channel.close(self.maps.pop()[0])

    @precondition(lambda self: self.lists)
    @rule()
    def close_list(self) -> None:
        self.host.channel.close(self.lists.pop()[0])

    @precondition(lambda self: self.maps)
    @rule()
    def reopen_map(self) -> None:
        link, mirror = self.maps.pop()
        self.host.channel.close(link)
        self.host.channel.open(link)
        self.maps.append((link, mirror))

    @precondition(lambda self: self.maps)
    @rule(key=keys, value=values)
    def put_through(self, key: Any, value: int) -> None:
        self.maps[0][0].put(key, value)

    # what always holds

    @invariant()
    def followers_hold_what_is_shown(self) -> None:
        if not hasattr(self, "host"):
            return
        for link, mirror in self.maps:
            assert mirror.entries == dict(link)
            assert len(link) == len(mirror.entries)
        for list_link, list_mirror in self.lists:
            assert list_mirror.elements == list(list_link)
        assert not self.host.faults
        assert all(link.misfits == 0 for link, _ in self.maps)


TestLinks = Links.TestCase
TestLinks.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
