"""Trucks that are offline half the day and a yard that counts: ``natant run examples/fleet/plane.py --edges 7422``, and an edge in each truck."""

# part: plane
from dataclasses import dataclass

from natant import Agent, Plane, command, lane


@dataclass
class Trip:
    truck: str
    km: int


class Truck(Agent, route="/truck/{id}"):
    """Lives in the truck's own computer."""

    id: str
    km = lane.value(int, default=0)

    @command
    def drove(self, km: int) -> None:
        self.km += km
        self.send("/yard/north", "note", Trip(self.id, km), host="hub:")


class Yard(Agent, route="/yard/{id}"):
    """Lives at the hub."""

    km = lane.map(str, int)
    gate = lane.value(str, default="open")

    @command
    def note(self, trip: Trip) -> None:
        self.km[trip.truck] = self.km.get(trip.truck, 0) + trip.km


plane = Plane("fleet", [Truck, Yard])
# end: plane
