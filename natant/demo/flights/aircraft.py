"""``/plane/{tail}``: what it is, where it is, what it did."""

from __future__ import annotations

from typing import Final

from natant import Agent, command, lane
from natant.demo.flights import rule, table
from natant.demo.flights.message import Arrival, Cancellation, Craft, Departure, Status, Tally

__all__ = ["Aircraft"]

#: New York's midnight in winter
_MIDNIGHT: Final = 5 * 3600


class Aircraft(Agent, route="/plane/{tail}"):
    """One plane, by its tail number."""

    tail: str
    craft = lane.value(Craft)
    status = lane.value(Status)
    tally = lane.value(Tally, default=Tally())

    def on_start(self) -> None:
        """Look the plane up in the register."""
        if self.craft is None:
            self.craft = table.crafts().get(self.tail, Craft())

    @command
    def depart(self, flight: Departure) -> None:
        """It takes off."""
        before = self.status
        day = (flight.at - _MIDNIGHT) // 86_400
        legs = before.legs + 1 if before is not None and before.day == day else 1
        self._be(
            Status(
                "air",
                flight.carrier,
                flight.number,
                flight.origin,
                flight.dest,
                flight.at,
                flight.expected,
                flight.delay,
                day,
                legs,
            )
        )

    @command
    def arrive(self, flight: Arrival) -> None:
        """It has landed, or went elsewhere."""
        self.tally = rule.tally_arrival(self.tally, flight)
        state = "ground" if flight.delay is not None else "diverted"
        self._rest(state, flight, flight.at, flight.delay or 0)

    @command
    def scrub(self, flight: Cancellation) -> None:
        """It stays where it is."""
        self.tally = rule.tally_cancellation(self.tally)
        self._rest("cancelled", flight, flight.due, 0)

    def _rest(self, state: str, flight: Arrival | Cancellation, at: int, delay: int) -> None:
        before = self.status
        day, legs = (0, 0) if before is None else (before.day, before.legs)
        self._be(Status(state, flight.carrier, flight.number, flight.origin, flight.dest, at, at, delay, day, legs))

    def _be(self, status: Status) -> None:
        before = self.status
        self.status = status
        if before is None or before.carrier != status.carrier:
            self.send(f"/carrier/{status.carrier}", "adopt", self.tail)
            if before is not None:
                self.send(f"/carrier/{before.carrier}", "release", self.tail)
