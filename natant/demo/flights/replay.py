"""The year as it happened: departures, arrivals, cancellations, timetables and weather, in the order of their instants.

The tables hold one row a flight.  Here a flight becomes what an observer would have been told, when it happened: its hour's timetable, that it
left (or was cancelled), and that it is over.  No event tells what nobody could know at that moment.

The position of an event is a number that grows from event to event and says all there is to say:
``minute since 2013-01-01T00:00Z << 22 | rank of its kind << 19 | row``.  So a replay goes on anywhere without counting from the start, and
reads no month that is over.
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter, itemgetter
from time import strptime
from typing import Any, Final

from natant import Item
from natant.demo.flights import table
from natant.demo.flights.message import Arrival, Cancellation, Clock, Departure, Posting, Slot, Weather
from natant.demo.flights.table import FlightRow

__all__ = ["EPOCH", "ORIGINS", "instant", "position_at", "replay"]

#: 2013-01-01T00:00Z; the first flight was due ten hours later
EPOCH: Final = 1_356_998_400
ORIGINS: Final = ("EWR", "JFK", "LGA")
#: New York's midnight in winter, which the table's days begin with
_NEW_YORK: Final = 5 * 3600
#: 2013-03-10T02:00 in New York, and 2013-11-03T02:00
_SUMMER_BEGINS: Final = 1_362_898_800
_SUMMER_ENDS: Final = 1_383_458_400
#: at most so long before its month begins in New York, an event of a flight of that month can come: its timetable, an early departure
_EARLY: Final = 2 * 3600
#: at most so long after it was due a flight is over: the longest delay is 21.7 hours, the longest flight 12
_LATE: Final = 3 * 86_400
_DAY: Final = 86_400

_ROW_BITS: Final = 19
_KIND_BITS: Final = 3
#: what comes first within a minute
_CLOCK, _WEATHER, _POSTING, _ARRIVAL, _DEPARTURE = range(5)


def position_at(at: int) -> int:
    """The position before all events of the minute of ``at`` (epoch seconds)."""
    return ((at - EPOCH) // 60 << (_KIND_BITS + _ROW_BITS)) - 1


def _position(at: int, kind: int, row: int) -> int:
    return ((at - EPOCH) // 60 << _KIND_BITS | kind) << _ROW_BITS | row


def instant(position: int) -> int:
    """The instant (epoch seconds) of the event at ``position``."""
    return EPOCH + (position >> (_KIND_BITS + _ROW_BITS)) * 60


def replay(position: int = 0) -> Iterator[Item]:
    """All events after ``position``, each as the command it is to the agent whom it concerns first."""
    since = instant(max(position, 0))
    waiting: list[Item] = []
    for month in table.MONTHS:
        until = _month_begins(month + 1) - _EARLY
        if until + _LATE < since:
            continue
        waiting += _events(month)
        waiting.sort(key=attrgetter("position"))
        kept: list[Item] = []
        for item in waiting:
            if month < 12 and item.at is not None and item.at >= until:
                kept.append(item)
            elif int(item.position) > position:
                yield item
        waiting = kept


def _month_begins(month: int) -> int:
    year, month = (2013, month) if month <= 12 else (2014, 1)
    return timegm((year, month, 1, 0, 0, 0)) + _NEW_YORK - 3600 * (month in range(4, 12))


def _events(month: int) -> Iterator[Item]:
    hours: dict[str, int] = {}
    first = _month_begins(month)
    for at in range(first, _month_begins(month + 1) if month < 12 else first + 32 * _DAY, 3600):
        yield Item(_position(at, _CLOCK, 0), "/control", "tick", Clock(at), at)
    for origin, hour, reading in table.weather(month):
        at = _instant_of(hour, hours)
        seen = Weather(at, reading.temperature, reading.wind, reading.gust, reading.rain, reading.visibility)
        yield Item(_position(at, _WEATHER, ORIGINS.index(origin)), f"/airport/{origin}", "observe", seen, at)
    slots: list[tuple[str, int, Slot]] = []
    for row in table.flights(month):
        due = _instant_of(row.time_hour, hours) + row.minute * 60
        slots.append((row.origin, due // 3600 * 3600 - 3600, Slot(row.carrier, row.flight, row.tailnum, row.dest, due)))
        if row.dep_delay is None:
            gone = Cancellation(row.carrier, row.flight, row.tailnum, row.origin, row.dest, due)
            yield Item(_position(due, _DEPARTURE, row.row), f"/airport/{row.origin}", "scrub", gone, due)
        else:
            yield from _flown(row, due, row.dep_delay)
    yield from _postings(slots)


def _flown(row: FlightRow, due: int, delay: int) -> Iterator[Item]:
    left = due + delay * 60
    expected = _after(due, row.dest, row.sched_arr_time) + delay * 60
    departure = Departure(row.carrier, row.flight, row.tailnum, row.origin, row.dest, due, left, delay, expected)
    yield Item(_position(left, _DEPARTURE, row.row), f"/airport/{row.origin}", "depart", departure, left)
    # A diverted flight may lack an instant of arrival: it is over when it was expected.
    over = expected if row.arr_time is None else _after(left, row.dest, row.arr_time)
    arrival = Arrival(
        carrier=row.carrier,
        number=row.flight,
        tail=row.tailnum,
        origin=row.origin,
        dest=row.dest,
        at=over,
        departed_late=delay,
        delay=row.arr_delay,
        air=row.air_time,
        distance=row.distance,
    )
    yield Item(_position(over, _ARRIVAL, row.row), f"/airport/{row.dest}", "arrive", arrival, over)


def _postings(slots: list[tuple[str, int, Slot]]) -> Iterator[Item]:
    slots.sort(key=_posting_order)
    for key, group in groupby(slots, key=itemgetter(0, 1)):
        origin, at = key
        posting = Posting(at, [slot for _, _, slot in group])
        yield Item(_position(at, _POSTING, ORIGINS.index(origin)), f"/airport/{origin}", "post", posting, at)


def _posting_order(entry: tuple[str, int, Slot]) -> tuple[Any, ...]:
    origin, at, slot = entry
    return origin, at, slot.due, slot.carrier, slot.number


def _instant_of(hour: str, known: dict[str, int]) -> int:
    """The instant that the table writes as 2013-01-01T10:00:00Z."""
    at = known.get(hour)
    if at is None:
        at = known[hour] = timegm(strptime(hour, "%Y-%m-%dT%H:%M:%SZ"))
    return at


def _after(since: int, code: str, clock: int) -> int:
    """The next instant, a quarter of an hour after ``since`` at the earliest, when clocks at airport ``code`` show ``clock`` (hhmm)."""
    airport = table.airports()[code]
    offset = airport.utc_offset * 3600
    if airport.has_summer_time and _SUMMER_BEGINS <= since < _SUMMER_ENDS:
        offset += 3600
    midnight = (since + offset) // _DAY * _DAY - offset
    at = midnight + (clock // 100 * 60 + clock % 100) * 60
    return at if at > since + 900 else at + _DAY
