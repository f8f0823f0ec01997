"""Commands between agents and items of sources have their effect exactly once, whenever the process dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

import natant.testing
from natant import Agent, Config, Item, Plane, command, lane
from natant.errors import PlaneError, TurnError
from natant.kernel import key
from natant.store.memory import MemoryStore

GATE: list[asyncio.Event] = []


class Sender(Agent, route="/sender/{id}"):
    sent = lane.value(int, 0)

    @command
    def forward(self, target: str) -> None:
        self.sent += 1
        self.send(target, "take", self.sent)

    @command
    def only_forward(self, target: str) -> None:
        self.send(target, "take", 1)

    @command
    def item(self, number: int) -> None:
        self.sent += number
        self.send("/quick/sum", "take", number)

    @command
    def nothing(self, number: int) -> None:
        """Takes an item and changes nothing."""


class Quick(Agent, route="/quick/{id}"):
    taken = lane.list(int)

    @command
    def take(self, number: int) -> None:
        self.taken.append(number)


class Slow(Agent, route="/slow/{id}"):
    taken = lane.list(int)

    @command
    async def take(self, number: int) -> None:
        await GATE[0].wait()
        self.taken.append(number)


class PingPong(Agent, route="/ping/{id}"):
    id: str
    count = lane.value(int, 0)

    @command
    def ping(self) -> None:
        self.count += 1
        self.send("/ping/b" if self.id == "a" else "/ping/a", "ping")


CLASSES = [Sender, Quick, Slow, PingPong]
PLANE = Plane("post", CLASSES)


def outbox(store: MemoryStore) -> int:
    return sum(1 for _ in store.scan(key.OUTBOX))


async def test_what_is_done_within_the_tick_leaves_no_record() -> None:
    async with natant.testing.plane(PLANE) as p:
        for _ in range(5):
            await p.command("/sender/a", "forward", "/quick/x")
        assert await p.get("/quick/x", "taken") == [1, 2, 3, 4, 5]
        assert p.host.counters.outbox_records == 0


async def test_what_a_busy_agent_has_not_done_survives_a_crash() -> None:
    GATE[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        for _ in range(3):
            await p.command("/sender/a", "forward", "/slow/x")
        assert outbox(p.store) == 3
        await p.crash()
        assert await p.get("/sender/a", "sent") == 3
        GATE[0].set()
        await p.clock.settle()
        assert await p.get("/slow/x", "taken") == [1, 2, 3]
        assert outbox(p.store) == 0
        await p.crash()
        assert await p.get("/slow/x", "taken") == [1, 2, 3]


async def test_a_turn_that_only_sends_is_acknowledged_with_its_send_on_record() -> None:
    GATE[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        await p.command("/sender/a", "only_forward", "/slow/x")
        await p.crash()
        GATE[0].set()
        await p.clock.settle()
        assert await p.get("/slow/x", "taken") == [1]


async def test_a_send_to_nobody_is_dropped_and_counted() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/sender/a", "forward", "/nowhere")
        await p.command("/sender/a", "forward", "/sender/b")
        assert p.host.counters.sends_undeliverable == 2
        assert outbox(p.store) == 0


async def test_a_full_mailbox_is_the_senders_error() -> None:
    GATE[:] = [asyncio.Event()]
    app = Plane("post", CLASSES, config=Config(mailbox_limit=1))
    async with natant.testing.plane(app) as p:
        await p.command("/sender/a", "forward", "/slow/x")
        await p.command("/sender/a", "forward", "/slow/x")
        with pytest.raises(TurnError, match="NT-TURN-007"):
            await p.command("/sender/a", "forward", "/slow/x")
        assert await p.get("/sender/a", "sent") == 2
        GATE[0].set()


async def test_endless_talk_does_not_stop_the_others() -> None:
    app = Plane("post", CLASSES, config=Config(tick_budget=10))
    async with natant.testing.plane(app) as p:
        await p.host.command("/ping/a", "ping", natant.Absent)
        outcome = await p.host.command("/sender/a", "forward", "/quick/x")
        assert outcome.sequence > 0
        first = p.host.kernel.counter.turns
        for _ in range(10):
            await asyncio.sleep(0)
        assert p.host.kernel.counter.turns > first
        p.host.kernel._runnable.clear()


def numbers(position: int) -> Iterator[Item]:
    for number in range(position + 1, 101):
        yield Item(number, f"/sender/{number % 7}", "item", number)


async def total(p: natant.testing.TestPlane) -> int:
    return sum([await p.get(f"/sender/{n}", "sent") for n in range(7)])


async def test_a_source_goes_on_where_the_journal_says() -> None:
    app = Plane("post", CLASSES)
    opened: list[int] = []

    @app.source("numbers")
    def source(position: int) -> Iterator[Item]:
        opened.append(position)
        for item in numbers(position):
            if len(opened) == 1 and item.position == 60:
                return
            yield item

    async with natant.testing.plane(app) as p:
        assert await total(p) == sum(range(60))
        await p.crash()
        assert opened == [0, 59]
        assert await total(p) == 5050
        assert sorted(await p.get("/quick/sum", "taken")) == list(range(1, 101))
        await p.crash()
        assert opened[-1] == 100
        assert await total(p) == 5050


async def test_a_source_at_a_speed_keeps_its_own_time() -> None:
    app = Plane("post", CLASSES)
    ended: list[bool] = []

    @app.source("timed", speed=10.0, ended=lambda: ended.append(True))
    async def source(position: int) -> AsyncIterator[Item]:
        for number in range(position, 5):
            yield Item(number + 1, "/quick/x", "take", number, at=1000.0 + 100.0 * number)

    async with natant.testing.plane(app) as p:
        assert await p.get("/quick/x", "taken") == [0]
        await p.clock.jump(25)
        assert await p.get("/quick/x", "taken") == [0, 1, 2]
        await p.clock.jump(100)
        assert await p.get("/quick/x", "taken") == [0, 1, 2, 3, 4]
        assert ended == [True]


async def test_a_source_that_raises_is_opened_again_where_it_was() -> None:
    app = Plane("post", CLASSES)
    tries: list[int] = []

    @app.source("flaky")
    def source(position: int) -> Iterator[Item]:
        tries.append(position)
        for number in range(position, 4):
            if number == 2 and len(tries) < 3:
                raise ConnectionError("away")
            yield Item(number + 1, "/quick/x", "take", number)

    async with natant.testing.plane(app) as p:
        assert p.host.pumps[0].error is not None
        assert p.host.pumps[0].error.code == "NT-SOURCE-001"
        await p.clock.jump(10)
        assert tries == [0, 2, 2]
        assert await p.get("/quick/x", "taken") == [0, 1, 2, 3]


async def test_items_that_change_nothing_move_the_position_too() -> None:
    app = Plane("post", CLASSES)
    opened: list[int] = []

    @app.source("idle")
    def source(position: int) -> Iterator[Item]:
        opened.append(position)
        for number in range(position, 3):
            yield Item(number + 1, "/sender/a", "nothing", number)

    async with natant.testing.plane(app) as p:
        await p.crash()
        assert opened == [0, 3]


def test_source_names_differ() -> None:
    app = Plane("post", CLASSES)
    app.source("a")(numbers)
    with pytest.raises(PlaneError, match="NT-PLANE-009"):
        app.source("a")(numbers)
