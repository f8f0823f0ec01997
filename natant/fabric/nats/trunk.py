"""Frames and pings between workers over core NATS.

A worker listens on three subjects of its own: frames of others, pings, and the answers to its pings, where the server itself says that
nobody listened.  Everything leaves through one queue, in order, as soon as the connection takes it; while it is away frames wait, up to
a bound, and pings do not.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from natant.errors import FabricError

if TYPE_CHECKING:
    from nats.aio.msg import Msg

    from natant.fabric.detector import Detector
    from natant.fabric.nats.engine import Engine

__all__ = ["Trunk"]

#: frames that may wait for the connection, in bytes; what comes then is dropped, and noticed as a gap
QUEUED_BYTES: Final = 160 * 1024 * 1024
#: what the client may hold of frames that came faster than they are taken
RECEIVED_BYTES: Final = 256 * 1024 * 1024
RECEIVED_MESSAGES: Final = 1_000_000

_LOG = logging.getLogger("natant.fabric")


class Trunk:
    """The subjects of one worker.

    :param arrived: takes a frame; may raise FabricError where it is none.
    :param detector: is told of answers to pings.
    :ivar dropped: frames that found the queue full.
    :ivar malformed: messages that were no frames.
    """

    def __init__(self, engine: Engine, worker: str, arrived: Callable[[bytes], None], detector: Detector) -> None:
        self.dropped = 0
        self.malformed = 0
        self._engine = engine
        self._worker = worker
        self._arrived = arrived
        self._detector = detector
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[str, bytes, str]] = deque()
        self._queued_bytes = 0
        self._writing: asyncio.Task[None] | None = None
        self._subscriptions: list[Any] = []

    async def open(self) -> None:
        """Listen."""
        client, subjects, worker = self._engine.nc, self._engine.subjects, self._worker
        self._subscriptions = [
            await client.subscribe(
                subjects.trunk(worker),
                cb=self._on_frame,
                pending_bytes_limit=RECEIVED_BYTES,
                pending_msgs_limit=RECEIVED_MESSAGES,
            ),
            await client.subscribe(subjects.ping(worker), cb=self._on_ping),
            await client.subscribe(subjects.pong(worker, "*"), cb=self._on_pong),
        ]
        await client.flush()
        self._engine.on_change.append(self._connection_changed)

    async def close(self) -> None:
        """Say what is still to be said, then listen no more."""
        if self._connection_changed in self._engine.on_change:
            self._engine.on_change.remove(self._connection_changed)
        if self._writing is not None and self._engine.nc.is_connected:
            await asyncio.wait([self._writing], timeout=1.0)
        if self._writing is not None:
            self._writing.cancel()
        for subscription in self._subscriptions:
            if not self._engine.nc.is_closed:
                await subscription.unsubscribe()
        self._subscriptions = []

    def send(self, worker: str, frame: bytes) -> None:
        """Put a frame on the way to a worker."""
        if self._queued_bytes + len(frame) > QUEUED_BYTES:
            self.dropped += 1
            return
        self._put(self._engine.subjects.trunk(worker), frame, "")

    def ping(self, worker: str) -> None:
        """Ask a worker whether it lives."""
        if self._engine.nc.is_connected:
            subjects = self._engine.subjects
            self._put(subjects.ping(worker), b"", subjects.pong(self._worker, worker))

    def _put(self, subject: str, payload: bytes, reply: str) -> None:
        self._queue.append((subject, payload, reply))
        self._queued_bytes += len(payload)
        if self._writing is None and self._engine.nc.is_connected:
            self._writing = self._loop.create_task(self._write())

    async def _write(self) -> None:
        client, queue = self._engine.nc, self._queue
        try:
            while queue and client.is_connected:
                subject, payload, reply = queue.popleft()
                self._queued_bytes -= len(payload)
                await client.publish(subject, payload, reply)
        except Exception as error:
            # What was not sent is missed by its receiver, and asked for.
            _LOG.warning("a frame could not be sent: %s: %s", type(error).__name__, error)
        finally:
            self._writing = None

    def _connection_changed(self, is_up: bool) -> None:
        if is_up and self._queue and self._writing is None:
            self._writing = self._loop.create_task(self._write())

    async def _on_frame(self, message: Msg) -> None:
        try:
            self._arrived(message.data)
        except FabricError as error:
            self.malformed += 1
            _LOG.warning("%s", error)
        except Exception:
            # The worker's own code failed on it; what others send must still come.
            _LOG.exception("a message of another worker could not be handled")

    async def _on_ping(self, message: Msg) -> None:
        if message.reply:
            self._put(message.reply, b"", "")

    async def _on_pong(self, message: Msg) -> None:
        worker = message.subject.rpartition(".")[2]
        if (message.headers or {}).get("Status") == "503":
            self._detector.refused(worker, self._loop.time())
        else:
            self._detector.answered(worker, self._loop.time())
