"""What a mounted application may ask of the plane, on a worker of a cluster as on one host."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from natant import Agent, Identity, Plane, command, lane
from natant.errors import LinkError
from natant.server import Caller
from natant.testing import cluster


@dataclass
class Point:
    """A value of two figures."""

    x: int
    y: float


class Box(Agent, route="/box/{id}"):
    """Keeps points."""

    last = lane.value(Point)
    points = lane.map(int, Point)

    @command
    def put(self, point: Point) -> Point:
        """Keep a point."""
        self.last = point
        self.points[point.x] = point
        return point


def may(identity: Identity, verb: str, node: str, lane: str) -> bool:
    """Everybody has the boxes whose names begin with their own."""
    return node.startswith(f"/box/{identity.name}")


async def test_typed_values_pass_between_the_workers_of_a_cluster() -> None:
    async with cluster(Plane("test", [Box], policy=may), workers=2) as plane:
        await plane.settle()
        for number, worker in enumerate(plane.workers):
            caller = Caller(worker, Identity("ann"))
            for box in range(4):  # some here, some there
                node = f"/box/ann{number}{box}"
                point = Point(box, 0.5)
                outcome = await plane._await(caller.command(node, "put", point, Point, command_id="one"))
                again = await plane._await(caller.command(node, "put", point, Point, command_id="one"))
                assert outcome.value == again.value == point
                assert again.is_duplicate
                assert await plane._await(caller.read(node, "last")) == point
                assert await plane._await(caller.read(node, "points", fresh=True)) == {box: point}
            with pytest.raises(LinkError, match="NT-LINK-008"):
                await plane._await(caller.command("/box/bob", "put", Point(1, 1.0)))
            assert await plane._await(caller.acting_for(Identity("eve")).read("/box/eve", "last")) is None
