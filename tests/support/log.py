"""A stream in memory that behaves as :class:`natant.fabric.nats.wire.Log` does, with faults to order."""

from __future__ import annotations

from natant.fabric.nats.wire import Displaced, Entry, Full, NotThere

__all__ = ["MemoryLog"]


class MemoryLog:
    """One stream.

    :ivar is_away: nobody answers.
    :ivar loses_answer: the next append is stored, and its acknowledgement is lost.
    :ivar room: messages that it may hold.
    """

    def __init__(self, name: str = "log") -> None:
        self.name = name
        self.entries: list[Entry] = []
        self.sequence = 0
        self.is_away = False
        self.loses_answer = False
        self.room = 1_000_000

    def _look(self) -> None:
        if self.is_away:
            raise NotThere("NT-EDGE-001", "the test has cut the cable")

    async def append(self, subject: str, data: bytes, *, after: int) -> int:
        self._look()
        newest = await self.last(subject)
        if (0 if newest is None else newest.sequence) != after:
            raise Displaced("NT-EDGE-002", "another one is there")
        if len(self.entries) >= self.room:
            raise Full("NT-EDGE-003", "full")
        self.sequence += 1
        self.entries.append(Entry(self.sequence, subject, data, {}))
        if self.loses_answer:
            self.loses_answer = False
            raise NotThere("NT-EDGE-001", "the answer was lost")
        return self.sequence

    async def last(self, subject: str) -> Entry | None:
        self._look()
        return next((entry for entry in reversed(self.entries) if entry.subject == subject), None)

    async def read(self, start: int, subject: str, *, max_bytes: int) -> list[Entry]:
        self._look()
        return [entry for entry in self.entries if entry.sequence >= start]

    async def purge(self, subject: str, below: int) -> None:
        self._look()
        self.entries = [entry for entry in self.entries if entry.subject != subject or entry.sequence >= below]

    async def facts(self) -> dict[str, int]:
        self._look()
        return {"messages": len(self.entries), "last_seq": self.sequence}
