"""A region that follows sites on other hosts: ``natant run examples/regions/region.py --port 9002``."""

# part: region
from dataclasses import dataclass

from natant import Agent, Plane, command, lane


@dataclass
class Where:
    site: str
    host: str


class Region(Agent, route="/region/{id}"):
    """All meters of its sites in one map; it tells the sites to save when they use too much together."""

    watts = lane.join_map(str, int)
    hosts = lane.map(str, str)
    age = lane.demand(float)

    @command
    def follow(self, where: Where) -> None:
        self.hosts[where.site] = where.host
        self.watts.join(f"/site/{where.site}", "watts", host=where.host)

    @watts.updated
    def look(self, meter: str, new: int, old: int | None) -> None:
        if sum(self.watts.values()) > 15_000:
            for site, host in self.hosts.items():
                self.send(f"/site/{site}", "stay_below", 5_000, host=host)

    @age.cue
    def tell_age(self) -> float:
        return round(self.watts.age(), 1)


plane = Plane("regions", [Region])
# end: region
