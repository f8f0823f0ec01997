"""The smallest plane: counters that anyone can add to, by ``natant run examples/counter/counter.py``."""

# part: counter
from natant import Agent, Plane, command, lane


class Counter(Agent, route="/counter/{id}"):
    total = lane.value(int, default=0)

    @command
    def add(self, amount: int) -> None:
        self.total += amount


plane = Plane("counting", [Counter])
# end: counter
