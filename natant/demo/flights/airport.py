"""``/airport/{code}``: what leaves and arrives, the board, the last hour, the weather it happened in, delay waves."""

from __future__ import annotations

from natant import Agent, command, lane
from natant.demo.flights import rule, table
from natant.demo.flights.message import (
    Arrival,
    Bucket,
    Cancellation,
    Departure,
    Mode,
    Movements,
    Order,
    Place,
    Posting,
    Row,
    Slot,
    Wave,
    WaveReport,
    Weather,
    Window,
)

__all__ = ["Airport"]


class Airport(Agent, route="/airport/{code}"):
    """One airport.  It is told first what happens there, and tells the plane, the carrier and the route."""

    code: str
    #: rows of the board; the longest timetable of an hour has 43
    BOARD = 90

    place = lane.value(Place)
    movements = lane.value(Movements, default=Movements())
    board = lane.map(str, Row, keep=BOARD)
    #: flights of the last 60 minutes (of the flights' own time), each minute's bucket, and their sum
    minutes = lane.map(int, Bucket)
    window = lane.value(Window, default=Window())
    weather = lane.value(Weather)
    #: departures by the weather they left in
    by_weather = lane.map(str, Bucket)
    wave = lane.value(Wave, default=Wave())
    mode = lane.value(Mode, default=Mode())

    def on_start(self) -> None:
        """Look up the place, and ask the control to watch."""
        if self.place is None:
            known = table.airports().get(self.code)
            self.place = known.place if known is not None else Place(self.code, 0.0, 0.0)
            self.send("/control", "enroll", self.code)

    @command
    def post(self, posting: Posting) -> None:
        """Put the timetable of the coming hour on the board."""
        for slot in posting.slots:
            self.board[_line(slot)] = Row(slot.carrier, slot.number, slot.dest, slot.due, "scheduled")

    # part: depart
    @command
    def depart(self, flight: Departure) -> None:
        """A flight leaves."""
        self.movements = rule.add_departure(self.movements, flight)
        self.board[_line(flight)] = Row(
            flight.carrier, flight.number, flight.dest, flight.due, "departed", flight.delay
        )
        weather = rule.condition(self.weather, flight.at)
        self.by_weather[weather] = rule.with_flight(self.by_weather.get(weather), flight.delay)
        self._roll(flight.at, flight.delay)
        if flight.tail:
            self.send(f"/plane/{flight.tail}", "depart", flight)

    # end: depart

    @command
    def scrub(self, flight: Cancellation) -> None:
        """A flight does not leave."""
        self.movements = rule.add_cancellation(self.movements)
        self.board[_line(flight)] = Row(flight.carrier, flight.number, flight.dest, flight.due, "cancelled")
        if flight.tail:
            self.send(f"/plane/{flight.tail}", "scrub", flight)
        self.send(f"/carrier/{flight.carrier}", "scrub", flight)
        self.send(f"/route/{flight.origin}/{flight.dest}", "scrub", flight)

    @command
    def arrive(self, flight: Arrival) -> None:
        """A flight that was bound for here is over."""
        self.movements = rule.add_arrival(self.movements, flight)
        if flight.delay is not None:
            self._roll(flight.at, flight.delay)
        if flight.tail:
            self.send(f"/plane/{flight.tail}", "arrive", flight)
        self.send(f"/carrier/{flight.carrier}", "arrive", flight)
        self.send(f"/route/{flight.origin}/{flight.dest}", "arrive", flight)

    @command
    def observe(self, weather: Weather) -> None:
        """The hourly reading.  At night it is what lets the window run empty."""
        self.weather = weather
        self._roll(weather.at, None)

    @command
    def obey(self, order: Order) -> None:
        """The control changes how the airport is run."""
        self.mode = Mode(order.mode, order.at, self.wave.number)

    def _roll(self, at: int, delay: int | None) -> None:
        """Move the window's end to ``at``, with one flight more where there is a ``delay``."""
        minute = at // 60
        flights, total = self.window.flights, self.window.delay
        minutes = self.minutes
        for old in minutes:
            if old > minute - rule.WINDOW_MIN:
                break
            gone = minutes.pop(old)
            flights -= gone.flights
            total -= gone.delay
        if delay is not None:
            minutes[minute] = rule.with_flight(minutes.get(minute), delay)
            flights += 1
            total += delay
        self.window = window = Window(at, flights, total)
        before = self.wave
        wave = rule.next_wave(before, window)
        if wave is not before:
            self.wave = wave
            if wave.end or wave.number != before.number:
                self._report(wave)

    def _report(self, wave: Wave) -> None:
        rows = [self.board[line] for line in self.board]
        carriers = sorted({row.carrier for row in rows})
        dests = sorted({row.dest for row in rows})
        self.send("/control", "report", WaveReport(self.code, wave, carriers, dests))


def _line(flight: Slot | Departure | Cancellation) -> str:
    """Key of a flight on the board: in the order in which they are due."""
    return f"{flight.due} {flight.carrier}{flight.number}"
