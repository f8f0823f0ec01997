"""``/route/{origin}/{dest}``: totals, how each carrier does on it, how late the last flights were."""

from __future__ import annotations

from natant import Agent, command, lane
from natant.demo.flights import rule
from natant.demo.flights.message import Arrival, Bucket, Cancellation, Flagged, Ranking, Tally

__all__ = ["Connection"]


class Connection(Agent, route="/route/{origin}/{dest}"):
    """One way from here to there."""

    origin: str
    dest: str
    #: arrivals whose delays are kept
    RECENT = 10

    tally = lane.value(Tally, default=Tally())
    #: by carrier: flights that arrived, and the sum of their delays
    carriers = lane.map(str, Bucket)
    #: delays of the last arrivals, in minutes
    recent = lane.list(int, keep=RECENT)
    #: set by the control while a delay wave is on at the origin
    flag = lane.value(Flagged, default=Flagged())
    #: the carrier to take and the one to avoid
    ranking = lane.demand(Ranking)

    @command
    def arrive(self, flight: Arrival) -> None:
        """A flight on this route is over."""
        self.tally = rule.tally_arrival(self.tally, flight)
        if flight.delay is not None:
            self.carriers[flight.carrier] = rule.with_flight(self.carriers.get(flight.carrier), flight.delay)
            self.recent.append(flight.delay)

    @command
    def scrub(self, flight: Cancellation) -> None:
        """A flight on this route does not leave."""
        self.tally = rule.tally_cancellation(self.tally)

    @command
    def mark(self, flag: Flagged) -> None:
        """The control flags the route, or takes its flag down."""
        times = self.flag.times + flag.is_on
        self.flag = Flagged(flag.is_on, flag.at, times)

    @ranking.cue
    def rank(self) -> Ranking | None:
        """By the mean delay at arrival; None where nobody has arrived yet."""
        means = sorted((bucket.delay / bucket.flights, carrier) for carrier, bucket in self.carriers.items())
        if not means:
            return None
        (best_mean, best), (worst_mean, worst) = means[0], means[-1]
        return Ranking(best, round(best_mean, 1), worst, round(worst_mean, 1))
