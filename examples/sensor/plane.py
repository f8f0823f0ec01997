"""A sensor that measures a hundred times a second, and two lanes of events with bounds of their own."""

# part: plane
from natant import Agent, Plane, command, every, lane


class Sensor(Agent, route="/sensor/{id}"):
    level = lane.value(int, default=0)
    notes = lane.supply(str, queue=3, overflow="drop_oldest")
    orders = lane.supply(str, queue=3, overflow="disconnect")

    @every(seconds=0.01)
    def measure(self) -> None:
        self.level += 1

    @command
    def note(self, text: str) -> None:
        self.notes.push(text)

    @command
    def order(self, text: str) -> None:
        self.orders.push(text)


plane = Plane("sensors", [Sensor])
# end: plane
