"""Command ids: done once, answered each time, also where the handler goes on after a task."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

import natant.testing
from natant import Agent, Config, Plane, command, lane
from natant.errors import StoreError, TurnError
from natant.store.memory import MemoryStore
from natant.testing import TestPlane

GATES: list[asyncio.Event] = []


@dataclass(frozen=True)
class Receipt:
    total: int


class Till(Agent, route="/till/{id}"):
    total = lane.value(int, 0)

    @command
    def pay(self, amount: int) -> int:
        self.total += amount
        return self.total

    @command
    async def pay_slowly(self, amount: int) -> Receipt:
        self.total += amount
        await asyncio.sleep(0)
        return Receipt(self.total)

    @command
    async def pay_abroad(self, amount: int) -> int:
        self.total += amount
        await self.task(self.ask_bank, amount)
        self.total += 100
        return self.total

    async def ask_bank(self, amount: int) -> None:
        await GATES[0].wait()
        if amount > 10:
            raise OSError("no money")

    @command
    async def answer_strangely(self) -> object:
        return object()


PLANE = Plane("tills", [Till], config=Config(id_window=3))


def pay(p: TestPlane, name: str, amount: int, command_id: str) -> asyncio.Future[natant.Outcome]:
    return asyncio.ensure_future(p.host.command("/till/1", name, amount, command_id=command_id))


async def test_the_answer_of_an_async_handler_is_a_value_the_first_time_and_again() -> None:
    async with natant.testing.plane(PLANE) as p:
        first = await p.command("/till/1", "pay_slowly", 3, command_id="a")
        await p.crash()
        again = await p.command("/till/1", "pay_slowly", 3, command_id="a")
        assert first.value == again.value == natant.Record.of({"total": 3})
        assert again.is_duplicate


async def test_an_answer_that_is_no_value_is_the_handlers_error() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="NT-TURN-001"):
            await p.command("/till/1", "answer_strangely")


async def test_who_asks_again_while_the_task_runs_gets_the_same_answer() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        first = pay(p, "pay_abroad", 5, "a")
        await p.clock.settle()
        again = pay(p, "pay_abroad", 5, "a")
        await p.clock.settle()
        assert not first.done()
        assert not again.done()
        GATES[0].set()
        await p.clock.settle()
        assert [(await asked).value for asked in (first, again)] == [105, 105]
        assert [(await asked).is_duplicate for asked in (first, again)] == [False, True]
        await p.crash()
        assert (await pay(p, "pay_abroad", 5, "a")).value == 105
        assert await p.get("/till/1", "total") == 105


async def test_a_task_that_failed_is_not_taken_for_success() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        first = pay(p, "pay_abroad", 50, "a")
        await p.clock.settle()
        again = pay(p, "pay_abroad", 50, "a")
        GATES[0].set()
        await p.clock.settle()
        for asked in (first, again, pay(p, "pay_abroad", 50, "a")):
            with pytest.raises(TurnError, match=r"NT-TURN-001.*no money"):
                await asked
        await p.crash()
        with pytest.raises(TurnError, match="NT-TURN-016"):
            await pay(p, "pay_abroad", 50, "a")
        assert await p.get("/till/1", "total") == 50


async def test_a_crash_in_the_task_is_told_and_nothing_is_done_twice() -> None:
    GATES[:] = [asyncio.Event()]
    async with natant.testing.plane(PLANE) as p:
        first = pay(p, "pay_abroad", 5, "a")
        await p.clock.settle()
        await p.crash()
        await p.clock.settle()
        with pytest.raises(TurnError, match="NT-TURN-016"):
            await first
        GATES[0].set()
        for _ in range(2):
            with pytest.raises(TurnError, match="NT-TURN-016"):
                await pay(p, "pay_abroad", 5, "a")
        assert await p.get("/till/1", "total") == 5


async def test_a_command_that_failed_may_be_tried_again_under_its_id() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(natant.NatantError):
            await p.command("/till/1", "pay", "much", command_id="a")
        assert not (await p.command("/till/1", "pay", 1, command_id="a")).is_duplicate


@pytest.mark.parametrize("command_id", ["a\0b", "ä ö", "\ud800", "x" * 1000, "~", "+1"])
async def test_ids_are_any_texts(command_id: str) -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/till/1", "pay", 1, command_id=command_id)
        await p.crash()
        assert (await p.command("/till/1", "pay", 1, command_id=command_id)).is_duplicate
        assert await p.get("/till/1", "total") == 1


async def test_the_window_is_bounded_in_memory_and_store() -> None:
    async with natant.testing.plane(PLANE) as p:
        for number in range(20):
            await p.command("/till/1", "pay", 1, command_id=f"a{number}")
        assert len(list(p.store.scan(b"i"))) == 3
        await p.clock.jump(1000)
        assert p.host.kernel.ids._windows == {}
        assert (await p.command("/till/1", "pay", 1, command_id="a19")).is_duplicate


async def test_ids_that_cannot_be_read_refuse_commands_with_ids_only() -> None:
    class Store(MemoryStore):
        is_corrupt = False

        def scan(self, prefix: bytes) -> object:  # type: ignore[override]
            if self.is_corrupt and prefix.startswith(b"i"):
                raise StoreError("NT-STORE-004", "damaged")
            return super().scan(prefix)

    store = Store()
    async with natant.testing.plane(PLANE, store=store) as p:
        await p.command("/till/1", "pay", 1, command_id="a")
        await p.crash()
        store.is_corrupt = True
        with pytest.raises(StoreError, match="NT-STORE-004"):
            await p.command("/till/1", "pay", 1, command_id="a")
        assert (await p.command("/till/1", "pay", 1)).value == 2


async def test_a_volatile_plane_remembers_ids_too() -> None:
    async with natant.testing.plane(PLANE, volatile=True) as p:
        await p.command("/till/1", "pay", 1, command_id="a")
        assert (await p.command("/till/1", "pay", 1, command_id="a")).is_duplicate
