"""The plane that is killed: agents that count and append, so that a lost, doubled, torn or reordered command shows.

* ``/ledger/{id}`` takes the writers' commands: it appends each to a list, adds up amounts, sends each amount to an account, and
  sets a timer for some.
* ``/account/{id}`` takes what ledgers send, now and then so slowly that sends wait in the outbox when the process dies.
* ``/total`` takes what accounts send on: the second hop.
* ``/feed/{id}`` takes the numbers of a source, which must come once each and in order.

``CHAOS_BUG`` names a bug of ``bug.py`` that is planted first; with ``CHAOS_QUIET`` the source gives nothing more.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from natant import Agent, Item, Plane, command, lane

if os.environ.get("CHAOS_BUG"):
    from tests.chaos import bug

    bug.plant(os.environ["CHAOS_BUG"])

ACCOUNTS: Final = 5
FEEDS: Final = 4
#: numbers of the source in a second
FEED_RATE: Final = 200.0
#: every so many commands one sets a timer, one is taken slowly by its account
TIMER_EVERY: Final = 4
SLOW_EVERY: Final = 7
TIMER_S: Final = 0.15
SLOW_S: Final = 0.02


@dataclass(frozen=True)
class Entry:
    """A command of a writer: ``key`` names it for ever, ``number`` counts within the writer."""

    key: str
    number: int
    amount: int


class Ledger(Agent, route="/ledger/{id}"):
    """What the writers write to."""

    count = lane.value(int, default=0)
    sum = lane.value(int, default=0)
    entries = lane.list(str)
    armed = lane.map(str, int)
    ripe = lane.map(str, int)

    @command
    def add(self, entry: Entry) -> int:
        """Do all there is to do for one command, in one turn."""
        self.count += 1
        self.sum += entry.amount
        self.entries.append(entry.key)
        self.send(f"/account/{entry.number % ACCOUNTS}", "credit", entry)
        if entry.number % TIMER_EVERY == 0:
            self.armed[entry.key] = self.armed.get(entry.key, 0) + 1
            self.after(TIMER_S, self.ripen, entry.key)
        return self.count

    def ripen(self, key: str) -> None:
        """The timer of a command."""
        self.ripe[key] = self.ripe.get(key, 0) + 1


class Account(Agent, route="/account/{id}"):
    """What ledgers send to."""

    balance = lane.value(int, default=0)
    credits = lane.map(str, int)

    @command
    async def credit(self, entry: Entry) -> None:
        """Take an amount, and pass it on."""
        if entry.number % SLOW_EVERY == 0:
            await asyncio.sleep(SLOW_S)
        self.balance += entry.amount
        self.credits[entry.key] = self.credits.get(entry.key, 0) + 1
        self.send("/total", "add", entry.amount)


class Total(Agent, route="/total"):
    """What accounts send to."""

    count = lane.value(int, default=0)
    sum = lane.value(int, default=0)

    @command
    def add(self, amount: int) -> None:
        """Take an amount."""
        self.count += 1
        self.sum += amount


class Feed(Agent, route="/feed/{id}"):
    """What the source writes to."""

    count = lane.value(int, default=0)
    sum = lane.value(int, default=0)
    last = lane.value(int, default=0)
    back = lane.value(int, default=0)

    @command
    def take(self, number: int) -> None:
        """Take a number; one that is not above the last came twice or too late."""
        if number <= self.last:
            self.back += 1
        self.last = number
        self.count += 1
        self.sum += number


plane = Plane("chaos", [Ledger, Account, Total, Feed])


@plane.source("numbers", speed=1.0)
def numbers(position: int) -> Iterator[Item]:
    """1, 2, 3, ... without end, each to one of the feeds."""
    for number in () if os.environ.get("CHAOS_QUIET") else count(int(position) + 1):
        yield Item(number, f"/feed/{number % FEEDS}", "take", number, at=number / FEED_RATE)
