"""The plane that two workers serve over NATS."""

from __future__ import annotations

from natant import Agent, Plane, command, lane


class Unit(Agent, route="/unit/{id}"):
    """Something that counts, shown to everybody, with a large value."""

    count = lane.value(int, 0, publish=True, bucket="counts")
    photo = lane.blob()

    @command
    def add(self, amount: int) -> int:
        """Count."""
        self.count += amount
        return self.count

    @command
    async def shoot(self, size: int) -> int:
        """Keep so many bytes, and read them again."""
        await self.photo.put(b"x" * size)
        return len(await self.photo.read() or b"")


plane = Plane("crewed", [Unit])
