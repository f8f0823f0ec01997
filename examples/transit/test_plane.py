"""Tests of the plane of vehicles and depots: no server, no waiting."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from plane import Fix, plane

import natant.testing
from natant import NatantError
from natant.testing import TestPlane

FIX = Fix(59.33, 18.06, 42.0)


def run(scenario: Callable[[TestPlane], Awaitable[None]]) -> None:
    async def start() -> None:
        async with natant.testing.plane(plane) as p:
            await scenario(p)

    asyncio.run(start())


def test_a_depot_sees_its_fleet() -> None:
    async def scenario(p: TestPlane) -> None:
        await p.command("/vehicle/7", "assign", "north")
        await p.command("/vehicle/7", "report", FIX)
        assert await p.get("/depot/north", "fleet") == {"7": FIX}

        await p.command("/vehicle/7", "assign", "south")
        assert await p.get("/depot/north", "fleet") == {}
        assert await p.get("/depot/south", "fleet") == {"7": FIX}

    run(scenario)


def test_a_vehicle_that_is_not_heard_of_is_silent() -> None:
    async def scenario(p: TestPlane) -> None:
        await p.command("/vehicle/7", "report", FIX)
        await p.clock.jump(59)
        assert await p.get("/vehicle/7", "is_silent") is False
        await p.clock.jump(1)
        assert await p.get("/vehicle/7", "is_silent") is True

    run(scenario)


def test_a_depot_counts_who_moves_through_a_crash_too() -> None:
    async def scenario(p: TestPlane) -> None:
        await p.command("/vehicle/7", "assign", "north")
        await p.command("/vehicle/7", "report", FIX)
        await p.clock.jump(30)
        await p.crash()
        await p.clock.jump(30)
        assert list((await p.get("/depot/north", "moving")).values()) == [1]
        await p.clock.jump(60)
        assert list((await p.get("/depot/north", "moving")).values()) == [1, 0]

    run(scenario)


def test_an_impossible_speed_is_refused() -> None:
    async def scenario(p: TestPlane) -> None:
        with pytest.raises(NatantError, match="is no speed"):
            await p.command("/vehicle/7", "report", Fix(59.33, 18.06, 4000.0))
        assert await p.get("/vehicle/7", "position") is None

    run(scenario)
