"""A turn is a transaction: all of it or nothing, in order, once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

import natant.testing
from natant import Agent, NatantError, Plane, Refused, command, lane
from natant.errors import LaneError, TurnError


@dataclass(frozen=True)
class Transfer:
    to: str
    amount: int


class Account(Agent, route="/account/{id}"):
    id: str
    balance = lane.value(int, 0)
    history = lane.list(int)
    tags = lane.map(str, int)
    note = lane.value(str, volatile=True)

    @command
    def pay_in(self, amount: int) -> int:
        self.balance += amount
        self.history.append(amount)
        return self.balance

    @command
    def transfer(self, order: Transfer) -> None:
        if order.amount > self.balance:
            raise Refused(f"{self.id} has only {self.balance}")
        self.balance -= order.amount
        self.send(f"/account/{order.to}", "pay_in", order.amount)

    @command
    def fail_half_way(self, amount: int) -> None:
        self.balance += amount
        self.history.append(amount)
        self.history.insert(0, -amount)
        self.tags["a"] = amount
        self.tags.clear()
        self.tags["b"] = amount
        self.note = "never"
        self.send("/account/other", "pay_in", 1)
        raise RuntimeError("half way")

    @command
    async def slow(self, amount: int) -> int:
        self.balance += amount
        await asyncio.sleep(0)
        self.history.append(amount)
        return self.balance

    @command
    async def never(self) -> None:
        self.balance = -1
        await asyncio.Event().wait()

    @command
    async def with_task(self, amount: int) -> int:
        self.balance += amount
        doubled = await self.task(lambda: amount * 2)
        self.balance += doubled
        return self.balance

    @command
    async def task_fails(self) -> None:
        self.balance += 1
        await self.task(_raise)

    @command
    def start(self, amount: int) -> None:
        self.spawn(_double, amount, then=self.doubled)

    def doubled(self, amount: int) -> None:
        self.balance = amount

    @command
    def leak(self) -> None:
        self.spawn(_write_outside, self)

    @command
    def wrong(self) -> None:
        self.balance = "much"  # type: ignore[assignment]


def _raise() -> None:
    raise OSError("no network")


async def _double(amount: int) -> int:
    await asyncio.sleep(0)
    return amount * 2


def _write_outside(account: Account) -> None:
    account.balance = 1_000_000


PLANE = Plane("bank", [Account])


async def test_what_a_turn_did_is_seen_and_answered_after_its_commit() -> None:
    async with natant.testing.plane(PLANE) as p:
        outcome = await p.command("/account/a", "pay_in", 5)
        assert (outcome.value, outcome.is_duplicate) == (5, False)
        assert outcome.sequence > 0
        assert await p.get("/account/a", "balance") == 5


async def test_a_turn_that_raises_leaves_nothing_but_its_parked_input() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/account/a", "pay_in", 5)
        with pytest.raises(TurnError, match="NT-TURN-001") as caught:
            await p.command("/account/a", "fail_half_way", 7)
        assert await p.get("/account/a", "balance") == 5
        assert await p.get("/account/a", "history") == [5]
        assert await p.get("/account/a", "tags") == {}
        assert await p.get("/account/a", "note") is None
        assert await p.get("/account/other", "balance") == 0
        parked = await p.get("/account/a", "parked")
        assert list(parked) == [caught.value.context["parked"]]
        entry = parked[caught.value.context["parked"]]
        assert (entry.get("name"), entry.get("input"), entry.get("message")) == ("fail_half_way", 7, "half way")
        await p.crash()
        assert await p.get("/account/a", "balance") == 5
        assert await p.get("/account/a", "history") == [5]
        assert list(await p.get("/account/a", "parked")) == list(parked)


async def test_parked_work_can_be_done_again_and_dropped() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError):
            await p.command("/account/a", "fail_half_way", 7)
        (name,) = await p.get("/account/a", "parked")
        await p.command("/account/a", "parked.retry", name)
        parked = await p.get("/account/a", "parked")
        (again,) = parked
        assert again != name
        assert parked[again].get("attempt") == 2
        with pytest.raises(TurnError, match="NT-TURN-010"):
            await p.command("/account/a", "parked.drop", "nothing")
        await p.command("/account/a", "parked.drop", again)
        assert await p.get("/account/a", "parked") == {}


async def test_a_refusal_is_told_and_not_parked() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match=r"NT-TURN-010.*has only 0"):
            await p.command("/account/a", "transfer", Transfer("b", 1))
        assert await p.get("/account/a", "parked") == {}


async def test_a_body_of_the_wrong_type_is_refused_and_not_parked() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(NatantError, match="NT-FORM"):
            await p.command("/account/a", "pay_in", "five")
        assert await p.get("/account/a", "parked") == {}
        assert p.host.counters.form_errors == 1


async def test_a_lane_refuses_a_value_of_another_type() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match=r'NT-LANE-012|lane "balance" of /account/a got'):
            await p.command("/account/a", "wrong")


async def test_sums_agree_whatever_the_order_of_transfers() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/account/a", "pay_in", 100)
        for to in ("b", "c", "a"):
            await p.command("/account/a", "transfer", Transfer(to, 10))
        balances = [await p.get(f"/account/{name}", "balance") for name in "abc"]
        assert balances == [80, 10, 10]


async def test_a_command_id_makes_redelivery_harmless_even_across_a_crash() -> None:
    async with natant.testing.plane(PLANE) as p:
        first = await p.command("/account/a", "pay_in", 5, command_id="x1")
        again = await p.command("/account/a", "pay_in", 5, command_id="x1")
        await p.crash()
        later = await p.command("/account/a", "pay_in", 5, command_id="x1")
        assert [o.is_duplicate for o in (first, again, later)] == [False, True, True]
        assert [o.value for o in (first, again, later)] == [5, 5, 5]
        assert await p.get("/account/a", "balance") == 5


async def test_only_the_newest_ids_are_remembered() -> None:
    app = Plane("bank", [Account], config=natant.Config(id_window=3))
    async with natant.testing.plane(app) as p:
        for number in range(5):
            await p.command("/account/a", "pay_in", 1, command_id=f"x{number}")
        await p.crash()
        assert (await p.command("/account/a", "pay_in", 1, command_id="x4")).is_duplicate
        assert not (await p.command("/account/a", "pay_in", 1, command_id="x0")).is_duplicate


async def test_while_an_async_turn_is_open_other_work_waits() -> None:
    async with natant.testing.plane(PLANE) as p:
        outcomes = await asyncio.gather(
            p.host.command("/account/a", "slow", 1), p.host.command("/account/a", "pay_in", 10)
        )
        assert [o.value for o in outcomes] == [1, 11]
        assert await p.get("/account/a", "history") == [1, 10]


async def test_a_handler_that_never_returns_is_cancelled_rolled_back_and_parked() -> None:
    async with natant.testing.plane(PLANE) as p:
        pending = asyncio.ensure_future(p.host.command("/account/a", "never", natant.Absent))
        other = asyncio.ensure_future(p.host.command("/account/a", "pay_in", 3))
        await p.clock.jump(31)
        with pytest.raises(TurnError, match="NT-TURN-004"):
            await pending
        assert (await other).value == 3
        assert p.host.counters.timeouts == 1


async def test_a_task_frees_the_agent_and_comes_back_in_a_new_turn() -> None:
    async with natant.testing.plane(PLANE) as p:
        slow = asyncio.ensure_future(p.host.command("/account/a", "with_task", 1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        quick = await p.host.command("/account/a", "pay_in", 100)
        assert quick.value == 101
        assert (await slow).value == 103
        await p.crash()
        assert await p.get("/account/a", "balance") == 103


async def test_a_task_that_fails_parks_only_what_follows_it() -> None:
    async with natant.testing.plane(PLANE) as p:
        with pytest.raises(TurnError, match="no network"):
            await p.command("/account/a", "task_fails")
        assert await p.get("/account/a", "balance") == 1
        assert len(await p.get("/account/a", "parked")) == 1


async def test_spawned_work_gives_its_result_to_a_method() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/account/a", "start", 21)
        assert await p.get("/account/a", "balance") == 42


async def test_lanes_cannot_be_written_outside_a_turn() -> None:
    async with natant.testing.plane(PLANE) as p:
        await p.command("/account/a", "leak")
        (entry,) = (await p.get("/account/a", "parked")).values()
        assert entry.get("code") == "NT-LANE-001"
        account = p.host.kernel.require("/account/a")
        assert isinstance(account, Account)
        with pytest.raises(LaneError, match="NT-LANE-001"):
            account.balance = 3
        with pytest.raises(LaneError, match="NT-LANE-001"):
            account.send("/account/b", "pay_in", 1)


async def test_a_busy_agent_takes_only_so_much() -> None:
    app = Plane("bank", [Account], config=natant.Config(mailbox_limit=2))
    async with natant.testing.plane(app) as p:
        work = [asyncio.ensure_future(p.host.command("/account/a", "never", natant.Absent))]
        await asyncio.sleep(0)
        work += [asyncio.ensure_future(p.host.command("/account/a", "pay_in", 1)) for _ in range(3)]
        await p.clock.jump(40)
        results = await asyncio.gather(*work, return_exceptions=True)
        assert [getattr(r, "code", "ok") for r in results] == ["NT-TURN-004", "ok", "ok", "NT-TURN-007"]
