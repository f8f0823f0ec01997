"""A plane for workers: counters that add up."""

from natant import Agent, Plane, command, lane


class Counter(Agent, route="/counter/{id}"):
    """One number."""

    count = lane.value(int, 0)

    @command
    def add(self, amount: int) -> int:
        """Add to it."""
        self.count += amount
        return self.count


plane = Plane("counters", [Counter])
