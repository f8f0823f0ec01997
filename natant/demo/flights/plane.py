"""The plane: which agents live where, what drives them, and the page that shows them.

``natant run natant.demo.flights.plane`` serves it; ``natant hello`` does so with the page in mind.  From the environment:
``FLIGHTS_SPEED`` how many seconds of 2013 pass in one of ours (default 240; 0: as fast as it goes), ``FLIGHTS_FROM`` the instant from which
it goes at that speed (default ``2013-01-02T14:10Z``, a morning with a delay wave at hand; what comes before is replayed as fast as it goes),
``FLIGHTS_UNTIL`` the instant at which it ends (default: with the year).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from natant import Item, NatantError, Plane
from natant.demo.flights.aircraft import Aircraft
from natant.demo.flights.airport import Airport
from natant.demo.flights.carrier import Carrier
from natant.demo.flights.connection import Connection
from natant.demo.flights.control import Control
from natant.demo.flights.replay import instant, replay
from natant.demo.flights.table import folder

__all__ = ["plane"]

#: four minutes of 2013 in a second: a day takes six minutes, a flight to Chicago forty seconds
DEFAULT_SPEED: Final = 240.0
DEFAULT_FROM: Final = "2013-01-02T14:10Z"
DEFAULT_UNTIL: Final = "2015-01-01"

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


def begin() -> float:
    """The instant that ``FLIGHTS_FROM`` names, in epoch seconds.

    :raises NatantError: ``NT-DEMO-002`` where it names none.
    """
    return _instant("FLIGHTS_FROM", DEFAULT_FROM)


def end() -> float:
    """The instant that ``FLIGHTS_UNTIL`` names, in epoch seconds; without one the year runs to its end.

    :raises NatantError: ``NT-DEMO-002`` where it names none.
    """
    return _instant("FLIGHTS_UNTIL", DEFAULT_UNTIL)


def _instant(variable: str, default: str) -> float:
    text = os.environ.get(variable) or default
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NatantError(
            "NT-DEMO-002", f"{variable} is {text!r}; give a day or an instant of 2013, for example 2013-02-08T12:00Z"
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


# part: source
@plane.source("flights", speed=speed)
def flights(position: int) -> Iterator[Item]:
    """All that happened in 2013 after ``position``; what happened before :func:`begin` comes at once."""
    folder()
    since, until = begin(), end()
    for item in replay(position):
        if instant(int(item.position)) >= until:
            return
        if item.at is not None and item.at < since:
            item.at = None  # without an instant it is not waited for
        yield item


# end: source

plane.static("/", Path(__file__).parent / "web")
