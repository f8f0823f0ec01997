"""The arithmetic of the example, apart from agents: sums, rolling windows, weather conditions, delay waves.

Plain functions of plain values, in whole minutes, so that a replay gives the same numbers each time and a test can recompute them.
"""

from __future__ import annotations

from typing import Final

from natant.demo.flights.message import Arrival, Bucket, Departure, Movements, Tally, Wave, Weather, Window

__all__ = [
    "CONDITIONS",
    "LATE_MIN",
    "RECOVERY_S",
    "WINDOW_MIN",
    "add_arrival",
    "add_cancellation",
    "add_departure",
    "condition",
    "next_wave",
    "tally_arrival",
    "tally_cancellation",
    "with_flight",
]

#: a flight that leaves more than so many minutes late is late
LATE_MIN: Final = 15
#: length of the rolling window
WINDOW_MIN: Final = 60
#: a wave begins where the window holds so many flights, late by so much on average
WAVE_FLIGHTS: Final = 15
WAVE_MEAN_MIN: Final = 40
#: and it is over where the window holds fewer flights than this, or they are late by less than that
CALM_FLIGHTS: Final = 5
CALM_MEAN_MIN: Final = 20
#: how long an airport is in recovery after a wave
RECOVERY_S: Final = 3600
#: a reading of the weather counts for so long
READING_S: Final = 3 * 3600

CONDITIONS: Final = ("unknown", "fog", "snow", "rain", "wind", "fair")
_FOG_MILES: Final = 2.0
_FREEZING_F: Final = 34.0
_WIND_MPH: Final = 24.0


def condition(weather: Weather | None, at: int) -> str:
    """What the weather was like at ``at``, in one of :data:`CONDITIONS`: the worst that applies to the newest reading."""
    if weather is None or at - weather.at >= READING_S:
        return "unknown"
    if weather.visibility is not None and weather.visibility < _FOG_MILES:
        return "fog"
    if weather.rain:
        return "snow" if weather.temperature is not None and weather.temperature <= _FREEZING_F else "rain"
    return "wind" if max(weather.wind or 0.0, weather.gust or 0.0) >= _WIND_MPH else "fair"


def with_flight(bucket: Bucket | None, delay: int) -> Bucket:
    """The bucket with one flight more."""
    return Bucket(1, delay) if bucket is None else Bucket(bucket.flights + 1, bucket.delay + delay)


def add_departure(sum_: Movements, departure: Departure) -> Movements:
    """The airport's totals with one departure more."""
    return Movements(
        sum_.departures + 1,
        sum_.cancelled,
        sum_.late + (departure.delay > LATE_MIN),
        sum_.departure_delay + departure.delay,
        sum_.arrivals,
        sum_.diverted,
        sum_.arrival_delay,
    )


def add_arrival(sum_: Movements, arrival: Arrival) -> Movements:
    """The airport's totals with one arrival more, or one that was diverted elsewhere."""
    delay = arrival.delay
    return Movements(
        sum_.departures,
        sum_.cancelled,
        sum_.late,
        sum_.departure_delay,
        sum_.arrivals + (delay is not None),
        sum_.diverted + (delay is None),
        sum_.arrival_delay + (delay or 0),
    )


def add_cancellation(sum_: Movements) -> Movements:
    """The airport's totals with one cancelled departure more."""
    return Movements(
        sum_.departures,
        sum_.cancelled + 1,
        sum_.late,
        sum_.departure_delay,
        sum_.arrivals,
        sum_.diverted,
        sum_.arrival_delay,
    )


def tally_arrival(tally: Tally, arrival: Arrival) -> Tally:
    """The totals with one flight more that is over."""
    delay = arrival.delay
    return Tally(
        tally.flights + 1,
        tally.cancelled,
        tally.diverted + (delay is None),
        tally.late + (arrival.departed_late > LATE_MIN),
        tally.departure_delay + arrival.departed_late,
        tally.arrival_delay + (delay or 0),
        tally.air + (arrival.air or 0),
        tally.distance + arrival.distance,
    )


def tally_cancellation(tally: Tally) -> Tally:
    """The totals with one flight more that never left: it covers no distance."""
    return Tally(
        tally.flights + 1,
        tally.cancelled + 1,
        tally.diverted,
        tally.late,
        tally.departure_delay,
        tally.arrival_delay,
        tally.air,
        tally.distance,
    )


def next_wave(wave: Wave, window: Window) -> Wave:
    """The airport's wave after the window has changed: begun, grown, over, or the very same object."""
    flights = window.flights
    if wave.begin and not wave.end:
        if flights < CALM_FLIGHTS or window.delay < CALM_MEAN_MIN * flights:
            return Wave(wave.number, wave.begin, wave.peak, wave.flights, window.at)
        mean = window.delay // flights
        return Wave(wave.number, wave.begin, max(mean, wave.peak), wave.flights + 1)
    if flights >= WAVE_FLIGHTS and window.delay >= WAVE_MEAN_MIN * flights:
        return Wave(wave.number + 1, window.at, window.delay // flights, 1)
    return wave
