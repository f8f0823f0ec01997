"""Agents that end themselves, under crashes, on every kind of store: an end is whole, and what was acknowledged is counted once.

Each box counts what is put into it, in several lanes and with a timer; a box that ends tells a ledger what it held, in its last turn.  At every crash,
and at the end, a box in the store is whole or not there, and what the boxes hold and the ledger knows add up to what was put in.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

import natant.testing
from natant import Agent, Plane, command, lane
from natant.errors import NatantError
from natant.host import Host
from natant.kernel import key
from natant.lane.base import to_value
from natant.store.rocks import RocksStore
from natant.testing import VirtualClock
from tests.simulation.harness import Disk, Facade, SlowEnv, stored_int

BOXES = ("/box/a", "/box/b", "/box/ab")
STEPS = 60


class Box(Agent, route="/box/{id}"):
    """Counts what is put into it."""

    count = lane.value(int, default=0)
    parts = lane.map(int, str)
    names = lane.list(str)

    @command
    def put(self, name: str) -> None:
        self.count += 1
        self.parts[self.count] = name
        self.names.append(name)
        self.after(1000, self.end, name="end")

    @command
    async def put_slowly(self, name: str) -> None:
        await asyncio.sleep(0)
        self.put(name)
        await asyncio.sleep(0)

    @command
    def end(self) -> None:
        """Tell what there was, and go."""
        self.send("/ledger", "note", list(self.names))
        self.remove()

    @command
    def end_badly(self) -> None:
        self.remove()
        raise ValueError("as asked")


class Ledger(Agent, route="/ledger"):
    """Knows what ended boxes held."""

    names = lane.map(str, int)

    @command
    def note(self, names: list[str]) -> None:
        for name in names:
            self.names[name] = self.names.get(name, 0) + 1


def boxes() -> Plane:
    """The plane."""
    return Plane("boxes", [Box, Ledger])


class World:
    """One run."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.disk = Disk()
        self.asked: dict[str, tuple[str, str]] = {}
        self.done: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.host: Host
        self.env: SlowEnv
        self.facade: Facade

    async def start(self) -> None:
        """A host on what the disk holds."""
        self.env = SlowEnv(1_000_000.0, self.random.randrange(2**32))
        self.facade = Facade(self.disk)
        self.host = Host(boxes(), store=self.facade, env=self.env)
        await self.host.start()

    def ask(self, name: str) -> None:
        """Send a command, perhaps once more, under its own id."""
        node, what = self.asked[name]
        task = asyncio.ensure_future(self._ask(self.host, name, node, what))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _ask(self, host: Host, name: str, node: str, what: str) -> None:
        value = to_value(name) if what.startswith("put") else to_value(None)
        try:
            await host.command(node, what, value, command_id=name)
        except NatantError:
            return
        self.done.add(name)

    def crash(self) -> None:
        """Lose the host; the disk must make sense."""
        self.facade.is_lost = self.env.is_dead = True
        for task in self.tasks:
            task.cancel()
        self.tasks.clear()
        assert self.host.counters.faults == 0
        self.host.kernel.shut()
        self.host.kernel.halt()
        for node in BOXES:
            self._check_box(node)

    def _check_box(self, node: str) -> None:
        """A box is whole, or there is nothing of it."""
        start = node.encode() + b"\0"
        rows = [stored for stored, _ in self.disk.scan(key.LANE + start)]
        is_known = self.disk.get(key.node_key(node)) is not None
        count = stored_int(self.disk, node, "count")
        parts = [stored for stored in rows if b"\0parts\0" in stored]
        assert len(parts) == count, f"{node} counts {count} and has {len(parts)} parts"
        if not is_known:
            assert not rows
            assert not list(self.disk.scan(key.TIMER + start))
            assert not list(self.disk.scan(key.ID + start))


async def run(seed: int) -> None:
    """One world from its beginning to its end."""
    world = World(seed)
    await world.start()
    random = world.random
    for step in range(STEPS):
        roll = random.random()
        if roll < 0.75:
            name = f"n{step}"
            world.asked[name] = (
                random.choice(BOXES),
                random.choice(("put", "put", "put_slowly", "end", "end_badly")),
            )
            world.ask(name)
        elif roll < 0.9:
            for _ in range(random.randrange(6)):
                await asyncio.sleep(0)
        else:
            world.crash()
            await world.start()
    for name, (_, what) in world.asked.items():
        if what.startswith("put") and name not in world.done:
            world.ask(name)  # it may have been done: its id tells, or its box has ended
            await VirtualClock(world.env).settle()
    await VirtualClock(world.env).jump(5000)
    assert not world.host.kernel.leaving
    assert world.host.counters.faults == 0
    held: Any = await world.host.read("/ledger", "names")
    counts = {slot.key: slot.value for slot in held.items}
    puts = {name for name, (_, what) in world.asked.items() if what.startswith("put")}
    assert set(counts) == puts
    acknowledged = {name: count for name, count in counts.items() if count != 1 and name in world.done}
    # What was asked again after its box had ended may be in two boxes; what was answered the first time is in one.
    assert all(count <= 2 for count in counts.values()), counts
    assert not {name for name in acknowledged if counts[name] < 1}
    world.crash()
    assert not any(list(world.disk.scan(start + b"/box/")) for start in (key.LANE, key.ID, key.TIMER, key.NODE))


@pytest.mark.parametrize("block", range(6))
async def test_an_end_is_whole(block: int) -> None:
    for seed in range(block * 10, block * 10 + 10):
        await run(seed)


async def test_on_rocksdb(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    async with natant.testing.plane(boxes(), store=store) as plane:  # type: ignore[arg-type]
        for name in ("x", "y"):
            await plane.command("/box/a", "put", name, command_id=name)
            await plane.command("/box/ab", "put", name)
        await plane.command("/box/a", "end")
        assert await plane.get("/box/a", "count") == 0
        assert await plane.get("/ledger", "names") == {"x": 1, "y": 1}
    store.close()
    again = RocksStore(tmp_path)
    try:
        assert not any(list(again.scan(start + b"/box/a\0")) for start in (key.LANE, key.ID, key.TIMER))
        assert again.get(key.node_key("/box/a")) is None
        assert len(list(again.scan(key.LANE + b"/box/ab\0"))) > 2
    finally:
        again.close()


async def test_on_a_journal_whose_owner_dies() -> None:
    async with natant.testing.cluster(boxes(), workers=3) as plane:
        await plane.settle()
        for number in range(6):
            node = f"/box/{number}"
            await plane.command(node, "put", f"x{number}", through=number % 3)
            await plane.command(node, "end", through=(number + 1) % 3)
            assert await plane.get(node, "count", through=(number + 2) % 3) == 0
        await plane.command("/box/0", "put", "new")
        victim = plane.owner("/box/0")
        assert victim is not None
        plane.kill(victim)
        await plane.settle()
        assert await plane.get("/box/0", "names") == ["new"]
        for number in range(1, 6):
            assert await plane.get(f"/box/{number}", "count") == 0
        assert await plane.get("/ledger", "names") == {f"x{number}": 1 for number in range(6)}
