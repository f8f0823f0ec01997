"""A small plane with a lane of each kind that the command line shows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from natant import Agent, Plane, Refused, command, lane


@dataclass
class Place:
    """Where something is."""

    lat: float
    lon: float


class Room(Agent, route="/room/{id}"):
    """A room that people use."""

    name = lane.value(str)
    place = lane.value(Place)
    total = lane.value(int, default=0)
    seats = lane.map(str, Place)
    notes = lane.list(str)
    bell = lane.supply(str)

    @command
    def add(self, amount: int) -> int:
        """Add to the total."""
        self.total += amount
        return self.total

    @command
    def ring(self, text: str) -> None:
        self.bell.push(text)

    @command
    def note(self, text: str) -> None:
        self.notes.append(text)

    @command
    def refuse(self) -> None:
        raise Refused("the room is closed")

    @command
    def divide(self, by: int) -> int:
        """Fails where ``by`` is 0, until the total is set."""
        return 100 // (by or self.total)

    @command
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


plane = Plane("rooms", [Room])
