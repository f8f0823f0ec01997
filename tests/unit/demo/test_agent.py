"""The agents of the flights, one event at a time."""

from __future__ import annotations

from typing import Any

import pytest

from natant import Plane
from natant.demo.flights.message import (
    Action,
    Arrival,
    Bucket,
    Cancellation,
    Clock,
    Departure,
    Flagged,
    Mode,
    Posting,
    Ranking,
    Row,
    Slot,
    Weather,
    Window,
)
from natant.demo.flights.plane import plane as flights_plane
from natant.testing import TestPlane
from natant.testing import plane as run

NOON = 1_357_059_600  # 2013-01-01T12:00 in New York


def app() -> TestPlane:
    """The plane of the example, without its source."""
    return run(Plane("flights", flights_plane.agents))


def departure(number: int, delay: int, *, at: int = NOON, tail: str = "N14228", dest: str = "IAH") -> Departure:
    return Departure("UA", number, tail, "EWR", dest, at - delay * 60, at, delay, at + 14_000)


def arrival(number: int, delay: int | None, *, at: int = NOON + 14_000, carrier: str = "UA") -> Arrival:
    return Arrival(carrier, number, "N14228", "EWR", "IAH", at, 2, delay, None if delay is None else 227, 1400)


async def wave(p: TestPlane, *, at: int = NOON, flights: int = 15, delay: int = 50) -> None:
    for number in range(flights):
        await p.command("/airport/EWR", "depart", departure(number, delay, at=at + number * 60, dest="IAH"))


async def test_a_flight_from_the_timetable_to_its_arrival() -> None:
    async with app() as p:
        slot = Slot("UA", 1545, "N14228", "IAH", NOON)
        await p.command("/airport/EWR", "post", Posting(NOON - 3600, [slot]))
        board = await p.get("/airport/EWR", "board")
        assert list(board.values()) == [Row("UA", 1545, "IAH", NOON, "scheduled")]

        await p.command("/airport/EWR", "depart", departure(1545, 2, at=NOON + 120))
        board = await p.get("/airport/EWR", "board")
        assert list(board.values()) == [Row("UA", 1545, "IAH", NOON, "departed", 2)]
        status = await p.get("/plane/N14228", "status")
        assert (status.state, status.origin, status.dest, status.legs) == ("air", "EWR", "IAH", 1)
        assert (await p.get("/plane/N14228", "craft")).model == "737-824"
        assert await p.get("/carrier/UA", "planes") == {"N14228": status}

        await p.command("/airport/IAH", "arrive", arrival(1545, 11))
        status = await p.get("/plane/N14228", "status")
        assert (status.state, status.delay) == ("ground", 11)
        assert await p.get("/carrier/UA", "planes") == {"N14228": status}
        for node in ("/carrier/UA", "/plane/N14228", "/route/EWR/IAH"):
            tally = await p.get(node, "tally")
            assert (tally.flights, tally.arrival_delay, tally.distance) == (1, 11, 1400)
        assert (await p.get("/airport/IAH", "movements")).arrivals == 1
        assert await p.get("/carrier/UA", "name") == "United Air Lines Inc."


async def test_a_flight_that_never_leaves() -> None:
    async with app() as p:
        await p.command("/airport/EWR", "scrub", Cancellation("UA", 7, "", "EWR", "IAH", NOON))
        board = await p.get("/airport/EWR", "board")
        assert [row.status for row in board.values()] == ["cancelled"]
        assert (await p.get("/carrier/UA", "tally")).cancelled == 1
        assert (await p.get("/route/EWR/IAH", "tally")).cancelled == 1
        assert await p.host.nodes("/plane/") == []


async def test_a_diverted_flight_arrives_nowhere() -> None:
    async with app() as p:
        await p.command("/airport/IAH", "arrive", arrival(7, None))
        movements = await p.get("/airport/IAH", "movements")
        assert (movements.arrivals, movements.diverted) == (0, 1)
        assert (await p.get("/plane/N14228", "status")).state == "diverted"
        assert await p.get("/route/EWR/IAH", "recent") == []
        assert await p.get("/route/EWR/IAH", "ranking") is None


async def test_the_window_is_an_hour_wide_and_the_weather_lets_it_run_empty() -> None:
    async with app() as p:
        await p.command("/airport/EWR", "depart", departure(1, 10))
        await p.command("/airport/EWR", "depart", departure(2, 20))
        await p.command("/airport/EWR", "depart", departure(3, 30, at=NOON + 59 * 60))
        assert await p.get("/airport/EWR", "window") == Window(NOON + 59 * 60, 3, 60)
        await p.command("/airport/EWR", "depart", departure(4, 0, at=NOON + 60 * 60))
        assert await p.get("/airport/EWR", "window") == Window(NOON + 60 * 60, 2, 30)
        await p.command("/airport/EWR", "observe", Weather(NOON + 3 * 3600))
        assert await p.get("/airport/EWR", "window") == Window(NOON + 3 * 3600, 0, 0)
        assert await p.get("/airport/EWR", "minutes") == {}


async def test_departures_are_joined_with_the_weather_they_leave_in() -> None:
    async with app() as p:
        await p.command("/airport/EWR", "depart", departure(1, 5))
        await p.command("/airport/EWR", "observe", Weather(NOON, temperature=20.0, rain=0.2, visibility=4.0))
        await p.command("/airport/EWR", "depart", departure(2, 30))
        await p.command("/airport/EWR", "depart", departure(3, 40, at=NOON + 60))
        assert await p.get("/airport/EWR", "by_weather") == {"unknown": Bucket(1, 5), "snow": Bucket(2, 70)}


async def test_a_plane_counts_its_legs_of_the_day_and_changes_hands() -> None:
    async with app() as p:
        await p.command("/airport/EWR", "depart", departure(1, 0))
        await p.command("/airport/EWR", "depart", departure(2, 0, at=NOON + 6 * 3600))
        assert (await p.get("/plane/N14228", "status")).legs == 2
        await p.command("/airport/EWR", "depart", departure(3, 0, at=NOON + 20 * 3600))
        assert (await p.get("/plane/N14228", "status")).legs == 1
        other = Departure("DL", 9, "N14228", "EWR", "ATL", NOON, NOON + 30 * 3600, 0, NOON + 40 * 3600)
        await p.command("/airport/EWR", "depart", other)
        assert await p.get("/carrier/UA", "planes") == {}
        assert list(await p.get("/carrier/DL", "planes")) == ["N14228"]


async def test_a_route_ranks_its_carriers() -> None:
    async with app() as p:
        for carrier, delay in (("UA", 10), ("UA", 20), ("AA", -5), ("B6", 40)):
            await p.command("/airport/IAH", "arrive", arrival(1, delay, carrier=carrier))
        assert await p.get("/route/EWR/IAH", "ranking") == Ranking("AA", -5.0, "B6", 40.0)
        assert await p.get("/route/EWR/IAH", "recent") == [10, 20, -5, 40]
        for delay in range(12):
            await p.command("/airport/IAH", "arrive", arrival(1, delay))
        assert await p.get("/route/EWR/IAH", "recent") == list(range(2, 12))


async def test_a_delay_wave_goes_round_the_loop() -> None:
    async with app() as p:
        await wave(p, flights=14)
        assert await p.get("/airport/EWR", "mode") == Mode()
        begin = NOON + 20 * 60
        await p.command("/airport/EWR", "depart", departure(99, 50, at=begin, dest="ORD"))
        assert await p.get("/airport/EWR", "mode") == Mode("hold", begin, 1)
        assert (await p.get("/control", "modes"))["EWR"].mode == "hold"
        assert await p.get("/carrier/UA", "advisories") == {"EWR": begin}
        assert await p.get("/route/EWR/ORD", "flag") == Flagged(True, begin, 1)
        assert await p.get("/route/EWR/IAH", "flag") == Flagged(True, begin, 1)

        end = NOON + 3 * 3600
        await p.command("/airport/EWR", "observe", Weather(end))
        assert await p.get("/airport/EWR", "mode") == Mode("recovery", end, 1)
        assert await p.get("/carrier/UA", "advisories") == {}
        assert await p.get("/route/EWR/ORD", "flag") == Flagged(False, end, 1)

        await p.command("/control", "tick", Clock(end + 3599))
        assert (await p.get("/airport/EWR", "mode")).mode == "recovery"
        await p.command("/control", "tick", Clock(end + 3600))
        assert await p.get("/airport/EWR", "mode") == Mode("open", end + 3600, 1)
        assert await p.get("/control", "actions") == [
            Action(begin, "EWR", "hold", 1, 2, 50),
            Action(end, "EWR", "recovery", 1, 2, 50),
            Action(end + 3600, "EWR", "open"),
        ]


async def test_a_new_wave_ends_the_recovery() -> None:
    async with app() as p:
        await wave(p)
        await p.command("/airport/EWR", "observe", Weather(NOON + 2 * 3600))
        await wave(p, at=NOON + 2 * 3600 + 600)
        mode = await p.get("/airport/EWR", "mode")
        assert (mode.mode, mode.waves) == ("hold", 2)
        await p.command("/control", "tick", Clock(NOON + 4 * 3600))
        assert (await p.get("/airport/EWR", "mode")).mode == "hold"
        assert await p.get("/control", "recovering") == {}


@pytest.mark.parametrize("node", ["/airport/EWR", "/carrier/UA", "/plane/N14228", "/route/EWR/IAH", "/control"])
async def test_everything_is_there_after_a_crash(node: str) -> None:
    async with app() as p:
        await p.command("/airport/EWR", "observe", Weather(NOON, rain=0.1))
        await wave(p)
        await p.command("/airport/IAH", "arrive", arrival(1, 5))
        lanes = [
            lane["name"]
            for lane in (await p.host.describe(node))["lanes"]
            if lane["kind"] not in {"command", "demand", "supply", "parked"}
        ]
        before: dict[str, Any] = {lane: await p.get(node, lane) for lane in lanes}
        await p.crash()
        assert {lane: await p.get(node, lane) for lane in lanes} == before
