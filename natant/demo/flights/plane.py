"""The plane: which agents live where, what drives them, and the page that shows them.

``natant run natant.demo.flights.plane`` serves it; ``natant hello`` does so with the page in mind.  From the environment:
``FLIGHTS_SPEED`` how many seconds of 2013 pass in one of ours (default 600; 0: as fast as it goes), ``FLIGHTS_FROM`` a day of 2013 to
begin with (``2013-02-08``), where no state is kept yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from natant import Item, NatantError, Plane
from natant.demo.flights.aircraft import Aircraft
from natant.demo.flights.airport import Airport
from natant.demo.flights.carrier import Carrier
from natant.demo.flights.connection import Connection
from natant.demo.flights.control import Control
from natant.demo.flights.replay import position_at, replay
from natant.demo.flights.table import folder

__all__ = ["plane"]

#: ten minutes of 2013 in a second: a day takes two and a half minutes, a flight to Chicago fifteen seconds
DEFAULT_SPEED: Final = 600.0

plane = Plane("flights", [Airport, Aircraft, Carrier, Connection, Control])


def speed() -> float:
    """The speed that ``FLIGHTS_SPEED`` asks for.

    :raises NatantError: ``NT-DEMO-002`` where it is not a number of at least 0.
    """
    text = os.environ.get("FLIGHTS_SPEED", "")
    try:
        number = float(text) if text else DEFAULT_SPEED
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise NatantError(
            "NT-DEMO-002",
            f"FLIGHTS_SPEED is {text!r}; give a number of at least 0, for example 600 (0: as fast as it goes)",
        )
    return number


def first_position() -> int:
    """The position before the day that ``FLIGHTS_FROM`` names; 0 where it names none.

    :raises NatantError: ``NT-DEMO-002`` where it is no day of 2013.
    """
    text = os.environ.get("FLIGHTS_FROM", "")
    if not text:
        return 0
    try:
        day = datetime.fromisoformat(f"{text}T05:00:00+00:00")
    except ValueError:
        day = None
    if day is None or day.year != 2013:
        raise NatantError("NT-DEMO-002", f"FLIGHTS_FROM is {text!r}; give a day of 2013, for example 2013-02-08")
    return position_at(int(day.timestamp()))


@plane.source("flights", start=0, speed=speed)
def flights(position: int) -> Iterator[Item]:
    """All that happened in 2013 after ``position``."""
    folder()
    return replay(position or first_position())


plane.static("/", Path(__file__).parent / "web")
