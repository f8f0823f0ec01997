"""The table of connections: how many there are, what they may hold, and the sweep that looks at their timeouts.

One timer serves all connections; a connection costs no timer and no task of its own.  The sweep goes through the table in
slices, so ten thousand connections do not stop the loop.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from natant.server.limit import Limit

__all__ = ["Member", "ServerCounter", "Table"]

#: connections that are looked at in one go
SWEEP_SLICE: Final = 500


class Member(Protocol):
    """A connection in the table."""

    address: str

    def sweep(self, now_s: float) -> None:
        """Look at your timeouts; ``now_s`` is the loop's time."""


_COUNTS = (
    "connections_accepted", "connections_refused", "http_errors", "http_requests", "messages_too_big", "origins_refused",
    "peers_dead", "peers_stalled", "pings_sent", "protocol_errors", "reads_paused", "upgrades", "upgrades_refused",
)  # fmt: skip


class ServerCounter:
    """What the server counts; each attribute is an ``int``."""

    __slots__ = _COUNTS

    connections_accepted: int
    connections_refused: int
    http_errors: int
    http_requests: int
    messages_too_big: int
    origins_refused: int
    peers_dead: int
    peers_stalled: int
    pings_sent: int
    protocol_errors: int
    reads_paused: int
    upgrades: int
    upgrades_refused: int

    def __init__(self) -> None:
        for name in _COUNTS:
            setattr(self, name, 0)

    def as_dict(self) -> dict[str, int]:
        """All counts by name."""
        return {name: getattr(self, name) for name in _COUNTS}


class Table:
    """All connections of a server.

    Invariant: the counts by address add up to ``len(members)``, and ``received_bytes`` is what members have reserved.
    """

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.counter = ServerCounter()
        self.members: dict[Member, None] = {}
        self.received_bytes = 0
        self._by_address: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self._slice: list[Member] = []
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def __len__(self) -> int:
        return len(self.members)

    # --- who is connected -----------------------------------------------------------------------------------------

    def has_room(self, address: str) -> bool:
        """True where one more connection from ``address`` is welcome."""
        limit = self.limit
        return len(self.members) < limit.connections and (
            self._by_address.get(address, 0) < limit.connections_per_address
        )

    def add(self, member: Member) -> None:
        """A connection was made."""
        if member in self.members:
            return
        self.members[member] = None
        self._by_address[member.address] = self._by_address.get(member.address, 0) + 1
        self._is_empty.clear()

    def remove(self, member: Member) -> None:
        """A connection has ended or changed hands."""
        if member not in self.members:
            return
        del self.members[member]
        left = self._by_address[member.address] - 1
        if left:
            self._by_address[member.address] = left
        else:
            del self._by_address[member.address]
        if not self.members:
            self._is_empty.set()

    async def until_empty(self) -> None:
        """Return when no connection is left."""
        await self._is_empty.wait()

    # --- memory for large messages --------------------------------------------------------------------------------

    def reserve(self, size: int) -> bool:
        """Ask to hold ``size`` more bytes of large messages; False where that is too much for all together."""
        if self.received_bytes + size > self.limit.receive_memory_bytes:
            return False
        self.received_bytes += size
        return True

    def release(self, size: int) -> None:
        """Give back what was reserved."""
        self.received_bytes -= size

    # --- the sweep ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the sweep."""
        self._timer = asyncio.get_running_loop().call_later(self.limit.sweep_s, self._sweep)

    def stop(self) -> None:
        """Stop the sweep."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sweep(self) -> None:
        if not self._slice:
            self._slice = list(self.members)
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        members = self.members
        due, self._slice = self._slice[:SWEEP_SLICE], self._slice[SWEEP_SLICE:]
        for member in due:
            if member in members:
                member.sweep(now_s)
        if self._slice:
            self._timer = loop.call_soon(self._sweep)
        else:
            self._timer = loop.call_later(self.limit.sweep_s, self._sweep)
