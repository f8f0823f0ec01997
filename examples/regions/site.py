"""Sites with their meters: ``natant run examples/regions/site.py``."""

# part: site
from natant import Agent, Plane, command, lane


class Site(Agent, route="/site/{id}"):
    """One site: what its meters measure, and what it was told to stay below."""

    watts = lane.map(str, int)
    limit = lane.value(int, default=10_000)

    @command
    def measure(self, readings: dict[str, int]) -> None:
        self.watts.update(readings)

    @command
    def stay_below(self, watts: int) -> None:
        self.limit = watts


plane = Plane("sites", [Site])
# end: site
