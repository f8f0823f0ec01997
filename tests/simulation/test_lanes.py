"""Random programs of commands, failures, slow peers, crashes and restarts against a plain model.

Invariants: a lane equals its model after every step; what a link shows, once settled, equals the lane; a crash loses nothing that was
acknowledged and keeps nothing that was rolled back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import natant.codec.form
import natant.testing
from natant import Agent, Plane, command, lane
from natant.errors import TurnError
from natant.link.downlink import ListDownlink, MapDownlink, ValueDownlink
from natant.testing import Peer, TestPlane


class Box(Agent, route="/box/{id}"):
    value = lane.value(int, 0)
    map = lane.map(str, int)
    newest = lane.map(int, int, keep=3)
    list = lane.list(int)
    tail = lane.list(int, keep=3)
    copy = lane.join_map(str, int)

    @command
    def do(self, program: Sequence[tuple[str, int, int]]) -> None:
        for op, a, b in program:
            apply(op, a, b, (self.map, self.newest, self.list, self.tail))
            self.value += 1
            if op == "raise":
                raise RuntimeError("planned")

    @command
    def watch(self, node: str) -> None:
        self.copy.join(node, "map")


def apply(op: str, a: int, b: int, parts: tuple[Any, Any, Any, Any]) -> None:
    entries, newest, items, tail = parts
    size = len(items)
    if op == "put":
        entries[f"k{a}"] = b
    elif op == "pop":
        entries.pop(f"k{a}", None)
    elif op == "clear":
        entries.clear()
        items.clear()
    elif op == "drop":
        entries.drop(a)
    elif op == "take":
        entries.take(a)
    elif op == "recent":
        newest[a] = b
    elif op == "append":
        items.append(b)
        tail.append(b)
    elif op == "insert":
        items.insert(a % (size + 1), b)
    elif op == "set" and size:
        items[a % size] = b
    elif op == "delete" and size:
        del items[a % size]
    elif op == "move" and size:
        items.move(a % size, b % size)
    elif op == "shorten":
        items.drop(a % 3)


class ModelMap(dict[str, int]):
    def drop(self, count: int) -> None:
        for key in sorted(self)[:count]:
            del self[key]

    def take(self, count: int) -> None:
        for key in sorted(self)[count:]:
            del self[key]


class ModelNewest(dict[int, int]):
    def __setitem__(self, key: int, value: int) -> None:
        self.pop(key, None)
        super().__setitem__(key, value)
        while len(self) > 3:
            del self[next(iter(self))]


class ModelList(list[int]):
    def move(self, source: int, target: int) -> None:
        self.insert(target, self.pop(source))

    def drop(self, count: int) -> None:
        del self[:count]


class ModelTail(list[int]):
    def append(self, value: int) -> None:
        super().append(value)
        del self[:-3]


class Model:
    def __init__(self) -> None:
        self.steps = 0
        self.parts: tuple[Any, ...] = (ModelMap(), ModelNewest(), ModelList(), ModelTail())

    def run(self, program: list[tuple[str, int, int]]) -> None:
        if any(op == "raise" for op, _, _ in program):
            return
        for op, a, b in program:
            apply(op, a, b, self.parts)
            self.steps += 1


OPS = [
    "put",
    "put",
    "pop",
    "clear",
    "drop",
    "take",
    "recent",
    "append",
    "append",
    "insert",
    "set",
    "delete",
    "move",
    "shorten",
    "raise",
]
PROGRAM = st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=5)
STEP = st.one_of(
    st.tuples(st.just("do"), PROGRAM),
    st.tuples(st.just("do"), PROGRAM),
    st.tuples(st.sampled_from(["crash", "restart", "pause", "resume", "link", "idle"]), st.just([])),
)


class Watcher:
    """A peer with a downlink to each lane."""

    def __init__(self, p: TestPlane) -> None:
        self.peer: Peer[Any] = p.connect()
        form = natant.codec.form.form
        self.value: ValueDownlink[int] = ValueDownlink("/box/1", "value", form(int))
        self.map: MapDownlink[str, int] = MapDownlink("/box/1", "map", (form(str), form(int)))
        self.newest: MapDownlink[int, int] = MapDownlink("/box/1", "newest", (form(int), form(int)))
        self.list: ListDownlink[int] = ListDownlink("/box/1", "list", form(int))
        self.copy: MapDownlink[str, int] = MapDownlink("/box/2", "copy", (form(str), form(int)))
        self.all = (self.value, self.map, self.newest, self.list, self.copy)
        for downlink in self.all:
            self.peer.channel.open(downlink)

    def check(self, model: Model) -> None:
        entries, newest, items, _ = model.parts
        assert all(downlink.is_synced for downlink in self.all)
        assert self.value.get() == model.steps
        assert dict(self.map) == dict(entries)
        assert dict(self.newest) == dict(newest)
        assert list(self.list) == list(items)
        assert dict(self.copy) == dict(entries)


async def simulate(steps: list[tuple[str, Any]]) -> None:
    app = Plane("boxes", [Box])
    model = Model()
    watchers: list[Watcher] = []
    async with natant.testing.plane(app) as p:
        await p.command("/box/2", "watch", "/box/1")
        for kind, program in steps:
            if kind == "do":
                try:
                    await p.command("/box/1", "do", program)
                    model.run(program)
                except TurnError:
                    assert any(op == "raise" for op, _, _ in program)
            elif kind in ("crash", "restart"):
                await (p.crash() if kind == "crash" else p.restart())
                watchers = []
            elif kind == "link":
                watchers.append(Watcher(p))
            elif kind == "idle":
                await p.clock.jump(1000)
            for watcher in watchers if kind in ("pause", "resume") else []:
                watcher.peer.is_paused = kind == "pause"
                watcher.peer.session.resume()
        for watcher in watchers:
            watcher.peer.is_paused = False
            watcher.peer.session.resume()
        await p.clock.settle()
        entries, newest, items, tail = model.parts
        for _ in range(2):
            assert await p.get("/box/1", "value") == model.steps
            assert await p.get("/box/1", "map") == dict(sorted(entries.items()))
            assert await p.get("/box/1", "newest") == dict(newest)
            assert await p.get("/box/1", "list") == list(items)
            assert await p.get("/box/1", "tail") == list(tail)
            assert await p.get("/box/2", "copy") == dict(entries)
            for watcher in watchers:
                watcher.check(model)
            await p.crash()
            watchers = []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, max_size=14))
def test_lanes_links_and_store_agree_with_the_model(steps: list[tuple[str, Any]]) -> None:
    asyncio.run(simulate(steps))
