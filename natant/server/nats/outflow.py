"""What leaves through the NATS connection: answers and events, in their order, by one task.

Sessions and turns write synchronously; the client's ``publish`` is a coroutine that may wait for the socket.  So they put their messages
here, and one task hands them on.  While the connection is away, or slow, events are held back by their links, which conflate
(:attr:`Outflow.is_full`); answers that find no room are dropped and counted: who asked runs into a time-out and asks again under the same id.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from natant.server.nats.limit import NatsLimit

__all__ = ["Outflow"]

#: how often a connection that is away is looked at
RECONNECT_LOOK_S: Final = 0.05


class Outflow:
    """The way out of one door.

    :param client: a connected NATS client: ``publish(subject, payload, headers=...)`` and ``is_connected``.
    :ivar on_room: called when there is room again after :attr:`is_full`.
    :ivar sent: messages handed to the client.
    :ivar dropped: messages that found no room, or that the client refused.
    """

    def __init__(self, client: Any, limit: NatsLimit) -> None:
        self._client = client
        self._limit = limit
        self._waiting: deque[tuple[str, bytes, dict[str, str] | None]] = deque()
        self._size = 0
        self._something = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._was_full = False
        self._is_stopping = False
        self.on_room: Callable[[], None] = lambda: None
        self.on_dropped: Callable[[str, Exception | None], None] = lambda subject, error: None
        self.sent = 0
        self.dropped = 0

    @property
    def is_full(self) -> bool:
        """True while links should hold back what they have."""
        is_full = (
            len(self._waiting) >= self._limit.out_messages
            or self._size >= self._limit.out_bytes
            or not self._client.is_connected
        )
        self._was_full = self._was_full or is_full
        return is_full

    def start(self) -> None:
        """Begin to hand on."""
        self._task = asyncio.ensure_future(self._run())

    async def stop(self, grace_s: float) -> None:
        """Hand on what waits, for ``grace_s`` seconds at most, then end."""
        if self._task is None:
            return
        self._is_stopping = True
        self._something.set()
        await asyncio.wait({self._task}, timeout=grace_s)
        self._task.cancel()

    def put(
        self, subject: str, payload: bytes, headers: dict[str, str] | None = None, *, is_event: bool = False
    ) -> None:
        """Send a message.  An event always finds room: its link asks :attr:`is_full` before it writes."""
        if not is_event and (
            len(self._waiting) >= 2 * self._limit.out_messages or self._size >= 2 * self._limit.out_bytes
        ):
            self.dropped += 1
            self.on_dropped(subject, None)
            return
        self._waiting.append((subject, payload, headers))
        self._size += len(payload)
        self._something.set()

    def look(self) -> None:
        """Call :attr:`on_room` where there was none and is some now."""
        if self._was_full and not self.is_full:
            self._was_full = False
            self.on_room()

    async def _run(self) -> None:
        waiting = self._waiting
        client = self._client
        while True:
            await self._something.wait()
            self._something.clear()
            while waiting:
                while not client.is_connected:  # noqa: ASYNC110 - the client has no event for it
                    await asyncio.sleep(RECONNECT_LOOK_S)
                subject, payload, headers = waiting.popleft()
                self._size -= len(payload)
                try:
                    await client.publish(subject, payload, headers=headers)
                    self.sent += 1
                except Exception as error:
                    self.dropped += 1
                    self.on_dropped(subject, error)
            self.look()
            if self._is_stopping:
                return
