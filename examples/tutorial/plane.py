"""The tutorial of SwimOS in natant: a unit publishes readings and keeps the latest, their history, and a histogram over time.

``natant run examples/tutorial/plane.py`` serves it; ``python examples/tutorial/source.py`` feeds it.
"""

# part: unit
from typing import Final

from msgspec import Struct

from natant import Agent, Plane, command, lane

BUCKET_MS: Final = 5_000
HISTORY: Final = 200
HISTOGRAM_MS: Final = 120_000


class Reading(Struct, frozen=True):
    foo: int
    bar: int
    baz: int


class Count(Struct, frozen=True):
    count: int


class Unit(Agent, route="/unit/{id}"):
    """A unit of whatever it is that has a foo, a bar and a baz."""

    latest = lane.value(Reading)
    history = lane.list(tuple[int, Reading], keep=HISTORY)
    histogram = lane.map(int, Count)

    @command
    def publish(self, reading: Reading) -> None:
        self.latest = reading

    @latest.changed
    def remember(self, reading: Reading | None, _: Reading | None) -> None:
        if reading is not None:
            self.history.append((int(self.now() * 1000), reading))

    @history.updated
    def count(self, _: int, new: tuple[int, Reading], __: tuple[int, Reading] | None) -> None:
        at_ms, _reading = new
        bucket = at_ms // BUCKET_MS * BUCKET_MS
        before = self.histogram.get(bucket, Count(0))
        self.histogram[bucket] = Count(before.count + 1)
        for old in self.histogram:
            if at_ms - old <= HISTOGRAM_MS:
                break
            del self.histogram[old]


plane = Plane("tutorial", [Unit])
# end: unit
