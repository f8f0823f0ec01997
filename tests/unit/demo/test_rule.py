"""The arithmetic of the flights: sums, weather, waves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.demo.flights import rule
from natant.demo.flights.message import Arrival, Bucket, Departure, Movements, Tally, Wave, Weather, Window


def arrival(delay: int | None, *, late: int = 0) -> Arrival:
    return Arrival("UA", 1, "N1", "EWR", "ORD", 0, late, delay, None if delay is None else 100, 719)


@pytest.mark.parametrize(
    ("weather", "expected"),
    [
        (None, "unknown"),
        (Weather(0, visibility=1.5, rain=0.1), "fog"),
        (Weather(0, temperature=30.0, rain=0.1, visibility=5.0), "snow"),
        (Weather(0, temperature=50.0, rain=0.1, visibility=5.0), "rain"),
        (Weather(0, rain=0.1), "rain"),
        (Weather(0, wind=10.0, gust=30.0), "wind"),
        (Weather(0, wind=24.0), "wind"),
        (Weather(0, wind=23.9, rain=0.0, visibility=2.0), "fair"),
        (Weather(0), "fair"),
    ],
)
def test_the_worst_of_the_weather_counts(weather: Weather | None, expected: str) -> None:
    assert rule.condition(weather, 60) == expected
    assert expected in rule.CONDITIONS


def test_an_old_reading_says_nothing() -> None:
    assert rule.condition(Weather(0), rule.READING_S - 1) == "fair"
    assert rule.condition(Weather(0), rule.READING_S) == "unknown"


def test_a_tally_counts_each_kind_of_end() -> None:
    tally = Tally()
    tally = rule.tally_arrival(tally, arrival(7, late=16))
    tally = rule.tally_arrival(tally, arrival(-3, late=15))
    tally = rule.tally_arrival(tally, arrival(None, late=2))
    tally = rule.tally_cancellation(tally)
    assert tally == Tally(
        flights=4, cancelled=1, diverted=1, late=1, departure_delay=33, arrival_delay=4, air=200, distance=2157
    )


def test_an_airport_counts_both_ways() -> None:
    departure = Departure("UA", 1, "N1", "EWR", "ORD", 0, 960, 16, 9000)
    total = rule.add_departure(Movements(), departure)
    total = rule.add_cancellation(total)
    total = rule.add_arrival(total, arrival(-5))
    total = rule.add_arrival(total, arrival(None))
    assert total == Movements(
        departures=1, cancelled=1, late=1, departure_delay=16, arrivals=1, diverted=1, arrival_delay=-5
    )


def test_a_bucket_starts_with_its_first_flight() -> None:
    assert rule.with_flight(rule.with_flight(None, 5), -7) == Bucket(2, -2)


def test_a_wave_begins_grows_and_ends() -> None:
    calm = Wave()
    assert rule.next_wave(calm, Window(60, 14, 14 * 90)) is calm, "too few flights"
    assert rule.next_wave(calm, Window(60, 15, 15 * 39)) is calm, "not late enough"
    begun = rule.next_wave(calm, Window(60, 15, 15 * 40))
    assert begun == Wave(number=1, begin=60, peak=40, flights=1)
    grown = rule.next_wave(begun, Window(120, 16, 16 * 55))
    assert grown == Wave(number=1, begin=60, peak=55, flights=2)
    fallen = rule.next_wave(grown, Window(180, 5, 5 * 20))
    assert fallen == Wave(number=1, begin=60, peak=55, flights=3)
    assert rule.next_wave(fallen, Window(240, 4, 4 * 60)).end == 240
    over = rule.next_wave(fallen, Window(240, 20, 20 * 20 - 1))
    assert over == Wave(number=1, begin=60, peak=55, flights=3, end=240)
    assert rule.next_wave(over, Window(300, 0, 0)) is over
    assert rule.next_wave(over, Window(360, 30, 30 * 60)) == Wave(number=2, begin=360, peak=60, flights=1)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(-6000, 60_000)), max_size=60))
def test_waves_are_numbered_without_gaps_and_never_overlap(windows: list[tuple[int, int]]) -> None:
    wave, numbers = Wave(), [0]
    for place, (flights, delay) in enumerate(windows, 1):
        after = rule.next_wave(wave, Window(place * 60, flights, delay))
        if after.number != wave.number:
            assert wave.end or not wave.begin
            numbers.append(after.number)
        if after.end:
            assert after.end > after.begin
        wave = after
    assert numbers == list(range(len(numbers)))
