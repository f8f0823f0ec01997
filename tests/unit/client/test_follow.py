"""Waiting for links and following them."""

from __future__ import annotations

import asyncio

import pytest

from natant.client import follow
from natant.client.handle import EventLink, MapLink, ValueLink
from natant.errors import ClientError
from natant.link.change import Change
from tests.unit.link.peer import NODE, Host


def open_map(host: Host) -> MapLink[str, int]:
    link: MapLink[str, int] = MapLink(NODE, "map")
    host.channel.open(link._follow())
    return link


async def test_synced_waits_until_it_is_so() -> None:
    host = Host()
    link = open_map(host)
    waiting = asyncio.ensure_future(link.synced())
    await asyncio.sleep(0)
    assert not waiting.done()
    host.connect()
    host.settle()

    assert await waiting is link
    assert await link.linked() is link


async def test_an_event_link_is_synced_when_it_is_linked() -> None:
    host = Host()
    host.connect()
    link: EventLink[int] = EventLink(NODE, "value")
    host.channel.open(link._follow())
    host.settle()

    assert await link.synced() is link


async def test_waiting_ends_where_the_host_refuses() -> None:
    host = Host()
    host.connect()
    link: ValueLink[int] = ValueLink(NODE, "nope")
    host.channel.open(link._follow())
    waiting = asyncio.ensure_future(link.synced())
    await asyncio.sleep(0)
    host.settle()

    with pytest.raises(ClientError, match=r"NT-CLIENT-003.*laneNotFound"):
        await waiting


async def test_waiting_ends_where_the_link_is_closed() -> None:
    link = open_map(Host())
    waiting = asyncio.ensure_future(link.linked())
    await asyncio.sleep(0)
    link.close()

    with pytest.raises(ClientError, match="NT-CLIENT-003"):
        await waiting


async def test_waiting_has_a_bound() -> None:
    link = open_map(Host())

    with pytest.raises(ClientError, match="NT-CLIENT-004"):
        await link.synced(wait_s=0)
    assert link.is_open


async def test_changes_are_followed_from_now_on_until_the_end() -> None:
    host = Host()
    host.connect()
    async with open_map(host) as link:
        host.settle()
        first, second = link.changes(), aiter(link)
        link.put("a", 1)
        host.settle()
        assert await anext(first) == Change("updated", "a", 1, None)
        first.close()
        link.remove("a")
        host.settle()
    assert [change async for change in second] == [Change("updated", "a", 1, None), Change("removed", "a", None, 1)]
    assert [change async for change in first] == []


async def test_a_follower_that_waits_is_woken_by_the_end() -> None:
    link = open_map(Host())
    async with link.changes() as changes:
        waiting = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)
        link.close()
        with pytest.raises(StopAsyncIteration):
            await waiting


async def test_a_slow_follower_loses_the_oldest_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "MAX_CHANGES", 3)
    host = Host()
    host.connect()
    link = open_map(host)
    host.settle()
    changes = link.changes()
    for number in range(5):
        link.put("a", number)
    host.settle()

    assert await anext(changes) == Change("missed", None, 2)
    assert [(await anext(changes)).new for _ in range(3)] == [2, 3, 4]
    assert link["a"] == 4
