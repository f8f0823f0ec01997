"""``/carrier/{code}``: its totals and, as a live join, all its planes."""

from __future__ import annotations

from natant import Agent, command, lane
from natant.demo.flights import rule, table
from natant.demo.flights.message import Advice, Arrival, Cancellation, Status, Tally

__all__ = ["Carrier"]


class Carrier(Agent, route="/carrier/{code}"):
    """One airline."""

    code: str
    name = lane.value(str)
    tally = lane.value(Tally, default=Tally())
    #: where each of its planes is: the lane ``status`` of the planes themselves
    planes = lane.join_value(str, Status)
    #: airports that the control told it to mind, and since when
    advisories = lane.map(str, int)

    def on_start(self) -> None:
        """Look up the name."""
        if self.name is None:
            self.name = table.carriers().get(self.code, self.code)

    @command
    def arrive(self, flight: Arrival) -> None:
        """One of its flights is over."""
        self.tally = rule.tally_arrival(self.tally, flight)

    @command
    def scrub(self, flight: Cancellation) -> None:
        """One of its flights does not leave."""
        self.tally = rule.tally_cancellation(self.tally)

    @command
    def adopt(self, tail: str) -> None:
        """A plane flies for it from now on."""
        self.planes.join(tail, f"/plane/{tail}", "status")

    @command
    def release(self, tail: str) -> None:
        """A plane flies for somebody else from now on."""
        self.planes.leave(tail)

    @command
    def advise(self, advice: Advice) -> None:
        """The control says which airport to mind, or to mind no more."""
        if advice.is_on:
            self.advisories[advice.airport] = advice.at
        else:
            self.advisories.pop(advice.airport, None)
