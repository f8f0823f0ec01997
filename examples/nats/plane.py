"""Vehicles that anybody who speaks NATS may report for, read and follow."""

from dataclasses import dataclass

from natant import Agent, Plane, lane


@dataclass
class Fix:
    """Where a vehicle is, and how fast."""

    lat: float
    lon: float
    speed: float = 0.0


class Vehicle(Agent, route="/vehicle/{id}"):
    """A vehicle."""

    position = lane.value(Fix, publish=True)
    reports = lane.value(int, 0)

    @lane.command
    def report(self, fix: Fix) -> int:
        """Take a position; returns how many there were."""
        self.position = fix
        self.reports += 1
        return self.reports


transit = Plane("transit", [Vehicle])
