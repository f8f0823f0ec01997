"""Frames and pings between workers over core NATS.

A worker listens on three subjects of its own: frames of others, pings, and the answers to its pings, where the server itself says that
nobody listened.  Everything leaves through one queue, in order, as soon as the connection takes it; while it is away frames wait, up to
a bound, and pings do not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from natant.errors import FabricError
from natant.fabric.nats.courier import NOBODY

if TYPE_CHECKING:
    from natant.fabric.detector import Detector
    from natant.fabric.nats.engine import Engine

__all__ = ["Trunk"]

#: frames that may wait for the connection, in bytes; what comes then is dropped, and noticed as a gap
QUEUED_BYTES: Final = 160 * 1024 * 1024
#: of those, what is given to the connection at a time, so that pings and journals do not wait long behind it
SENDING_BYTES: Final = 4 * 1024 * 1024
#: between two looks whether it takes more
CROWDED_S: Final = 0.002
#: time for the last frames when it closes
CLOSE_S: Final = 1.0

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
        self._timer: asyncio.TimerHandle | None = None
        self._subscriptions: list[int] = []

    async def open(self) -> None:
        """Listen."""
        courier, subjects, worker = self._engine.courier, self._engine.subjects, self._worker
        self._subscriptions = [
            courier.subscribe(subjects.trunk(worker), self._on_frame),
            courier.subscribe(subjects.ping(worker), self._on_ping),
            courier.subscribe(subjects.pong(worker, "*"), self._on_pong),
        ]
        with contextlib.suppress(ConnectionError):  # else it listens as soon as the connection is back
            await courier.flush()
        courier.on_up.append(self._drain)

    async def close(self) -> None:
        """Say what is still to be said, then listen no more."""
        courier = self._engine.courier
        if self._drain in courier.on_up:
            courier.on_up.remove(self._drain)
        self._drain()
        if courier.is_connected:
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await courier.flush()
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
        for number in self._subscriptions:
            courier.unsubscribe(number)
        self._subscriptions = []

    def send(self, worker: str, frame: bytes) -> None:
        """Put a frame on the way to a worker."""
        if self._queued_bytes + len(frame) > QUEUED_BYTES:
            self.dropped += 1
            return
        self._put(self._engine.subjects.trunk(worker), frame, "")

    def ping(self, worker: str) -> None:
        """Ask a worker whether it lives."""
        if self._engine.courier.is_connected:
            subjects = self._engine.subjects
            self._put(subjects.ping(worker), b"", subjects.pong(self._worker, worker))

    def _put(self, subject: str, payload: bytes, reply: str) -> None:
        self._queue.append((subject, payload, reply))
        self._queued_bytes += len(payload)
        self._drain()

    def _drain(self) -> None:
        """Send what the connection takes at present; the rest in a moment, or when it is back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        courier, queue = self._engine.courier, self._queue
        while queue and courier.is_connected and courier.pending < SENDING_BYTES:
            subject, payload, reply = queue.popleft()
            self._queued_bytes -= len(payload)
            # What is not sent because the connection goes at this moment is missed by its receiver, and asked for.
            with contextlib.suppress(ConnectionError):
                courier.publish(subject, payload, reply=reply)
        if queue and courier.is_connected:
            self._timer = self._loop.call_later(CROWDED_S, self._drain)

    def _on_frame(self, subject: bytes, reply: bytes, head: bytes, data: bytes) -> None:
        try:
            self._arrived(data)
        except FabricError as error:
            self.malformed += 1
            _LOG.warning("%s", error)
        except Exception:
            # The worker's own code failed on it; what others send must still come.
            _LOG.exception("a message of another worker could not be handled")

    def _on_ping(self, subject: bytes, reply: bytes, head: bytes, data: bytes) -> None:
        if reply:
            self._put(reply.decode(), b"", "")

    def _on_pong(self, subject: bytes, reply: bytes, head: bytes, data: bytes) -> None:
        worker = subject.decode().rpartition(".")[2]
        if head.startswith(NOBODY):
            self._detector.refused(worker, self._loop.time())
        else:
            self._detector.answered(worker, self._loop.time())
