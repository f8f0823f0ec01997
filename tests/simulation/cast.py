"""The agents of the simulated world: accounts that give to each other, in every way in which agents can work.

What one gives another gets, so the sum over all agents, the outbox and the parked lanes equals what the source brought.  Every
move between two agents has a number, so that a loss, a repetition or a wrong order is seen by the agent that gets it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from natant import Agent, Config, Item, Plane, after, command, every, lane

__all__ = ["ACCOUNTS", "FED", "LONG", "SCRIBBLES", "Account", "Mood", "Move", "Order", "make_plane"]

ACCOUNTS = ("/quick/0", "/quick/1", "/quick/2", "/slow/0", "/slow/1", "/tasked/0")
#: what :meth:`Account.scribble` can do
SCRIBBLES = ("put", "put", "put", "pop", "insert", "clear", "take", "drop", "move", "move", "set", "delete")
#: what the source brings with each item
FED = 3
#: as many naps last until the gate is opened
LONG = 5


@dataclass(frozen=True)
class Move:
    """An amount on its way; ``number`` counts what ``sender`` gave this target, 0 for a move whose order does not matter."""

    sender: str
    number: int
    amount: int
    name: str = ""


@dataclass(frozen=True)
class Order:
    """What a client asks of an account."""

    name: str
    moves: list[tuple[str, int]] = field(default_factory=list)
    must_fail: bool = False
    naps: int = 0
    scribbles: list[tuple[str, int, int]] = field(default_factory=list)


class Mood:
    """What the agents of one world share with their test: what they refuse for now, and how far the source has come."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.feed = 0
        self.is_fed = asyncio.Event()
        #: what long work waits for
        self.gate = asyncio.Event()


class Account(Agent):
    """What all accounts do alike."""

    mood: Mood

    balance = lane.value(int, 0)
    #: grows with each change, so that who sees it can tell whether it is in the store
    version = lane.value(int, 0)
    #: how often each order was done
    done = lane.map(str, int)
    given = lane.map(str, int)
    taken = lane.map(str, int)
    wrong = lane.list(str)
    history = lane.list(int, keep=5)
    newest = lane.map(str, int, keep=4)
    fired = lane.map(str, int)
    notes = lane.map(int, int)
    row = lane.list(int)
    began = lane.value(int, 0)
    ended = lane.value(int, 0)
    ticks = lane.value(int, 0)
    once = lane.value(int, 0)
    moves = lane.supply(int)

    @version.changed
    def tell(self, new: int, old: int) -> None:
        self.moves.push(new)

    def give_all(self, order: Order) -> None:
        """Do an order."""
        self.done[order.name] = self.done.get(order.name, 0) + 1
        for target, amount in order.moves:
            number = self.given.get(target, 0) + 1
            self.given[target] = number
            self.balance -= amount
            self.send(target, "take", Move(self.node, number, amount, order.name))
        for op, a, b in order.scribbles:
            self.scribble(op, a, b)
        self.version += 1

    def scribble(self, op: str, a: int, b: int) -> None:
        """Change a map and a list in all ways there are."""
        row = self.row
        if op == "put":
            self.notes[a] = b
            row.append(b)
        elif op == "pop":
            self.notes.pop(a, None)
        elif op == "insert":
            row.insert(a, b)
        elif op == "clear":
            self.notes.clear()
            row.clear()
        elif op in ("take", "drop"):
            getattr(self.notes, op)(a)
            getattr(row, op)(b)
        elif len(row) > max(a, b):
            if op == "move":
                row.move(a, b)
            elif op == "set":
                row[a] = b
            else:
                del row[a]

    def get(self, move: Move) -> None:
        """Take an amount."""
        self.balance += move.amount
        self.version += 1
        if move.number:
            if move.number != self.taken.get(move.sender, 0) + 1:
                self.wrong.append(f"{move.sender} {move.number} after {self.taken.get(move.sender, 0)}")
            self.taken[move.sender] = move.number
        self.history.append(move.amount)
        self.newest[move.name or move.sender] = move.amount

    @command
    def give(self, order: Order) -> int:
        """Do an order in one turn."""
        self.give_all(order)
        if order.must_fail:
            raise RuntimeError("planned")
        return self.version

    @command
    async def give_slowly(self, order: Order) -> int:
        """Do an order in one turn that stays open for a while."""
        self.version += 1
        for _ in range(order.naps):
            await asyncio.sleep(0)
        self.give_all(order)
        for _ in range(order.naps):
            await asyncio.sleep(0)
        if order.must_fail:
            raise RuntimeError("planned")
        return self.version

    @command
    async def give_in_parts(self, order: Order) -> int:
        """Do an order, and say so in a second turn."""
        self.give_all(order)
        self.began += 1
        await self.task(self.nap, order.naps)
        self.ended += 1
        if order.must_fail:
            raise RuntimeError("planned")
        return self.version

    @command
    async def hang(self, order: Order) -> None:
        """Never return."""
        self.give_all(order)
        await asyncio.Event().wait()

    @command
    def remind(self, order: Order) -> None:
        """Have a timer fire once."""
        self.done[order.name] = self.done.get(order.name, 0) + 1
        self.after(order.naps, self.fire, order.name)

    @command
    def grudge(self, move: Move) -> None:
        """Take an amount, unless in the mood not to."""
        if move.name in self.mood.refused:
            raise RuntimeError("planned")
        self.get(Move(move.sender, 0, move.amount, move.name))

    @command
    def offend(self, order: Order) -> None:
        """Give where it may be refused."""
        self.done[order.name] = self.done.get(order.name, 0) + 1
        for target, amount in order.moves:
            self.balance -= amount
            self.send(target, "grudge", Move(self.node, 0, amount, order.name))

    def fire(self, name: str) -> None:
        """The timer of :meth:`remind`."""
        self.fired[name] = self.fired.get(name, 0) + 1

    async def nap(self, count: int) -> None:
        """Outside any turn."""
        for _ in range(count):
            await asyncio.sleep(0)
        if count == LONG:
            await self.mood.gate.wait()

    @every(seconds=130)
    def tick(self) -> None:
        """Give something by the clock."""
        self.ticks += 1
        self.give_all(Order("tick", [(ACCOUNTS[self.ticks % len(ACCOUNTS)], 1)]))

    @after(seconds=30)
    def first(self) -> None:
        """Runs once in the life of an agent, however often it is stopped."""
        self.once += 1


class Board(Agent, route="/board/{id}"):
    """Shows the balances of all, and copies one of them through a downlink."""

    balances = lane.join_value(str, int)
    all_done = lane.join_map(str, int)
    copied = lane.value(int)
    copies = lane.value(int, 0)

    def on_start(self) -> None:
        self.downlink_value(ACCOUNTS[0], "version", int, changed=self.copy)

    @command
    def watch(self) -> None:
        """Join all."""
        for node in ACCOUNTS:
            self.balances.join(node, node, "balance")
        self.all_done.join(ACCOUNTS[0], "newest")

    @command
    def leave(self, node: str) -> None:
        """Join one less."""
        self.balances.leave(node)

    def copy(self, new: int, old: int | None) -> None:
        """The downlink shows another value."""
        self.copied = new
        self.copies += 1


def make_plane(mood: Mood, *, idle_timeout_s: float = 50.0) -> Plane:
    """A plane of its own for each world."""
    shared = mood

    class Quick(Account, route="/quick/{id}"):
        mood = shared

        @command
        def take(self, move: Move) -> None:
            self.get(move)

    class Slow(Account, route="/slow/{id}"):
        mood = shared

        @command
        async def take(self, move: Move) -> None:
            self.version += 1
            await asyncio.sleep(0)
            self.get(move)
            await asyncio.sleep(0)

    class Tasked(Account, route="/tasked/{id}"):
        mood = shared

        @command
        async def take(self, move: Move) -> None:
            self.get(move)
            self.began += 1
            await self.task(self.nap, 2)
            self.ended += 1

    plane = Plane(
        "world",
        [Quick, Slow, Tasked, Board],
        config=Config(idle_timeout_s=idle_timeout_s, mailbox_limit=12, queue_limit=4),
    )

    @plane.source("feed")
    async def feed(position: int) -> AsyncIterator[Item]:
        number = position
        while True:
            while number >= shared.feed:
                shared.is_fed.clear()
                await shared.is_fed.wait()
            number += 1
            yield Item(number, ACCOUNTS[number % len(ACCOUNTS)], "take", Move("feed", 0, FED, f"f{number}"))

    return plane
