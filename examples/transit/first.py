"""The plane of vehicles after the first step of the tutorial: ``natant dev examples/transit/first.py``."""

# part: first
from dataclasses import dataclass

from natant import Agent, Plane, command, lane


@dataclass
class Fix:
    """Where a vehicle is, and how fast it goes in km/h."""

    lat: float
    lon: float
    speed: float


class Vehicle(Agent, route="/vehicle/{id}"):
    """One vehicle: where it is and how fast it went."""

    position = lane.value(Fix)
    speeds = lane.map(int, float, keep=100)

    @command
    def report(self, fix: Fix) -> None:
        self.position = fix
        self.speeds[int(self.now())] = fix.speed


plane = Plane("transit", [Vehicle])
# end: first
