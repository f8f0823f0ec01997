"""The plane of ``edge.py``: a depot of the hub takes what sensors at an edge saw, and counts what is not next."""

from __future__ import annotations

from natant import Agent, Plane, command, lane


class Depot(Agent, route="/depot/{id}"):
    """Gets 0, 1, 2 and so on, if nothing is lost, repeated or out of order."""

    count = lane.value(int, default=0)
    wrong = lane.value(int, default=0)

    @command
    def take(self, number: int) -> None:
        """One capture."""
        if number != self.count:
            self.wrong += 1
        self.count += 1


app = Plane("edge", [Depot])
