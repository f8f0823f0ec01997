"""The table of connections."""

from __future__ import annotations

import asyncio

from natant.server.limit import Limit
from natant.server.table import SWEEP_SLICE, Table


class Member:
    def __init__(self, address: str, swept: list[Member] | None = None, last: asyncio.Event | None = None) -> None:
        self.address = address
        self.last = last
        self.swept = swept if swept is not None else []

    def sweep(self, now_s: float) -> None:
        self.swept.append(self)
        if self.last is not None:
            self.last.set()


def test_room_is_counted_in_all_and_by_address() -> None:
    table = Table(Limit(connections=3, connections_per_address=2))
    one, two, three = Member("a"), Member("a"), Member("b")
    table.add(one)
    assert table.has_room("a")
    table.add(two)
    table.add(two)
    assert len(table) == 2
    assert not table.has_room("a")
    assert table.has_room("b")
    table.add(three)
    assert not table.has_room("b")
    table.remove(one)
    table.remove(one)
    assert table.has_room("a")
    assert table.has_room("c")


def test_memory_is_reserved_up_to_the_limit() -> None:
    table = Table(Limit(receive_memory_bytes=100))
    assert table.reserve(60)
    assert not table.reserve(41)
    assert table.reserve(40)
    table.release(100)
    assert table.received_bytes == 0


async def test_a_sweep_goes_through_all_in_slices() -> None:
    table = Table(Limit(sweep_s=0.001))
    swept: list[Member] = []
    last = asyncio.Event()
    members = [Member("a", swept) for _ in range(SWEEP_SLICE * 2)]
    members.append(Member("a", swept, last))
    for member in members:
        table.add(member)
    table.start()
    async with asyncio.timeout(10):
        await last.wait()
    table.stop()
    assert swept[: len(members)] == members


async def test_it_tells_when_it_is_empty() -> None:
    table = Table(Limit())
    await table.until_empty()
    member = Member("a")
    table.add(member)
    table.remove(member)
    await table.until_empty()
