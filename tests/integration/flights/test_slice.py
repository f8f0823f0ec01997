"""The first days of the year in memory: every total, rolling window, join and wave equals a plain recomputation."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Iterator
from dataclasses import replace

import pytest

from examples.flights.truth import Truth
from natant import Item, Plane
from natant.demo.flights.plane import plane as flights_plane
from natant.demo.flights.replay import instant, replay
from natant.testing import plane as run
from tests.integration.flights.audit import audit, get

#: the end of the third day in New York: three waves have come, the last of them is still on
UNTIL = timegm((2013, 1, 4, 2, 0, 0))


def sliced(until: int = UNTIL) -> Plane:
    """The plane of the example, with a source that ends at ``until`` and never waits."""

    def flights(position: int) -> Iterator[Item]:
        for item in replay(position):
            if instant(int(item.position)) >= until:
                return
            item.at = None
            yield item

    made = Plane("flights", flights_plane.agents)
    made.sources.append(replace(flights_plane.sources[0], open=flights, speed=0.0))
    return made


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(UNTIL)


async def test_totals_windows_weather_and_waves_are_those_of_the_tables(truth: Truth) -> None:
    async with run(sliced()) as p:
        await audit(p.host, truth)
        assert sum(len(waves) for waves in truth.waves.values()) >= 4
        assert any(waves and not waves[-1][1] for waves in truth.waves.values())


async def test_a_carrier_shows_its_planes_live(truth: Truth) -> None:
    async with run(sliced()) as p:
        planes = await get(p.host, "/carrier/HA", "planes")
        assert planes
        for tail, status in planes.items():
            assert status == await get(p.host, f"/plane/{tail}", "status")
            assert status.carrier == "HA"


async def test_state_survives_a_crash_in_the_middle(truth: Truth) -> None:
    test = run(sliced(UNTIL - 30 * 3600))
    async with test as p:
        p.app = sliced()
        await p.crash()
        await audit(p.host, truth)


async def test_a_wave_puts_the_airport_on_hold_and_tells_carriers_and_routes(truth: Truth) -> None:
    async with run(sliced()) as p:
        on_hold = [code for code, waves in truth.waves.items() if waves and not waves[-1][1]]
        for code in on_hold:
            told = (await get(p.host, "/control", "told"))[code]
            assert told.carriers
            for carrier in told.carriers:
                assert code in await get(p.host, f"/carrier/{carrier}", "advisories")
            for dest in told.dests:
                assert (await get(p.host, f"/route/{code}/{dest}", "flag")).is_on
