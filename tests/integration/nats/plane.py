"""The plane that the tests of the NATS door run, and the door with a server in front of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import nats
from nats.aio.client import Client

from natant import Agent, Plane, Refused, lane
from natant.fabric.nats.engine import Engine
from natant.host import Host
from natant.loop import LoopEnv
from natant.server.nats import NatsDoor, NatsLimit
from natant.store.memory import MemoryStore
from tests.support.nats import engine, engine_of

#: time for an answer on a busy machine
WAIT_S: Final = 30

__all__ = ["WAIT_S", "Fix", "Stand", "Vehicle", "app", "stand", "standing"]


@dataclass
class Fix:
    """Where a vehicle is."""

    lat: float
    lon: float


class Vehicle(Agent, route="/vehicle/{id}"):
    """Something that moves."""

    position = lane.value(Fix)
    count = lane.value(int, 0)
    speeds = lane.map(int, float)
    notes = lane.list(str)
    heading = lane.value(int, publish=True)
    alarms = lane.supply(str)

    @lane.command
    def report(self, fix: Fix) -> int:
        """Take a position."""
        self.position = fix
        self.count = self.count + 1
        return self.count

    @lane.command
    def turn(self, degrees: int) -> None:
        """Take a heading."""
        self.heading = degrees

    @lane.command
    def refuse(self) -> None:
        """Never do it."""
        raise Refused("no")

    @lane.command
    async def wait(self, name: str) -> None:
        """Answer when the gate of that name is opened."""
        await GATES[name].wait()


#: events that ``wait`` waits for
GATES: dict[str, Any] = {}


def app(**options: Any) -> Plane:
    return Plane("transit", [Vehicle], **options)


@dataclass
class Stand:
    """What a test holds: the engine, the host, the door, and a client like any other's."""

    engine: Engine
    host: Host
    door: NatsDoor
    client: Client

    async def ask(self, verb: str, lane_name: str, node: str, body: bytes = b"", **headers: str) -> Any:
        """Ask and return the answer; a name in ``headers`` has ``_`` for ``-``."""
        subject = self.engine.subjects.ask(verb, lane_name, node)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(subject, body, timeout=WAIT_S, headers=named or None)


@contextlib.asynccontextmanager
async def stand(plane: Plane | None = None, limit: NatsLimit | None = None, **spec: Any) -> AsyncIterator[Stand]:
    """A plane behind a NATS door, with an embedded server."""
    async with engine("transit", **spec) as started, _behind(started, plane, limit) as found:
        yield found


@contextlib.asynccontextmanager
async def standing(url: str) -> AsyncIterator[Stand]:
    """The same at a server that runs already."""
    async with engine_of(url, "transit") as started, _behind(started, None, None) as found:
        yield found


@contextlib.asynccontextmanager
async def _behind(started: Engine, plane: Plane | None, limit: NatsLimit | None) -> AsyncIterator[Stand]:
    env = LoopEnv()
    host = Host(plane or app(), store=MemoryStore(), env=env)
    door = NatsDoor(host, started.nc, started.subjects, limit=limit)
    door.attach(host)
    await host.start()
    await door.open()
    client = await nats.connect(started.url)
    try:
        yield Stand(started, host, door, client)
    finally:
        await client.close()
        await door.close()
        await host.stop()
        env.close()
