"""Vehicles and the depots they belong to, with timers, joins and a page: ``natant run examples/transit/plane.py``."""

# part: head
from dataclasses import dataclass
from pathlib import Path

from natant import Agent, Plane, Refused, command, every, lane

SILENT_S = 60.0


@dataclass
class Fix:
    """Where a vehicle is, and how fast it goes in km/h."""

    lat: float
    lon: float
    speed: float
    # end: head


# part: vehicle
class Vehicle(Agent, route="/vehicle/{id}"):
    """One vehicle: where it is, how fast it went, whose it is and whether it is heard of."""

    id: str
    position = lane.value(Fix)
    speeds = lane.map(int, float, keep=100)
    depot = lane.value(str, default="")
    is_silent = lane.value(bool, default=False)

    @command
    def report(self, fix: Fix) -> None:
        if not 0 <= fix.speed <= 400:
            raise Refused(f"{fix.speed:g} km/h is no speed of a vehicle")
        self.position = fix
        self.speeds[int(self.now())] = fix.speed
        self.is_silent = False
        self.after(SILENT_S, self.fall_silent, name="silence")

    def fall_silent(self) -> None:
        self.is_silent = True

    @command
    def assign(self, depot: str) -> None:
        self.depot = depot

    @depot.changed
    def tell_depots(self, new: str, old: str) -> None:
        if old:
            self.send(f"/depot/{old}", "dismiss", self.id)
        self.send(f"/depot/{new}", "enlist", self.id)
        # end: vehicle


# part: depot
class Depot(Agent, route="/depot/{id}"):
    """One depot: its fleet, live, and how many of it were on the move at each minute of the last hour."""

    fleet = lane.join_value(str, Fix)
    silent = lane.join_value(str, bool)
    moving = lane.map(int, int, keep=60)

    @command
    def enlist(self, vehicle: str) -> None:
        self.fleet.join(vehicle, f"/vehicle/{vehicle}", "position")
        self.silent.join(vehicle, f"/vehicle/{vehicle}", "is_silent")

    @command
    def dismiss(self, vehicle: str) -> None:
        self.fleet.leave(vehicle)
        self.silent.leave(vehicle)

    @every(minutes=1)
    def count(self) -> None:
        moving = [fix for vehicle, fix in self.fleet.items() if fix and fix.speed > 0 and not self.silent.get(vehicle)]
        self.moving[int(self.now())] = len(moving)
        # end: depot


# part: plane
plane = Plane("transit", [Vehicle, Depot])
plane.static("/", Path(__file__).parent / "web")
# end: plane
