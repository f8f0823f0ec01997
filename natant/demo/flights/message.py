"""What happens to a flight, and what the agents keep of it: the typed values on the wire, in the lanes and in the journal.

Instants are whole seconds since 1970-01-01T00:00Z, durations and delays whole minutes, distances miles (as in the tables),
so every sum is an integer and a total never depends on the order in which it was added up.
A delay is negative where a flight was early.
"""

from __future__ import annotations

from msgspec import Struct

__all__ = [
    "Action",
    "Advice",
    "Arrival",
    "Bucket",
    "Cancellation",
    "Clock",
    "Craft",
    "Departure",
    "Flagged",
    "Loop",
    "Mode",
    "Movements",
    "Order",
    "Place",
    "Posting",
    "Ranking",
    "Row",
    "Slot",
    "Status",
    "Tally",
    "Wave",
    "WaveReport",
    "Weather",
    "Window",
]


# --- what the source tells: commands ------------------------------------------------------------------------------------


class Slot(Struct, frozen=True, gc=False):
    """One flight of a timetable: due to leave at ``due``."""

    carrier: str
    number: int
    tail: str
    dest: str
    due: int


class Posting(Struct, frozen=True):
    """The timetable of one hour at one airport, posted when the hour before begins."""

    at: int
    slots: list[Slot]


class Departure(Struct, frozen=True, gc=False):
    """A flight has left.  What nobody knew at that moment (when it arrives) is not in here.

    ``expected`` is when it would arrive if it made up or lost no time on its way.
    """

    carrier: str
    number: int
    tail: str
    origin: str
    dest: str
    due: int
    at: int
    delay: int
    expected: int


class Arrival(Struct, frozen=True, gc=False):
    """A flight is over.  ``delay`` and ``air`` are None where it was diverted: the tables do not tell them."""

    carrier: str
    number: int
    tail: str
    origin: str
    dest: str
    at: int
    departed_late: int
    delay: int | None
    air: int | None
    distance: int


class Cancellation(Struct, frozen=True, gc=False):
    """A flight never left.  Known at the minute it was due; ``tail`` is "" where no plane had been assigned."""

    carrier: str
    number: int
    tail: str
    origin: str
    dest: str
    due: int


class Weather(Struct, frozen=True, gc=False):
    """One hourly reading: degrees Fahrenheit, miles an hour, inches, miles.  None where the station was silent."""

    at: int
    temperature: float | None = None
    wind: float | None = None
    gust: float | None = None
    rain: float | None = None
    visibility: float | None = None


class Clock(Struct, frozen=True, gc=False):
    """The hour that begins, in the flights' own time."""

    at: int


# --- what the agents keep: lanes ------------------------------------------------------------------------------------------


class Place(Struct, frozen=True, gc=False):
    """An airport on the map: degrees north and east."""

    name: str
    lat: float
    lon: float


class Craft(Struct, frozen=True, gc=False):
    """What the register knows of a plane; None where it does not know this plane."""

    year: int | None = None
    maker: str | None = None
    model: str | None = None
    seats: int | None = None


class Tally(Struct, frozen=True, gc=False):
    """Totals of flights that are over: the same for a carrier, a plane and a route.

    ``flights`` counts all, also the cancelled and the diverted; ``late`` those that left more than 15 minutes late;
    ``departure_delay`` sums those that left, ``arrival_delay`` those that arrived where they wanted to.
    """

    flights: int = 0
    cancelled: int = 0
    diverted: int = 0
    late: int = 0
    departure_delay: int = 0
    arrival_delay: int = 0
    air: int = 0
    distance: int = 0


class Movements(Struct, frozen=True, gc=False):
    """Totals of one airport, both ways.  The sums are minutes of delay."""

    departures: int = 0
    cancelled: int = 0
    late: int = 0
    departure_delay: int = 0
    arrivals: int = 0
    diverted: int = 0
    arrival_delay: int = 0


class Bucket(Struct, frozen=True, gc=False):
    """Some flights and the sum of their delays."""

    flights: int = 0
    delay: int = 0


class Window(Struct, frozen=True, gc=False):
    """The last 60 minutes at an airport, up to ``at``."""

    at: int = 0
    flights: int = 0
    delay: int = 0


class Row(Struct, frozen=True, gc=False):
    """One line of the board of an airport.  ``status``: scheduled, departed, cancelled."""

    carrier: str
    number: int
    dest: str
    due: int
    status: str
    delay: int = 0


class Status(Struct, frozen=True, gc=False):
    """Where a plane is.  ``state``: air, ground, diverted, cancelled."""

    state: str
    carrier: str
    number: int
    origin: str
    dest: str
    at: int
    expected: int
    delay: int
    day: int
    legs: int


# --- the closed loop --------------------------------------------------------------------------------------------------------


class Wave(Struct, frozen=True, gc=False):
    """A delay wave at an airport: since when, how high its mean delay went so far, when it was over (0: not yet)."""

    number: int = 0
    begin: int = 0
    peak: int = 0
    flights: int = 0
    end: int = 0


class WaveReport(Struct, frozen=True):
    """An airport tells the control that a wave began or ended, and whom it concerns."""

    airport: str
    wave: Wave
    carriers: list[str]
    dests: list[str]


class Mode(Struct, frozen=True, gc=False):
    """What an airport runs in: open, hold (a wave is on) or recovery (it is over, not long ago)."""

    mode: str = "open"
    since: int = 0
    waves: int = 0


class Order(Struct, frozen=True, gc=False):
    """The control's order to an airport."""

    mode: str
    at: int


class Advice(Struct, frozen=True, gc=False):
    """The control tells a carrier: mind this airport (``is_on``), or mind it no more."""

    airport: str
    at: int
    is_on: bool


class Flagged(Struct, frozen=True, gc=False):
    """A route is flagged since ``at``, or was (``is_on`` false); ``times`` counts the flags so far."""

    is_on: bool = False
    at: int = 0
    times: int = 0


class Action(Struct, frozen=True, gc=False):
    """One thing the control did: at what time, at which airport, what, and to how many."""

    at: int
    airport: str
    what: str
    carriers: int = 0
    routes: int = 0
    mean: int = 0


class Loop(Struct, frozen=True, gc=False):
    """What the control has done so far: orders of each kind, carriers advised, routes flagged (or both taken back)."""

    holds: int = 0
    recoveries: int = 0
    openings: int = 0
    advices: int = 0
    flags: int = 0


class Ranking(Struct, frozen=True, gc=False):
    """The carriers of a route with the least and the greatest mean delay at arrival, in minutes."""

    best: str
    best_mean: float
    worst: str
    worst_mean: float
